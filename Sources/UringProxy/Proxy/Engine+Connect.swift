internal import CPosix

// From an exchange to a connection: addresses, attempts, the first that succeeds.
extension Engine where D: ~Copyable {
    // MARK: - Finding

    /// Gives the exchange a connection to its endpoint: an idle one, a borrowed one, or a new one.
    mutating func findUpstream(_ index: UInt32) {
        if keepsNotes { noteAttempt(index) }
        let endpoint = exchanges[index].endpoint
        // A CONNECT uses up its connection if it succeeds, and cannot be repeated if that turns out to be dead.
        if !exchanges[index].isConnect && exchanges[index].proxyHeaderSize == 0 {
            if let slot = takeIdle(endpoint) {
                use(slot, for: index)
                return
            }
            if endpoints[endpoint].http2 != .off && findStream(index) { return }
            if borrow(endpoint, for: index) { return }
            if waitForOffer(index) {
                // Once more: it may have come before this worker could be seen to wait.
                if borrow(endpoint, for: index) {
                    awaitingOffers.remove(index)
                } else {
                    relayRequest(index)
                }
                return
            }
        }
        connectUpstream(index)
    }

    mutating func connectUpstream(_ index: UInt32) {
        let endpoint = exchanges[index].endpoint
        exchanges[index].nextAddress = 0
        exchanges[index].addressesDenied = 0
        if endpoints[endpoint].http2 != .off { beginOpening(index) }
        switch endpoints[endpoint].addressState {
        case .known where endpoints[endpoint].addressesExpireAt > driver.now:
            exchanges[index].state = .connecting
            connectNext(index)
        case .known, .unknown:
            endpoints[endpoint].addressState = .asked
            waitForAddresses(endpoint, index)
            counters.add(.namesAsked)
            let token = endpoints.token(of: endpoint)
            let asked = endpoints.withName(endpoint) { askResolver($0, token) }
            if !asked { resolved(token: token, .failed(.resolverBusy)) }
        case .asked:
            waitForAddresses(endpoint, index)
        }
        if exchanges.isOccupied(index) { relayRequest(index) }
    }

    private mutating func waitForAddresses(_ endpoint: UInt32, _ index: UInt32) {
        exchanges[index].state = .resolving
        enter(.resolve, index)
        exchanges[index].nextWaiting = endpoints[endpoint].firstWaiting
        endpoints[endpoint].firstWaiting = index
    }

    /// Takes an exchange that ends out of the list of those that wait for addresses.
    mutating func stopWaitingForAddresses(_ index: UInt32) {
        let endpoint = exchanges[index].endpoint
        var at = endpoints[endpoint].firstWaiting
        if at == index {
            endpoints[endpoint].firstWaiting = exchanges[index].nextWaiting
            return
        }
        while at != Slot.none {
            let next = exchanges[at].nextWaiting
            if next == index {
                exchanges[at].nextWaiting = exchanges[index].nextWaiting
                return
            }
            at = next
        }
    }

    /// What the resolver found out.
    enum Resolution {
        case found(count: Int, InlineArray<16, IPAddress>, timeToLiveSeconds: UInt32)
        case failed(ProxyError)
    }

