// TLS: connections whose bytes pass a session between the socket and everybody else.
//
// What comes is decrypted at once, as far as there is room for it in the input, and to where it came from; what is sent is encrypted
// as it leaves. So nobody else knows of it. Ciphertext that waits for room keeps its connection from receiving.
extension Engine where D: ~Copyable {
    /// Whether a session stands between a connection and its socket.
    @inline(__always)
    func isSecure(_ slot: UInt32) -> Bool { layeredCount > 0 && !tls[slot].session.isNone }

    /// Counts sessions that have come, or gone.
    mutating func countTLS(_ change: Int) {
        tlsCount += change
        layeredCount += change
    }

    /// What the session writes of its own accord (new keys, RFC 8446 §4.6.3) and may wait for a peer that does not read.
    private static var answerLimit: UInt32 { 64 * 1024 }

    /// Whether something has come that is not decrypted yet: of a connection that is to answer the next request nobody would know what
    /// it answers.
    @inline(__always)
    func holdsCiphertext(_ slot: UInt32) -> Bool { isSecure(slot) && !tls[slot].received.isEmpty }

    // MARK: - Receiving

    /// Ciphertext has come.
    @inline(never)
    mutating func receivedSecurely(_ slot: UInt32, _ segment: Segment) {
        countReceived(slot, segment.size)
        if tls[slot].isBroken || connections[slot].inputEnded {
            arena.release(segment.slice)
            updateReceive(slot)
            return
        }
        segments.appendCompacting(segment, to: &tls[slot].received)
        if !tls[slot].isOpen {
            queueHandshake(slot)
        } else if connections[slot].phase == .retiring {
            // It stays where it is, and with it the connection.
            retire(slot)
        } else {
            decrypt(slot)
        }
    }

    /// The end of the stream has come.
    @inline(never)
    mutating func receivingEndedSecurely(_ slot: UInt32) {
        tls[slot].streamEnded = true
        if tls[slot].isBroken {
            connections[slot].inputEnded = true
            inputArrived(slot)
        } else if connections[slot].phase == .retiring {
            retire(slot)
        } else if tls[slot].isOpen {
            decrypt(slot)
        } else {
            queueHandshake(slot)
        }
    }

    /// Whether ciphertext waits for the room that there is now; it is seen to in this turn.
    @inline(never)
    mutating func decryptsFirst(_ slot: UInt32) -> Bool {
        if tls[slot].session.isNone { return false }
        // A handshake waits for its turn.
        if !tls[slot].isOpen {
            return tls[slot].streamEnded || tls[slot].received.byteCount >= settings.window
        }
        if wholeRecord(slot) == nil { return false }
        queueDecrypt(slot)
        return true
    }

    private mutating func queueDecrypt(_ slot: UInt32) {
        if tls[slot].isQueued { return }
        tls[slot].isQueued = true
        decryptQueue.append(slot)
    }

    /// Whether sessions have something to do that needs no event.
    var hasSecureWork: Bool { !handshakeQueue.isEmpty || !decryptQueue.isEmpty }

    /// Those that had no room, or had their turn.
    @inline(never)
    mutating func decryptQueued() {
        for _ in 0..<decryptQueue.count {
            guard let slot = decryptQueue.popFirst() else { return }
            tls[slot].isQueued = false
            // It may have ended since, and another have its slot.
            guard connections.isOccupied(slot), isSecure(slot), tls[slot].isOpen else { continue }
            if connections[slot].phase != .closing && connections[slot].phase != .discarding { decrypt(slot) }
        }
    }

    /// Records that are decrypted before others are served.
    private static var recordsAtOnce: Int { 128 }

