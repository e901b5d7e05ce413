internal import CPosix

// A reload: another snapshot takes the place of the one before, between two turns. What is under way goes on.
extension Engine where D: ~Copyable {
    /// Serves by another snapshot from now on.
    ///
    /// - Parameters:
    ///   - snapshot: made after the one that is in use; of the same sizes.
    ///   - listeners: all that it has. Those that are known by their `id` keep their socket, whatever descriptor is named here.
    ///   - handedOn: of the listeners that it has not, those whose socket is that of another one.
    mutating func adopt(_ snapshot: Snapshot, listeners adopted: [Listener], handedOn: [Int]) {
        guard phase == .running else {
            // An end has begun, which nothing new is to disturb.
            let known = listeners.map(\.id)
            for listener in adopted where !known.contains(listener.id) {
                driver.close(listener.descriptor, reset: false)
            }
            return
        }
        // What waits in their backlogs comes in under what it was promised by.
        endListeners(without: adopted, handedOn)
        adoptSettings(snapshot)
        adoptEndpoints(snapshot)
        adoptClusters(snapshot)
        adoptRoutes(snapshot)
        adoptAccess(snapshot.access)
        tlsSource = snapshot.tls
        (tlsContexts, tlsGeneration) = snapshot.tls?.current ?? ([], 0)
        adoptGeo(snapshot.geo)
        serverNames = snapshot.serverNames
        adoptListeners(adopted, snapshot)
        adoptNotes(snapshot)
        uproxy_probe_reload(UInt64(worker))
        releaseAwaiting()
        countListeners()
    }

    private mutating func adoptSettings(_ snapshot: Snapshot) {
        let old = settings
        keepPolicies()
        settings = snapshot.settings
        http2Inbox.setHeadLimit(settings.headLimits.headListBytes)
        pseudonym = FixedBytes(settings.pseudonym)
        parentAuthorization = FixedBytes(settings.parent.authorization)
        trust = Trust(settings.trust)
        if trust.requiresHeader && !keepsRelayedAddresses {
            keepsRelayedAddresses = true
            for slot in 0..<UInt32(connections.highestCount) { relayedAddresses[slot] = nil }
        }
        clientLimit = snapshot.clientLimit
        handshakes = snapshot.handshakes
        if settings.headLimits.fields != old.headLimits.fields {
            fields = FieldTable(capacity: settings.headLimits.fields)
        }
    }

    /// Exchanges go on under the timeouts and limits that they began with.
    private mutating func keepPolicies() {
        let policy = RoutePolicy(settings)
        for index in 0..<UInt32(exchanges.highestCount)
        where exchanges.isOccupied(index) && !exchanges[index].hasPolicy {
            policies[index] = policy
            exchanges[index].hasPolicy = true
        }
    }

    // MARK: - Endpoints

    private mutating func adoptEndpoints(_ snapshot: Snapshot) {
        let change = snapshot.change
        for (old, new) in change.endpointAfter.enumerated() where new < 0 {
            retireEndpoint(fixedEndpoints[old])
        }
        if snapshot.changesPolicy {
            for index in 0..<UInt32(endpoints.slab.highestCount)
            where endpoints.slab.isOccupied(index) && endpoints[index].kind == .dynamic
                && !endpoints[index].isRetired
            {
                retireEndpoint(index)
            }
        }
        removeRetiredEndpoints()
        // Nothing is offered in what is left behind once every worker has done this.
        let left = lending.filter { queue in !snapshot.lending.contains { $0 === queue } }
        if !left.isEmpty { closeRetiring { queue in left.contains { $0 === queue } } }
        for queue in left { sweep(queue, all: true) }
        lending = snapshot.lending
        let old = fixedEndpoints
        let (tls, http2) = (snapshot.endpointTLS, snapshot.endpointHTTP2)
        fixedEndpoints = snapshot.endpoints.enumerated().map { number, upstream in
            let before = change.endpointBefore[number]
            guard before >= 0 else {
                return endpoints.addFixed(
                    upstream, fixedIndex: number, tls: tls[number], http2: http2[number])
            }
            endpoints.keepFixed(old[before], as: upstream, fixedIndex: number, http2: http2[number])
            return old[before]
        }
    }

