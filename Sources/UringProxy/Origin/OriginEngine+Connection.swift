internal import CPosix

// Connections: accepting, receiving, sending, closing.
extension OriginEngine where D: ~Copyable {
    // MARK: - Accept

    private var acceptToken: OperationToken { OperationToken(.accept, slot: 0, generation: 0) }

    mutating func armAccept() {
        guard phase == .running, !acceptPaused, !listener.isArmed else { return }
        listener.isArmed = true
        driver.accept(listener.descriptor, token: acceptToken)
    }

    mutating func accepted(_ completion: Completion) {
        if !completion.more { listener.isArmed = false }
        if completion.result >= 0 {
            listener.backoff = 0
            admit(completion.result)
        } else if completion.result != -Errno.canceled {
            // EMFILE and the like: accepting again at once would fail again at once.
            counters.add(.acceptFailures)
            listener.backoff = min(max(listener.backoff * 2, 10_000_000), 200_000_000)
            timers.set(UInt32(connections.capacity), deadline: driver.now + listener.backoff)
            return
        }
        if !completion.more { armAccept() }
    }

    private mutating func admit(_ descriptor: Int32) {
        guard phase != .stopping,
            let slot = connections.insert(OriginConnection(descriptor: descriptor, now: driver.now))
        else {
            counters.add(.acceptFailures)
            driver.close(descriptor, reset: false)
            return
        }
        counters.add(.downstreamAccepted)
        if connections.isFull && listener.isArmed {
            acceptPaused = true
            counters.add(.acceptPauses)
            driver.cancel(listener.descriptor, token: acceptToken)
        }
        updateReceive(slot)
        armTimer(slot)
    }

    /// What waits in the backlog was promised service by the kernel and is taken first.
    mutating func stopAccepting() {
        if listener.isArmed { driver.cancel(listener.descriptor, token: acceptToken) }
        while !connections.isFull {
            let descriptor = driver.acceptNow(listener.descriptor)
            guard descriptor >= 0 else { break }
            admit(descriptor)
        }
        driver.shutdown(listener.descriptor, .both)
    }

    // MARK: - Receive

    /// Whether more bytes can be used: backpressure is not to ask for them.
    @inline(__always)
    private func wantsInput(_ slot: UInt32) -> Bool {
        if connections[slot].inputEnded { return false }
        switch connections[slot].phase {
        case .waiting, .readingBody, .delaying, .responding, .tunnelling, .ending:
            return connections[slot].input.byteCount < Self.window
        case .discarding: return true
        case .closing: return false
        }
    }

    @inline(__always)
    mutating func updateReceive(_ slot: UInt32) {
        let wanted = wantsInput(slot)
        switch connections[slot].receiving {
        case .none:
            guard wanted, !connections[slot].isStarved else { return }
            connections[slot].operationsInFlight += 1
            connections[slot].receiving = .stream
            driver.receive(connections[slot].descriptor, into: .stream, token: token(.receive, slot))
        case .stream:
            if wanted { return }
            connections[slot].receiving = .cancelling
            driver.cancel(connections[slot].descriptor, token: token(.receive, slot))
        case .cancelling:
            break
        }
    }

    @inline(__always)
    mutating func received(_ slot: UInt32, _ completion: Completion) {
        if !completion.more {
            connections[slot].operationsInFlight -= 1
            connections[slot].receiving = .none
        }
        if connections[slot].phase == .closing {
            if completion.slice != .none { arena.release(completion.slice) }
            finishClosing(slot)
            return
        }
        if completion.result > 0 {
            let size = UInt32(completion.result)
            counters.add(.bytesReceivedDownstream, UInt64(size))
            if connections[slot].phase == .discarding {
                arena.release(completion.slice)
                updateReceive(slot)
                return
            }
            connections[slot].activeAt = driver.now
            segments.appendCompacting(
                Segment(slice: completion.slice, offset: 0, size: size), to: &connections[slot].input)
            advance(slot)
        } else {
            receiveEnded(slot, completion.result)
        }
    }

    @inline(never)
    private mutating func receiveEnded(_ slot: UInt32, _ result: Int32) {
        switch -result {
        case 0:
            connections[slot].inputEnded = true
            if connections[slot].phase == .discarding { close(slot) } else { advance(slot) }
        case Errno.noBuffers:
            if connections[slot].isStarved { return }
            connections[slot].isStarved = true
            starved.append(slot)
        case Errno.canceled:
            updateReceive(slot)
        default:
            close(slot)
        }
    }

