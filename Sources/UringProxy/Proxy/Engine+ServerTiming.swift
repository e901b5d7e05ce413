// Server-Timing (W3C Server Timing): answers tell what took how long up to then.
extension Engine where D: ~Copyable {
    /// Bytes of the line at most: a dozen names with a number each.
    private static var timingLineSize: Int { 768 }

    /// Whether the exchange's answer tells it.
    mutating func time(_ index: UInt32, _ isTimed: Bool) {
        if isTimed {
            exchanges[index].additions.formUnion(.timing)
            exchanges[index].changers.formUnion(.timing)
        } else {
            exchanges[index].additions.subtract(.timing)
            exchanges[index].changers.subtract(.timing)
        }
    }

    /// What its route says of that.
    mutating func noteTiming(_ index: UInt32, _ timing: ExchangeNames.Timing) {
        switch timing {
        case .common: break
        case .on: time(index, true)
        case .off: time(index, false)
        }
    }

    /// Adds the line to those of an answer, whose head is about to leave. It is a list: what the endpoint says of itself stays beside it.
    @inline(never)
    mutating func addTiming(_ index: UInt32, to changes: inout ResponseChanges) {
        guard notes[index].isKept else { return }
        var ledger = notes[index].ledger
        ledger.enter(.receive, at: driver.now)
        let times = ledger.times
        timingBytes.reserve(changes.lines.text.count + Self.timingLineSize)
        var writer = unsafe ByteWriter(base: timingBytes.pointer, capacity: timingBytes.capacity)
        writer.append(changes.lines.text)
        writer.append("Server-Timing: uproxy;dur=")
        writer.append(milliseconds: times.total)
        writer.append(", added;dur=")
        writer.append(milliseconds: times.added)
        if times[.wait] != 0 || times[.send] != 0 {
            writer.append(", upstream;dur=")
            writer.append(milliseconds: times[.wait] &+ times[.send])
        }
        for stage in Ledger.Stage.allCases where times[stage] != 0 {
            writer.append(", ")
            writer.append(stage.label)
            writer.append(";dur=")
            writer.append(milliseconds: times[stage])
        }
        writer.append("\r\n")
        changes.lines.text = writer.written
    }
}