    /// Decrypts what has come, as far as there is room, for whoever reads the connection now.
    mutating func decrypt(_ slot: UInt32) {
        let before = connections[slot].input.byteCount
        let hadEnded = connections[slot].inputEnded
        // All of what has come takes no more memory than a part of it.
        var left = wantsInput(slot) ? Self.recordsAtOnce : 0
        while left > 0, let size = wholeRecord(slot) {
            left -= 1
            switch decryptRecord(slot, size) {
            case .goesOn: break
            case .ended:
                segments.removeAll(&tls[slot].received)
                connections[slot].inputEnded = true
            case .failed:
                sessionFailed(slot)
                return
            case .isMute where connections[slot].phase == .leased:
                // What has come before is read.
                tls[slot].isBroken = true
                connections[slot].resetsOnClose = true
                upstreamSessionFailed(slot)
                return
            case .isMute:
                connections[slot].resetsOnClose = true
                connectionFailed(slot, errno: Errno.noMemory)
                return
            }
        }
        settleRest(slot)
        let size = connections[slot].input.byteCount - before
        if size > 0 { notePace(slot, size) }
        if size > 0 || connections[slot].inputEnded != hadEnded {
            inputArrived(slot)
        } else {
            updateReceive(slot)
            armTimer(slot)
        }
    }

    /// What is left when all whole records are decrypted: it waits in as little memory as holds it, or its rest never comes.
    private mutating func settleRest(_ slot: UInt32) {
        if wholeRecord(slot) != nil {
            if wantsInput(slot) { queueDecrypt(slot) }
            return
        }
        if !tls[slot].streamEnded {
            _ = segments.makeContiguous(&tls[slot].received)
        } else if !connections[slot].inputEnded {
            segments.removeAll(&tls[slot].received)
            noteTruncated(slot)
        }
    }

    // MARK: - Records

    /// The size of the first record that waits, with its header, if all of it has come. A session is given whole ones alone: what it
    /// holds in between is in no budget.
    private func wholeRecord(_ slot: UInt32) -> UInt32? {
        let (queue, segments) = (tls[slot].received, self.segments)
        guard Int(queue.byteCount) >= TLSWire.headerSize else { return nil }
        var place = 0
        var size = TLSWire.headerSize
        segments.forEach(queue) { segment in
            let bytes = segments.view(segment)
            for index in 0..<min(bytes.count, TLSWire.headerSize - place) {
                if place == 3 { size += Int(bytes[index]) << 8 }
                if place == 4 { size += Int(bytes[index]) }
                place += 1
            }
            return place < TLSWire.headerSize
        }
        // By its header the session will refuse it.
        if size > TLSWire.receivedSize { size = TLSWire.headerSize }
        return Int(queue.byteCount) >= size ? UInt32(size) : nil
    }

    private enum Decrypted {
        case goesOn, ended, failed
        /// What the session has to answer cannot be sent.
        case isMute
    }

    /// Decrypts the first record, which is there as a whole, to where it came from: no memory is needed for it.
    private mutating func decryptRecord(_ slot: UInt32, _ size: UInt32) -> Decrypted {
        var record = SegmentQueue()
        segments.move(size, from: &tls[slot].received, to: &record)
        if segments.isContiguous(record) {
            tlsWire.offer(segments.firstView(of: record))
        } else {
            unsafe _ = segments.copy(record, upTo: Int(size), to: tlsWire.record)
            tlsWire.offer(unsafe ByteView(base: tlsWire.record, count: Int(size)))
        }
        tlsWire.collect()
        var outcome = TLSSession.Outcome.done(0)
        repeat {
            let piece = segments.first(of: record)
            outcome = decryptPiece(slot, piece)
            segments.consume(piece.size, from: &record)
        } while tls[slot].session.pendingCount > 0 && !record.isEmpty
        segments.removeAll(&record)
        tlsWire.offer(.empty)
        if tlsWire.hasTickets { keepTickets(slot) }
        if tls[slot].kernelSends {
            // An alert, which goes another way.
            tlsWire.collect()
            if case .failed = outcome { return .failed }
            if tls[slot].session.owesNewKeys {
                refuseRenewal(slot)
                return .failed
            }
        }
        guard keepWritten(slot) else { return .isMute }
        if tls[slot].sealWaits {
            tls[slot].sealWaits = false
            queueFlush(slot)
        }
        switch outcome {
        case .done:
            tls[slot].idleRecords = 0
            return .goesOn
        case .wantsInput: return mayBeIdle(slot) ? .goesOn : .failed
        case .ended: return .ended
        case .wantsRoom, .failed: return .failed
        }
    }

