// HTTP/2 upstream: who gets a stream, who opens a connection for others as well, and what becomes of the connections.
//
// Each stream has a slot among upstream's connections, without a descriptor, which an exchange uses as it uses a connection: its
// request is put into the output as HTTP/1.1 has it, and becomes frames there; what comes is written into the input as that version has it
// (`Engine+UpstreamStreams`). So whatever holds for upstream connections holds for streams, but for the pool: a connection has streams
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
        enter(.pool, index)
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
        let streams = endpoints[endpoint].streamLimit
        guard
            carry(
                slot, streams: streams,
                make: { HTTP2Session($0, streamWindow: $1, connectionWindow: $2) })
        else {
            close(slot)
            fail(index, .outOfMemory)
            return
        }
        counters.add(.http2UpstreamConnections)
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

    /// WebSockets that have waited for the peer's settings.
    private mutating func flushTunnels(_ carrier: UInt32) {
        var slot = http2[carrier].firstStream
        while slot != Slot.none {
            if !streams[slot].headSent { queueFlush(slot) }
            slot = streams[slot].next
        }
    }

    /// Nothing came on a whole connection while a stream's answer was waited for: others are not to wait there as well.
    mutating func noteSilence(_ slot: UInt32) {
        let carrier = streams[slot].carrier
        if carrier != Slot.none && connections[carrier].lastReceivedAt < connections[slot].phaseStartedAt {
            http2[carrier].isEnding = true
        }
    }
}
