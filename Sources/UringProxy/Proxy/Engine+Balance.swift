// Which endpoint of its cluster an exchange goes to, and what its cluster learns from it.
extension Engine where D: ~Copyable {
    /// Chooses the endpoint of the exchange whose head has just been parsed out of `bytes`, or lets it wait for its turn
    /// (`findUpstreamInTurn`); false if none may be used, and the exchange has ended.
    @inline(__always)
    mutating func chooseEndpoint(_ index: UInt32, cluster: Int, _ slot: UInt32, _ bytes: ByteView) -> Bool {
        enterCluster(index, cluster, key: clusters.asksRequests ? askRequest(index, cluster, slot, bytes) : 0)
    }

    /// The same for a relay, of which nothing but its client is known.
    mutating func chooseRelayEndpoint(_ index: UInt32, cluster: Int, _ slot: UInt32) -> Bool {
        var key: UInt64 = 0
        if clusters.usesKeys, case .source = clusters.keySource(cluster) {
            key = KeyHash.hash(peer(of: slot))
        }
        if clusters.usesClientZones { exchanges[index].zone = zone(cluster, for: peer(of: slot)) }
        return enterCluster(index, cluster, key: key)
    }

    @inline(__always)
    mutating func enterCluster(_ index: UInt32, _ cluster: Int, key: UInt64) -> Bool {
        if keepsNotes { noteCluster(index, cluster) }
        let gate = clusters.gate(cluster)
        if gate != 0 { return arrive(index, gate: gate, cluster: cluster, key: key) }
        return choose(index, cluster: cluster, key: key)
    }

    /// The exchange's first choice: it is under way at the cluster from now on.
    @inline(__always)
    mutating func choose(_ index: UInt32, cluster: Int, key: UInt64) -> Bool {
        exchanges[index].retry = clusters.beginRetries(cluster, now: driver.now)
        if chooseAny(index, cluster: cluster, key: key) { return true }
        fail(index, clusters.isEmpty(cluster) ? .noEndpoint : .noHealthyEndpoint)
        return false
    }

    /// Chooses as if the exchange had tried none; false if none may be used.
    @inline(__always)
    mutating func chooseAny(_ index: UInt32, cluster: Int, key: UInt64) -> Bool {
        let named = exchanges[index].isSticky ? chooseNamed(index, cluster) : nil
        let zone = exchanges[index].zone
        guard let chosen = named ?? clusters.choose(cluster, key: key, zone: zone, now: driver.now) else {
            return false
        }
        if clusters.isPanic(cluster) { counters.add(.panicChoices) }
        let exchange = exchanges.tenant(index)
        exchange.balancingKey = key
        exchange.cluster = UInt16(truncatingIfNeeded: cluster)
        exchange.clusterEndpoint = UInt32(truncatingIfNeeded: chosen)
        exchange.endpoint = fixedEndpoints[chosen]
        return true
    }

    /// Chooses an endpoint of the same cluster that the exchange has not tried; false if there is none, or no cluster.
    mutating func chooseAnotherEndpoint(_ index: UInt32) -> Bool {
        let exchange = exchanges.tenant(index)
        guard exchange.cluster != Exchange.noCluster else { return false }
        let failed = exchange.clusterEndpoint == Slot.none ? nil : Int(exchange.clusterEndpoint)
        let other = clusters.chooseAnother(
            Int(exchange.cluster), than: failed, for: index,
            isFirstFailure: exchange.endpointsFailed == 0, key: exchange.balancingKey, zone: exchange.zone,
            now: driver.now)
        exchange.endpointsFailed += 1
        guard let other else {
            exchange.clusterEndpoint = Slot.none
            return false
        }
        exchange.clusterEndpoint = UInt32(truncatingIfNeeded: other)
        exchange.endpoint = fixedEndpoints[other]
        guard renameHost(index) else {
            exchange.failure = .outOfMemory
            clusters.release(other)
            exchange.clusterEndpoint = Slot.none
            return false
        }
        if clusters.hasCaps { endpointChanged(index) }
        return true
    }

    /// The same for an exchange that is under way at none.
    mutating func chooseUntried(_ index: UInt32, cluster: Int) -> Bool {
        let exchange = exchanges.tenant(index)
        let other = clusters.chooseAnother(
            cluster, than: nil, for: index, isFirstFailure: false, key: exchange.balancingKey,
            zone: exchange.zone, now: driver.now)
        guard let other else { return false }
        exchange.clusterEndpoint = UInt32(truncatingIfNeeded: other)
        exchange.endpoint = fixedEndpoints[other]
        return true
    }