    /// Decrypts as much as there is room for in a piece of the record, which the session has read by the time that it writes.
    private mutating func decryptPiece(_ slot: UInt32, _ piece: Segment) -> TLSSession.Outcome {
        // Right behind the record before, where that came in the same slice: together they are one segment.
        let last = segments.last(of: connections[slot].input)
        let isNext = last.slice == piece.slice && last.offset + last.size <= piece.offset
        let offset = isNext ? last.offset + last.size : piece.offset
        let target = unsafe arena.address(piece.slice) + Int(offset)
        let outcome = unsafe read(tls[slot].session, into: target, size: Int(piece.size), slot)
        guard case .done(let count) = outcome else { return outcome }
        arena.retain(piece.slice)
        segments.append(
            Segment(slice: piece.slice, offset: offset, size: UInt32(count)), to: &connections[slot].input)
        return outcome
    }

    /// A record had nothing for anybody: new keys, or nothing at all. So many in a row no client has a reason for, and each costs what a
    /// record does.
    private mutating func mayBeIdle(_ slot: UInt32) -> Bool {
        tls[slot].idleRecords += 1
        return tls[slot].idleRecords <= Self.idleRecordLimit
    }

    private static var idleRecordLimit: UInt8 { 32 }

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

    /// The stream has ended without a close_notify (RFC 8446 §6.1): fine between messages, and where their framing tells their end; and
    /// many answer ours by that alone.
    private mutating func noteTruncated(_ slot: UInt32) {
        connections[slot].inputEnded = true
        // Whoever was told of our end need not tell of theirs; an upstream that goes on in a tunnel has to.
        if tls[slot].isEnded
            && (connections[slot].side == .downstream || connections[slot].phase != .tunnelling)
        {
            return
        }
        tls[slot].isTruncated = true
        switch connections[slot].phase {
        case .readingHead, .tunnelling: counters.add(.tlsTruncated)
        case .exchanging where !exchanges[connections[slot].exchange].requestDone:
            counters.add(.tlsTruncated)
        default: break
        }
    }

    /// What the peer sent cannot be decrypted, or it has sent a fatal alert: the session's own alert leaves, and no more.
    private mutating func sessionFailed(_ slot: UInt32) {
        counters.add(.tlsErrors)
        tls[slot].isBroken = true
        segments.removeAll(&tls[slot].received)
        if tls[slot].kernelSends { sendLastAlert(slot) }
        if connections[slot].phase == .leased {
            connections[slot].resetsOnClose = true
            upstreamSessionFailed(slot)
            return
        }
        segments.removeAll(&connections[slot].input)
        let index = connections[slot].exchange
        switch connections[slot].phase {
        case .waiting, .readingHead: break
        case .multiplexing:
            leaveMultiplexing(slot)
            connections[slot].phase = .waiting
        case .exchanging:
            counters.add(.downstreamAborted)
            finishExchange(index)
        case .tunnelling where connections[slot].side == .downstream:
            connections[partner(of: slot)].resetsOnClose = true
            finishExchange(index)
        case .tunnelling, .leased, .securing, .readingProxyHeader, .handshaking, .discarding, .detached,
            .connecting,
            .pooled, .borrowed, .retiring, .closing:
            connections[slot].resetsOnClose = true
            connectionFailed(slot, errno: Errno.connectionReset)
            return
        }
        connections[slot].isBulk = false
        if tls[slot].kernelSends {
            endWithKernelAlert(slot)
            return
        }
        // It had nothing to say to it.
        connections[slot].resetsOnClose = connections[slot].output.isEmpty
        endWithAlert(slot)
    }

