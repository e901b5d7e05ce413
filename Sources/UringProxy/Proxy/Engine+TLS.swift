// TLS: connections whose bytes pass a session between the socket and everybody else.
//
// What comes is decrypted at once, as far as there is room for it in the input, and to where it came from; what is sent is encrypted
// as it leaves. So nobody else knows of it. Ciphertext that waits for room keeps its connection from receiving.
extension Engine where D: ~Copyable {
    /// Whether a session stands between a connection and its socket.
    @inline(__always)
    func isSecure(_ slot: UInt32) -> Bool { tlsCount > 0 && !tls[slot].session.isNone }

    /// What the session writes of its own accord (new keys, RFC 8446 §4.6.3) and may wait for a peer that does not read.
    private static var answerLimit: UInt32 { 64 * 1024 }

    // MARK: - Receiving

    /// Ciphertext has come.
    @inline(never)
    mutating func receivedSecurely(_ slot: UInt32, _ segment: Segment) {
        if tls[slot].isBroken || connections[slot].inputEnded {
            arena.release(segment.slice)
            updateReceive(slot)
            return
        }
        segments.appendCompacting(segment, to: &tls[slot].received)
        if tls[slot].isOpen { decrypt(slot) } else { shakeHands(slot) }
    }

    /// The end of the stream has come.
    @inline(never)
    mutating func receivingEndedSecurely(_ slot: UInt32) {
        tls[slot].streamEnded = true
        if tls[slot].isBroken {
            connections[slot].inputEnded = true
            inputArrived(slot)
        } else if tls[slot].isOpen {
            decrypt(slot)
        } else {
            shakeHands(slot)
        }
    }

    /// Whether ciphertext waits for the room that there is now; it is seen to in this turn.
    @inline(never)
    mutating func decryptsFirst(_ slot: UInt32) -> Bool {
        if tls[slot].session.isNone || tls[slot].received.isEmpty { return false }
        queueDecrypt(slot)
        return true
    }

    private mutating func queueDecrypt(_ slot: UInt32) {
        if tls[slot].isQueued { return }
        tls[slot].isQueued = true
        decryptQueue.append(slot)
    }

    /// Those that had no room, or no memory.
    @inline(never)
    mutating func decryptQueued() {
        for _ in 0..<decryptQueue.count {
            guard let slot = decryptQueue.popFirst() else { return }
            guard connections.isOccupied(slot), tls[slot].isQueued else { continue }
            tls[slot].isQueued = false
            if connections[slot].phase != .closing && connections[slot].phase != .discarding { decrypt(slot) }
        }
    }

    /// Decrypts what has come, as far as there is room, for whoever reads the connection now.
    mutating func decrypt(_ slot: UInt32) {
        let before = connections[slot].input.byteCount
        let hadEnded = connections[slot].inputEnded
        loop: while !tls[slot].received.isEmpty && wantsInput(slot) {
            switch decryptSegment(slot) {
            case .goesOn: break
            case .lacksMemory:
                counters.add(.buffersExhausted)
                queueDecrypt(slot)
                break loop
            case .ended:
                segments.removeAll(&tls[slot].received)
                connections[slot].inputEnded = true
            case .failed:
                sessionFailed(slot)
                return
            }
        }
        if tls[slot].streamEnded && tls[slot].received.isEmpty && !connections[slot].inputEnded {
            noteTruncated(slot)
        }
        if connections[slot].input.byteCount != before || connections[slot].inputEnded != hadEnded {
            inputArrived(slot)
        } else {
            updateReceive(slot)
            armTimer(slot)
        }
    }

    private enum Decrypted { case goesOn, lacksMemory, ended, failed }

    /// Decrypts a segment's worth: each record to where it came from, as a record is larger than its content. Nothing is leased, but
    /// for a record whose beginning came in an earlier segment.
    private mutating func decryptSegment(_ slot: UInt32) -> Decrypted {
        let session = tls[slot].session
        let segment = segments.first(of: tls[slot].received)
        let size = Int(segment.size)
        let base = unsafe arena.address(segment.slice) + Int(segment.offset)
        var count = 0
        // Behind the last record that came whole.
        var unread = size
        var outcome = TLSSession.Outcome.done(0)
        tlsWire.offer(segments.view(segment))
        tlsWire.collect()
        if tls[slot].partialBytes > 0 {
            let most = min(Int(tls[slot].partialBytes) + size, TLSWire.recordSize)
            guard let sliceClass = SliceClass.fitting(most), let slice = arena.lease(sliceClass) else {
                return .lacksMemory
            }
            outcome = unsafe read(session, into: arena.address(slice), size: sliceClass.sliceSize, slot)
            if case .done(let more) = outcome {
                segments.appendCompacting(
                    Segment(slice: slice, offset: 0, size: UInt32(more)), to: &connections[slot].input)
                tls[slot].partialBytes = 0
                unread = tlsWire.unreadCount
            } else {
                arena.release(slice)
            }
        }
        while case .done = outcome, unread > 0 {
            outcome = unsafe read(session, into: base + count, size: size - count, slot)
            guard case .done(let more) = outcome else { break }
            count += more
            unread = tlsWire.unreadCount
        }
        if outcome == .wantsInput { tls[slot].partialBytes += UInt32(unread) }
        let taken = UInt32(size - tlsWire.unreadCount)
        if count > 0 {
            assert(arena.isUnique(segment.slice), "nobody else reads where it is decrypted to")
            arena.retain(segment.slice)
            segments.appendCompacting(
                Segment(slice: segment.slice, offset: segment.offset, size: UInt32(count)),
                to: &connections[slot].input)
        }
        segments.consume(taken, from: &tls[slot].received)
        guard keepWritten(slot) else { return .failed }
        switch outcome {
        case .done, .wantsInput: return .goesOn
        case .ended: return .ended
        case .wantsRoom, .failed: return .failed
        }
    }

