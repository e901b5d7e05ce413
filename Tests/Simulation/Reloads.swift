#if DEBUG || TESTABLE
    @testable internal import UringProxy

    /// Configurations that follow each other at random moments: clusters in another order, with other endpoints and policies,
    /// listeners that come and go. Where requests are to arrive stays what it was.
    final class Reloads {
        unowned let world: World
        let scenario: Scenario
        private let limits: ListenerLimits
        private var random: Random
        /// What engines serve by, or are about to.
        var snapshot: Snapshot
        /// Where each of the scenario's clusters stands in it.
        private(set) var places: [Int]
        let makeLending: (ClusterGate?) -> LendingQueue
        /// How many follow the first one.
        private(set) var left: Int
        /// How often endpoints are found.
        var findsLeft: Int
        /// Engines that have yet to adopt the last one.
        private var missing = 0
        var isUnderWay: Bool { missing > 0 }

        init(
            _ world: World, _ scenario: Scenario, _ limits: ListenerLimits, seed: UInt64,
            makeLending: @escaping (ClusterGate?) -> LendingQueue
        ) {
            self.world = world
            self.scenario = scenario
            self.limits = limits
            self.makeLending = makeLending
            random = Random(seed: seed ^ 0x52_454C_4F41_44)
            left = random.pick([0, 0, 1, 3, 20])
            findsLeft = world.discovery.pick([0, 0, 1, 3, 12])
            places = Array(scenario.clusters.indices)
            snapshot = Snapshot(
                settings: scenario.settings, clusters: scenario.clusters,
                routes: [("even", scenario.routeSet(places: places))], access: scenario.access,
                serverNames: scenario.serverNames(places: places), clientLimit: scenario.clientLimit,
                listenerLoads: limits.loads, accessLog: scenario.accessLog(workers: scenario.engineCount),
                tracing: scenario.tracing(workers: scenario.engineCount),
                flight: scenario.flight(workers: scenario.engineCount),
                makeLending: makeLending)
        }

        /// Nothing follows any more.
        func suspend() {
            left = 0
            findsLeft = 0
        }

        /// Plans the next one; to be called once at the beginning.
        func plan(_ all: @escaping () -> [Node]) {
            guard left > 0 else { return }
            world.schedule(after: Int64(random.logarithmic(1...500_000)) * microsecond) { [self] in
                let nodes = all().filter { !$0.hasEnded }
                if world.isClosing || nodes.isEmpty || left == 0 { return }
                // One after the other, as a server does it.
                if missing == 0 {
                    left -= 1
                    reload(nodes)
                }
                plan(all)
            }
        }

        private func reload(_ nodes: [Node]) {
            var order = Array(scenario.clusters.indices)
            if random.chance(60) { order.shuffle(using: &random) }
            places = order.indices.map { cluster in order.firstIndex(of: cluster)! }
            snapshot = Snapshot(
                settings: settings(), clusters: order.map { variant(of: scenario.clusters[$0]) },
                routes: [("even", scenario.routeSet(places: places))], access: scenario.access,
                serverNames: scenario.serverNames(places: places), clientLimit: scenario.clientLimit,
                listenerLoads: limits.loads, accessLog: snapshot.accessLog, tracing: snapshot.tracing,
                flight: snapshot.flight.map(FlightReader.next),
                after: snapshot, makeLending: random.chance(90) ? makeLending : nil)
            limits.change()
            for node in nodes where !world.profile.isStrict && random.chance(10) {
                node.dropListener(random.below(8))
            }
            hand(nodes)
        }

        /// Lets engines adopt the snapshot, each when it gets to it.
        func hand(_ nodes: [Node]) {
            missing = nodes.count
            noteComing()
            for node in nodes {
                node.mail.append(
                    .adopt(
                        snapshot, places: places, limits: limits.limits,
                        { [self] in
                            missing -= 1
                            // An end that has begun adopts nothing.
                            let areRunning = nodes.allSatisfy { $0.hasEnded || $0.engine.phase == .running }
                            if missing == 0 && areRunning { noteAdopted() }
                        }))
            }
        }

        /// How many connections there may be from now on, where there is a limit; 0: any number.
        private func connections(_ limits: LimitPlan) -> UInt32 {
            if limits.connectionGate == nil || world.keepsPlaces { return limits.settings.connections }
            return UInt32(world.places.pick([0, 1, 2, 4]))
        }

        private func connectionsAlone(_ limits: LimitPlan) -> LimitPlan? {
            guard limits.connectionGate != nil else { return nil }
            var settings = limits.settings
            settings.requests = settings.connections
            settings.endpointRequests = 0
            return LimitPlan(settings: settings, gate: limits.gate, connectionGate: limits.connectionGate)
        }

        private func settings() -> EngineSettings {
            var settings = scenario.settings
            settings.poolIdle = UInt32(random.pick([0, 1, 4, 64]))
            settings.lends = random.chance(70)
            settings.smallBody = random.pick([0, 100, 4096])
            if !world.profile.isStrict && random.chance(30) {
                settings.timeouts.keepalive = Int64(random.logarithmic(10...1000)) * 10 * millisecond
                settings.headLimits.fields = random.pick([16, 128])
            }
            if random.chance(30) {
                do {
                    settings.policy = try DestinationPolicy(
                        allow: scenario.allowed + ["10.\(random.below(256)).0.0/16"], deny: [])
                } catch {
                    preconditionFailure("the rules are well-formed")
                }
            }
            return settings
        }

        /// Some of its endpoints, one that lives among them, and some that refuse; or none, as before any is found.
        private func variant(of plan: ClusterPlan) -> ClusterPlan {
            if random.chance(30) { return plan }
            if !world.profile.isStrict && plan.name != "relay" && random.chance(8) {
                return ClusterPlan(
                    name: plan.name, endpoints: [], policy: plan.policy, hashKey: plan.hashKey,
                    loadBound: plan.loadBound, retries: plan.retries,
                    limits: plan.limits.map {
                        LimitPlan(
                            settings: $0.settings, gate: $0.gate, adaptive: $0.adaptive,
                            connectionGate: $0.connectionGate)
                    }, tls: plan.tls, http2: plan.http2)
            }
            var endpoints = plan.endpoints.filter { _ in random.chance(70) }
            let living = plan.endpoints.filter { !Self.isDead($0) }
            if !endpoints.contains(where: { !Self.isDead($0) }) {
                endpoints.append(living[random.below(living.count)])
            }
            // A relay ends with the endpoint that its policy chose.
            for _ in 0..<(plan.name == "relay" ? 0 : random.pick([0, 0, 2])) {
                let ip = IPAddress(ipv4: 0x0A02_1000 + UInt32(random.below(1000)))
                let name = "dead-\(random.below(1000))"
                endpoints.append(
                    FixedUpstream(name: name, port: 8000, address: SocketAddress(ip, port: 8000)))
            }
            endpoints.shuffle(using: &random)
            let policy = random.chance(70) ? plan.policy : random.pick(BalancingPolicy.allCases)
            return ClusterPlan(
                name: plan.name, endpoints: endpoints, policy: policy,
                hashKey: policy.isHashed ? plan.hashKey ?? .source : nil, loadBound: plan.loadBound,
                health: plan.health.map {
                    world.health.cluster(
                        plan.name, endpoints: endpoints.map(\.identity), settings: $0.settings,
                        priorities: PriorityPlan(endpoints), now: world.now
                    )
                }, retries: plan.retries,
                limits: plan.limits.flatMap { limits in
                    // Lower, higher, or none.
                    if random.chance(20) { return world.keepsPlaces ? connectionsAlone(limits) : nil }
                    var settings = limits.settings
                    if random.chance(50) { settings.requests = UInt32(random.within(1...4)) }
                    settings.connections = 0
                    var caps: [EndpointCap] = []
                    if limits.isCapped && random.chance(80) {
                        settings.endpointRequests = UInt32(random.within(1...3))
                        caps = world.health.caps(plan.name, endpoints: endpoints.map(\.identity))
                    }
                    return LimitPlan(
                        settings: settings, gate: limits.gate, endpoints: caps,
                        adaptive: random.chance(80) ? limits.adaptive : nil
                    ).limitingConnections(connections(limits), limits.connectionGate)
                },
                sticky: plan.sticky.map { _ in
                    StickyPlan(
                        StickyConfiguration(cookie: "SRV"),
                        names: StickyPlan.simulatedNames(endpoints.map(\.identity)))
                },
                zones: ZonePlans(
                    own: "here",
                    rules: world.preferences.chance(70) ? plan.zones?.rules : Scenario.makeZoneRules(world),
                    endpoints, thresholdPercent: plan.zones?.threshold ?? 70),
                tls: world.securing.chance(80)
                    ? plan.tls : world.tls.map { world.securing.pick($0.clusters) },
                http2: HTTP2Plan(
                    use: plan.http2.use, streams: UInt32(world.multiplexing.pick([1, 2, 8, 100])))
            )
        }
    }
#endif