    // MARK: - Sending

    private enum Sealed { case done, waits, lacksMemory, failed }

    /// Encrypts what of the output is not yet; whether it may be sent now.
    @inline(never)
    mutating func sealOutput(_ slot: UInt32) -> Bool {
        if tls[slot].kernelSends { return maySendByKernel(slot) }
        switch seal(slot) {
        case .done:
            if !connections[slot].output.isEmpty { return true }
            outputDrained(slot)
            return false
        case .waits:
            // As long as for a peer that does not read.
            tls[slot].sealWaits = true
            armTimer(slot)
            return false
        case .lacksMemory:
            counters.add(.buffersExhausted)
            if connections[slot].phase == .leased {
                // That is not the upstream's fault.
                connections[slot].resetsOnClose = true
                fail(connections[slot].exchange, .outOfMemory)
                return false
            }
        case .failed: counters.add(.tlsErrors)
        }
        // What is left is in no state to be sent.
        connections[slot].resetsOnClose = true
        connectionFailed(slot, errno: Errno.noMemory)
        return false
    }

    private mutating func seal(_ slot: UInt32) -> Sealed {
        if connections[slot].output.byteCount > tls[slot].sealedBytes {
            var sealed = SegmentQueue()
            segments.move(tls[slot].sealedBytes, from: &connections[slot].output, to: &sealed)
            segments.move(tls[slot].written.byteCount, from: &tls[slot].written, to: &sealed)
            if tls[slot].isBroken { segments.removeAll(&connections[slot].output) }
            var outcome = Sealed.done
            while outcome == .done && !connections[slot].output.isEmpty {
                outcome = sealSlice(slot, to: &sealed)
                if outcome == .lacksMemory { outcome = sealTightly(slot, to: &sealed) }
            }
            if outcome == .lacksMemory || outcome == .failed {
                segments.removeAll(&sealed)
                return outcome
            }
            tls[slot].sealedBytes = sealed.byteCount
            segments.move(connections[slot].output.byteCount, from: &connections[slot].output, to: &sealed)
            connections[slot].output = sealed
            if outcome == .waits { return .waits }
        }
        if connections[slot].closesAfterFlush && connections[slot].phase != .handshaking {
            sayEnd(slot)
        }
        return .done
    }

    /// What a call for sending that encrypted nothing came to.
    private func refusal(_ outcome: TLSSession.Outcome) -> Sealed {
        outcome == .wantsInput ? .waits : .failed
    }

