// Receiving: when to ask for bytes, where to put them, and whose turn it is when they have come.
extension Engine where D: ~Copyable {
    // MARK: - Arming

    /// Starts, stops or leaves alone the receive of a connection, as its phase and the room for its bytes demand.
    /// This is the proxy's backpressure: to slow a peer down is not to ask.
    @inline(__always)
    mutating func updateReceive(_ slot: UInt32) {
        if isStream(slot) {
            updateStream(slot)
            return
        }
        let wanted = wantsInput(slot) && !(layeredCount > 0 && decryptsFirst(slot))
        switch connections[slot].receiving {
        case .none:
            if !wanted {
                if connections[slot].pausedAt == 0 && !splicing[slot].splices {
                    connections[slot].pausedAt = driver.now
                }
            } else if !connections[slot].isStarved {
                armReceive(slot, paused: inputResumes(slot))
            }
        case .stream:
            if !wanted || connections[slot].isBulk { cancelReceive(slot) }
        case .pipe:
            if !splicing[slot].splices { cancelReceive(slot) }
        case .once, .slice, .cancelling, .pipeCancelling:
            break
        }
    }

    /// The peer is waited for again: its pace is measured from here. A stream that is spliced pauses after each receive,
    /// until the pipe is empty: there the pause is left out and the measuring goes on, or it would never come to an end.
    ///
    /// - Returns: how long the peer was not waited for.
    @discardableResult
    func inputResumes(_ slot: UInt32) -> Int64 {
        if splicing[slot].splices && connections[slot].pausedAt == 0 {
            let paused = driver.now - connections[slot].lastReceivedAt
            connections[slot].receiveWindowStartedAt += paused
            connections[slot].lastReceivedAt = driver.now
            return paused
        }
        guard connections[slot].pausedAt != 0 else { return 0 }
        let paused = driver.now - connections[slot].pausedAt
        connections[slot].pausedAt = 0
        connections[slot].lastReceivedAt = driver.now
        connections[slot].receiveWindowStartedAt = driver.now
        connections[slot].receiveWindowBytes = 0
        return paused
    }

    mutating func cancelReceive(_ slot: UInt32) {
        connections[slot].receiving = connections[slot].receiving == .pipe ? .pipeCancelling : .cancelling
        driver.cancel(connections[slot].descriptor, token: token(.receive, slot))
    }

    @inline(__always)
    private mutating func armReceive(_ slot: UInt32, paused: Int64) {
        connections[slot].operationsInFlight += 1
        if connections[slot].isBulk && settings.kernelTLS { handToKernel(partner(of: slot)) }
        if connections[slot].isBulk && receiveIntoPipe(slot, paused: paused) { return }
        if connections[slot].isBulk, let slice = leaseBulkSlice(paused: paused) {
            connections[slot].receiving = .slice
            connections[slot].receiveSlice = slice
            driver.receive(
                connections[slot].descriptor,
                into: .slice(slice, size: UInt32(SliceClass.bulk.sliceSize)), token: token(.receive, slot))
        } else if connections[slot].isBulk || splicing[slot].expectsLong {
            connections[slot].receiving = .once
            driver.receive(connections[slot].descriptor, into: .once, token: token(.receive, slot))
        } else {
            connections[slot].receiving = .stream
            driver.receive(connections[slot].descriptor, into: .stream, token: token(.receive, slot))
        }
    }

    /// A large slice to receive into, while few enough wait in receives, and while the peer on the other side keeps up:
    /// a reader that needed longer for the last window than `slowReader` would only hold the memory for longer.
    private mutating func leaseBulkSlice(paused: Int64) -> SliceID? {
        guard paused < Self.slowReader, bulkReceives < settings.bulkReceiveLimit,
            let slice = arena.lease(.bulk)
        else { return nil }
        bulkReceives += 1
        return slice
    }

    /// A quarter of a second for a bulk window: 1 MiB a second.
    static var slowReader: Int64 { 250_000_000 }

    /// The connection that this one's bytes go to; none while there is no such.
    @inline(__always)
    func partner(of slot: UInt32) -> UInt32 {
        let exchange = connections[slot].exchange
        guard exchange != Slot.none else { return Slot.none }
        return connections[slot].side == .downstream
            ? exchanges[exchange].upstream : exchanges[exchange].downstream
    }

    @inline(__always)
    func window(of slot: UInt32) -> UInt32 {
        connections[slot].isBulk ? settings.bulkWindow : settings.window
    }

    /// Whether more bytes can be used.
    @inline(__always)
    func wantsInput(_ slot: UInt32) -> Bool {
        if connections[slot].inputEnded { return false }
        switch connections[slot].phase {
        case .readingProxyHeader, .waiting, .readingHead:
            // A head may be larger than a window; the codec's limit ends it.
            return connections[slot].input.byteCount
                < max(settings.window, UInt32(settings.headLimits.headBytes) + 1)
        case .multiplexing:
            // Who does not read what it is answered is not read from.
            return connections[slot].input.byteCount < settings.window
                && connections[slot].output.byteCount < settings.bulkWindow
                && http2[slot].session.queuedFrames <= Self.queuedFrameLimit
        case .exchanging, .leased, .tunnelling:
            guard connections[slot].input.byteCount < window(of: slot) else { return false }
            guard connections[slot].isBulk else { return true }
            let partner = partner(of: slot)
            return connections[slot].input.isEmpty
                && (partner == Slot.none
                    || connections[partner].output.byteCount < window(of: slot)
                        && splicing[partner].pipeBytes == 0 && !awaitsKernel(partner))
        case .handshaking, .discarding, .securing, .pooled, .borrowed:
            return true
        case .detached, .connecting, .retiring, .closing:
            return false
        }
    }

