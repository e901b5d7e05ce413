// HTTP/2 upstream: who gets a stream, who opens a connection for others as well, and what becomes of a stream's exchange.
//
// Each stream has a slot among upstream's connections, without a descriptor, which an exchange uses as it uses a connection: its
// request is put into the output as HTTP/1.1 has it, and becomes frames there (`Engine+Streams`); what comes is written into the input
// as that version has it. So whatever holds for upstream connections holds for streams, but for the pool: a connection has streams
// until the peer ends it, or nobody has wanted one for a time.
extension Engine where D: ~Copyable {
    // MARK: - Finding

    /// Whether an exchange may have a stream. A tunnel has its connection for itself, and an upgrade, where the endpoint may choose, goes
    /// by the version that everybody can upgrade from.
    func mayMultiplex(_ index: UInt32) -> Bool {
        switch endpoints[exchanges[index].endpoint].http2 {
        case .off: false
        case .auto: !exchanges[index].isConnect && !exchanges[index].wantsUpgrade
        case .on: !exchanges[index].isConnect
        }
    }

    /// What is offered by ALPN for an exchange.
    func applicationProtocols(_ index: UInt32) -> ApplicationProtocols {
        if exchanges[index].isRelay { return .none }
        guard mayMultiplex(index) else { return .http1 }
        return endpoints[exchanges[index].endpoint].http2 == .on ? .http2 : .any
    }

    /// Whether a new connection has streams.
    func hasStreams(_ slot: UInt32) -> Bool {
        mayMultiplex(connections[slot].exchange) && (!isSecure(slot) || tls[slot].session.choseHTTP2)
    }

    /// Gives the exchange a stream, or has it wait for a connection that is being opened; false if it is to open one.
    @inline(never)
    mutating func findStream(_ index: UInt32) -> Bool {
        guard mayMultiplex(index) else { return false }
        let endpoint = exchanges[index].endpoint
        // Whoever has waited longer comes first.
        if endpoints[endpoint].firstAwaiting == Slot.none, let carrier = carrierWithRoom(endpoint) {
            return openStream(carrier, for: index)
        }
        guard mayAwait(endpoint) || endpoints[endpoint].isAwaited else { return false }
        exchanges[index].state = .awaitingStream
        exchanges[index].nextWaiting = Slot.none
        if endpoints[endpoint].firstAwaiting == Slot.none {
            endpoints[endpoint].firstAwaiting = index
        } else {
            exchanges[endpoints[endpoint].lastAwaiting].nextWaiting = index
        }
        endpoints[endpoint].lastAwaiting = index
        endpoints[endpoint].awaitingCount += 1
        relayRequest(index)
        return true
    }

    /// Whether one more may count on a stream of the connections that are being opened.
    private func mayAwait(_ endpoint: UInt32) -> Bool {
        endpoints[endpoint].speaksHTTP2
            && endpoints[endpoint].awaitingCount / endpoints[endpoint].streamLimit
                < endpoints[endpoint].openings
    }

    /// A connection to the endpoint that has a stream to give. Until the peer has said how many it allows, that is one.
    private func carrierWithRoom(_ endpoint: UInt32) -> UInt32? {
        var slot = endpoints[endpoint].firstCarrier
        while slot != Slot.none {
            let most = http2[slot].hasSettings ? http2[slot].peerStreams : 1
            if !http2[slot].isEnding && http2[slot].streamCount < min(endpoints[endpoint].streamLimit, most) {
                return slot
            }
            slot = connections[slot].next
        }
        return nil
    }

    /// A connection with a stream for an exchange, if it may have one.
    func carrier(for index: UInt32) -> UInt32? {
        mayMultiplex(index) ? carrierWithRoom(exchanges[index].endpoint) : nil
    }

    /// Puts a stream to the exchange's use; false if there is no slot for it.
    @discardableResult
    mutating func openStream(_ carrier: UInt32, for index: UInt32) -> Bool {
        var connection = Connection(
            descriptor: Connection.streamDescriptor, side: .upstream, phase: .leased, now: driver.now)
        connection.endpoint = exchanges[index].endpoint
        // The peer may have ended the connection, or be about to.
        connection.isReused = connections[carrier].requestCount > 0
        guard let slot = connections.insert(connection) else { return false }
        connections[carrier].requestCount += 1
        countInUse(connection.endpoint)
        var state = StreamState(carrier: carrier, id: 0, method: exchanges[index].method, framing: .none)
        state.isTunnel = exchanges[index].wantsUpgrade
        linkStream(slot, state)
        counters.add(.http2UpstreamStreams)
        use(slot, for: index)
        return true
    }