    /// Reads one record; what the session has to say about it is kept as often as it fills the wire.
    @unsafe
    private mutating func read(
        _ session: TLSSession, into target: UnsafeMutablePointer<UInt8>, size: Int, _ slot: UInt32
    ) -> TLSSession.Outcome {
        while true {
            let outcome = unsafe session.read(into: target, size: size)
            guard outcome == .wantsRoom, keepWritten(slot) else { return outcome }
        }
    }

    /// The stream has ended without a close_notify (RFC 8446 §6.1): fine between messages, and where their framing tells their end.
    private mutating func noteTruncated(_ slot: UInt32) {
        connections[slot].inputEnded = true
        tls[slot].isTruncated = true
        switch connections[slot].phase {
        case .readingHead, .tunnelling: counters.add(.tlsTruncated)
        case .exchanging where !exchanges[connections[slot].exchange].requestDone:
            counters.add(.tlsTruncated)
        default: break
        }
    }

    /// What the peer sent cannot be decrypted, or it has sent a fatal alert.
    private mutating func sessionFailed(_ slot: UInt32) {
        counters.add(.tlsErrors)
        tls[slot].isBroken = true
        segments.removeAll(&tls[slot].received)
        connections[slot].resetsOnClose = true
        connectionFailed(slot, errno: Errno.connectionReset)
    }

    // MARK: - Sending

    /// Encrypts what of the output is not yet. False if there is no memory for that: what is left is in no state to be sent.
    @inline(never)
    mutating func seal(_ slot: UInt32) -> Bool {
        if connections[slot].output.byteCount > tls[slot].sealedBytes {
            var sealed = SegmentQueue()
            segments.move(tls[slot].sealedBytes, from: &connections[slot].output, to: &sealed)
            segments.move(tls[slot].written.byteCount, from: &tls[slot].written, to: &sealed)
            while !connections[slot].output.isEmpty {
                if sealSlice(slot, to: &sealed) || sealTightly(slot, to: &sealed) { continue }
                segments.removeAll(&sealed)
                return false
            }
            connections[slot].output = sealed
            tls[slot].sealedBytes = sealed.byteCount
        }
        if connections[slot].closesAfterFlush && connections[slot].phase != .handshaking {
            return sayEnd(slot)
        }
        return true
    }

    /// Fills a slice with records; false if there is none.
    private mutating func sealSlice(_ slot: UInt32, to sealed: inout SegmentQueue) -> Bool {
        let size = Int(connections[slot].output.byteCount)
        let wanted = min(size + TLSWire.overhead, SliceClass.medium.sliceSize)
        guard let sliceClass = SliceClass.fitting(wanted), let slice = arena.lease(sliceClass) else {
            return false
        }
        let base = unsafe arena.address(slice)
        var used = 0
        while !connections[slot].output.isEmpty {
            let room = sliceClass.sliceSize - used - TLSWire.overhead
            let record = min(Int(connections[slot].output.byteCount), TLSWire.recordSize)
            // A record is not made smaller for the rest of a slice.
            if room < record { break }
            let bytes = contiguousOutput(slot, upTo: record)
            unsafe tlsWire.collect(into: base + used, size: sliceClass.sliceSize - used)
            guard case .done(let more) = tls[slot].session.write(bytes) else { break }
            used += tlsWire.writtenCount
            segments.consume(UInt32(more), from: &connections[slot].output)
        }
        if used == 0 {
            arena.release(slice)
            return false
        }
        segments.append(Segment(slice: slice, offset: 0, size: UInt32(used)), to: &sealed)
        return true
    }

