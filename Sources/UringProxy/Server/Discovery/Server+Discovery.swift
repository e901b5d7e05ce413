internal import Synchronization

// Endpoints that are found: waited for when a cluster is new, and taken up when they change.
extension Server {
    /// Follows what finds the endpoints of clusters, and waits for those that have never been found. At start and reload.
    ///
    /// - Parameters:
    ///   - present: the thread that there is.
    ///   - previous: the clusters in use, which are followed as well until the new ones are.
    /// - Returns: the thread; nil: nothing is to be found.
    func discover(
        _ clusters: [ClusterPlan], beside present: EndpointDiscovery?, resolver: Resolver?,
        previous: [ClusterPlan]
    ) throws(StartError) -> EndpointDiscovery? {
        let plans = clusters.compactMap(\.discovery)
        guard present != nil || !plans.isEmpty, let resolver else { return present }
        let missing = plans.filter { $0.wait.isOn && $0.source.endpoints.isEmpty }
        let discovery: EndpointDiscovery
        let settled: Acknowledgement?
        do throws(SystemCallError) {
            settled = missing.isEmpty ? nil : try Acknowledgement(count: missing.count)
            if let present {
                discovery = present
            } else {
                discovery = try EndpointDiscovery(
                    resolver: resolver, log: log, takeUp: { [weak self] in self?.takeUpDiscovered() ?? true })
                try discovery.start()
            }
        } catch {
            throw StartError(message: "endpoints cannot be looked for: \(error.message)")
        }
        let known = Set(plans.map { ObjectIdentifier($0.source) })
        discovery.follow(
            clusters
                + previous.filter { cluster in
                    cluster.discovery.map { !known.contains(ObjectIdentifier($0.source)) } ?? false
                })
        if let settled { awaitFirst(missing, settled) }
        return discovery
    }

    /// Waits until all have endpoints, or it is known that there are none, or all have waited long enough.
    private func awaitFirst(_ missing: [DiscoveryPlan], _ settled: Acknowledgement) {
        for plan in missing { plan.source.whenSettled { settled.count() } }
        if settled.wait(patience: missing.map(\.wait).max() ?? .zero) { return }
        for plan in missing where plan.source.endpoints.isEmpty {
            log.write(
                "cluster \(plan.source.cluster): no endpoint was found within \(plan.wait); the answer is 503 until there is one"
            )
        }
    }

    /// Serves by the endpoints that were found last. On the thread of discovery.
    ///
    /// - Returns: false if that has to be tried again, because the configuration is being replaced, or because nothing is served
    ///   yet.
    private func takeUpDiscovered() -> Bool {
        reloading.withLockIfAvailable { _ in
            let (isEnding, isHandingOver, snapshot) = state.withLock {
                ($0.isEnding, $0.isHandingOver, $0.snapshot)
            }
            if isEnding { return true }
            guard let snapshot, !isHandingOver else { return false }
            do throws(StartError) { return try takeUpEndpoints(after: snapshot) } catch {
                log.write("endpoints that were found are not taken up: \(error.message)")
                return true
            }
        } ?? false
    }

    /// Serves by the endpoints that there are now, all else being as it is. Under `reloading`.
    func takeUpEndpoints(after previous: Snapshot) throws(StartError) -> Bool {
        let configuration = configuration
        let (listeners, before, workers) = state.withLock {
            ($0.bound, $0.companions, $0.threads.map(\.worker))
        }
        let compiler = ClusterCompiler(
            configuration, registries, previous.stickyKeys, zoneRules: previous.zoneRules)
        // It takes a descriptor; where none is free now there may be one soon. Before the clusters, whose tables take long to make.
        guard let acknowledgement = try? Acknowledgement(count: workers.count) else { return false }
        guard let clusters = try compiler.updated(previous.clusters) else { return true }
        var companions = before
        companions.monitor = makeMonitor(clusters, beside: before.monitor)
        let names = previous.names.with(clusters)
        let snapshot = previous.with(
            clusters, names: names,
            flight: companions.flight?.plan(
                FlightNames(names, clusters), slow: configuration.flightRecorder.slow.rawValue),
            makeLending: SnapshotCompiler.lending(configuration, workers.map(\.wakeup)))
        let handover = Handover(
            snapshot: snapshot, before: before, companions: companions, all: listeners, new: [], gone: [],
            handedOn: [],
            listeners: try OpenListener.share(
                listeners, with: snapshot, count: budget.threads, isNew: { _ in false }),
            acknowledgement: acknowledgement)
        guard hand(handover, configuration, to: workers) else { return true }
        let late = finish(handover, configuration)
        if !late.isEmpty { log.write("endpoints that have changed: " + late.dropFirst(2)) }
        return true
    }
}