    /// Fills a slice with records.
    private mutating func sealSlice(_ slot: UInt32, to sealed: inout SegmentQueue) -> Sealed {
        let size = Int(connections[slot].output.byteCount)
        let wanted = min(size + TLSWire.overhead, SliceClass.medium.sliceSize)
        guard let sliceClass = SliceClass.fitting(wanted), let slice = arena.lease(sliceClass) else {
            return .lacksMemory
        }
        let base = unsafe arena.address(slice)
        var used = 0
        var outcome = TLSSession.Outcome.wantsRoom
        while !connections[slot].output.isEmpty {
            let room = sliceClass.sliceSize - used - TLSWire.overhead
            let record = min(Int(connections[slot].output.byteCount), TLSWire.recordSize)
            // A record is not made smaller for the rest of a slice.
            if room < record { break }
            let bytes = contiguousOutput(slot, upTo: record)
            unsafe tlsWire.collect(into: base + used, size: sliceClass.sliceSize - used)
            outcome = tls[slot].session.write(bytes)
            guard case .done(let more) = outcome else { break }
            used += tlsWire.writtenCount
            segments.consume(UInt32(more), from: &connections[slot].output)
        }
        if used == 0 {
            arena.release(slice)
            return refusal(outcome)
        }
        segments.append(Segment(slice: slice, offset: 0, size: UInt32(used)), to: &sealed)
        return .done
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
    private mutating func sealTightly(_ slot: UInt32, to sealed: inout SegmentQueue) -> Sealed {
        let first = segments.firstView(of: connections[slot].output)
        tlsWire.collect()
        let outcome = tls[slot].session.write(first[0..<min(first.count, TLSWire.recordSize)])
        guard case .done(let size) = outcome else { return refusal(outcome) }
        segments.consume(UInt32(size), from: &connections[slot].output)
        return segments.append(tlsWire.written, to: &sealed) ? .done : .lacksMemory
    }

    /// Queues what the session wrote by itself: before bytes that are not encrypted yet, as its records have numbers. False, and counted,
    /// if there is no memory for it, or a peer asks for more of it than it reads.
    mutating func keepWritten(_ slot: UInt32) -> Bool {
        let size = UInt32(tlsWire.writtenCount)
        if size == 0 { return true }
        defer { tlsWire.collect() }
        // Its number is another record's by now.
        if tls[slot].kernelSends { return false }
        if tls[slot].isOpen {
            tls[slot].answerBytes += size
            if tls[slot].answerBytes > Self.answerLimit {
                counters.add(.tlsErrors)
                return false
            }
        }
        let isKept: Bool
        if connections[slot].output.byteCount > tls[slot].sealedBytes {
            var written = tls[slot].written
            isKept = segments.append(tlsWire.written, to: &written)
            tls[slot].written = written
        } else {
            if connections[slot].output.isEmpty { outputBegins(slot) }
            var output = connections[slot].output
            isKept = segments.append(tlsWire.written, to: &output)
            connections[slot].output = output
            tls[slot].sealedBytes = output.byteCount
            queueFlush(slot)
        }
        if !isKept { counters.add(.buffersExhausted) }
        return isKept
    }

    /// So much of the output has left, or of what stands for it.
    @inline(never)
    mutating func sentSecurely(_ slot: UInt32, _ size: UInt32) {
        if tls[slot].sendsEnd {
            tls[slot].sendsEnd = false
            return
        }
        segments.consume(size, from: &connections[slot].output)
        if tls[slot].kernelSends { return }
        tls[slot].sealedBytes -= size
        if tls[slot].sealedBytes == 0 { tls[slot].answerBytes = 0 }
    }

    // MARK: - Ends

    /// Writes a close_notify behind the output, which is encrypted. Without memory for it the stream ends without it.
    private mutating func sayEnd(_ slot: UInt32) {
        if !owesEnd(slot) { return }
        tls[slot].isEnded = true
        tlsWire.collect()
        if case .done = tls[slot].session.end() { _ = keepWritten(slot) }
    }

    /// Whether the peer has yet to be told that nothing more comes.
    func owesEnd(_ slot: UInt32) -> Bool {
        tls[slot].isOpen && !tls[slot].isEnded && !tls[slot].isBroken
    }

    /// Whether our side of the stream may end now, with nothing in the output. If not, a close_notify leaves first, and it is asked
    /// again when that has left.
    @inline(never)
    mutating func mayEnd(_ slot: UInt32) -> Bool {
        if tls[slot].kernelSends { return mayEndByKernel(slot) }
        guard !tls[slot].session.isNone, owesEnd(slot) else { return true }
        sayEnd(slot)
        return connections[slot].output.isEmpty
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
        arena.discharge(tls[slot].isOpen ? TLSSession.openBytes : TLSSession.handshakeBytes)
        setTLS(slot, TLSState())
        countTLS(-1)
    }

    /// The slot is another's: where it stands in line it does no more than that.
    mutating func setTLS(_ slot: UInt32, _ state: TLSState) {
        let (isInLine, isQueued) = (tls[slot].isInLine, tls[slot].isQueued)
        tls[slot] = state
        tls[slot].isInLine = isInLine
        tls[slot].isQueued = isQueued
    }
}