    /// The resolver's answer to the question with this token.
    mutating func resolved(token: UInt64, _ resolution: Resolution) {
        guard let endpoint = endpoints.index(ofToken: token) else { return }
        var failure: ProxyError?
        switch resolution {
        case .found(let count, let addresses, let timeToLive):
            endpoints[endpoint].addressState = .known
            endpoints[endpoint].addressCount = UInt8(count)
            endpoints[endpoint].addresses = addresses
            endpoints[endpoint].addressesExpireAt = driver.now + Int64(timeToLive) * 1_000_000_000
        case .failed(let error):
            counters.add(.namesFailed)
            endpoints[endpoint].addressState = .unknown
            failure = error
        }
        // Once for each answer of the resolver's, which are seconds apart.
        var waiting: [(index: UInt32, generation: UInt32)] = []
        var next = endpoints[endpoint].firstWaiting
        endpoints[endpoint].firstWaiting = Slot.none
        while next != Slot.none {
            waiting.append((next, exchanges.generation(next)))
            next = exchanges[next].nextWaiting
        }
        for (index, generation) in waiting {
            // One that fails ends its hedge, which may have waited here as well.
            guard exchanges.isOccupied(index), exchanges.generation(index) == generation,
                exchanges[index].state == .resolving
            else { continue }
            exchanges[index].nextWaiting = Slot.none
            exchanges[index].state = .connecting
            if let failure {
                exchanges[index].failure = failure
                attemptsFailed(index)
            } else {
                connectNext(index)
            }
        }
    }

    // MARK: - Attempts

    /// Tries the next of the endpoint's addresses that the policy allows; fails the exchange when none is left and no
    /// attempt is under way.
    ///
    /// - Parameter hasPlace: among the connections that the endpoint's cluster may have.
    mutating func connectNext(_ index: UInt32, hasPlace: Bool = false) {
        let endpoint = exchanges[index].endpoint
        var hasPlace = hasPlace
        if endpoints[endpoint].gate != 0 && !hasPlace
            && exchanges[index].nextAddress < endpoints[endpoint].addressCount
        {
            hasPlace = takePlace(index, endpoints[endpoint].gate)
            if !hasPlace { return }
        }
        while exchanges[index].nextAddress < endpoints[endpoint].addressCount {
            let address = endpoints[endpoint].addresses[Int(exchanges[index].nextAddress)]
            exchanges[index].nextAddress += 1
            if endpoints[endpoint].kind == .dynamic && !isAllowed(endpoint, address) {
                exchanges[index].addressesDenied += 1
                continue
            }
            if startAttempt(index, socketAddress(endpoint, address)) { return }
        }
        if hasPlace { giveBackPlace(endpoints[endpoint].gate) }
        if exchanges[index].attempts == (Slot.none, Slot.none) { attemptsFailed(index) }
    }

    /// The policy's word on the very address that is going to be connected to: a name may have resolved to anything.
    private func isAllowed(_ endpoint: UInt32, _ address: IPAddress) -> Bool {
        let port = endpoints[endpoint].port
        return endpoints.withName(endpoint) {
            settings.policy.verdict(name: $0, address: address, port: port).isAllowed
        }
    }

    private func socketAddress(_ endpoint: UInt32, _ address: IPAddress) -> SocketAddress {
        endpoints.fixedAddress(of: endpoint) ?? SocketAddress(address, port: endpoints[endpoint].port)
    }

    /// Starts to connect; false, with the reason noted, if that cannot even begin.
    private mutating func startAttempt(_ index: UInt32, _ address: SocketAddress) -> Bool {
        let descriptor = driver.makeSocket(for: address)
        guard descriptor >= 0 else {
            let isLimit = -descriptor == Errno.tooManyFiles || -descriptor == Errno.tooManyFilesInSystem
            exchanges[index].failure = isLimit ? .outOfDescriptors : .connectFailed
            counters.add(.upstreamConnectFailures)
            return false
        }
        var connection = Connection(
            descriptor: descriptor, side: .upstream, phase: .connecting, now: driver.now)
        connection.exchange = index
        connection.endpoint = exchanges[index].endpoint
        connection.gate = endpoints[connection.endpoint].gate
        guard let slot = connections.insert(connection) else {
            exchanges[index].failure = .outOfConnections
            driver.close(descriptor, reset: false)
            return false
        }
        counters.add(.upstreamOpened)
        if keepsNotes { noteConnect(index, slot) }
        countInUse(connection.endpoint)
        if exchanges[index].attempts.0 == Slot.none {
            exchanges[index].attempts.0 = slot
        } else {
            exchanges[index].attempts.1 = slot
        }
        connections[slot].operationsInFlight += 1
        driver.connect(descriptor, to: address, token: token(.connect, slot))
        armTimer(slot)
        return true
    }

