internal import CPosix
internal import Synchronization

/// The proxy: its listeners, workers and resolver, from start to stop.
public final class Server: Sendable {
    private let configuration: Configuration
    private let budget: Budget
    private let policy: DestinationPolicy
    private let trust: Trust.Policy
    private let routeSets: [RouteSet]
    private let clusters: [ClusterPlan]
    private let health: HealthRegistry
    private let healthWakeup: Wakeup
    private let log: DiagnosticLog
    private let state = Mutex(State())

    private struct State {
        var threads: [WorkerThread<Worker>] = []
        var resolver: Resolver?
        var monitor: HealthMonitor?
        var bound: [OpenListener] = []
        /// When each worker's turns last changed, for `isAlive`.
        var progress: [Progress] = []
        var lines: [String] = []
    }

    /// One address that is listened on.
    private struct OpenListener {
        /// With the port that the kernel chose where 0 was asked.
        var address: SocketAddress
        var listener: ListenerConfiguration
        /// The service manager made the socket, and keeps it.
        var isInherited: Bool
        /// One for each worker; closed once the workers have their own.
        var descriptors: [Int32]

        func close() { for descriptor in descriptors { _ = cposix_close(descriptor) } }
    }

    private struct Progress {
        var turns: UInt64 = 0
        var since: Int64
    }

    /// Checks the configuration; no listener is opened yet.
    ///
    /// - Parameter log: told of what changes while it runs.
    /// - Throws: all that is wrong with it, one line each.
    public init(configuration: Configuration, log: DiagnosticLog = .standardError) throws(StartError) {
        self.log = log
        var problems = configuration.validate()
        var random = SystemRandomNumberGenerator()
        let seed: UInt64 = random.next()
        var routeSets: [RouteSet] = []
        for list in configuration.routes {
            if let set = RouteCompiler.compile(list, configuration, seed: seed, &problems) {
                routeSets.append(set)
            }
        }
        guard problems.isEmpty else {
            throw StartError(message: problems.map { "\($0)" }.joined(separator: "\n"))
        }
        self.routeSets = routeSets
        self.configuration = configuration
        do throws(DestinationRuleError) {
            policy = try DestinationPolicy(
                allow: configuration.allowDestinations, deny: configuration.denyDestinations)
        } catch {
            throw StartError(message: error.message)
        }
        do throws(OptionSyntaxError) { trust = try Trust.Policy(configuration.trust) } catch {
            throw StartError(message: error.message)
        }
        do throws(SystemCallError) { healthWakeup = try Wakeup() } catch {
            throw StartError(message: error.message)
        }
        health = HealthRegistry(wakeup: healthWakeup)
        clusters = try Self.makeClusters(configuration, health)
        budget = Budget(configuration)
    }

    private static func makeClusters(
        _ configuration: Configuration, _ health: HealthRegistry
    ) throws(StartError) -> [ClusterPlan] {
        var clusters: [ClusterPlan] = []
        let proxyHeader = ProxyHeader.Version(configuration.upstreamProxyProtocol)
        for cluster in configuration.allClusters {
            var endpoints: [FixedUpstream] = []
            for text in cluster.endpoints { endpoints.append(try FixedUpstream(parsing: text)) }
            clusters.append(
                ClusterPlan(
                    name: cluster.name, endpoints: endpoints, policy: cluster.balance,
                    hashKey: cluster.hashKey,
                    health: health.cluster(cluster, endpoints: endpoints, proxyHeader: proxyHeader),
                    retries: health.retries(cluster), limits: health.limits(cluster)))
        }
        return clusters
    }

    /// The endpoints of all clusters, in their order.
    private var upstreams: [FixedUpstream] { clusters.flatMap(\.endpoints) }

    // MARK: - Start

    /// Opens the listeners and starts the workers; returns when all of them serve.
    public func start() throws(StartError) {
        var limit: UInt64 = 0
        unsafe _ = cposix_raise_nofile(&limit)
        let resolver = try makeResolver()
        state.withLock { $0.resolver = resolver }
        let open = try openListeners()
        // Workers have duplicates, so that a second attempt, on another driver and as another user, finds them open.
        defer { for listener in open { listener.close() } }
        if let user = configuration.user {
            try Privileges.drop(to: user, sockets: open.filter { !$0.isInherited }.map(\.address))
        }
        try DriverChoice.start(configuration.io) { usesRing, note throws(StartError) in
            try startWorkers(open, usesRing: usesRing, note: note)
        }
        try startMonitor(resolver)
    }