    // MARK: - Opening

    /// The exchange is about to connect.
    @inline(never)
    mutating func beginOpening(_ index: UInt32) {
        guard !exchanges[index].isOpening, mayMultiplex(index) else { return }
        exchanges[index].isOpening = true
        endpoints[exchanges[index].endpoint].openings += 1
    }

    /// It connects no longer: it is connected, or has no use for that any more.
    @inline(never)
    mutating func openingEnded(_ index: UInt32) {
        let endpoint = exchanges[index].endpoint
        exchanges[index].isOpening = false
        endpoints[endpoint].openings -= 1
        lookAfterAwaiting(endpoint)
    }

    /// It could not connect, and so those cannot who wait for what it would have opened.
    @inline(never)
    mutating func openingFailed(_ index: UInt32) {
        let endpoint = exchanges[index].endpoint
        exchanges[index].isOpening = false
        endpoints[endpoint].openings -= 1
        if endpoints[endpoint].openings > 0 { return }
        let failure = exchanges[index].failure
        var failed: [(index: UInt32, generation: UInt32)] = []
        while let next = takeAwaiting(endpoint) { failed.append((next, exchanges.generation(next))) }
        for (index, generation) in failed
        where exchanges.isOccupied(index) && exchanges.generation(index) == generation {
            exchanges[index].failure = failure
            attemptsFailed(index)
        }
    }

    private mutating func takeAwaiting(_ endpoint: UInt32) -> UInt32? {
        let index = endpoints[endpoint].firstAwaiting
        if index == Slot.none { return nil }
        endpoints[endpoint].firstAwaiting = exchanges[index].nextWaiting
        endpoints[endpoint].awaitingCount -= 1
        exchanges[index].nextWaiting = Slot.none
        exchanges[index].state = .connecting
        return index
    }

    /// An exchange that waits for a stream ends.
    mutating func stopAwaitingStream(_ index: UInt32) {
        let endpoint = exchanges[index].endpoint
        let next = exchanges[index].nextWaiting
        endpoints[endpoint].awaitingCount -= 1
        if endpoints[endpoint].firstAwaiting == index {
            endpoints[endpoint].firstAwaiting = next
            return
        }
        var before = endpoints[endpoint].firstAwaiting
        while exchanges[before].nextWaiting != index { before = exchanges[before].nextWaiting }
        exchanges[before].nextWaiting = next
        if endpoints[endpoint].lastAwaiting == index { endpoints[endpoint].lastAwaiting = before }
    }

    /// Exchanges that wait for a stream may have one now, or are to open a connection themselves.
    mutating func lookAfterAwaiting(_ endpoint: UInt32) {
        if endpoints[endpoint].firstAwaiting == Slot.none || endpoints[endpoint].isAwaited { return }
        endpoints[endpoint].isAwaited = true
        awaitedEndpoints.append(endpoint)
    }

    @inline(never)
    mutating func serveAwaitingStreams() {
        while let endpoint = awaitedEndpoints.popLast() {
            endpoints[endpoint].isAwaited = false
            for _ in 0..<endpoints[endpoint].awaitingCount {
                let carrier = carrierWithRoom(endpoint)
                if carrier == nil && mayAwait(endpoint) { break }
                guard let index = takeAwaiting(endpoint) else { break }
                if let carrier, openStream(carrier, for: index) { continue }
                connectUpstream(index)
            }
        }
    }

    // MARK: - Connections