    @inline(__always)
    mutating func connected(_ slot: UInt32, _ completion: Completion) {
        connections[slot].operationsInFlight -= 1
        guard connections[slot].phase == .connecting else {
            finishClosing(slot)
            return
        }
        if completion.result < 0 {
            // The peer has never had it: whoever comes next need not wait until it is closed.
            let gate = connections[slot].gate
            connections[slot].gate = 0
            if gate != 0 { giveBackPlace(gate) }
            attemptFailed(slot, connectFailure(-completion.result))
            return
        }
        if endpoints[connections[slot].endpoint].isSecure {
            beginSecuring(slot)
        } else {
            connectionReady(slot)
        }
    }

    /// A new connection may be used.
    @inline(__always)
    mutating func connectionReady(_ slot: UInt32) {
        let index = connections[slot].exchange
        if exchanges[index].isOpening { openingEnded(index) }
        forgetAttempt(slot)
        // The race is decided; the other attempt ends.
        for other in [exchanges[index].attempts.0, exchanges[index].attempts.1]
        where other != Slot.none {
            forgetAttempt(other)
            connections[other].exchange = Slot.none
            close(other)
        }
        if exchanges[index].isConnect && !exchanges[index].usesParent {
            openConnectTunnel(index, slot)
        } else if endpoints[connections[slot].endpoint].http2 != .off && hasStreams(slot) {
            beginCarrying(slot)
        } else {
            if endpoints[connections[slot].endpoint].http2 == .auto && mayMultiplex(index) {
                endpoints[connections[slot].endpoint].speaksHTTP2 = false
            }
            use(slot, for: index)
        }
    }

    private func connectFailure(_ errno: Int32) -> ProxyError {
        switch errno {
        case Errno.connectionRefused, Errno.notFound: .connectRefused
        case Errno.timedOut, Errno.canceled: .connectTimeout
        default: .connectFailed
        }
    }

    private mutating func forgetAttempt(_ slot: UInt32) {
        let index = connections[slot].exchange
        if exchanges[index].attempts.0 == slot { exchanges[index].attempts.0 = Slot.none }
        if exchanges[index].attempts.1 == slot { exchanges[index].attempts.1 = Slot.none }
    }

    /// One address did not work out: the next, if no other attempt is under way that may still succeed.
    mutating func attemptFailed(_ slot: UInt32, _ failure: ProxyError) {
        let index = connections[slot].exchange
        counters.add(.upstreamConnectFailures)
        uproxy_probe_connect_failed(
            UInt64(worker), UInt64(connections[slot].endpoint), UInt64(failure.rawValue))
        if keepsNotes { noteConnectFailure(index, slot, failure) }
        forgetAttempt(slot)
        connections[slot].exchange = Slot.none
        close(slot)
        exchanges[index].failure = failure
        connectNext(index)
    }

    /// RFC 8305 §5: the first address is slow to answer, so the next one is tried beside it.
    mutating func joinAttempt(_ slot: UInt32) {
        let index = connections[slot].exchange
        let isAlone =
            exchanges[index].attempts.0 == Slot.none
            || exchanges[index].attempts.1 == Slot.none
        if isAlone { connectNext(index) }
    }

    /// Whether another address could be tried beside this attempt.
    func mayJoin(_ slot: UInt32) -> Bool {
        let index = connections[slot].exchange
        guard index != Slot.none else { return false }
        let gate = endpoints[connections[slot].endpoint].gate
        if gate != 0 && !gates.isOpen(gate) { return false }
        return exchanges[index].nextAddress < endpoints[connections[slot].endpoint].addressCount
            && (exchanges[index].attempts.0 == Slot.none
                || exchanges[index].attempts.1 == Slot.none)
    }

