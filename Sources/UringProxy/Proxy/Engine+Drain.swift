// Exchanges that are over but for the last bytes of their answer, which the client has yet to take: they are told of when it has, or has gone.
extension Engine where D: ~Copyable {
    /// With so much behind it a send that is under way, or a stream's output, waits for the client, and not just for the turn's end.
    private static var heldUpBytes: UInt32 { 16 * 1024 }

    /// Whether downstream has not taken all that it was sent.
    @inline(__always)
    func isHeldUp(_ slot: UInt32) -> Bool {
        if connections[slot].isCongested { return true }
        return (isStream(slot) || connections[slot].isSending)
            && connections[slot].output.byteCount > Self.heldUpBytes
    }

    @inline(never)
    mutating func awaitDrain(
        _ finished: FinishedExchange, texts: ByteView, _ span: SpanNotes?, _ slot: UInt32
    ) {
        // Another one's answer, before this one's, is on its way as well.
        settleDrain(slot, isWhole: true)
        let kept = unsafe Array(UnsafeBufferPointer(start: texts.pointer, count: texts.count))
        undrained[slot] = UndrainedExchange(
            finished: finished, texts: kept, span: span, since: driver.now)
        undrainedCount = undrained.count
    }

    /// The client has taken what it was sent, or will never do so.
    @inline(never)
    mutating func settleDrain(_ slot: UInt32, isWhole: Bool) {
        guard var exchange = undrained.removeValue(forKey: slot) else { return }
        undrainedCount = undrained.count
        exchange.finished.record.times[.drain] &+= driver.now &- exchange.since
        // What we have cut is not the client's doing.
        if !isWhole && !exchange.finished.record.flags.contains(.isCut) {
            exchange.finished.record.flags.formUnion(.isAborted)
        }
        unsafe exchange.texts.withUnsafeBytes {
            conclude(exchange.finished, texts: unsafe ByteView($0), exchange.span)
        }
    }
}

/// What is known of an exchange at its end.
struct FinishedExchange: BitwiseCopyable {
    /// But for its weight.
    var record: AccessRecord
    var rows: ExchangeRows
    var sampler: UInt16
    var hasTexts: Bool
    var failure: ProxyError
    /// Where it came from and went to, as exchanges have it.
    var downstream: UInt32
    var cluster: UInt16
    var endpoint: UInt32
}

/// One whose client is slow.
struct UndrainedExchange {
    var finished: FinishedExchange
    let texts: [UInt8]
    let span: SpanNotes?
    let since: Int64
}
