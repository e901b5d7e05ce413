#if DEBUG || TESTABLE
    @testable internal import UringProxy

    /// What a seed makes of the world: settings of the engines, origins, clients and what they ask for.
    struct Scenario {
        let world: World
        private(set) var settings: EngineSettings
        /// Those that answer requests, and the one for relays.
        private(set) var clusters: [ClusterPlan] = []
        /// Clusters that answer requests.
        private(set) var clusterCount = 0
        /// The one behind them, of a server that sends back what it gets.
        var relayCluster: Int { clusterCount }
        /// How many percent of the requests that routes take are copied to the last cluster; nil: there is no such.
        private let mirrored: Int?
        private let routeSeed: UInt64
        private(set) var names: [(name: String, addresses: [IPAddress])] = []
        private var originCount = 0
        /// The cluster of proxies that forward requests go through; nil: there is none.
        private(set) var parent: Int?
        /// Destinations that are reached without it.
        private var directHosts: Set<String> = []
        /// Rules of where forward requests may go.
        private(set) var allowed = ["10.0.0.0/8", "fd00::/8"]
        let engineCount: Int
        /// Another process takes over.
        let handsOver: Bool
        let clientLimit: ClientLimit?
        /// One, which lets everybody in: by all addresses there are, and limits that only observe.
        let access: Snapshot.Access

        /// Where nobody answers, not even to refuse.
        static func isBlackHole(_ address: SocketAddress) -> Bool {
            guard let ip = address.address, ip.isIPv4 else { return false }
            return ip.ipv4 >> 16 == 0x0A09
        }

        init(_ world: World) {
            self.world = world
            settings = Scenario.makeSettings(world)
            engineCount = world.random.chance(30) ? 2 : 1
            handsOver = engineCount == 1 && world.handovers.chance(25)
            clientLimit =
                !world.profile.isStrict && world.random.chance(5)
                ? ClientLimit(limit: world.random.within(1...4), seed: world.random.next()) : nil
            let everybody = Scenario.makeAccessPlan(world)
            if world.rules.chance(60) { world.routeRules = RouteRules(world) }
            access = world.routeRules?.access(everybody) ?? Snapshot.Access(plans: [everybody])
            let (origins, count) = Scenario.makeClusters(world)
            clusterCount = count
            world.routeRules?.lastCluster = count - 1
            routeSeed = world.random.next()
            mirrored = world.mirrors.chance(70) ? world.mirrors.pick([20, 100, 100]) : nil
            if mirrored != nil { settings.mirrored = world.mirrors.pick([0, 1, 3, 128]) }
            addOrigins(origins)
            if world.parents.chance(60) { addParents() }
        }

        private static func makeAccessPlan(_ world: World) -> AccessPlan {
            let everybody = [AddressPrefix(ipv4: 0, length: 0), AddressPrefix(.unspecified, length: 0)]
            let keys: [RateLimitKey] = [.address, .standardPrefix, .header("host"), .route, .all]
            return AccessPlan(
                path: "simulated", addresses: AddressRules(allow: everybody, deny: nil),
                limits: keys.map { key in
                    let limit = RateLimitConfiguration(
                        name: "observed", rate: RequestRate(world.random.within(1...1000)), key: key, size: 64
                    )
                    return (RateLimiter(limit, seed: world.random.next()), .observe)
                }, authenticator: AccessPlan.inherited)
        }

        /// To which cluster each origin belongs, nil for none, and how many clusters there are.
        private static func makeClusters(_ world: World) -> ([Int?], Int) {
            var clusters: [Int?] = []
            var count = 0
            for index in 0..<world.random.within(1...5) {
                guard index == 0 || world.random.chance(60) else {
                    clusters.append(nil)
                    continue
                }
                if index == 0 || world.random.chance(40) { count += 1 }
                clusters.append(count - 1)
            }
            return (clusters, count)
        }

        /// Where server names lead: `relay.test` and all below it to the cluster of relays.
        ///
        /// - Parameter places: of the clusters in the snapshot.
        func serverNames(places: [Int]) -> [ServerNameTable?] {
            do {
                let names = [
                    (pattern: try ServerNamePattern(parsing: "relay.test"), rule: 0),
                    (pattern: try ServerNamePattern(parsing: "*.relay.test"), rule: 0),
                ]
                return [ServerNameTable(names, clusters: [places[relayCluster]], seed: 7)]
            } catch {
                preconditionFailure("\(error)")
            }
        }

        /// What is below `/even` goes to the first cluster that answers requests, and all else to the last of them.
        ///
        /// - Parameter places: of the clusters in the snapshot.
        func routeSet(places: [Int]) -> RouteSet {
            do {
                var even = RouteRule()
                even.path = try PathPattern(parsing: "/even/*")
                var changing = RouteDefinition(rule: even, action: .proxy(cluster: places[0]))
                changing.target =
                    try TargetTemplate.prefix("/moved") + [.pathWithoutPrefix(5), .variable(.query)]
                changing.host = .ofEndpoint
                changing.request.lines = [
                    .line("X-Told"), .variable(.method), .literal([0x20]), .header("x-id"), .lineEnd,
                ]
                changing.request.dropped = ["x-padding"]
                changing.response.lines = changing.request.lines
                var other = RouteDefinition(
                    rule: RouteRule(), action: .proxy(cluster: places[clusterCount - 1]))
                other.access = 0
                if let mirrored {
                    let mirror = RouteMirror(cluster: places[relayCluster + 1], percent: mirrored)
                    changing.mirror = mirror
                    other.mirror = mirror
                }
                let rules =
                    try world.routeRules?.routes(first: places[0], last: places[clusterCount - 1]) ?? []
                return try RouteSet([changing] + rules + [other], seed: routeSeed)
            } catch {
                preconditionFailure("the routes are well-formed")
            }
        }

        // MARK: - Settings

        private static func makeSettings(_ world: World) -> EngineSettings {
            let policy: DestinationPolicy
            do {
                policy = try DestinationPolicy(allow: ["10.0.0.0/8", "fd00::/8"], deny: [])
            } catch {
                preconditionFailure("the rules are well-formed")
            }
            let isStrict = world.profile.isStrict
            func timeout(_ range: ClosedRange<Int>) -> Int64 {
                if isStrict { return 90 * second }
                return Int64(world.random.logarithmic(range)) * 10 * millisecond
            }
            // Where nothing is published each piece of a body takes a slice, and they may come by hundreds in one turn.
            let budget = isStrict ? 24 << 20 : world.random.pick([1 << 20, 1 << 20, 3 << 20, 8 << 20])
            var settings = EngineSettings(
                Configuration(), connections: isStrict ? 64 : world.random.pick([1, 2, 4, 8, 64]),
                memoryBytes: budget,
                pipes: world.profile.pipes, policy: policy)
            settings.timeouts.head = timeout(20...1000)
            settings.timeouts.bodyIdle = timeout(20...1000)
            settings.timeouts.sendIdle = timeout(20...1000)
            settings.timeouts.keepalive = timeout(10...1000)
            settings.timeouts.connect = timeout(20...500)
            settings.timeouts.upstream = timeout(20...1000)
            settings.timeouts.total = isStrict || world.random.chance(70) ? .max : timeout(50...3000)
            settings.timeouts.tunnelIdle = timeout(20...1000)
            settings.timeouts.poolIdle = isStrict ? 90 * second : timeout(5...1000)
            settings.timeouts.linger = world.random.time(50 * millisecond...2 * second)
            settings.timeouts.connectionAttemptDelay = world.random.pick([20, 250]) * millisecond
            settings.headLimits.headBytes = isStrict ? 32_768 : world.random.pick([1024, 4096, 32_768])
            settings.headLimits.fields = world.random.pick([16, 128])
            settings.bodyLimit =
                isStrict || world.random.chance(80) ? .max : UInt64(world.random.logarithmic(10...50_000))
            settings.minimumRate =
                isStrict || world.random.chance(70) ? 0 : Int64(world.random.logarithmic(10...2000))
            settings.minimumRateGrace = world.random.time(second...3 * second)
            settings.requestsPerConnection =
                isStrict || world.random.chance(80) ? 0 : UInt32(world.random.within(1...4))
            settings.poolIdle = UInt32(world.random.pick([0, 1, 4, 64]))
            settings.lends = world.random.chance(70)
            settings.zeroCopy = world.profile.zeroCopy
            settings.kernelTLS = world.kernelTLS
            settings.timesAnswers = world.timesAnswers
            settings.endpointCapacity = isStrict ? 64 : world.random.pick([2, 64])
            settings.window = UInt32(world.random.logarithmic(2048...65_536))
            settings.bulkWindow = max(settings.window, UInt32(world.random.logarithmic(4096...262_144)))
            settings.bulkThreshold = UInt64(world.random.logarithmic(4096...262_144))
            if settings.pipes > 0 {
                settings.bulkThreshold = min(settings.bulkThreshold, UInt64(world.profile.longFrom))
                settings.spliceThreshold = UInt64(world.profile.longFrom)
            }
            if settings.kernelTLS { settings.bulkThreshold = min(settings.bulkThreshold, world.kernelFrom) }
            settings.bulkReceiveLimit = world.random.within(0...4)
            settings.smallBody = world.random.pick([0, 100, 4096])
            if world.random.chance(50) { settings.pseudonym = Array("sim".utf8) }
            settings.trust.requiresHeader = world.profile.requiresProxyHeader
            // Those clients whose address is one of IPv4.
            if world.profile.trustsProxies {
                settings.trust.proxies = [AddressPrefix(ipv4: 0x0A63_0000, length: 16)]
            }
            settings.upstreamProxyHeader = world.profile.upstreamProxyHeader
            return settings
        }

        // MARK: - Origins

        private mutating func addOrigins(_ clusters: [Int?]) {
            var living = [[FixedUpstream]](repeating: [], count: clusterCount)
            for (index, cluster) in clusters.enumerated() {
                let isIPv6 = world.random.chance(30)
                let ip =
                    isIPv6
                    ? IPAddress(high: 0xFD00 << 48, low: UInt64(index + 1))
                    : IPAddress(ipv4: 0x0A01_0000 + UInt32(index + 1))
                let port = UInt16(8000 + index)
                world.origins.append(Origin(world, SocketAddress(ip, port: port), .answering))
                world.origins.append(
                    Origin(world, SocketAddress(ip, port: 443 + UInt16(index)), .echo))
                var addresses = [ip]
                // Others beside it, of either family, that refuse or do not answer.
                for _ in 0..<world.random.pick([0, 0, 1, 3, 15]) {
                    let other = UInt32(world.random.below(1000))
                    let address: IPAddress
                    switch world.random.below(3) {
                    case 0: address = IPAddress(high: 0xFD01 << 48, low: UInt64(other))
                    case 1: address = IPAddress(ipv4: 0x0A02_0000 + other)
                    default:
                        address = IPAddress(
                            ipv4: (world.profile.isStrict ? 0x0A02_0000 : 0x0A09_0000) + other)
                    }
                    addresses.insert(address, at: world.random.within(0...addresses.count))
                }
                names.append(("o\(index).test", addresses))
                if let cluster {
                    world.clusterOfPort[port] = cluster
                    world.clusterOfOrigin[SocketAddress(ip, port: port).description] = cluster
                    let isNamed = world.random.chance(40)
                    living[cluster].append(
                        FixedUpstream(
                            name: isNamed ? "o\(index).test" : "upstream-\(index)", port: port,
                            address: isNamed ? nil : SocketAddress(ip, port: port),
                            weight: world.random.pick([1, 1, 2, 10])))
                }
            }
            for (index, upstreams) in living.enumerated() {
                self.clusters.append(makeCluster("origins-\(index)", upstreams, http2: world.http2))
            }
            let echo = world.origins[1].address.withPort(7)
            world.origins.append(Origin(world, echo, .echo, isOfCluster: true))
            world.clusterOfOrigin[echo.description] = relayCluster
            self.clusters.append(
                ClusterPlan(
                    name: "relay",
                    endpoints: [FixedUpstream(name: "echo", port: echo.port, address: echo)],
                    limits: makeLimits(), tls: world.tls?.clusters[0]))
            if mirrored != nil { addMirror() }
            originCount = clusters.count
        }

        private mutating func addMirror() {
            let address = SocketAddress(IPAddress(ipv4: 0x0A01_0100), port: 80)
            world.origins.append(Origin(world, address, .mirror, isOfCluster: true))
            world.clusterOfOrigin[address.description] = clusters.count
            clusters.append(
                makeCluster(
                    "origins-\(clusters.count)",
                    [FixedUpstream(name: "mirror", port: 80, address: address)]))
        }

        /// Proxies that forward requests may go through, and what is reached without them.
        private mutating func addParents() {
            let seed = world.parents.next()
            var living: [FixedUpstream] = []
            for index in 0..<world.parents.within(1...3) {
                let ip = IPAddress(ipv4: 0x0A01_0200 + UInt32(index + 1))
                let address = SocketAddress(ip, port: UInt16(3128 + index))
                world.origins.append(Origin(world, address, .parent, isOfCluster: true))
                let isNamed = world.parents.chance(40)
                if isNamed { names.append(("parent\(index).test", [ip])) }
                living.append(
                    FixedUpstream(
                        name: isNamed ? "parent\(index).test" : "parent-\(index)", port: address.port,
                        address: isNamed ? nil : address, weight: world.parents.pick([1, 1, 3])))
            }
            let cluster = world.apart(seed) {
                makeCluster("origins-\(clusters.count)", living, mayBeSticky: false)
            }
            parent = clusters.count
            clusters.append(cluster)
            world.parentAuthorization = world.parents.pick(ParentAuthorization.allCases)
            allowed.append("*.test")
            do {
                settings.policy = try DestinationPolicy(allow: allowed, deny: [])
                settings.parent = try ParentPlan(
                    direct: makeDirect(), passesAuthorization: world.parentAuthorization == .passed,
                    credentials: world.parentAuthorization == .own
                        ? Array(ParentAuthorization.credentials.utf8) : [])
            } catch {
                preconditionFailure("the rules are well-formed")
            }
        }

        /// The rules for what is reached without the parent: whole origins, by name or address, or what answers on one of their ports.
        private mutating func makeDirect() -> [String] {
            var rules: [String] = []
            for index in 0..<originCount {
                let ports = world.parents.pick([[], [], [8000 + index], [8000 + index, 443 + index]])
                let ip = world.origins[2 * index].address.withPort(0).address?.description ?? ""
                for host in ["o\(index).test", ip] {
                    let bracketed = host.contains(":") ? "[\(host)]" : host
                    if ports.count == 2 { rules.append(bracketed) }
                    if ports.count == 1 { rules.append("\(bracketed):\(ports[0])") }
                    for port in ports { directHosts.insert("\(bracketed):\(port)") }
                }
            }
            return rules
        }

        /// How the upstreams are balanced, and beside them some that refuse: no request fails for those.
        private mutating func makeCluster(
            _ name: String, _ living: [FixedUpstream], mayBeSticky: Bool = true, http2: UpstreamHTTP2 = .off
        ) -> ClusterPlan {
            var upstreams = living
            for index in 0..<world.random.pick([0, 0, 1, 3, 70]) {
                let address = SocketAddress(IPAddress(ipv4: 0x0A02_0000 + UInt32(index)), port: 8000)
                upstreams.insert(
                    FixedUpstream(name: "dead-\(index)", port: 8000, address: address),
                    at: world.random.within(0...upstreams.count))
            }
            if world.priorities.chance(30) {
                for index in upstreams.indices {
                    upstreams[index].priority = UInt16(world.priorities.below(3))
                }
            }
            var zones: ZonePlans?
            if world.zones.chance(50) {
                for index in upstreams.indices {
                    upstreams[index].zone = world.zones.pick(["here", "there"])
                }
                zones = ZonePlans(
                    own: "here", rules: Self.makeZoneRules(world), upstreams,
                    thresholdPercent: world.zones.pick([0, 70, 100]))
            }
            let names = upstreams.map(\.identity)
            let sticky = world.zones.chance(30) && mayBeSticky ? makeSticky(names) : nil
            let policy = world.random.pick(BalancingPolicy.allCases)
            let key = world.random.pick([HashKey.uri, .source, .header("host"), .cookie("missing")])
            let health = world.resilience.chance(60) ? makeHealth(names, PriorityPlan(upstreams)) : nil
            return ClusterPlan(
                name: name, endpoints: upstreams, policy: policy, hashKey: policy.isHashed ? key : nil,
                loadBound: LoadBound(world.random.pick([1, 1.25, 10])),
                health: health, retries: makeRetries(),
                limits: makeLimits(of: health == nil ? names : []), sticky: sticky, zones: zones,
                tls: world.tls?.clusters[0],
                http2: HTTP2Plan(
                    use: http2, streams: UInt32(world.multiplexing.pick([1, 2, 8, 100]))))
        }

        /// For some clients another zone comes first than for all others.
        static func makeZoneRules(_ world: World) -> ZoneRules? {
            guard world.preferences.chance(60) else { return nil }
            let blocks = [
                AddressPrefix(ipv4: 0x0A63_0002, length: 31), AddressPrefix(ipv4: 0xCB00_7100, length: 24),
                AddressPrefix(IPAddress(high: 0x2001_0DB8 << 32, low: 0), length: 126),
            ]
            return ZoneRules(
                (0..<world.preferences.within(1...3)).map { _ in
                    let sources = [world.preferences.pick(blocks)]
                    return (
                        world.preferences.pick(["here", "there", "nowhere"]), ClientRule(sources: sources)
                    )
                })
        }

        /// A cookie of all endpoints; what it calls them clients may say, be there such an endpoint or not.
        private func makeSticky(_ identities: [String]) -> StickyPlan {
            let names = StickyPlan.simulatedNames(identities)
            world.stickyNames += names.map { name in
                let digits = String(name, radix: 16)
                return String(repeating: "0", count: StickyPlan.nameSize - digits.count) + digits
            }
            return StickyPlan(StickyConfiguration(cookie: "SRV"), names: names)
        }

        private func makeLimits(of endpoints: [String] = []) -> LimitPlan? {
            let plan = makeRequestLimits(of: endpoints)
            // With few connections a limit that follows latency has little to say.
            guard world.places.chance(plan?.adaptive == nil ? 40 : 10) else { return plan }
            let isStrict = world.profile.isStrict
            let settings = LimitPlan.Settings(
                requests: .max, queue: isStrict ? 1000 : UInt32(world.places.within(0...3)),
                queueTimeout: isStrict ? 1000 * second : 500 * millisecond)
            let name = "origins-\(clusters.count)"
            return (plan ?? LimitPlan(settings: settings, gate: world.health.gate(name))).limitingConnections(
                UInt32(world.places.pick([1, 1, 2, 3])), world.health.connectionGate(name))
        }

        /// Where every request is to be answered, all may wait, and long enough.
        ///
        /// - Parameter endpoints: those that may have limits too: not of a cluster whose health changes without a word to its workers.
        private func makeRequestLimits(of endpoints: [String]) -> LimitPlan? {
            guard world.limits.chance(60) else { return nil }
            let isStrict = world.profile.isStrict
            var settings = LimitPlan.Settings(requests: UInt32(world.limits.pick([1, 1, 1, 2, 3])))
            settings.queue = isStrict ? 1000 : UInt32(world.limits.within(0...3))
            settings.queueTimeout =
                isStrict ? 1000 * second : world.limits.pick([20, 500, 5000]) * millisecond
            let name = "origins-\(clusters.count)"
            var caps: [EndpointCap] = []
            if world.limits.chance(40) {
                settings.endpointRequests = UInt32(world.limits.within(1...2))
                if world.limits.chance(50) { settings.requests = .max }
                caps = world.health.caps(name, endpoints: endpoints)
            }
            let adaptive = world.limits.chance(60) ? makeAdaptive(name) : nil
            if adaptive != nil && world.limits.chance(80) {
                settings.requests = .max
                if !isStrict { settings.queue = 0 }
            }
            return LimitPlan(
                settings: settings, gate: world.health.gate(name), endpoints: caps, adaptive: adaptive)
        }

        private func makeAdaptive(_ name: String) -> AdaptiveGate {
            var settings = AdaptiveLimit.Settings()
            settings.lowest = UInt32(world.limits.pick([1, 1, 1, 2]))
            settings.highest = settings.lowest + UInt32(world.limits.pick([0, 0, 1, 3]))
            settings.window = world.limits.pick([1, 20, 500]) * millisecond
            settings.remeasure = world.limits.pick([1, 1000, 60_000]) * settings.window
            return world.health.adaptive(name, settings)
        }

        private func makeRetries() -> RetryPlan {
            var plan = RetryPlan()
            guard world.resilience.chance(50) else { return plan }
            let isStrict = world.profile.isStrict
            plan.rules.conditions = RetryRules.Conditions(
                rawValue: UInt16(world.resilience.below(512)) | (isStrict ? 1 : 0))
            plan.rules.attempts = UInt8(world.resilience.within(1...4))
            if !isStrict { plan.rules.tryTimeoutMilliseconds = UInt32(world.resilience.pick([0, 20, 500])) }
            plan.settings.percent = UInt64(world.resilience.pick([0, 20, 100]))
            plan.settings.minimum = UInt64(world.resilience.pick([0, 3, 100]))
            if world.hedges.chance(80) {
                plan.rules.hedgeMilliseconds = UInt32(world.hedges.pick([1, 1, 5, 20, 200]))
                plan.settings.minimum = 100
            }
            plan.budget = world.health.retryBudget("origins-\(clusters.count)")
            return plan
        }

        private func makeHealth(_ endpoints: [String], _ priorities: PriorityPlan?) -> ClusterHealth {
            let isStrict = world.profile.isStrict
            var settings = HealthSettings()
            settings.panicPercent = world.resilience.pick([0, 10, 50])
            settings.slowStart = world.resilience.pick([0, second, 30 * second])
            settings.outliers.consecutive = UInt32(world.resilience.within(0...3))
            // Those that work must not be ejected where every request is to be answered.
            settings.outliers.statuses =
                isStrict ? .none : world.resilience.pick(FailureStatuses.allCases)
            settings.outliers.errorPercent = world.resilience.pick([0, 10, 50])
            settings.outliers.latencyFactor = isStrict ? 0 : world.resilience.pick([0, 2])
            settings.outliers.minimumRequests = UInt32(world.resilience.within(1...4))
            settings.outliers.window = world.resilience.pick([100 * millisecond, 2 * second])
            settings.outliers.ejection = world.resilience.pick([20 * millisecond, second])
            settings.outliers.longestEjection = 8 * settings.outliers.ejection
            settings.outliers.mostEjectedPercent = world.resilience.pick([0, 50, 100])
            return world.health.cluster(
                "origins-\(clusters.count)", endpoints: endpoints, settings: settings, priorities: priorities,
                now: world.now)
        }

        /// Endpoints flap: their checks say now this, now that, and some refuse for a while. Where every request is to be
        /// answered, only those that refuse anyway.
        func planFlapping() {
            guard world.resilience.chance(50) else { return }
            let watched = clusters.compactMap(\.health)
            for _ in 0..<world.resilience.within(1...20) {
                let time = Int64(world.resilience.within(0...5000)) * millisecond
                if let cluster = watched.isEmpty ? nil : world.resilience.pick(watched) {
                    let index = world.resilience.below(cluster.endpoints.count)
                    let isHealthy = world.resilience.chance(50)
                    let refuses = cluster.endpoints[index].identity.hasPrefix("10.2.")
                    if refuses || !world.profile.isStrict {
                        world.schedule(after: time) { [world] in
                            cluster.noteChecked(index, isHealthy: isHealthy, now: world.now)
                        }
                    }
                }
                if world.profile.isStrict { continue }
                let origin = world.resilience.pick(world.origins)
                let isDown = world.resilience.chance(50)
                world.schedule(after: time) { origin.isDown = isDown }
            }
        }

        /// A destination of a forward request: name or address, with its port.
        private func destination(echo: Bool) -> String {
            let index = world.random.below(originCount)
            let port = (echo ? 443 : 8000) + index
            if !world.profile.isStrict && world.random.chance(5) {
                return world.random.pick(["192.168.0.1:80", "missing.test:80", "10.3.3.3:81", "10.9.0.1:80"])
            }
            if world.random.chance(60) { return "o\(index).test:\(port)" }
            let ip = world.origins[2 * index].address
            return ip.withPort(UInt16(port)).description
        }

        // MARK: - Clients

        func makeClients() -> [Client] {
            var clients: [Client] = []
            let spread = world.random.pick([0, 100, 3000])
            for index in 0..<world.random.within(1...8) {
                let listener = world.random.pick(world.listeners)
                var tunnel: TunnelPlan?
                var plans: [ExchangePlan] = []
                switch listener.role {
                case .tcp: break
                case .forward where world.random.chance(30): tunnel = makeTunnel(listener)
                case .forward, .reverse: plans = makePlans(listener)
                }
                let client = Client(world, name: "client \(index)", listener, plans, tunnel)
                client.start(after: Int64(world.random.within(0...spread)) * millisecond)
                clients.append(client)
            }
            return clients
        }

        /// Whether a parent is to get what goes there.
        private func isThroughParent(_ listener: ListenSocket, _ host: String) -> Bool {
            listener.parent != nil && !directHosts.contains(host)
        }

        /// What a client may show a proxy that asks for nothing.
        private func makeCredentials(_ listener: ListenSocket) -> String? {
            listener.parent != nil && world.parents.chance(30) ? "Basic bWU6bWU=" : nil
        }

        private func makeTunnel(_ listener: ListenSocket) -> TunnelPlan {
            let host = destination(echo: true)
            let tunnel = TunnelPlan(
                number: world.tunnels.count, host: host, isThroughParent: isThroughParent(listener, host))
            world.tunnels.append(tunnel)
            tunnel.credentials = makeCredentials(listener)
            guard tunnel.isThroughParent else { return tunnel }
            let isStrict = world.profile.isStrict
            if world.parents.chance(30) {
                tunnel.thinkTime = Int64(world.parents.logarithmic(1...100_000)) * microsecond
            }
            tunnel.hasInterim = world.parents.chance(10)
            tunnel.openingStatus = world.parents.pick([200, 200, 200, 201, 204, 299])
            tunnel.opening = world.parents.pick([
                "", "", "Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n", "Connection: close\r\n",
            ])
            // Which knows no chunks.
            tunnel.opensHTTP10 = !tunnel.opening.hasPrefix("Transfer") && world.parents.chance(20)
            let status = world.parents.pick([407, 407, 502, 503, 403, 429])
            tunnel.refusalBody = world.parents.pick([.length, .chunked, .untilClose])
            tunnel.refusalSize = world.parents.logarithmic(1...(world.parents.chance(20) ? 100_000 : 2000))
            tunnel.announcesClose = world.parents.chance(20)
            tunnel.asksAgain = world.parents.chance(60)
            switch world.parents.below(10) {
            case 0...3: break
            case 4...6: tunnel.answer = .refuses(status)
            case 7 where !isStrict && tunnel.refusalBody != .untilClose: tunnel.answer = .isCut(status)
            case 8...9 where !isStrict:
                tunnel.answer = world.parents.pick([.closes, .resets, .isSilent, .isGarbage, .switches])
            default: break
            }
            return tunnel
        }

        private func makePlans(_ listener: ListenSocket) -> [ExchangePlan] {
            var plans: [ExchangePlan] = []
            for _ in 0..<world.random.logarithmic(1...8) {
                let plan = ExchangePlan(number: world.plans.count)
                world.plans.append(plan)
                plans.append(plan)
                if listener.role == .forward {
                    plan.isForward = true
                    plan.host = destination(echo: false)
                    plan.target = "http://\(plan.host)"
                    plan.isThroughParent = isThroughParent(listener, plan.host)
                    plan.credentials = makeCredentials(listener)
                } else if listener.hasRoutes && world.random.chance(50) {
                    // In one of its spellings: what is looked for is the normal one.
                    let (target, rest) = world.random.pick([
                        ("/even", ""), ("//even", ""), ("/x/../even", ""), ("/%65ven/a", "/a"),
                        ("/./even//b", "/b"),
                    ])
                    plan.target = target
                    plan.rewritten = "/moved" + rest
                    plan.cluster = 0
                } else {
                    plan.target =
                        listener.hasRoutes ? world.random.pick(["", "/Even", "/eve", "/even/../odd"]) : ""
                    plan.cluster = listener.hasRoutes ? clusterCount - 1 : listener.cluster
                }
                planRequest(plan)
                if listener.hasRoutes && world.rules.chance(60) { planRule(plan) }
                if plan.rewritten != nil { plan.told = "\(plan.method) \(plan.number)" }
                planResponse(plan)
                if plan.isThroughParent, [200, 404, 500].contains(plan.status), world.parents.chance(10) {
                    plan.status = 407
                }
                if plan.requestFault != .none || plan.upgrades { break }
            }
            return plans
        }

        /// Makes it a request for one of the routes that ask who comes, if there are such.
        private func planRule(_ plan: ExchangePlan) {
            guard world.routeRules != nil else { return }
            let rule = world.rules.pick(RouteRules.Rule.allCases)
            plan.rule = rule
            plan.target = rule.path
            plan.rewritten = nil
            plan.shown = world.rules.pick(RouteRules.Credentials.allCases)
            plan.upgrades = false
            // Whoever is refused with a body on its way may be reset before the answer is read.
            if world.profile.isStrict {
                plan.method = world.rules.pick(["GET", "HEAD", "DELETE"])
                plan.requestBody = .none
                plan.requestSize = 0
                plan.requestTrailers = false
                plan.expectsContinue = false
            }
        }

        private func size() -> Int {
            let top = min(300_000, world.profile.pipeCapacity.upperBound * 100)
            return world.random.logarithmic(
                1...(world.random.chance(world.profile.longPercent) ? top : min(top, 6000)))
        }

        private func planRequest(_ plan: ExchangePlan) {
            let isStrict = world.profile.isStrict
            plan.method = world.random.pick([
                "GET", "GET", "GET", "HEAD", "POST", "POST", "PUT", "DELETE", "PATCH", "OPTIONS",
            ])
            if world.random.chance(10) {
                plan.isHTTP10 = true
                plan.keepsAlive10 = world.random.chance(50)
            }
            plan.asksClose = world.random.chance(5)
            if ["POST", "PUT", "PATCH"].contains(plan.method) {
                plan.requestBody = plan.isHTTP10 ? .length : world.random.pick([.length, .length, .chunked])
                plan.requestSize = world.random.chance(10) ? 0 : size()
                plan.requestTrailers = plan.requestBody == .chunked && world.random.chance(30)
                plan.expectsContinue = !plan.isHTTP10 && plan.requestSize > 0 && world.random.chance(20)
            }
            // In a stream of HTTP/2 there is none but to a WebSocket.
            if plan.method == "GET" && !plan.isHTTP10 && world.random.chance(5) && world.http2 == .off {
                plan.upgrades = true
            }
            if !isStrict && world.random.chance(4) {
                plan.requestFault = world.random.pick([.garbage, .hugeHead, .badChunk])
                if plan.requestFault == .badChunk {
                    guard plan.requestBody == .chunked, plan.requestSize > 0 else {
                        plan.requestFault = .none
                        return
                    }
                } else {
                    plan.requestBody = .none
                    plan.requestSize = 0
                    plan.expectsContinue = false
                    plan.upgrades = false
                }
            }
        }

        private func planResponse(_ plan: ExchangePlan) {
            let isStrict = world.profile.isStrict
            plan.status = world.random.pick([200, 200, 200, 200, 204, 304, 404, 500])
            plan.responseBody = world.random.pick([.length, .length, .chunked, .untilClose, .none])
            plan.responseSize = plan.responseBody == .none ? 0 : size()
            plan.responseTrailers = plan.responseBody == .chunked && world.random.chance(30)
            if world.random.chance(50) {
                plan.thinkTime = Int64(world.random.logarithmic(1...100_000)) * microsecond
            }
            if world.random.chance(5) { plan.interims.append(103) }
            if world.random.chance(10) { plan.headPadding = world.random.logarithmic(1...2000) }
            if plan.upgrades && world.random.chance(80) { plan.status = 101 }
            if plan.upgrades && plan.status != 101 { plan.interims = [] }
            plan.announcesClose = world.random.chance(10)
            if plan.responseBody == .chunked {
                plan.answersHTTP10 = false
            } else if world.random.chance(5) {
                plan.answersHTTP10 = true
                plan.closesAfter = true
            }
            if plan.expectsContinue {
                plan.answersEarly = true
                if world.random.chance(80) { plan.interims.append(100) } else { plan.status = 417 }
            } else if !isStrict && plan.requestBody != .none && world.random.chance(15) {
                plan.answersEarly = true
                plan.readsBody = world.random.chance(60)
                plan.announcesClose = world.random.chance(50)
                plan.closesAfter = world.random.chance(50)
            }
            guard !isStrict else { return }
            plan.closesAfter = plan.closesAfter || world.random.chance(10)
            if world.random.chance(world.profile.originFaultPercent) && plan.status != 101 {
                plan.responseFault = world.random.pick([
                    .closeFirst, .resetFirst, .closeWithin, .resetWithin, .garbage, .silent, .deaf, .extra,
                ])
                plan.faultsOnce = world.random.chance(50)
            }
        }
    }

    extension LimitPlan {
        /// The same, with no more connections than that; 0: with any number.
        func limitingConnections(_ most: UInt32, _ connectionGate: ClusterGate?) -> LimitPlan {
            var settings = settings
            settings.connections = most
            if most > 0 { settings.requests = min(settings.requests, most) }
            return LimitPlan(
                settings: settings, gate: gate, endpoints: endpoints, adaptive: adaptive,
                connectionGate: most > 0 ? connectionGate : nil)
        }
    }

    extension StickyPlan {
        /// What cookies call endpoints of these identities.
        static func simulatedNames(_ identities: [String]) -> [UInt64] {
            identities.map { identity in
                var identity = identity
                return identity.withUTF8 { KeyHash.hash(unsafe ByteView(UnsafeRawBufferPointer($0))) }
            }
        }
    }
#endif