    /// No address of this endpoint could be connected: another one of its cluster, or the answer why not.
    mutating func attemptsFailed(_ index: UInt32) {
        if exchanges[index].isOpening {
            let generation = exchanges.generation(index)
            openingFailed(index)
            // It was another one's hedge, and has ended with that.
            guard exchanges.isOccupied(index), exchanges.generation(index) == generation else { return }
        }
        if exchanges[index].partner != Slot.none
            && goOnWithHedge(index, after: .failed(exchanges[index].failure))
        {
            return
        }
        if mayTryAnother(index) {
            noteFailure(index, exchanges[index].failure)
            if chooseAnotherEndpoint(index) || beginAnew(index) {
                counters.add(.retries)
                findUpstream(index)
                return
            }
            if waitForRoom(index) { return }
        }
        if exchanges[index].addressesDenied > 0 && exchanges[index].failure == .none {
            fail(index, .destinationDenied)
            return
        }
        fail(index, exchanges[index].failure == .none ? .connectFailed : exchanges[index].failure)
    }

    /// Whether another endpoint may do better: not if the fault is ours, such as a lack of descriptors, which every endpoint would
    /// meet at once; nor after three that did not answer, each of which has taken the whole timeout.
    private mutating func mayTryAnother(_ index: UInt32) -> Bool {
        let failure = exchanges[index].failure
        if failure == .connectTimeout { exchanges[index].connectTimeouts += 1 }
        return exchanges[index].retry.conditions.contains(.connectFailure)
            && !exchanges[index].bodyForwarded && failure.isEndpointFailure
            && exchanges[index].connectTimeouts < 3
    }

    // MARK: - Using

    /// Puts a connection to the exchange's use and the request on its way.
    @inline(__always)
    mutating func use(_ slot: UInt32, for index: UInt32) {
        let connection = connections.tenant(slot)
        let exchange = exchanges.tenant(index)
        connection.phase = .leased
        connection.phaseStartedAt = driver.now
        connection.exchange = index
        connection.requestCount += 1
        connection.streamBytes = 0
        connection.scanner = HeadEndScanner()
        connection.requestHeld = connection.isReused
        exchange.upstream = slot
        exchange.state = .forwarding
        exchange.requestsSent += 1
        exchange.requestSentAt = exchange.requestDone ? driver.now : 0
        if connection.isReused { counters.add(.upstreamReused) }
        if keepsNotes { noteSent(index, slot) }
        if connection.output.isEmpty { outputBegins(slot) }
        if !exchange.request.isEmpty {
            var request = exchange.request
            if exchange.proxyHeaderSize > 0 && isSecure(slot) {
                // It has gone before TLS.
                request.offset += UInt32(exchange.proxyHeaderSize)
                request.size -= UInt32(exchange.proxyHeaderSize)
            }
            segments.share(request, with: &connection.output)
        }
        queueFlush(slot)
        updateReceive(slot)
        if exchange.requestDone {
            armTimer(slot)
        } else {
            relayRequest(index)
        }
    }

    /// Whether the request may go out once more: nothing of an answer has come, and either it does no harm to be
    /// done twice (RFC 9110 §9.2.2), or none of it left.
    func mayRepeat(_ index: UInt32, sentNothing: Bool) -> Bool {
        exchanges[index].state == .forwarding && !exchanges[index].bodyForwarded
            && !exchanges[index].continueForwarded && exchanges[index].requestDone
            && (exchanges[index].method.isIdempotent || sentNothing) && exchanges[index].repeats < 2
    }

    /// Sends the request again on another connection, its last one having died before it answered.
    mutating func repeatRequest(_ index: UInt32) {
        counters.add(.retries)
        exchanges[index].repeats += 1
        exchanges[index].upstream = Slot.none
        exchanges[index].state = .connecting
        // Not from the pool: what is idle there may have died the same death.
        dropIdle(exchanges[index].endpoint)
        findUpstream(index)
    }
}
