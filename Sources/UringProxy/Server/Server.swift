internal import CPosix
internal import Synchronization

/// The proxy: its listeners, workers and resolver, from start to stop.
public final class Server: Sendable {
    let budget: Budget
    let state: Mutex<State>
    /// Held by the one reload that is under way.
    let reloading = Mutex(())
    let reloadCounters = ReloadCounters()
    /// What outlives a configuration.
    let registries: Registries
    private let healthWakeup: Wakeup
    private let log: DiagnosticLog

    struct State {
        var configuration: Configuration
        /// What the workers serve by; nil until they do.
        var snapshot: Snapshot?
        var threads: [WorkerThread<Worker>] = []
        var resolver: Resolver?
        var checker: CredentialChecker?
        var monitor: HealthMonitor?
        var bound: [OpenListener] = []
        /// When each worker's turns last changed, for `isAlive`.
        var progress: [Progress] = []
        var lines: [String] = []
        /// Nothing new is to begin.
        var isEnding = false
        /// A process is starting that is to take this one's place.
        var isHandingOver = false
        var usesRing = false
        /// What the service manager passed on, to this process or to one that it replaced.
        var inherited = InheritedSockets(sockets: [])
    }

    struct Progress {
        var turns: UInt64 = 0
        var since: Int64
    }

    /// Checks the configuration; no listener is opened yet.
    ///
    /// - Parameter log: told of what changes while it runs.
    /// - Throws: all that is wrong with it, one line each.
    public init(configuration: Configuration, log: DiagnosticLog = .standardError) throws(StartError) {
        self.log = log
        do throws(SystemCallError) { healthWakeup = try Wakeup() } catch {
            throw StartError(message: error.message)
        }
        registries = Registries(health: HealthRegistry(wakeup: healthWakeup))
        _ = try SnapshotCompiler(configuration, registries)
        budget = Budget(configuration)
        state = Mutex(State(configuration: configuration))
    }

    /// What is in effect.
    public var configuration: Configuration { state.withLock { $0.configuration } }

    // MARK: - Start

    /// Opens the listeners and starts the workers; returns when all of them serve.
    ///
    /// - Parameter predecessor: the process to take the place of, which stops accepting just before we begin.
    public func start(takingOver predecessor: Predecessor? = nil) throws(StartError) {
        var limit: UInt64 = 0
        unsafe _ = cposix_raise_nofile(&limit)
        let configuration = configuration
        let compiler = try SnapshotCompiler(configuration, registries)
        let resolver = compiler.needsResolver ? try makeResolver(configuration) : nil
        let inherited = predecessor?.inherited ?? .ofThisProcess()
        state.withLock { state in
            state.resolver = resolver
            state.inherited = inherited
        }
        let (open, _) = try OpenListener.open(
            configuration.allListeners, count: budget.threads, beside: [], inherited, takingOver: predecessor)
        do throws(StartError) {
            if let user = configuration.user {
                try Privileges.drop(to: user, sockets: open.filter { !$0.isInherited }.map(\.address))
            }
            let checker = try makeChecker(compiler.authenticators, beside: nil)
            let monitor = try makeMonitor(compiler.clusters, beside: nil)
            state.withLock { state in
                state.checker = checker
                state.monitor = monitor
            }
            // Workers have duplicates, so that a second attempt, on another driver and as another user, finds them open.
            try DriverChoice.start(configuration.io) { usesRing, note throws(StartError) in
                try startWorkers(compiler, open, predecessor, usesRing: usesRing, note: note)
            }
        } catch {
            for listener in open { listener.close() }
            throw error
        }
    }