    private func startMonitor(_ resolver: Resolver?) throws(StartError) {
        guard clusters.contains(where: { $0.health != nil }) else { return }
        let monitor = HealthMonitor(registry: health, wakeup: healthWakeup, resolver: resolver, log: log)
        monitor.follow(clusters)
        do throws(SystemCallError) { try monitor.start() } catch {
            throw StartError(message: "health checks cannot start: \(error.message)")
        }
        state.withLock { $0.monitor = monitor }
    }

    private func openListeners() throws(StartError) -> [OpenListener] {
        var open: [OpenListener] = []
        do throws(StartError) {
            for listener in configuration.allListeners {
                if case .inherited(let name)? = try? AddressText(parsing: listener.address) {
                    let inherited = InheritedSockets.ofThisProcess()
                    for (descriptors, address) in try inherited.listeners(name: name, count: budget.threads) {
                        open.append(
                            OpenListener(
                                address: address, listener: listener, isInherited: true,
                                descriptors: descriptors))
                    }
                } else {
                    let (descriptors, address) = try ListenerSocket.listen(
                        listener.address, count: budget.threads)
                    open.append(
                        OpenListener(
                            address: address, listener: listener, isInherited: false, descriptors: descriptors
                        ))
                }
            }
        } catch {
            for listener in open { listener.close() }
            throw error
        }
        return open
    }

    private func makeResolver() throws(StartError) -> Resolver? {
        let isNeeded =
            configuration.allListeners.contains { $0.role == .forward }
            || upstreams.contains { $0.address == nil }
        guard isNeeded else { return nil }
        var options = ResolverOptions()
        options.servers = configuration.dnsServers
        do throws(ResolverError) {
            let resolver = try Resolver(options)
            try resolver.start()
            return resolver
        } catch {
            throw StartError(message: "the resolver cannot start: \(error.message)")
        }
    }

    private func startWorkers(_ open: [OpenListener], usesRing: Bool, note: String) throws(StartError) {
        let plans = try makePlans(open)
        let (threads, features) = try WorkerThread.startAll(plans.map { Worker($0) }, usesRing: usesRing)
        for thread in threads { thread.worker.send(.accept) }
        let driver = DriverChoice.describe(usesRing: usesRing, features: features, note: note)
        let lines = startLines(open, driver: driver)
        state.withLock { state in
            state.threads = threads
            state.bound = open
            state.lines = lines
        }
    }

    /// One plan per worker.
    private func makePlans(_ open: [OpenListener]) throws(StartError) -> [Worker.Plan] {
        let count = budget.threads
        var listeners = [[Listener]](repeating: [], count: count)
        let wakeups: [Wakeup]
        let clusterNames = clusters.map(\.name)
        let routeLists = configuration.routes.map(\.name)
        do throws(StartError) {
            for open in open {
                let listener = open.listener
                for worker in 0..<count {
                    listeners[worker].append(
                        Listener(
                            descriptor: try ListenerSocket.share(open.descriptors[worker]),
                            role: Listener.Role(listener.role),
                            cluster: listener.cluster.flatMap { clusterNames.firstIndex(of: $0) } ?? 0,
                            routes: listener.routes.flatMap { routeLists.firstIndex(of: $0) } ?? -1,
                            isInherited: open.isInherited))
                }
            }
            wakeups = try makeWakeups(count)
        } catch {
            for list in listeners { for listener in list { _ = cposix_close(listener.descriptor) } }
            throw error
        }
        let settings = EngineSettings(
            configuration, connections: budget.connectionsPerWorker, memoryBytes: budget.memoryPerWorker,
            pipes: budget.pipesPerWorker, policy: policy, trust: trust)
        let lending =
            count > 1 && configuration.poolLend
            ? upstreams.map { _ in LendingQueue(capacity: count * 64, wakeups: wakeups) } : []
        var random = SystemRandomNumberGenerator()
        let perClient = configuration.limitConnectionsPerClient
        let clientLimit = perClient > 0 ? ClientLimit(limit: perClient, seed: random.next()) : nil
        let cpus = configuration.pin ? ProcessorCount.allowedProcessors() : []
        let resolver = state.withLock { $0.resolver }
        return (0..<count).map { index in
            Worker.Plan(
                index: index, cpu: cpus.isEmpty ? nil : cpus[index % cpus.count], listeners: listeners[index],
                wakeups: wakeups, settings: settings, clusters: clusters, routeSets: routeSets,
                lending: lending,
                clientLimit: clientLimit,
                resolver: resolver, seed: random.next())
        }
    }

