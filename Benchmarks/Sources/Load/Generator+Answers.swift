internal import CLoad
internal import CPosix

extension Generator {
    /// Reads until nothing is left.
    ///
    /// - Parameter isEnding: whether the end of the stream is near, so that few bytes do not mean that no more come.
    mutating func readable(_ slot: Int, isEnding: Bool) {
        let generation = table[slot].generation
        while true {
            // Much body is thrown away where it lies; at the end of a body little is left, and the next head follows.
            let skippable = table[slot].reader.skippable
            let isSkipping = skippable > Inbox.size
            let wanted = isSkipping ? min(skippable, 1 << 30) : Inbox.size
            let size =
                isSkipping
                ? cload_discard(table[slot].descriptor, wanted) : inbox.receive(table[slot].descriptor)
            if size == -Int(EAGAIN) { return }
            if size <= 0 { return ended(slot, errno: -size) }
            tally.counts.bytesIn += size
            if isSkipping {
                if table[slot].reader.didSkip(size) { answered(slot, isLastByte: true) }
            } else {
                take(slot, size)
            }
            if table[slot].generation != generation { return }
            // A short read has emptied the socket: what comes later comes with an event (epoll(7)).
            if size < wanted && !isEnding { return }
        }
    }

    /// Takes the bytes in the inbox.
    private mutating func take(_ slot: Int, _ size: Int) {
        let inbox = inbox
        if carried[slot].isEmpty {
            read(slot, inbox.received(size))
        } else {
            var bytes: [UInt8] = []
            swap(&bytes, &carried[slot])
            let received = inbox.received(size)
            for index in 0..<received.count { bytes.append(received[index]) }
            read(slot, bytes.span)
        }
    }

    private mutating func read(_ slot: Int, _ bytes: Span<UInt8>) {
        let generation = table[slot].generation
        var index = 0
        while index < bytes.count {
            let state = table[slot].state
            guard state == .busy || state == .tunnelling else { return fail(slot, .excess) }
            switch table[slot].reader.read(bytes, from: &index) {
            case .more: return
            case .partOfHead:
                if bytes.count - index > Inbox.size { return fail(slot, .parse) }
                for place in index..<bytes.count { carried[slot].append(bytes[place]) }
                return
            case .invalid: return fail(slot, .parse)
            case .complete:
                answered(slot, isLastByte: index == bytes.count)
                if table[slot].generation != generation { return }
            }
        }
    }

    /// Checks and counts an answer.
    ///
    /// - Parameter isLastByte: whether nothing follows it.
    private mutating func answered(_ slot: Int, isLastByte: Bool) {
        now = cposix_monotonic_nanoseconds()
        if table[slot].state == .tunnelling {
            return isLastByte ? tunnelAnswered(slot) : fail(slot, .excess)
        }
        if !isLastByte && table[slot].outstanding == 1 { return fail(slot, .excess) }
        let head = table[slot].reader.head
        let size = table[slot].reader.bodySize
        let isExpected = head.status == options.expectedStatus
        if table[slot].sent < request.size {
            return fail(slot, isExpected ? .early : .status, detail: head.status)
        }
        if expectedBytes == nil && isExpected { expectedBytes = size }
        if !isExpected {
            tally.count(.status, detail: head.status)
        } else if size != expectedBytes {
            tally.count(.length, detail: size)
        } else {
            tally.counts.requests += 1
            if table[slot].begun >= window.from { latency.record(now - table[slot].begun) }
        }
        table[slot].outstanding -= 1
        table[slot].reader.restart()
        if table[slot].outstanding > 0 {
            if !head.keepsAlive { fail(slot, .closed) }
            return
        }
        underWay -= 1
        table[slot].state = .idle
        table[slot].idleSince = now
        if options.mode == .idle && phase == .opening { firstAttemptsLeft -= 1 }
        if !head.keepsAlive || options.isNewConnection {
            close(slot)
            isVacant(slot)
        } else {
            next(slot)
        }
    }

    /// The peer has ended the connection, or it broke.
    private mutating func ended(_ slot: Int, errno: Int) {
        switch table[slot].state {
        case .busy where errno == 0 && table[slot].reader.endsWithConnection:
            answered(slot, isLastByte: true)
        case .idle where options.mode != .idle:
            // A server may close what is idle.
            close(slot)
            isVacant(slot)
        case .connecting: fail(slot, .connect, detail: errno)
        case .busy, .idle, .tunnelling, .vacant:
            fail(slot, errno == 0 ? .closed : .reset, detail: errno)
        }
    }
}