    func makeResolver(_ configuration: Configuration) throws(StartError) -> Resolver {
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

    /// The thread that checks credentials; nil: nobody is asked for any.
    ///
    /// - Parameter present: the one that there is.
    func makeChecker(
        _ authenticators: [Authenticator], beside present: CredentialChecker?
    ) throws(StartError) -> CredentialChecker? {
        if present != nil || authenticators.isEmpty { return present }
        do throws(SystemCallError) {
            let checker = try CredentialChecker(authenticators)
            try checker.start()
            return checker
        } catch {
            throw StartError(message: "credentials cannot be checked: \(error.message)")
        }
    }

    /// The thread that watches endpoints; nil: there is nothing to watch.
    ///
    /// - Parameter present: the one that there is.
    func makeMonitor(
        _ clusters: [ClusterPlan], beside present: HealthMonitor?
    ) throws(StartError) -> HealthMonitor? {
        if present != nil || !clusters.contains(where: { $0.health != nil }) { return present }
        let monitor = HealthMonitor(
            registry: registries.health, wakeup: healthWakeup,
            resolver: { [weak self] in self?.state.withLock { $0.resolver } }, log: log)
        monitor.follow(clusters)
        do throws(SystemCallError) { try monitor.start() } catch {
            throw StartError(message: "health checks cannot start: \(error.message)")
        }
        return monitor
    }

    /// The databases, and the thread that opens them anew when they change; nil: there are none.
    ///
    /// - Parameter present: what there is, which goes on if it is of the same files.
    func makeGeo(_ geo: GeoCompiler, beside present: GeoSource?) throws(StartError) -> GeoSource? {
        if let present, present.isSame(as: geo) { return present }
        guard !geo.databases.all.isEmpty else { return nil }
        do throws(SystemCallError) {
            let source = try GeoSource(geo.databases, asked: geo.asked)
            try source.start()
            return source
        } catch {
            throw StartError(message: "geo databases cannot be watched: \(error.message)")
        }
    }

    private func startWorkers(
        _ compiler: SnapshotCompiler, _ open: [OpenListener], _ predecessor: Predecessor?, usesRing: Bool,
        note: String
    ) throws(StartError) {
        let wakeups = try makeWakeups(budget.threads)
        let geo = try makeGeo(compiler.geo, beside: nil)
        let snapshot = compiler.snapshot(budget, wakeups: wakeups, geo: geo, after: nil)
        let plans = try makePlans(snapshot, open, wakeups)
        let (threads, features) = try WorkerThread.startAll(plans.map { Worker($0) }, usesRing: usesRing)
        do throws(StartError) { try predecessor?.awaitTurn() } catch {
            for thread in threads { thread.worker.send(.stop) }
            for thread in threads { thread.join() }
            throw error
        }
        beginAccepting(threads.map(\.worker), open, usesRing: usesRing)
        let driver = DriverChoice.describe(usesRing: usesRing, features: features, note: note)
        let configuration = configuration
        let threadCount = budget.threads == 1 ? "1 thread" : "\(budget.threads) threads"
        let spinning = configuration.busyPoll.isOn ? ", spinning up to \(configuration.busyPoll)" : ""
        let engine = "\(threadCount) on \(driver), \(budget.summary)\(spinning)"
        state.withLock { state in
            state.threads = threads
            state.bound = open
            state.snapshot = snapshot
            state.lines = open.map { $0.describe(configuration) } + [engine]
            state.usesRing = usesRing
        }
    }

    /// One plan per worker.
    private func makePlans(
        _ snapshot: Snapshot, _ open: [OpenListener], _ wakeups: [Wakeup]
    ) throws(StartError) -> [Worker.Plan] {
        let configuration = configuration
        let listeners = try OpenListener.share(open, with: snapshot, count: budget.threads)
        var random = SystemRandomNumberGenerator()
        let cpus = configuration.pin ? ProcessorCount.allowedProcessors() : []
        let (resolver, checker) = state.withLock { ($0.resolver, $0.checker) }
        return (0..<budget.threads).map { index in
            Worker.Plan(
                index: index, cpu: cpus.isEmpty ? nil : cpus[index % cpus.count], listeners: listeners[index],
                wakeup: wakeups[index], snapshot: snapshot, checker: checker, resolver: resolver,
                seed: random.next())
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

    // MARK: - Running

    /// What runs where and how, a line each.
    public var summary: [String] { state.withLock { $0.lines } }

    /// Where its listeners are, those of options first, with the ports that the kernel chose where 0 was asked.
    public var boundAddresses: [String] { state.withLock { $0.bound.map(\.address.description) } }

    /// What the service manager passed on, to this process or to one that it replaced.
    var inherited: InheritedSockets { state.withLock { $0.inherited } }

    var workers: [Worker] { state.withLock { $0.threads.map(\.worker) } }
    var rateLimiters: [RateLimiter] { registries.limiters.all }
    /// The clusters whose endpoints are watched.
    var clusterHealth: [ClusterHealth] {
        state.withLock { $0.snapshot }?.clusters.compactMap(\.health) ?? []
    }
    var geoSource: GeoSource? { state.withLock { $0.snapshot }?.geo }
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
    public func drain() { end(.drain) }

    /// Ends everything that still runs; returns at once.
    public func stop() { end(.stop) }

    private func end(_ message: Worker.Message) {
        state.withLock { state in
            state.isEnding = true
            for thread in state.threads { thread.worker.send(message) }
        }
    }

    /// Returns when every worker has ended, after `drain` or `stop`.
    public func wait() {
        for thread in state.withLock({ $0.threads }) { thread.join() }
        let (resolver, checker, monitor, bound) = state.withLock {
            ($0.resolver, $0.checker, $0.monitor, $0.bound)
        }
        monitor?.stop()
        resolver?.stop()
        checker?.stop()
        geoSource?.stop()
        for listener in bound {
            listener.close()
            if !listener.isInherited { ListenerSocket.removeFile(listener.address) }
        }
        state.withLock { $0.bound = [] }
    }
}