    /// The output's first bytes, for one record. Small pieces are copied together: a record of its own costs more.
    private func contiguousOutput(_ slot: UInt32, upTo limit: Int) -> ByteView {
        let first = segments.firstView(of: connections[slot].output)
        if first.count >= limit { return first[0..<limit] }
        if first.count >= 4096 { return first }
        let count = unsafe segments.copy(connections[slot].output, upTo: limit, to: tlsWire.memory)
        return unsafe ByteView(base: tlsWire.memory, count: count)
    }

    /// Without a slice to spare: encrypts one record into the wire's own memory, and lets go of what it was made of before it asks for
    /// a slice again.
    private mutating func sealTightly(_ slot: UInt32, to sealed: inout SegmentQueue) -> Bool {
        let first = segments.firstView(of: connections[slot].output)
        tlsWire.collect()
        guard case .done(let size) = tls[slot].session.write(first[0..<min(first.count, TLSWire.recordSize)])
        else { return false }
        segments.consume(UInt32(size), from: &connections[slot].output)
        return copyWritten(to: &sealed)
    }

    /// Puts what is in the wire's own memory into slices; false if there are none.
    private func copyWritten(to queue: inout SegmentQueue) -> Bool {
        let arena = self.arena
        var rest = tlsWire.written
        while !rest.isEmpty {
            guard
                let slice = SliceClass.fitting(rest.count).flatMap({ arena.lease($0) })
                    ?? arena.lease(.small) ?? arena.lease(.tiny)
            else { return false }
            let size = min(rest.count, slice.sliceClass.sliceSize)
            unsafe rest[0..<size].copy(to: arena.address(slice))
            segments.append(Segment(slice: slice, offset: 0, size: UInt32(size)), to: &queue)
            rest = rest.dropFirst(size)
        }
        return true
    }

    /// Queues what the session wrote by itself: before bytes that are not encrypted yet, as its records have numbers. False if there is
    /// no memory for it, or a peer asks for more of it than it reads.
    mutating func keepWritten(_ slot: UInt32) -> Bool {
        let size = UInt32(tlsWire.writtenCount)
        if size == 0 { return true }
        defer { tlsWire.collect() }
        if tls[slot].isOpen {
            tls[slot].answerBytes += size
            if tls[slot].answerBytes > Self.answerLimit { return false }
        }
        if connections[slot].output.byteCount > tls[slot].sealedBytes {
            var written = tls[slot].written
            let isKept = copyWritten(to: &written)
            tls[slot].written = written
            return isKept
        }
        if connections[slot].output.isEmpty { outputBegins(slot) }
        var output = connections[slot].output
        let isKept = copyWritten(to: &output)
        connections[slot].output = output
        tls[slot].sealedBytes = output.byteCount
        guard isKept else { return false }
        queueFlush(slot)
        return true
    }

    @inline(never)
    mutating func sentSecurely(_ slot: UInt32, _ size: UInt32) {
        tls[slot].sealedBytes -= size
        if tls[slot].sealedBytes == 0 { tls[slot].answerBytes = 0 }
    }

    // MARK: - Ends

    /// Writes a close_notify behind the output, which is encrypted; false if there is no memory for it.
    private mutating func sayEnd(_ slot: UInt32) -> Bool {
        if !owesEnd(slot) { return true }
        tls[slot].isEnded = true
        tlsWire.collect()
        guard case .done = tls[slot].session.end() else { return true }
        return keepWritten(slot)
    }

    /// Whether the peer has yet to be told that nothing more comes.
    private func owesEnd(_ slot: UInt32) -> Bool {
        tls[slot].isOpen && !tls[slot].isEnded && !tls[slot].isBroken && !tls[slot].isTruncated
    }

    /// Whether our side of the stream may end now, with nothing in the output. If not, a close_notify leaves first, and it is asked
    /// again when that has left.
    @inline(never)
    mutating func mayEnd(_ slot: UInt32) -> Bool {
        guard !tls[slot].session.isNone, owesEnd(slot) else { return true }
        // Without memory for it the stream ends without it.
        return !sayEnd(slot) || connections[slot].output.isEmpty
    }

    /// Whether the end that came from one side of a tunnel may be passed on to the other now.
    @inline(never)
    mutating func mayPassEnd(from source: UInt32, to target: UInt32) -> Bool {
        if isSecure(source) && tls[source].isTruncated {
            connections[target].resetsOnClose = true
            endTunnel(connections[source].exchange)
            return false
        }
        if mayEnd(target) { return true }
        armTimer(source)
        armTimer(target)
        return false
    }

    /// Gives back what a connection has of TLS.
    @inline(never)
    mutating func freeSession(_ slot: UInt32) {
        segments.removeAll(&tls[slot].received)
        segments.removeAll(&tls[slot].written)
        leaveHandshake(slot)
        tls[slot].session.free()
        tls[slot] = TLSState()
        tlsCount -= 1
    }
}