    /// Arms the receives that found no slice, as far as there are some again.
    mutating func feedStarved() {
        var room = driver.receivableSlices
        while room > 0, let slot = starved.popFirst() {
            connections[slot].isStarved = false
            if connections[slot].phase != .closing { updateReceive(slot) }
            room -= 1
        }
    }

    // MARK: - Send

    /// What was queued leaves at the turn's end, together with what else comes.
    @inline(__always)
    mutating func queueFlush(_ slot: UInt32) {
        if connections[slot].flushQueued { return }
        connections[slot].flushQueued = true
        flushQueue.append(slot)
    }

    @inline(__always)
    mutating func flushAll() {
        while let slot = flushQueue.popFirst() {
            connections[slot].flushQueued = false
            guard connections[slot].phase != .closing, !connections[slot].isSending,
                !connections[slot].output.isEmpty
            else { continue }
            connections[slot].isSending = true
            connections[slot].operationsInFlight += 1
            driver.send(
                connections[slot].descriptor, connections[slot].output, promptly: needsPrompt(slot),
                token: token(.send, slot))
        }
    }

    /// Nothing waits for the send that ends an answer: its completion may come with the next request. Unless others are
    /// starved, who may wait for its memory.
    @inline(__always)
    private func needsPrompt(_ slot: UInt32) -> Bool {
        switch connections[slot].phase {
        case .waiting:
            return !connections[slot].input.isEmpty || connections[slot].inputEnded || phase != .running
                || !starved.isEmpty
                || connections[slot].output.byteCount > 64 * 1024
                || !segments.hasAtMostTwo(connections[slot].output)
        case .readingBody, .delaying, .responding, .tunnelling, .ending, .discarding, .closing:
            return true
        }
    }

    @inline(__always)
    mutating func sent(_ slot: UInt32, _ completion: Completion) {
        connections[slot].operationsInFlight -= 1
        connections[slot].isSending = false
        if connections[slot].phase == .closing {
            finishClosing(slot)
            return
        }
        guard completion.result >= 0 else {
            close(slot)
            return
        }
        let size = UInt32(completion.result)
        counters.add(.bytesSentDownstream, UInt64(size))
        segments.consume(size, from: &connections[slot].output)
        connections[slot].activeAt = driver.now
        if !connections[slot].output.isEmpty { queueFlush(slot) }
        advance(slot)
    }

    // MARK: - Close

    /// Everything is sent: our side ends, and what still comes is dropped until the peer's side ends too, for a reset
    /// would destroy the answer (RFC 9112 §9.6).
    mutating func beginDiscarding(_ slot: UInt32) {
        segments.removeAll(&connections[slot].input)
        if connections[slot].inputEnded {
            close(slot)
            return
        }
        connections[slot].phase = .discarding
        connections[slot].activeAt = driver.now
        driver.shutdown(connections[slot].descriptor, .sending)
        updateReceive(slot)
        armTimer(slot)
    }

    /// Ends a connection: at once if nothing is under way on it, else when the kernel has returned what it holds.
    mutating func close(_ slot: UInt32) {
        if connections[slot].phase == .closing { return }
        connections[slot].phase = .closing
        segments.removeAll(&connections[slot].input)
        segments.removeAll(&connections[slot].held)
        if connections[slot].operationsInFlight > 0 {
            // A FIN before the RST would look like an orderly end.
            if !connections[slot].resetsOnClose { driver.shutdown(connections[slot].descriptor, .both) }
            cancelOperations(slot)
            armTimer(slot)
        }
        finishClosing(slot)
    }

    mutating func cancelOperations(_ slot: UInt32) {
        if connections[slot].receiving != .none {
            connections[slot].receiving = .cancelling
            driver.cancel(connections[slot].descriptor, token: token(.receive, slot))
        }
        if connections[slot].isSending {
            driver.cancel(connections[slot].descriptor, token: token(.send, slot))
        }
    }

    private mutating func finishClosing(_ slot: UInt32) {
        guard connections[slot].operationsInFlight == 0 else { return }
        if connections[slot].isStarved { leaveStarved(slot) }
        segments.removeAll(&connections[slot].output)
        driver.close(connections[slot].descriptor, reset: connections[slot].resetsOnClose)
        timers.remove(slot)
        counters.add(.downstreamClosed)
        connections.remove(slot)
        if acceptPaused, connections.count <= connections.capacity - max(1, connections.capacity / 64) {
            acceptPaused = false
            armAccept()
        }
    }

    /// The queue outlives turns: the slot's next tenant would stand in it a second time.
    @inline(never)
    private mutating func leaveStarved(_ slot: UInt32) {
        for _ in 0..<starved.count {
            if let other = starved.popFirst(), other != slot { starved.append(other) }
        }
    }
}
