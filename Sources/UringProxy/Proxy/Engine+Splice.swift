// Splicing: long streams that nobody has to look at pass from socket to socket through a pipe, without a copy.
//
// The pipe belongs to the connection that it is emptied into, as its output does, and comes behind that. It is filled
// when it is empty, in one call, and no further than the body goes: nothing of the next message enters it. So a stream
// can change back to slices whenever its pipe is empty, and a slow reader holds one pipe's worth of pages at most.
extension Engine where D: ~Copyable {
    /// Receives into a pipe that move less than this say that a stream is not, or no longer, worth one.
    private static var smallSplice: UInt32 { 16 * 1024 }
    /// So many small ones in a row, and the stream goes back to slices.
    private static var smallSplicesLimit: UInt8 { 8 }

    /// Bytes of a stream that are copied before it is spliced again.
    private static var spliceSuspension: UInt32 { 4 << 20 }

    /// Whether bytes wait to be sent: in memory, or behind that in a pipe.
    @inline(__always)
    func hasOutput(_ slot: UInt32) -> Bool {
        !connections[slot].output.isEmpty || !piped.isEmpty && splicing[slot].pipeBytes > 0
    }

    /// What an exchange had to do with pipes as a source is over.
    @inline(__always)
    mutating func endSplicing(_ slot: UInt32) {
        if settings.pipes > 0 && splicing[slot].isExchanges { splicing[slot].exchangeEnded() }
    }

    /// Arms a receive into the pipe of the connection that this one's bytes go to; false if they are to be copied.
    ///
    /// - Parameter paused: how long nothing was received because the other side did not keep up.
    mutating func receiveIntoPipe(_ slot: UInt32, paused: Int64) -> Bool {
        guard settings.pipes > 0 else { return false }
        let target = partner(of: slot)
        // What passes a session is looked at.
        guard target != Slot.none, !isSecure(slot),
            !isSecure(target) || tls[target].kernelSends && !tls[target].isBroken,
            !isStream(target),
            mayContinueSplicing(slot, target, paused: paused)
        else { return false }
        let size = spliceableBytes(slot)
        guard size > 0 else { return false }
        if !splicing[slot].splices {
            guard size >= settings.spliceThreshold, startSplicing(slot, target) else { return false }
        }
        connections[slot].receiving = .pipe
        driver.receive(
            connections[slot].descriptor,
            into: .pipe(splicing[target].pipe, size: UInt32(clamping: size)), token: token(.receive, slot))
        return true
    }

    /// Bytes that pass unseen from here on, `.max` if their end is that of the stream; 0 if they have to be looked at.
    private func spliceableBytes(_ slot: UInt32) -> UInt64 {
        let index = connections[slot].exchange
        let body: BodyReader
        switch connections[slot].phase {
        case .tunnelling: return .max
        case .exchanging: body = exchanges[index].requestBody
        case .leased:
            guard exchanges[index].responseEncoding == .verbatim else { return 0 }
            body = exchanges[index].responseBody
        case .readingProxyHeader, .handshaking, .multiplexing, .waiting, .readingHead, .discarding, .detached,
            .connecting, .securing, .pooled, .borrowed, .retiring, .closing:
            return 0
        }
        switch body.state {
        case .length: return body.remaining
        case .untilClose: return .max
        case .done, .chunked, .trailers: return 0
        }
    }

    /// Notes whether the body of a connection's message is worth a pipe even if a slice of it comes with its head.
    @inline(__always)
    mutating func noteBody(_ slot: UInt32, _ framing: BodyFraming) {
        guard settings.pipes > 0 else { return }
        var isLong = false
        if case .length(let size) = framing {
            isLong = size >= settings.spliceThreshold + UInt64(SliceClass.medium.sliceSize)
        }
        // Not written in vain: most connections have no state here.
        if splicing[slot].expectsLong != isLong { splicing[slot].expectsLong = isLong }
    }

    private mutating func startSplicing(_ slot: UInt32, _ target: UInt32) -> Bool {
        guard splicing[target].pipe == .none, !connections[target].outputEnded,
            connections[slot].input.isEmpty
        else { return false }
        guard let pipe = driver.leasePipe() else {
            if !splicing[slot].lacksPipe { counters.add(.spliceFallbacks) }
            splicing[slot].lacksPipe = true
            return false
        }
        splicing[target].pipe = pipe
        piped.append(target)
        splicing[slot].splices = true
        splicing[slot].smallSplices = 0
        return true
    }

    /// Whether a stream that is spliced still should be, and one that is not might be.
    private mutating func mayContinueSplicing(_ slot: UInt32, _ target: UInt32, paused: Int64) -> Bool {
        guard paused < Self.slowReader, !splicing[slot].isRefused,
            connections[slot].streamBytes >= UInt64(splicing[slot].splicesFrom),
            splicing[slot].smallSplices < Self.smallSplicesLimit
        else {
            if splicing[slot].splices { suspendSplicing(slot) }
            return false
        }
        return true
    }

    /// The stream has become slow: another one has more use for the pipe until this one has gone on for a while.
    private mutating func suspendSplicing(_ slot: UInt32) {
        stopSplicing(slot)
        splicing[slot].smallSplices = 0
        // Counted anew, for the count stops at 4 GiB.
        connections[slot].streamBytes = 0
        if connections[slot].phase == .tunnelling {
            // It has to show anew that it is long.
            connections[slot].isBulk = false
        } else {
            splicing[slot].splicesFrom = Self.spliceSuspension
        }
    }