    /// A new connection speaks HTTP/2: the exchange that opened it has its first stream.
    @inline(never)
    mutating func beginCarrying(_ slot: UInt32) {
        let index = connections[slot].exchange
        let endpoint = connections[slot].endpoint
        connections[slot].exchange = Slot.none
        let isPaid = arena.charge(HTTP2Session.memoryBytes)
        let session =
            isPaid
            ? HTTP2Session(
                http2Inbox, streamWindow: settings.window,
                connectionWindow: UInt32(
                    clamping: min(Int(endpoints[endpoint].streamLimit) * Int(settings.window), 1 << 30)))
            : nil
        guard let session else {
            if isPaid { arena.discharge(HTTP2Session.memoryBytes) }
            counters.add(.buffersExhausted)
            close(slot)
            fail(index, .outOfMemory)
            return
        }
        counters.add(.http2UpstreamConnections)
        layeredCount += 1
        http2[slot] = HTTP2State(session, now: driver.now)
        connections[slot].phase = .multiplexing
        connections[slot].phaseStartedAt = driver.now
        connections[slot].next = endpoints[endpoint].firstCarrier
        connections[slot].previous = Slot.none
        if connections[slot].next != Slot.none { connections[connections[slot].next].previous = slot }
        endpoints[endpoint].firstCarrier = slot
        endpoints[endpoint].speaksHTTP2 = true
        // Others wait until it is known how many streams it has.
        endpoints[endpoint].openings += 1
        if !openStream(slot, for: index) { fail(index, .outOfConnections) }
        queueFlush(slot)
        updateReceive(slot)
        armTimer(slot)
    }

    /// The connection that has had no stream for the longest; nil: each is in use, or about to end.
    func idleCarrier(_ endpoint: UInt32) -> UInt32? {
        var found: UInt32?
        var slot = endpoints[endpoint].firstCarrier
        while slot != Slot.none {
            if http2[slot].streamCount == 0, !http2[slot].isEnding,
                found.map({ connections[$0].phaseStartedAt > connections[slot].phaseStartedAt }) ?? true
            {
                found = slot
            }
            slot = connections[slot].next
        }
        return found
    }

    /// Whether a connection may wait for further requests, its last stream having ended.
    mutating func mayStayIdle(_ slot: UInt32) -> Bool {
        // Others may wait for its place.
        if connections[slot].gate != 0 { gates.noteIdle(connections[slot].gate) }
        return phase == .running && settings.poolIdle > 0 && !endpoints[connections[slot].endpoint].isRetired
    }

    /// The connection has no more streams to give, and is about to go.
    mutating func unlinkCarrier(_ slot: UInt32) {
        let endpoint = connections[slot].endpoint
        if !http2[slot].hasSettings { settingsKnown(slot) }
        let (before, after) = (connections[slot].previous, connections[slot].next)
        if before == Slot.none {
            endpoints[endpoint].firstCarrier = after
        } else {
            connections[before].next = after
        }
        if after != Slot.none { connections[after].previous = before }
        endpoints[endpoint].inUse -= 1
    }

    /// The endpoint's connections end, each with its last stream.
    mutating func endCarriers(_ endpoint: UInt32) {
        var slot = endpoints[endpoint].firstCarrier
        while slot != Slot.none {
            http2[slot].isEnding = true
            if http2[slot].streamCount == 0 { endMultiplexing(slot) }
            slot = connections[slot].next
        }
    }

    /// What the peer has said of its connection.
    mutating func noteCarrierNews(_ slot: UInt32) {
        if http2Inbox.hasSettings {
            http2[slot].peerStreams = http2[slot].session.peerStreams
            if http2[slot].hasSettings {
                lookAfterAwaiting(connections[slot].endpoint)
            } else {
                settingsKnown(slot)
            }
        }
        if http2Inbox.hasGoAway && !http2[slot].isEnding {
            counters.add(.http2UpstreamGoAways)
            http2[slot].isEnding = true
        }
    }

    /// The peer has said how many streams it allows, or takes its time: then it is as if it had said nothing of it.
    mutating func settingsKnown(_ slot: UInt32) {
        let endpoint = connections[slot].endpoint
        http2[slot].hasSettings = true
        endpoints[endpoint].openings -= 1
        lookAfterAwaiting(endpoint)
        flushTunnels(slot)
    }

    /// Nothing came on a whole connection while a stream's answer was waited for: others are not to wait there as well.
    mutating func noteSilence(_ slot: UInt32) {
        let carrier = streams[slot].carrier
        if carrier != Slot.none && connections[carrier].lastReceivedAt < connections[slot].phaseStartedAt {
            http2[carrier].isEnding = true
        }
    }

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

    /// WebSockets that have waited for the peer's settings.
    private mutating func flushTunnels(_ carrier: UInt32) {
        var slot = http2[carrier].firstStream
        while slot != Slot.none {
            if !streams[slot].headSent { queueFlush(slot) }
            slot = streams[slot].next
        }
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
        return writeHead(to: slot, size: sizeOfHead(fields)) { inbox, writer in
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
