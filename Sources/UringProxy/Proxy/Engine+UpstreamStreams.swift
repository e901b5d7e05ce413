// HTTP/2 upstream: what becomes of a stream's request and of its response (whose stream it is: `Engine+Carriers`).
extension Engine where D: ~Copyable {
    // MARK: - Requests

    /// Gives the head of a stream's request to the session; false if it waits, or is no more.
    mutating func sendRequest(_ slot: UInt32) -> Bool {
        let carrier = streams[slot].carrier
        let index = connections[slot].exchange
        if connections[slot].output.isEmpty || index == Slot.none { return false }
        if http2[carrier].isEnding {
            requestRefused(slot)
            return false
        }
        // RFC 8441 §3: not before the peer has said that it takes them.
        if streams[slot].isTunnel && !http2[carrier].hasSettings { return false }
        let bytes = segments.firstView(of: connections[slot].output)
        guard
            RequestParser.parse(bytes, limits: ownLimits, fields: &streamFields, head: &requestHead)
                == .complete
        else {
            // What a route has made of it.
            fail(index, .changesTooLarge)
            return false
        }
        if streams[slot].isTunnel {
            streams[slot].isTunnel = isWebSocket(bytes)
            if streams[slot].isTunnel && !http2[carrier].session.takesTunnels {
                fail(index, .upgradeUnsupported)
                return false
            }
        }
        http2Fields.set(
            requestHead, isSecure: isSecure(carrier), isWebSocket: streams[slot].isTunnel, streamFields, bytes
        )
        let hasBody =
            streams[slot].isTunnel || !exchanges[index].requestDone || !streams[slot].trailers.isEmpty
            || Int(connections[slot].output.byteCount) > requestHead.size
        let id = unsafe http2[carrier].session.request(
            http2Fields.fields, http2Fields.count, body: streamBodies.address(of: slot), hasBody: hasBody)
        guard id > 0 else {
            // It has had all the streams that a connection can have; memory is what it lacks more seldom.
            http2[carrier].isEnding = true
            requestRefused(slot)
            return false
        }
        streams[slot].id = id
        streams[slot].headSent = true
        streams[slot].endGiven = !hasBody
        connections[slot].requestHeld = false
        segments.consume(UInt32(requestHead.size), from: &connections[slot].output)
        noteDrained(slot)
        return true
    }

    /// Whether the request whose head has just been parsed asks for a WebSocket.
    private func isWebSocket(_ bytes: ByteView) -> Bool {
        guard let upgrade = requestHead.upgrade else { return false }
        return requestHead.method == .get
            && bytes[streamFields[upgrade].value].equalsIgnoringCase("websocket")
    }

    /// Whether all that a stream sends is in its output.
    func isRequestWhole(_ slot: UInt32) -> Bool {
        let index = connections[slot].exchange
        return !streams[slot].isTunnel && index != Slot.none && exchanges[index].requestDone
    }

    /// The peer has done nothing of a request, or never had it: it may go elsewhere, whatever it is (RFC 9113 §8.7).
    mutating func requestRefused(_ slot: UInt32) {
        counters.add(.http2UpstreamRefused)
        guard let index = exchangeIndex(of: slot) else {
            close(slot)
            return
        }
        guard connections[slot].phase == .leased, mayRepeat(index, sentNothing: true) else {
            upstreamStreamFailed(slot)
            return
        }
        connections[slot].exchange = Slot.none
        close(slot)
        repeatRequest(index)
    }

    // MARK: - Responses

    /// The head of a response has come, or of an interim one.
    mutating func responseHeadCame(_ slot: UInt32, _ event: HTTP2Event) {
        guard let index = exchangeIndex(of: slot) else {
            streams[slot].receivedEnd = event.ends
            leaveIfDone(slot)
            return
        }
        connections[slot].lastReceivedAt = driver.now
        // Interim responses are under no flow control.
        if event.isTooLarge || connections[slot].input.byteCount >= settings.window {
            fail(index, .upstreamBadResponse)
            return
        }
        let head = HTTP2ResponseHead(
            event.fields, of: http2Inbox, method: streams[slot].method, isTunnel: streams[slot].isTunnel,
            ends: event.ends)
        guard writeHead(event.fields, head, index, to: slot) else {
            fail(index, .outOfMemory)
            return
        }
        streams[slot].framing = head.framing
        streams[slot].receivedEnd = event.ends
        if event.ends && head.framing == .tunnel { connections[slot].inputEnded = true }
        inputArrived(slot)
    }