    /// Once a second: streams on which nothing has come for as long give their pipes up. Only when the receive has
    /// really ended, for it may have filled the pipe by now.
    mutating func suspendIdleSplices() {
        for _ in 0..<piped.count {
            guard let target = piped.popFirst() else { return }
            piped.append(target)
            let source = partner(of: target)
            guard source != Slot.none, connections[source].receiving == .pipe,
                driver.now - connections[source].lastReceivedAt > Self.maintenanceInterval
            else { continue }
            cancelReceive(source)
        }
    }

    /// What is received from here on goes into slices again.
    mutating func stopSplicing(_ slot: UInt32) {
        guard splicing[slot].splices else { return }
        splicing[slot].splices = false
        let target = partner(of: slot)
        if target != Slot.none { returnEmptyPipe(target) }
    }

    /// The pipe into this connection has been emptied, or never was filled: the next stream may have it.
    @inline(__always)
    mutating func returnEmptyPipe(_ slot: UInt32) {
        if !piped.isEmpty && splicing[slot].pipe != .none && splicing[slot].pipeBytes == 0 {
            returnPipe(slot)
        }
    }

    /// Gives the pipe into this connection back with what is in it.
    mutating func returnPipe(_ slot: UInt32) {
        guard splicing[slot].pipe != .none else { return }
        driver.returnPipe(splicing[slot].pipe)
        piped.remove(slot)
        splicing[slot].pipe = .none
        splicing[slot].pipeBytes = 0
        splicing[slot].pipeIsRead = false
    }

    // MARK: - Completions

    /// The end of a receive into a pipe.
    mutating func receivedIntoPipe(_ slot: UInt32, _ result: Int32) {
        guard result > 0 else {
            spliceEnded(slot, -result)
            return
        }
        let size = UInt32(result)
        noteReceived(slot, size)
        counters.add(.bytesSpliced, UInt64(size))
        if size >= Self.smallSplice {
            splicing[slot].smallSplices = 0
        } else if splicing[slot].smallSplices < Self.smallSplicesLimit {
            splicing[slot].smallSplices += 1
        }
        let index = connections[slot].exchange
        guard index != Slot.none else {
            // The exchange is over and the bytes with it: they came while the receive was cancelled.
            updateReceive(slot)
            return
        }
        if splicing[slot].splices {
            let target = partner(of: slot)
            if !hasOutput(target) { outputBegins(target) }
            splicing[target].pipeBytes = size
            queueFlush(target)
        }
        switch connections[slot].phase {
        case .exchanging:
            if exchanges[index].requestBody.state == .length {
                _ = exchanges[index].requestBody.takeLength(size)
            }
            exchanges[index].bodyForwarded = true
            exchanges[index].requestBodyBytes += UInt64(size)
            relayRequest(index)
        case .leased:
            if exchanges[index].responseBody.state == .length {
                _ = exchanges[index].responseBody.takeLength(size)
            }
            relayResponse(index)
        case .tunnelling:
            relayTunnel(from: slot)
        case .readingProxyHeader, .handshaking, .multiplexing, .waiting, .readingHead, .discarding, .detached,
            .connecting, .securing, .pooled, .borrowed, .retiring, .closing:
            updateReceive(slot)
        }
    }

    /// A receive into a pipe brought nothing: by our own doing, or because this is not the way to receive here.
    private mutating func spliceEnded(_ slot: UInt32, _ errno: Int32) {
        if errno == Errno.canceled {
            if splicing[slot].splices { suspendSplicing(slot) }
            updateReceive(slot)
        } else if errno == 0 || Errno.refusesSplice(errno) {
            if errno != 0 { counters.add(.spliceFallbacks) }
            splicing[slot].isRefused = true
            stopSplicing(slot)
            updateReceive(slot)
            armTimer(slot)
        } else {
            connectionFailed(slot, errno: errno)
        }
    }

    /// What a pipe holds cannot be sent out of it: it is copied into memory, slice by slice, and sent from there.
    mutating func sendFromPipeRefused(_ slot: UInt32) {
        counters.add(.spliceFallbacks)
        splicing[slot].pipeIsRead = true
        let source = partner(of: slot)
        if source != Slot.none { splicing[source].isRefused = true }
        queueFlush(slot)
    }

    /// Moves a slice's worth from the pipe to the output; false if that failed, which only a lack of memory can make it.
    mutating func readFromPipe(_ slot: UInt32) -> Bool {
        // Where receives find none left, which they wait for, there still is a smaller one.
        guard let slice = arena.lease(.medium) ?? arena.lease(.small) ?? arena.lease(.tiny) else {
            counters.add(.buffersExhausted)
            return false
        }
        let result = driver.read(splicing[slot].pipe, into: slice)
        guard result > 0 else {
            arena.release(slice)
            return false
        }
        splicing[slot].pipeBytes -= UInt32(result)
        segments.append(
            Segment(slice: slice, offset: 0, size: UInt32(result)), to: &connections[slot].output)
        return true
    }
}
