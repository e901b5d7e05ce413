#if DEBUG || TESTABLE
    @testable internal import UringProxy

    /// One run: a world made from a seed, engines in it, and the question whether anything was ever wrong.
    public struct SimulationResult: Sendable {
        public var seed: UInt64
        /// What was wrong; nil if nothing.
        public var violation: String?
        public var operations = 0
        public var events = 0
        public var turns = 0
        public var requests = 0
        public var answered = 0
        public var virtualSeconds = 0
        public var bytesSpliced = 0
        /// Copies of requests that a mirror answered.
        public var mirrored = 0
        /// Requests that were sent to a second endpoint before the first had answered.
        public var hedged = 0
        /// Answers that set a cookie of ours, and requests refused for latency.
        public var sticky = 0
        public var shed = 0
        /// Turns after which exchanges waited for one of the connections that there may be.
        public var placesAwaited = 0
        /// Requests and tunnels that came to a parent, and tunnels that it refused.
        public var parented = 0
        public var tunnelsRefused = 0
        /// Connections that were too many for a listener.
        public var refusedByListeners = 0
        /// Snapshots that differed in their endpoints alone.
        public var finds = 0
        /// Requests that a route refused for who sent them.
        public var refusedByRoutes = 0
        /// Processes that took over from another one.
        public var handovers = 0
        /// TLS handshakes with endpoints, and those of them that went on with an earlier session.
        public var secured = 0
        public var resumed = 0
        /// Requests in streams of HTTP/2.
        public var streams = 0
        /// Connections that went where their server name led.
        public var passed = 0

        public init(seed: UInt64, violation: String? = nil) {
            self.seed = seed
            self.violation = violation
        }
    }

    public final class Simulation {
        private let seed: UInt64
        let world: World
        var nodes: [Node] = []
        private var clients: [Client] = []
        let reloads: Reloads
        private let limits: ListenerLimits
        /// Of all processes.
        var clusters: [ClusterPlan]
        private var wakeups: [Wakeup] = []
        /// Since when connections to a cluster, by its index, are idle while exchanges wait for a place.
        private var idleSince: [Int: Int64] = [:]
        /// Turns after which exchanges waited for a place.
        private var placesAwaited = 0

        /// - Parameters:
        ///   - isVerbose: prints what happens.
        ///   - failing: the number of an operation that fails, and in which of its ways.
        public init(seed: UInt64, isVerbose: Bool = false, failing: (operation: Int, variant: Int)? = nil) {
            self.seed = seed
            world = World(seed: seed, isVerbose: isVerbose)
            world.failure = failing.map { InjectedFailure(operation: $0.operation, variant: $0.variant) }
            let scenario = Scenario(world)
            do {
                for _ in 0..<scenario.engineCount { wakeups.append(try Wakeup()) }
            } catch {
                preconditionFailure("no eventfd")
            }
            let wakeups = wakeups
            clusters = scenario.clusters
            limits = ListenerLimits(world)
            reloads = Reloads(world, scenario, limits, seed: seed) {
                LendingQueue(capacity: 8, wakeups: wakeups, gate: $0)
            }
            world.trace("seed \(seed): \(world.profile)")
            world.trace("\(scenario.settings.timeouts)")
            for index in 0..<scenario.engineCount { addNode(index, scenario) }
            clients = scenario.makeClients()
            reloads.plan { [unowned self] in nodes }
            reloads.planDiscovery { [unowned self] in nodes }
            if !world.profile.isStrict && world.discovery.chance(30) { planNameServers() }
            if scenario.handsOver { planHandover(scenario) }
            scenario.planFlapping()
            if !world.profile.isStrict {
                if world.random.chance(25) { planStop() }
                if world.profile.pressure { planPressure() }
            }
        }

        private func addNode(_ index: Int, _ scenario: Scenario) {
            let arena = Arena(budgetBytes: scenario.settings.memoryBytes)
            let kernel = Kernel(
                world, name: "engine \(index)", arena: arena, segments: SegmentPool(arena: arena))
            var listeners: [Node.Listening] = []
            let roles: [Listener.Role] = world.random.pick([
                [.reverse], [.forward], [.reverse, .forward], [.reverse, .tcp],
            ])
            for role in roles {
                let address = SocketAddress(.loopback4, port: UInt16(80 + world.listeners.count))
                let hasRoutes = role == .reverse && world.random.chance(40)
                let cluster = role == .tcp ? scenario.relayCluster : world.random.below(scenario.clusterCount)
                let parent = role == .forward && world.parents.chance(80) ? scenario.parent : nil
                let socket = ListenSocket(
                    world, address, role: role, cluster: cluster, hasRoutes: hasRoutes,
                    asksName: role == .tcp && world.passing.chance(50), parent: parent)
                let id = ListenerLimits.id(of: role)
                let descriptor = world.open(.listener(socket), owner: kernel)
                socket.descriptors = [descriptor]
                world.listeners.append(socket)
                listeners.append(
                    Node.Listening(
                        socket: socket, id: id, descriptor: descriptor.number,
                        access: world.random.chance(30) ? 0 : -1, limit: limits.limits[id, default: 0]))
            }
            addNode(index, reloads.snapshot, listeners, kernel, wakeups, scenario)
        }

        /// - Parameter index: of the engine in its process.
        func addNode(
            _ index: Int, _ snapshot: Snapshot, _ listeners: [Node.Listening], _ kernel: Kernel,
            _ wakeups: [Wakeup], _ scenario: Scenario
        ) {
            let world = world
            let names = scenario.names
            let place = nodes.count
            nodes.append(
                Node(
                    world, index: index, snapshot: snapshot, listeners: listeners, kernel: kernel,
                    wakeups: wakeups,
                    ask: { [unowned self] name, token in
                        ask(place, name.string, names, token)
                    },
                    check: { [unowned self] makeQuery in check(makeQuery(place)) }))
        }

        /// The checker of credentials: answers later.
        private func check(_ query: CredentialQuery) -> Bool {
            guard let authenticator = world.routeRules?.authenticator,
                world.profile.isStrict || !world.rules.chance(3)
            else { return false }
            let verdict = CredentialVerdict(
                identity: query.identity, exchange: query.exchange, generation: query.generation,
                digest: query.digest, user: authenticator.user(ofBasic: query.credentials))
            world.schedule(after: Int64(world.rules.logarithmic(1...500_000)) * microsecond) {
                [unowned self] in
                nodes[query.inbox].mail.append(.checked(verdict))
            }
            return true
        }

        /// The resolver: answers later, well or badly.
        private func ask(
            _ index: Int, _ name: String, _ names: [(name: String, addresses: [IPAddress])], _ token: UInt64
        ) -> Bool {
            let isStrict = world.profile.isStrict
            if !isStrict && world.random.chance(2) { return false }
            var resolution: Engine<SimulatedDriver>.Resolution
            if let entry = names.first(where: { $0.name == name }), isStrict || !world.random.chance(5) {
                var addresses = InlineArray<16, IPAddress>(repeating: .unspecified)
                for (place, address) in entry.addresses.enumerated() { addresses[place] = address }
                resolution = .found(
                    count: entry.addresses.count, addresses,
                    timeToLiveSeconds: UInt32(world.random.pick([0, 1, 60])))
            } else {
                resolution = .failed(
                    world.random.pick([.nameNotFound, .nameTimeout, .nameFailed, .resolverBusy]))
            }
            var delay = Int64(world.random.logarithmic(1...500_000)) * microsecond
            switch world.nameServers {
            case .working: break
            case .failing: resolution = .failed(.nameFailed)
            case .silent:
                resolution = .failed(.nameTimeout)
                delay += 5 * second
            }
            world.schedule(after: delay) {
                [unowned self] in
                nodes[index].mail.append(.resolved(token, resolution))
            }
            return true
        }

        /// Name servers fail for a while, again and again.
        private func planNameServers() {
            world.schedule(after: Int64(world.discovery.logarithmic(1...2_000_000)) * microsecond) {
                [unowned self] in
                if world.isClosing || nodes.allSatisfy({ $0.hasEnded }) { return }
                world.nameServers = world.discovery.pick([.working, .failing, .silent])
                planNameServers()
            }
        }

        private func planStop() {
            let letters: [Node.Mail] = world.random.pick([[.drain], [.drain], [.stop], [.drain, .stop]])
            for index in nodes.indices {
                var delay: Int64 = 0
                for letter in letters {
                    delay += Int64(world.random.logarithmic(1...5_000_000)) * microsecond
                    world.schedule(after: delay) { [unowned self] in
                        if !nodes[index].hasEnded { nodes[index].mail.append(letter) }
                    }
                }
            }
        }

        private func planPressure() {
            let index = world.random.below(nodes.count)
            let leaving = world.random.pick([0, 500, 2000, 8000, 40_000])
            world.schedule(after: Int64(world.random.logarithmic(1...3_000_000)) * microsecond) {
                [unowned self] in
                if nodes[index].hasEnded || world.isClosing { return }
                world.trace("\(nodes[index].name) has \(leaving) bytes of memory left")
                nodes[index].press(leaving: leaving)
                world.schedule(after: Int64(world.random.logarithmic(1...2_000_000)) * microsecond) {
                    [unowned self] in
                    world.trace("\(nodes[index].name) has its memory back")
                    nodes[index].release()
                    planPressure()
                }
            }
        }

        // MARK: - Places

        /// Connections that clusters limit are counted, and are no more than that. Those of a forward proxy to the same servers are
        /// not, and another process counts its own.
        private func checkPlaces() {
            let isForward = world.listeners.contains { $0.role == .forward }
            for (index, cluster) in clusters.enumerated() {
                guard let limits = cluster.limits, let gate = limits.connectionGate?.view else { continue }
                let isAwaited = gate.waiting > 0
                if isAwaited { placesAwaited += 1 }
                let isIdle = nodes.contains { !$0.hasEnded && $0.hasIdle(limits.connectionGate) }
                if !isAwaited || !isIdle {
                    idleSince[index] = nil
                } else if idleSince[index] == nil {
                    idleSince[index] = world.now
                }
                // A reload that changes it is adopted by one engine after the other.
                guard world.keepsPlaces, !isForward, !world.isHandedOver else { continue }
                let open = world.openConnections(to: index)
                let most = Int(limits.settings.connections)
                if open > most || gate.underWay > most || open > gate.underWay {
                    world.violate(
                        "\(cluster.name): \(open) connections, \(gate.underWay) counted, where \(most) may be"
                    )
                }
            }
        }

        // MARK: - Running

        public func run() -> SimulationResult {
            // The clients' time: each of them comes to an end, of itself or by a timeout of the proxy's.
            let finished = runUntil(world.now + 1000 * second) { clients.allSatisfy { $0.isFinished } }
            if !finished {
                let stuck = clients.filter { !$0.isFinished }.map { $0.name }
                world.violate("\(stuck) are still waiting; \(nodes.map { $0.describeConnections() })")
            }
            for client in clients { client.check() }
            endPeers()
            if world.violation == nil { stopNodes() }
            checkTogether()
            if world.violation != nil {
                for node in nodes { world.trace("\(node.name): \(node.describeConnections())") }
            }
            var result = SimulationResult(seed: seed, violation: world.violation)
            result.operations = world.operationCount
            result.events = world.eventCount
            result.requests = world.plans.count
            result.answered = world.plans.lazy.filter { $0.isAnswered }.count
            result.virtualSeconds = Int(world.now / second)
            result.placesAwaited = placesAwaited
            result.parented = world.plans.count { $0.isThroughParent && $0.arrivals > 0 }
            result.parented += world.tunnels.count { $0.arrivals > 0 }
            result.refusedByListeners = limits.refused
            result.finds = world.finds
            result.handovers = nodes.count - wakeups.count
            result.refusedByRoutes = world.plans.count { $0.isRefused }
            result.tunnelsRefused = world.tunnels.count { $0.isRefused }
            for node in nodes {
                result.turns += node.turns
                result.bytesSpliced += Int(node.counters[.bytesSpliced])
                result.mirrored += Int(node.counters[.mirrored])
                result.hedged += Int(node.counters[.hedges])
                result.sticky += Int(node.counters[.stickySet])
                result.secured += Int(node.counters[.upstreamTLSHandshakes])
                result.resumed += Int(node.counters[.upstreamTLSResumed])
                result.streams += Int(node.counters[.http2UpstreamStreams])
                result.passed += Int(node.counters[.serverNamesFollowed])
                result.shed += Int(node.counters[ProxyError.loadShed])
            }
            for node in nodes { node.dispose() }
            world.dispose()
            return result
        }

        private func runUntil(_ limit: Int64, _ isDone: () -> Bool) -> Bool {
            while world.violation == nil {
                var next = world.nextEventAt
                for node in nodes where !node.hasEnded { next = min(next, node.wantsTurnAt) }
                if isDone() { return true }
                guard next <= limit else { return false }
                for (index, since) in idleSince where next - since > second {
                    world.violate(
                        "\(clusters[index].name): connections stay idle while exchanges wait for one")
                }
                for node in nodes where !node.hasEnded && node.hasLostTurn {
                    world.violate("\(node.name) sleeps while it is its turn at a cluster")
                }
                if next > world.now { world.advance(to: next) }
                world.runDueEvents()
                for node in nodes
                where !node.hasEnded && node.wantsTurnAt <= world.now && world.violation == nil {
                    node.turn()
                    if node.engine.isIdle { node.end() }
                    checkPlaces()
                }
                limits.check(nodes.prefix(wakeups.count), clients, isChanging: reloads.isUnderWay)
            }
            return true
        }

        /// All peers go away; the engines come to rest.
        private func endPeers() {
            guard world.violation == nil else { return }
            world.trace("all peers go away")
            world.isClosing = true
            for peer in world.peers { peer.finish(reset: world.random.chance(20)) }
            for node in nodes { node.release() }
            let rests = runUntil(world.now + 300 * second) { nodes.allSatisfy { $0.hasEnded || $0.isQuiet } }
            if !rests {
                for node in nodes where !node.hasEnded && !node.isQuiet {
                    world.violate("\(node.name) does not come to rest: \(node.describeConnections())")
                }
            }
            for node in nodes where world.violation == nil { node.checkQuiet() }
            limits.checkQuiet(nodes)
        }

        private func stopNodes() {
            for node in nodes where !node.hasEnded {
                node.mail.append(world.random.chance(70) ? .drain : .stop)
            }
            let ended = runUntil(world.now + 60 * second) { nodes.allSatisfy { $0.hasEnded } }
            if !ended {
                for node in nodes where !node.hasEnded {
                    world.violate("\(node.name) does not end: \(node.describeConnections())")
                }
            }
            for node in nodes where world.violation == nil { node.checkQuiet() }
        }

        private func checkTogether() {
            guard world.violation == nil else { return }
            var opened: UInt64 = 0
            var closed: UInt64 = 0
            for node in nodes {
                opened += node.counters[Counter.upstreamOpened]
                closed += node.counters[Counter.upstreamClosed]
            }
            if opened != closed {
                world.violate("\(opened) upstream connections were opened, \(closed) closed")
            }
            for cluster in clusters {
                guard let limits = cluster.limits else { continue }
                let gate = limits.gate.view
                let atEndpoints = limits.endpoints.reduce(into: 0) { $0 += Int($1.view.underWay) }
                var counts = [gate.underWay, gate.waiting, Int(gate.answered), atEndpoints]
                if let places = limits.connectionGate?.view { counts += [places.underWay, places.waiting] }
                if counts.allSatisfy({ $0 == 0 }) { continue }
                world.violate(
                    "\(cluster.name): at the end exchanges are in, wait, are answered, are at endpoints, connections are open, are awaited: \(counts)"
                )
            }
            for case .some(let descriptor) in world.descriptors {
                world.violate("descriptor \(descriptor.number) was never closed")
            }
        }
    }
#endif
