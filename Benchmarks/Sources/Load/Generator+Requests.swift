internal import CPosix

extension Generator {
    /// Whether requests are still to begin.
    var hasWork: Bool {
        if let schedule { return schedule.time(of: issued) != nil }
        return phase == .running && issued < options.requestLimit ?? .max
    }

    /// Decides what a free slot does.
    mutating func next(_ slot: Int) {
        switch options.mode {
        case .closed:
            if phase == .running && hasWork { begin(slot, at: now) }
        case .open:
            if !table[slot].isQueued {
                table[slot].isQueued = true
                free.append(slot)
            }
        case .idle:
            break  // It is held.
        case .slow:
            preconditionFailure("slow sends no whole request")
        }
    }

    /// Sends what the schedule asks for by now, as far as there are free connections.
    mutating func issueDue() {
        guard let schedule else { return }
        while let at = schedule.time(of: issued), at <= now {
            if now - at > timeout {
                issued += 1
                tally.count(.timeout)
                continue
            }
            guard let slot = takeFree() else { return }
            now = cposix_monotonic_nanoseconds()
            if at >= window.from { lateness.record(now - max(at, table[slot].idleSince)) }
            begin(slot, at: at)
        }
    }

    private mutating func takeFree() -> Int? {
        while let slot = free.popFirst() {
            table[slot].isQueued = false
            // One that was closed meanwhile comes back when it is connected.
            if isFree(slot) { return slot }
        }
        return nil
    }

    /// Begins a request, or as many as are pipelined, whose latency counts from `time`.
    mutating func begin(_ slot: Int, at time: Int64) {
        table[slot].begun = time
        table[slot].outstanding = options.pipeline
        table[slot].sent = 0
        underWay += 1
        issued += options.pipeline
        if table[slot].state == .vacant {
            table[slot].isPending = true
            connect(slot)
        } else {
            table[slot].state = .busy
            send(slot)
        }
    }

    /// The socket takes bytes (again).
    mutating func writable(_ slot: Int) {
        switch table[slot].state {
        case .vacant, .idle: break
        case .connecting: connectionMayStand(slot)
        case .tunnelling: sendPreface(slot)
        case .busy: send(slot)
        }
    }

    mutating func send(_ slot: Int) {
        while table[slot].sent < request.size {
            let sent = request.send(table[slot].descriptor, from: table[slot].sent)
            if sent == -Int(EAGAIN) { return }
            if sent < 0 { return fail(slot, .reset, detail: -sent) }
            table[slot].sent += sent
            tally.counts.bytesOut += sent
        }
    }

    mutating func sendPreface(_ slot: Int) {
        while table[slot].sent < preface.size {
            let sent = preface.send(table[slot].descriptor, from: table[slot].sent)
            if sent == -Int(EAGAIN) { return }
            if sent < 0 { return fail(slot, .reset, detail: -sent) }
            table[slot].sent += sent
            tally.counts.bytesOut += sent
        }
    }
}