    private func makeWakeups(_ count: Int) throws(StartError) -> [Wakeup] {
        var wakeups: [Wakeup] = []
        for _ in 0..<count {
            do throws(SystemCallError) { wakeups.append(try Wakeup()) } catch {
                throw StartError(message: error.message)
            }
        }
        return wakeups
    }

    private func startLines(_ bound: [OpenListener], driver: String) -> [String] {
        let header = headerNote
        var lines: [String] = []
        for listener in bound {
            let address = listener.address.description + (listener.isInherited ? " (inherited)" : "") + header
            switch (listener.listener.role, listener.listener.routes) {
            case (.forward, _): lines.append("forward proxy on \(address)")
            case (.reverse, let routes?): lines.append("reverse proxy on \(address), routes \(routes)")
            case (.reverse, nil), (.tcp, _):
                let cluster = configuration.allClusters.first { $0.name == listener.listener.cluster }
                let endpoints = (cluster?.endpoints ?? []).joined(separator: ", ")
                let what = listener.listener.role == .tcp ? "tcp" : "reverse proxy"
                lines.append("\(what) on \(address) to \(endpoints)")
            }
        }
        let threads = budget.threads == 1 ? "1 thread" : "\(budget.threads) threads"
        let spinning = configuration.busyPoll.isOn ? ", spinning up to \(configuration.busyPoll)" : ""
        lines.append("\(threads) on \(driver), \(budget.summary)\(spinning)")
        return lines
    }

    /// Whom the listeners take PROXY protocol headers from: worth a word, as whoever may send one may be anybody.
    private var headerNote: String {
        let trust = configuration.trust
        guard trust.proxyProtocol == .require else { return "" }
        let senders = trust.proxyProtocolFrom.joined(separator: ", ")
        return ", behind the PROXY protocol of \(senders.isEmpty ? "anybody" : senders)"
    }

    // MARK: - Running

    /// What runs where and how, a line each.
    public var summary: [String] { state.withLock { $0.lines } }

    /// Where its listeners are, those of options first, with the ports that the kernel chose where 0 was asked.
    public var boundAddresses: [String] { state.withLock { $0.bound.map(\.address.description) } }

    var workers: [Worker] { state.withLock { $0.threads.map(\.worker) } }
    /// The clusters whose endpoints are watched.
    var clusterHealth: [ClusterHealth] { clusters.compactMap(\.health) }
    /// All clusters, of options and file.
    var clusterPlans: [ClusterPlan] { clusters }
    var resolverCounters: ResolverCounters? { state.withLock { $0.resolver }?.counters }

    /// Whether every worker still takes turns. An idle one does so once a second, for its maintenance.
    ///
    /// - Parameter patience: how long a worker may take for a turn.
    public func isAlive(patience: Nanoseconds) -> Bool {
        let now = cposix_monotonic_nanoseconds()
        return state.withLock { state in
            if state.progress.isEmpty { state.progress = state.threads.map { _ in Progress(since: now) } }
            var isAlive = true
            for (index, thread) in state.threads.enumerated() {
                let turns = thread.worker.gauges.turns.load(ordering: .relaxed)
                if turns != state.progress[index].turns || thread.hasEnded {
                    state.progress[index] = Progress(turns: turns, since: now)
                } else if now - state.progress[index].since > patience.rawValue {
                    isAlive = false
                }
            }
            return isAlive
        }
    }

    // MARK: - Stop

    /// Takes no new connection and lets every exchange finish; returns at once.
    public func drain() {
        for worker in workers { worker.send(.drain) }
    }

    /// Ends everything that still runs; returns at once.
    public func stop() { for worker in workers { worker.send(.stop) } }

    /// Returns when every worker has ended, after `drain` or `stop`.
    public func wait() {
        for thread in state.withLock({ $0.threads }) { thread.join() }
        let (resolver, bound, monitor) = state.withLock { ($0.resolver, $0.bound, $0.monitor) }
        monitor?.stop()
        resolver?.stop()
        for listener in bound where !listener.isInherited { ListenerSocket.removeFile(listener.address) }
    }
}

extension Listener.Role {
    fileprivate init(_ role: ListenerConfiguration.Role) {
        switch role {
        case .reverse: self = .reverse
        case .forward: self = .forward
        case .tcp: self = .tcp
        }
    }
}
