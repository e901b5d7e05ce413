// Sending: one send in flight per connection; what gathers meanwhile leaves in the next one.
extension Engine where D: ~Copyable {
    /// To be called after output was queued: it leaves at the end of the turn, together with what else comes.
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
            if layeredCount > 0 && !makeFrames(slot) { continue }
            flush(slot)
        }
    }

    @inline(__always)
    private mutating func flush(_ slot: UInt32) {
        guard connections.isOccupied(slot), !connections[slot].isSending, hasOutput(slot) else { return }
        switch connections[slot].phase {
        case .connecting, .borrowed, .closing: return
        // A send has failed, and what is left of the request has nowhere to go; or nobody is there.
        case .leased where connections[slot].outputEnded, .detached:
            dropOutput(slot)
            outputDrained(slot)
            return
        case .readingProxyHeader, .handshaking, .multiplexing, .waiting, .readingHead, .exchanging,
            .discarding, .securing,
            .leased, .pooled, .retiring, .tunnelling:
            break
        }
        if isSecure(slot) && !sealOutput(slot) { return }
        connections[slot].isSending = true
        connections[slot].requestHeld = false
        connections[slot].operationsInFlight += 1
        if connections[slot].output.isEmpty {
            if !splicing[slot].pipeIsRead {
                splicing[slot].sendsFromPipe = true
                driver.send(
                    connections[slot].descriptor, from: splicing[slot].pipe,
                    size: splicing[slot].pipeBytes, token: token(.send, slot))
                return
            }
            guard readFromPipe(slot) else {
                sent(slot, -Errno.noMemory)
                return
            }
        }
        if settings.zeroCopy && sendWithoutCopy(slot) { return }
        driver.send(
            connections[slot].descriptor, connections[slot].output, promptly: needsPrompt(slot),
            token: token(.send, slot))
    }

    /// What HTTP/2 has to be sent becomes output; false if there is no connection here to send it.
    @inline(never)
    private mutating func makeFrames(_ slot: UInt32) -> Bool {
        if streams[slot].isFlushQueued {
            streams[slot].isFlushQueued = false
            layeredCount -= 1
        }
        guard connections.isOccupied(slot), !connections[slot].isSending else { return false }
        if isStream(slot) {
            offerOutput(slot)
            return false
        }
        if connections[slot].phase == .multiplexing { writeFrames(slot) }
        return true
    }

    /// Whether anything waits for this send to complete.
    ///
    /// If nothing does, its completion may come with the next one of any other kind: with one connection busy that
    /// halves the kernel entries per request.
    @inline(__always)
    private func needsPrompt(_ slot: UInt32) -> Bool {
        // Only a send that can take all of the output at once leaves nothing to do.
        guard connections[slot].output.byteCount <= settings.window,
            !(layeredCount > 0 && tls[slot].kernelSends),
            segments.hasAtMostTwo(connections[slot].output), !connections[slot].closesAfterFlush,
            !connections[slot].isCongested
        else { return true }
        // What is in the pipe leaves after it; and its memory may be all that starved receives wait for.
        if !starved.isEmpty || !piped.isEmpty && splicing[slot].pipeBytes > 0 { return true }
        switch connections[slot].phase {
        case .waiting:
            return !connections[slot].input.isEmpty || phase != .running || connections[slot].endsSoon
        case .leased: return !exchanges[connections[slot].exchange].requestDone
        case .tunnelling:
            let partner = partner(of: slot)
            return partner == Slot.none || connections[partner].inputEnded
                || !connections[partner].input.isEmpty || connections[partner].isBulk
        case .pooled, .readingHead: return false
        case .multiplexing: return phase != .running || http2[slot].session.wantsToWrite
        case .readingProxyHeader, .handshaking, .exchanging, .discarding, .detached, .connecting, .securing,
            .borrowed, .retiring, .closing:
            return true
        }
    }

    @inline(__always)
    mutating func sent(_ slot: UInt32, _ result: Int32) {
        connections[slot].operationsInFlight -= 1
        sendCompleted(slot, result)
    }

    /// The result of a send, of either kind.
    @inline(__always)
    mutating func sendCompleted(_ slot: UInt32, _ result: Int32) {
        connections[slot].isSending = false
        if connections[slot].phase == .closing {
            finishClosing(slot)
            return
        }
        let isSpliced = !piped.isEmpty && splicing[slot].sendsFromPipe
        if isSpliced { splicing[slot].sendsFromPipe = false }
        guard result >= 0 else {
            if isSpliced && Errno.refusesSplice(-result) {
                sendFromPipeRefused(slot)
            } else {
                connectionFailed(slot, errno: -result)
            }
            return
        }
        let size = UInt32(result)
        if isSpliced {
            splicing[slot].pipeBytes -= size
        } else if isSecure(slot) {
            sentSecurely(slot, size)
        } else {
            segments.consume(size, from: &connections[slot].output)
        }
        counters.add(
            connections[slot].side == .downstream ? .bytesSentDownstream : .bytesSentUpstream, UInt64(size))
        if size > 0 {
            connections[slot].lastSentAt = driver.now
            connections[slot].countSent(size)
        }
        connections[slot].isCongested = hasOutput(slot)
        if connections[slot].isCongested {
            queueFlush(slot)
        } else if undrainedCount > 0 {
            settleDrain(slot, isWhole: true)
        }
        outputDrained(slot)
    }

    /// What waits to be sent never will be.
    mutating func dropOutput(_ slot: UInt32) {
        segments.removeAll(&connections[slot].output)
        if isSecure(slot) { tls[slot].sealedBytes = 0 }
        returnPipe(slot)
    }

    /// Room in a connection's output: its other side may go on.
    @inline(__always)
    mutating func outputDrained(_ slot: UInt32) {
        switch connections[slot].phase {
        case .waiting, .readingHead:
            if connections[slot].output.isEmpty && connections[slot].closesAfterFlush {
                beginDiscarding(slot)
                return
            }
            if connections[slot].phase == .waiting && !connections[slot].input.isEmpty {
                readRequests(slot)
                return
            }
        case .exchanging, .detached: responseOutputDrained(slot)
        case .leased: requestOutputDrained(slot)
        case .tunnelling: tunnelOutputDrained(slot)
        case .multiplexing: framesDrained(slot)
        case .readingProxyHeader, .handshaking, .discarding, .connecting, .securing, .borrowed, .pooled,
            .closing:
            break
        case .retiring:
            retire(slot)
            return
        }
        if connections.isOccupied(slot) { armTimer(slot) }
    }

    // MARK: - Zero copy

    /// Sends the front of the output without a copy, if it is worth it: a large piece of registered memory.
    private mutating func sendWithoutCopy(_ slot: UInt32) -> Bool {
        let segment = segments.first(of: connections[slot].output)
        guard segment.size >= 16 * 1024, !(layeredCount > 0 && tls[slot].lacksZeroCopy),
            driver.now >= zeroCopySuspendedUntil,
            driver.canSendZeroCopy(segment.slice),
            let record = zeroCopies.insert(ZeroCopySend(connection: slot, slice: segment.slice))
        else { return false }
        // The slice stays leased until the notification, however long after the bytes were taken that is.
        arena.retain(segment.slice)
        counters.add(.zeroCopySends)
        driver.sendZeroCopy(
            connections[slot].descriptor, segment,
            token: OperationToken(.zeroCopy, slot: record, generation: zeroCopies.generation(record)))
        return true
    }

    /// Either the result of a zero-copy send, or the word that its memory is free.
    @inline(never)
    mutating func zeroCopyEnded(_ record: UInt32, _ completion: Completion) {
        let send = zeroCopies[record]
        if completion.isNotification {
            if completion.result == 1 { noteCopied() } else { copiedInARow = 0 }
        } else {
            connections[send.connection].operationsInFlight -= 1
            zeroCopies[record].isUnderWay = false
            sendCompleted(send.connection, completion.result)
        }
        if !completion.more {
            arena.release(send.slice)
            zeroCopies.remove(record)
        }
    }

    /// The token of the zero-copy send that is under way on a connection; nil if it is none. Slow, for ends alone.
    func zeroCopyToken(_ slot: UInt32) -> OperationToken? {
        guard zeroCopies.count > 0 else { return nil }
        for record in 0..<UInt32(zeroCopies.highestCount)
        where zeroCopies.isOccupied(record) && zeroCopies[record].isUnderWay
            && zeroCopies[record].connection == slot
        {
            return OperationToken(.zeroCopy, slot: record, generation: zeroCopies.generation(record))
        }
        return nil
    }

    /// The kernel copied after all (loopback, veth, a card without scatter-gather): zero copy only costs here, so it
    /// is left alone for a minute.
    private mutating func noteCopied() {
        counters.add(.zeroCopyCopied)
        copiedInARow += 1
        if copiedInARow >= 2 { zeroCopySuspendedUntil = driver.now + 60_000_000_000 }
    }
}

/// A zero-copy send whose memory the kernel may still read.
struct ZeroCopySend: BitwiseCopyable {
    var connection: UInt32
    var slice: SliceID
    /// Its result has not come; afterwards the connection may be another's.
    var isUnderWay = true
}