    /// Ends connections that were about to be offered where nothing is offered any more.
    private mutating func closeRetiring(_ isLeft: (LendingQueue) -> Bool) {
        for slot in 0..<UInt32(connections.highestCount)
        where connections.isOccupied(slot) && connections[slot].phase == .retiring {
            if let queue = lendingQueue(connections[slot].endpoint), isLeft(queue) { close(slot) }
        }
    }

    private mutating func retireEndpoint(_ endpoint: UInt32) {
        dropIdle(endpoint)
        endCarriers(endpoint)
        endpoints.retire(endpoint)
        retiredEndpoints.append(endpoint)
    }

    /// Once a second: frees those that nothing refers to any more.
    mutating func removeRetiredEndpoints() {
        guard !retiredEndpoints.isEmpty else { return }
        var used: Set<UInt32> = []
        for index in 0..<UInt32(exchanges.highestCount) where exchanges.isOccupied(index) {
            used.insert(exchanges[index].endpoint)
        }
        var kept: [UInt32] = []
        for endpoint in retiredEndpoints {
            if endpoints[endpoint].isUnused && !used.contains(endpoint) {
                endpoints.removeRetired(endpoint)
            } else {
                kept.append(endpoint)
            }
        }
        retiredEndpoints = kept
    }

    /// Exchanges that wait for a connection that nobody is going to offer any more connect.
    private mutating func releaseAwaiting() {
        for _ in 0..<awaitingOffers.count {
            guard let index = awaitingOffers.popFirst() else { break }
            if lendingQueue(exchanges[index].endpoint) != nil {
                awaitingOffers.append(index)
            } else {
                exchanges[index].state = .connecting
                connectUpstream(index)
            }
        }
    }

    // MARK: - Clusters and routes

    private mutating func adoptClusters(_ snapshot: Snapshot) {
        let change = snapshot.change
        var used = connectionGatesInUse()
        for index in 0..<UInt32(exchanges.highestCount) where exchanges.isOccupied(index) {
            used.insert(exchanges[index].gate)
        }
        let numbers = gates.adopt(snapshot.clusters) { used.contains($0) }
        let zonesBefore = clusters.usesClientZones ? clusters.plans.map(\.zones) : []
        clusters.adopt(snapshot.clusters, change, gates: numbers)
        adoptConnections()
        for index in 0..<UInt32(exchanges.highestCount) where exchanges.isOccupied(index) {
            let exchange = exchanges.tenant(index)
            guard exchange.cluster != Exchange.noCluster else { continue }
            let cluster = change.clusterAfter[Int(exchange.cluster)]
            if exchange.zone > 0 {
                let zones = cluster < 0 ? nil : snapshot.clusters[cluster].zones
                exchange.zone = zonesBefore[Int(exchange.cluster)]?.number(exchange.zone, in: zones) ?? 0
            }
            exchange.cluster = cluster < 0 ? Exchange.noCluster : UInt16(cluster)
            // What it has tried in vain stands by numbers that may mean others now: it may try them once more.
            exchange.endpointsFailed = 0
            if cluster >= 0 && exchange.gate == 0 {
                // The cluster had no limits when it came.
                exchange.gate = clusters.gate(cluster)
                if exchange.gate != 0 { gates.include(at: exchange.gate) }
            }
            guard exchange.clusterEndpoint != Slot.none else { continue }
            let endpoint = change.endpointAfter[Int(exchange.clusterEndpoint)]
            exchange.clusterEndpoint = endpoint < 0 ? Slot.none : UInt32(endpoint)
            if endpoint >= 0 { clusters.enter(endpoint) }
        }
        adoptAnswers()
    }

    private mutating func adoptRoutes(_ snapshot: Snapshot) {
        routeSets = snapshot.routes.map(\.set)
        guard !routeSets.isEmpty else { return }
        routeScratch = RouteScratch(pathBytes: settings.headLimits.uriBytes)
        changeBytes.reserve(4096)
        targetBytes.reserve(settings.headLimits.uriBytes)
    }