    private mutating func writeHead(
        _ fields: Range<Int>, _ head: HTTP2ResponseHead, _ index: UInt32, to slot: UInt32
    ) -> Bool {
        let accept = head.framing == .tunnel ? acceptOfKey(index) : []
        return writeHead(to: slot, size: http2Inbox.sizeOfHead(fields)) { inbox, writer in
            unsafe accept.withUnsafeBytes { accept in
                unsafe head.write(fields, of: inbox, accept: ByteView(accept), into: &writer)
            }
        }
    }

    /// What answers the key of a WebSocket's request, which is kept until it is answered.
    private mutating func acceptOfKey(_ index: UInt32) -> [UInt8] {
        let bytes = segments.view(exchanges[index].request)
        _ = RequestParser.parse(bytes, limits: ownLimits, fields: &streamFields, head: &requestHead)
        for place in 0..<streamFields.count where streamFields[place].id == .secWebsocketKey {
            return WebSocketKey.accept(bytes[streamFields[place].value])
        }
        return []
    }

    // MARK: - Ends

    /// An exchange has had its response, whole: its stream goes when the peer has told its end, and has had that of the request.
    mutating func leaveStream(_ slot: UInt32) {
        streams[slot].outputIsWhole = true
        connections[slot].phase = .waiting
        connections[slot].phaseStartedAt = driver.now
        connections[slot].lastSentAt = driver.now
        if !streams[slot].endGiven { queueFlush(slot) }
        leaveIfDone(slot)
        if connections.isOccupied(slot) { armTimer(slot) }
    }

    /// The stream of an exchange that is over may have nothing more to wait for.
    mutating func leaveIfDone(_ slot: UInt32) {
        guard connections[slot].exchange == Slot.none, streams[slot].outputIsWhole else { return }
        if streams[slot].isClosed || streams[slot].receivedEnd && streams[slot].endSent { removeStream(slot) }
    }

    /// The stream has ended before its response.
    mutating func upstreamStreamFailed(_ slot: UInt32) {
        guard exchangeIndex(of: slot) != nil else {
            close(slot)
            return
        }
        if connections[slot].phase == .leased {
            upstreamEnded(slot, .upstreamReset)
        } else {
            connectionFailed(slot, errno: Errno.connectionReset)
        }
    }

    /// The session has closed a stream.
    mutating func upstreamStreamClosed(_ slot: UInt32, isRefused: Bool) {
        streams[slot].isClosed = true
        if isRefused && !streams[slot].receivedEnd {
            requestRefused(slot)
        } else if connections[slot].exchange == Slot.none {
            leaveIfDone(slot)
        } else if !streams[slot].receivedEnd {
            upstreamStreamFailed(slot)
        } else {
            endOutput(slot)
        }
    }

    /// Its connection has gone, but what an exchange still waits for is all here.
    mutating func orphan(_ slot: UInt32) {
        unlinkStream(slot)
        streams[slot].carrier = Slot.none
        streams[slot].unconsumed = 0
        // It is still to be told from a connection.
        layeredCount += 1
        endOutput(slot)
    }

    /// Nothing more that is sent on a stream reaches anybody, though an exchange has it.
    private mutating func endOutput(_ slot: UInt32) {
        dropOutput(slot)
        connections[slot].outputEnded = true
        // A tunnel's other side ends behind what has come.
        if connections[slot].phase == .tunnelling {
            relayTunnel(from: slot)
        } else if let index = exchangeIndex(of: slot), !exchanges[index].requestDone {
            // What is left of a request is taken and dropped.
            relayRequest(index)
        }
    }
}