    /// Arms the receives that found no slice, as far as there are some again.
    mutating func feedStarved() {
        var room = driver.receivableSlices
        while room > 0, let slot = starved.popFirst() {
            guard connections.isOccupied(slot), connections[slot].isStarved else { continue }
            connections[slot].isStarved = false
            updateReceive(slot)
            // The peer is waited for again, which no deadline was set for meanwhile.
            armTimer(slot)
            room -= 1
        }
    }

    // MARK: - Received

    @inline(__always)
    mutating func received(_ slot: UInt32, _ completion: Completion) {
        var slice = completion.slice
        var isSpliced = false
        if !completion.more {
            connections[slot].operationsInFlight -= 1
            if connections[slot].receiving == .slice {
                bulkReceives -= 1
                if completion.result > 0 {
                    slice = connections[slot].receiveSlice
                } else {
                    arena.release(connections[slot].receiveSlice)
                }
                connections[slot].receiveSlice = .none
            }
            isSpliced =
                connections[slot].receiving == .pipe || connections[slot].receiving == .pipeCancelling
            connections[slot].receiving = .none
        }
        if connections[slot].phase == .closing {
            if slice != .none { arena.release(slice) }
            finishClosing(slot)
            return
        }
        if isSpliced {
            receivedIntoPipe(slot, completion.result)
            return
        }
        if completion.result > 0 {
            let size = UInt32(completion.result)
            if isSecure(slot) && connections[slot].phase != .discarding {
                receivedSecurely(slot, Segment(slice: slice, offset: 0, size: size))
                return
            }
            noteReceived(slot, size)
            if connections[slot].phase == .discarding {
                arena.release(slice)
            } else {
                segments.appendCompacting(
                    Segment(slice: slice, offset: 0, size: size), to: &connections[slot].input)
                inputArrived(slot)
                return
            }
        } else {
            receiveEnded(slot, completion.result)
            return
        }
        updateReceive(slot)
    }

    @inline(__always)
    mutating func noteReceived(_ slot: UInt32, _ size: UInt32) {
        notePace(slot, size)
        countReceived(slot, size)
    }

    /// Bytes have come that the peer's pace is measured by.
    @inline(__always)
    mutating func notePace(_ slot: UInt32, _ size: UInt32) {
        connections[slot].lastReceivedAt = driver.now
        connections[slot].countReceived(size)
        if keepsNotes { noteBytes(slot, size) }
    }

    @inline(__always)
    func countReceived(_ slot: UInt32, _ size: UInt32) {
        counters.add(
            connections[slot].side == .downstream ? .bytesReceivedDownstream : .bytesReceivedUpstream,
            UInt64(size))
    }

    /// The end of the stream, or no bytes for another reason.
    @inline(never)
    private mutating func receiveEnded(_ slot: UInt32, _ result: Int32) {
        switch -result {
        case 0 where isSecure(slot) && connections[slot].phase != .discarding:
            receivingEndedSecurely(slot)
        case 0:
            connections[slot].inputEnded = true
            inputArrived(slot)
        case Errno.noBuffers:
            counters.add(.receivesStarved)
            if connections[slot].phase == .borrowed {
                // Nobody would know whether it is quiet.
                borrowedInVain(slot)
                return
            }
            if connections[slot].phase == .retiring {
                // It was to end anyway.
                retire(slot)
                return
            }
            if !connections[slot].isStarved {
                connections[slot].isStarved = true
                starved.append(slot)
            }
        case Errno.canceled:
            // Our own doing: to make room for another kind of receive, to hold the peer back, or to lend the
            // connection.
            if connections[slot].phase == .retiring { retire(slot) } else { updateReceive(slot) }
        default:
            connectionFailed(slot, errno: -result)
        }
    }

    /// New bytes, or the end of them, for whoever reads this connection now.
    @inline(__always)
    mutating func inputArrived(_ slot: UInt32) {
        switch connections[slot].phase {
        case .readingProxyHeader: readProxyHeader(slot)
        case .handshaking: beginHandshake(slot)
        case .multiplexing: readFrames(slot)
        case .waiting, .readingHead: readRequests(slot)
        case .exchanging: requestInputArrived(slot)
        case .leased: if connections[slot].requestHeld { leasedInVain(slot) } else { readResponse(slot) }
        case .tunnelling: tunnelInputArrived(slot)
        case .discarding: discardingEnded(slot)
        case .pooled, .retiring:
            // A response nobody asked for, or the end: either way the connection is of no more use (RFC 9112 §9.5).
            close(slot)
        case .borrowed: borrowedInVain(slot)
        case .detached, .connecting, .securing, .closing:
            break
        }
    }
}
