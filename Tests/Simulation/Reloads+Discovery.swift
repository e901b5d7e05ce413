#if DEBUG || TESTABLE
    @testable internal import UringProxy

    // Endpoints that are found: snapshots that differ from the one before in endpoints alone, as a server makes them, at random
    // moments. Endpoints go and come back, with another weight or in another zone, and clusters lose all of them for a while.
    extension Reloads {
        /// Plans what is found next; to be called once at the beginning.
        func planDiscovery(_ all: @escaping () -> [Node]) {
            guard findsLeft > 0 else { return }
            world.schedule(after: Int64(world.discovery.logarithmic(1...500_000)) * microsecond) { [self] in
                let nodes = all().filter { !$0.hasEnded }
                if world.isClosing || nodes.isEmpty || findsLeft == 0 { return }
                if !isUnderWay {
                    findsLeft -= 1
                    find(nodes)
                }
                planDiscovery(all)
            }
        }

        private func find(_ nodes: [Node]) {
            var clusters = snapshot.clusters
            var hasChanged = false
            for _ in 0..<world.discovery.pick([1, 1, 1, 2]) {
                let number = world.discovery.below(clusters.count)
                let known = scenario.clusters[number]
                let plan = clusters[places[number]]
                // Tables for hashes are made anew, which takes long.
                if plan.policy.isHashed && world.discovery.chance(70) { continue }
                let endpoints = found(after: plan.endpoints, of: known)
                if plan.hasEndpoints(endpoints) { continue }
                clusters[places[number]] = updated(plan, of: known, endpoints)
                hasChanged = true
            }
            guard hasChanged else { return }
            snapshot = snapshot.with(
                clusters, names: snapshot.names.with(clusters),
                flight: snapshot.flight.map(FlightReader.next),
                makeLending: snapshot.lending.isEmpty ? nil : makeLending)
            world.finds += 1
            hand(nodes)
        }

        /// - Parameter known: the cluster with all of its endpoints.
        private func found(after present: [FixedUpstream], of known: ClusterPlan) -> [FixedUpstream] {
            var endpoints = present
            let isRelay = known.name == "relay"
            if !isRelay && !world.profile.isStrict && world.discovery.chance(10) { return [] }
            if endpoints.isEmpty {
                endpoints = known.endpoints.filter { _ in world.discovery.chance(60) }
            } else if !isRelay {
                if world.discovery.chance(50) { endpoints.remove(at: world.discovery.below(endpoints.count)) }
                let missing = known.endpoints.filter { endpoint in
                    !endpoints.contains { $0.identity == endpoint.identity }
                }
                if !missing.isEmpty && world.discovery.chance(60) {
                    endpoints.append(world.discovery.pick(missing))
                }
            }
            if !endpoints.contains(where: { !Self.isDead($0) }) {
                endpoints.append(world.discovery.pick(known.endpoints.filter { !Self.isDead($0) }))
            }
            let index = world.discovery.below(endpoints.count)
            if world.discovery.chance(50) {
                endpoints[index].weight = UInt32(world.discovery.pick([1, 2, 10, 100]))
            }
            if world.discovery.chance(30) {
                endpoints[index].zone = world.discovery.pick(["here", "there", nil])
            }
            // As names and files give them: in an order of their own.
            return endpoints.sorted { $0.identity < $1.identity }
        }

        /// The same configuration of a cluster with other endpoints.
        private func updated(
            _ plan: ClusterPlan, of known: ClusterPlan, _ endpoints: [FixedUpstream]
        ) -> ClusterPlan {
            let names = endpoints.map(\.identity)
            return ClusterPlan(
                name: plan.name, endpoints: endpoints, policy: plan.policy, hashKey: plan.hashKey,
                loadBound: plan.loadBound,
                health: endpoints.isEmpty
                    ? nil
                    : known.health.map {
                        world.health.cluster(
                            plan.name, endpoints: names, settings: $0.settings,
                            priorities: PriorityPlan(endpoints), now: world.now)
                    }, retries: plan.retries,
                limits: plan.limits.map { limits in
                    let isCapped = plan.endpoints.isEmpty ? known.limits?.isCapped ?? false : limits.isCapped
                    return LimitPlan(
                        settings: limits.settings, gate: limits.gate,
                        endpoints: isCapped ? world.health.caps(plan.name, endpoints: names) : [],
                        adaptive: limits.adaptive, connectionGate: limits.connectionGate)
                },
                sticky: known.sticky.map { _ in
                    StickyPlan(
                        StickyConfiguration(cookie: "SRV"), names: StickyPlan.simulatedNames(names))
                },
                zones: ZonePlans(
                    own: "here", rules: plan.zones?.rules, endpoints,
                    thresholdPercent: plan.zones?.threshold ?? 70), tls: plan.tls,
                http2: plan.http2)
        }

        // MARK: - Absence

        static func isDead(_ endpoint: FixedUpstream) -> Bool { endpoint.name.hasPrefix("dead-") }

        /// Another snapshot is about to be adopted: what it has may be asked from now on.
        func noteComing() { for port in livingPorts() { world.absentSince[port] = nil } }

        /// All engines have adopted the snapshot: what it has not may be asked by no request that begins from now on.
        func noteAdopted() {
            let present = livingPorts()
            for cluster in scenario.clusters {
                for endpoint in cluster.endpoints
                where !Self.isDead(endpoint) && !present.contains(endpoint.port)
                    && world.absentSince[endpoint.port] == nil
                {
                    world.absentSince[endpoint.port] = world.now
                }
            }
        }

        private func livingPorts() -> Set<UInt16> {
            Set(snapshot.endpoints.lazy.filter { !Self.isDead($0) }.map(\.port))
        }
    }
#endif