    private mutating func adoptGeo(_ source: GeoSource?) {
        if source === geoSource { return }
        geoSource = source
        (geoDatabases, geoGeneration) = source?.current ?? (GeoDatabases.none, 0)
        geo = geoDatabases.reader
    }

    private mutating func adoptAccess(_ access: Snapshot.Access) {
        accessPlans = access.plans
        authenticators = access.authenticators
        // What is known is known of an identity, which stands for the files' contents.
        if !authenticators.isEmpty && knownCredentials.isEmpty {
            knownCredentials = CredentialCache(groups: Self.credentialGroups)
        }
    }

    // MARK: - Listeners

    private mutating func endListeners(without adopted: [Listener], _ handedOn: [Int]) {
        for index in listeners.indices
        where !listeners[index].isGone && !adopted.contains(where: { $0.id == listeners[index].id }) {
            if handedOn.contains(listeners[index].id) { listeners[index].isInherited = true }
            endListener(index)
        }
    }

    private mutating func adoptListeners(_ adopted: [Listener], _ snapshot: Snapshot) {
        let old = listeners.indices.filter { !listeners[$0].isGone }
        for index in listeners.indices where listeners[index].isGone { redirectGone(index, snapshot) }
        for listener in adopted {
            // Several have one id where a process before had more threads.
            let same = old.filter { listeners[$0].id == listener.id }
            for index in same {
                listeners[index].cluster = listener.cluster
                listeners[index].routes = listener.routes
                listeners[index].access = listener.access
                listeners[index].tls = listener.tls
                listeners[index].serverNames = listener.serverNames
                listeners[index].speaksHTTP2 = listener.speaksHTTP2
                adoptLimit(listener.connectionLimit, listener: index)
            }
            if same.isEmpty { addListener(listener, snapshot.listenerLoads[listener.id]) }
        }
        for slot in 0..<UInt32(connections.highestCount)
        where connections.isOccupied(slot) && connections[slot].side == .downstream
            && listeners[connections[slot].listener].isGone && !connections[slot].endsSoon
        {
            endSoon(slot)
        }
    }

    /// What still comes by a listener that has gone is served where it would be served now, if there is such a place.
    private mutating func redirectGone(_ index: Int, _ snapshot: Snapshot) {
        // Who was let in by a plan that is no more is not let in without one.
        if listeners[index].access >= 0 {
            listeners[index].access = -1
            listeners[index].refuses = true
        }
        // Handshakes that have not begun have nothing to begin with.
        if listeners[index].tls >= 0 { listeners[index].tls = Listener.tlsGone }
        // Nor is there a table for names that have not come.
        if listeners[index].serverNames >= 0 {
            listeners[index].serverNames = -1
            listeners[index].refuses = true
        }
        if listeners[index].refuses { return }
        let (cluster, routes) = (listeners[index].cluster, listeners[index].routes)
        if routes >= 0 {
            listeners[index].routes = snapshot.routesAfter[routes]
            listeners[index].refuses = listeners[index].routes < 0
        } else if cluster >= 0 {
            listeners[index].cluster = snapshot.change.clusterAfter[cluster]
            listeners[index].refuses = listeners[index].cluster < 0
        }
    }

    private mutating func addListener(_ listener: Listener, _ load: ListenerLoad?) {
        let index: Int
        if let free = listeners.firstIndex(where: { isFree($0) }) {
            index = free
            listeners[free] = listener
            listenerLoads[free] = load
        } else {
            precondition(listeners.count < Self.listenerLimit, "the server knows how many there are")
            index = listeners.count
            listeners.append(listener)
            listenerLoads.append(load)
        }
        armAccept(index)
    }

    /// How many places are taken.
    mutating func countListeners() { heldListeners = listeners.count { !isFree($0) } }

    private func isFree(_ listener: Listener) -> Bool {
        listener.isGone && listener.isClosed && listener.connectionCount == 0
    }

    /// The listener of a connection has gone: the connection ends when nothing is under way on it.
    private mutating func endSoon(_ slot: UInt32) {
        connections[slot].endsSoon = true
        if let index = exchangeIndex(of: slot) { exchanges[index].keepAlive = false }
        if connections[slot].phase == .multiplexing { announceEnd(slot) } else { armTimer(slot) }
    }
}