    /// Chooses once more among all of the cluster's endpoints, those too that the exchange has tried; false if none may be used.
    mutating func chooseAgain(_ index: UInt32) -> Bool {
        let cluster = exchanges[index].cluster
        guard cluster != Exchange.noCluster else { return false }
        exchanges[index].endpointsFailed = 0
        guard chooseAny(index, cluster: Int(cluster), key: exchanges[index].balancingKey) else {
            return false
        }
        if clusters.hasCaps { endpointChanged(index) }
        if renameHost(index) { return true }
        exchanges[index].failure = .outOfMemory
        return false
    }

    /// The exchange ends: it is no longer under way at its endpoint.
    @inline(__always)
    func leaveEndpoint(_ index: UInt32) {
        let endpoint = exchanges[index].clusterEndpoint
        if endpoint != Slot.none { clusters.release(Int(endpoint)) }
    }

    // MARK: - Keys

    /// Reads what the cluster wants to know of a request: whom its cookie names and which zone comes first for its client, which are kept
    /// with the exchange, and the key of its policy.
    @inline(never)
    private mutating func askRequest(_ index: UInt32, _ cluster: Int, _ slot: UInt32, _ bytes: ByteView)
        -> UInt64
    {
        if clusters.isSticky(cluster) { readCookie(index, cluster, bytes) }
        if clusters.hasClientZones(cluster) {
            exchanges[index].zone = zone(cluster, for: clientAddress(slot, bytes))
        }
        return clusters.usesKeys ? balancingKey(index, cluster, slot, bytes) : 0
    }

    /// What the cluster's policy chooses by; 0 if it asks for nothing, or the request has none of it.
    mutating func balancingKey(_ index: UInt32, _ cluster: Int, _ slot: UInt32, _ bytes: ByteView)
        -> UInt64
    {
        let key = clusters.keySource(cluster)
        switch key {
        case .source: return KeyHash.hash(clientAddress(slot, bytes))
        // Where the endpoints are proxies the path alone says little.
        case .uri where exchanges[index].usesParent:
            return KeyHash.path(bytes[requestHead.target])
        default: return KeyHash.hash(key, in: requestHead, fields, bytes)
        }
    }

    /// The number of the zone of the cluster that comes first for a client.
    @inline(never)
    mutating func zone(_ cluster: Int, for client: IPAddress) -> UInt8 {
        // Where there are no databases no cluster asks for what they know.
        let isLookedUp = geoSource != nil && clusters.asksLocation(cluster)
        return clusters.zone(cluster, for: client, at: isLookedUp ? geo.locate(client) : .unknown)
    }

    // MARK: - Lessons

    /// The endpoint has answered: with a response's head, or a relay's with its connection.
    @inline(__always)
    func noteAnswer(_ exchange: Tenant<Exchange>, status: UInt16) {
        if clusters.learns && exchange.clusterEndpoint != Slot.none { learn(exchange, status: status) }
    }

    /// Nanoseconds since the request was sent; 0: it has not been sent entirely, so that an answer says nothing about how long one
    /// takes.
    func latency(_ exchange: Tenant<Exchange>) -> Int64 {
        exchange.requestSentAt == 0 ? 0 : max(1, driver.now - exchange.requestSentAt)
    }

    @inline(never)
    private func learn(_ exchange: Tenant<Exchange>, status: UInt16) {
        let endpoint = Int(exchange.clusterEndpoint)
        let latency = latency(exchange)
        if clusters.judgesRequests {
            clusters.noteAnswer(endpoint, status: status, latency: latency, now: driver.now)
        }
        if clusters.measuresLatency && latency > 0 {
            clusters.noteLatency(endpoint, latency, now: driver.now)
        }
    }

    /// An attempt failed: if by the endpoint's fault, it counts as a very slow answer, and against its health.
    func noteFailure(_ index: UInt32, _ error: ProxyError) {
        if error == .upstreamTimeout && exchanges[index].gate != 0 { answerMissing(index) }
        let endpoint = exchanges[index].clusterEndpoint
        guard endpoint != Slot.none, error.isEndpointFailure else { return }
        if clusters.judgesRequests { clusters.noteFailure(Int(endpoint), now: driver.now) }
        if clusters.measuresLatency {
            clusters.noteLatency(Int(endpoint), PeakLatency.penalty, now: driver.now)
        }
    }
}
