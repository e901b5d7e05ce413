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
    let healthWakeup: Wakeup
    let log: DiagnosticLog

    struct State {
        var configuration: Configuration
        /// What the workers serve by; nil until they do.
        var snapshot: Snapshot?
        var threads: [WorkerThread<Worker>] = []
        var companions = Companions()
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
        budget = Budget(configuration)
        // Before there is a context.
        if budget.kernelTLS == .works { TLSKernelKeys.keepSecrets() }
        _ = try SnapshotCompiler(configuration, registries)
        state = Mutex(State(configuration: configuration))
    }

    /// Before it starts: writes the secrets of all TLS sessions into a file, for debugging. The operator is told how grave that is.
    public func logKeys(into path: String) throws(StartError) {
        do throws(SystemCallError) { try TLSKeyLog.open(path) } catch {
            throw StartError(
                message:
                    "SSLKEYLOGFILE \(path): \(error.message); name a file that may be written to, or unset it"
            )
        }
        log.write(
            "WARNING: the keys of all TLS sessions are written to \(path) (SSLKEYLOGFILE): whoever reads it reads all traffic; for debugging alone"
        )
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
        if configuration.kernelTLS == .on, case .lacking(let errno) = budget.kernelTLS {
            throw StartError(
                message:
                    "--kernel-tls on: the kernel does not encrypt: \(KernelTLS.describe(errno: errno)); modprobe tls, or take --kernel-tls auto"
            )
        }
        var compiler = try SnapshotCompiler(configuration, registries)
        let inherited = predecessor?.inherited ?? .ofThisProcess()
        state.withLock { $0.inherited = inherited }
        let (open, _) = try OpenListener.open(
            configuration.allListeners, count: budget.threads, beside: [], inherited, takingOver: predecessor)
        var companions = Companions()
        do throws(StartError) {
            if let user = configuration.user {
                try Privileges.drop(to: user, sockets: open.filter { !$0.isInherited }.map(\.address))
            }
            try start(&companions, for: configuration, &compiler, beside: [])
            if let log = companions.accessLog { companions.accessLogWriter?.follow(log) }
            if let tracing = companions.tracing { companions.traceExporter?.use(tracing.configuration) }
            companions.flight?.use(configuration.flightRecorder)
            let made = companions
            state.withLock { $0.companions = made }
            // Workers have duplicates, so that a second attempt, on another driver and as another user, finds them open.
            try DriverChoice.start(configuration.io) { usesRing, note throws(StartError) in
                try startWorkers(compiler, open, predecessor, usesRing: usesRing, note: note)
            }
            if let monitor = companions.monitor { try startMonitor(monitor) }
            warn(of: configuration, after: nil)
        } catch {
            for listener in open { listener.close() }
            companions.stop()
            throw error
        }
    }

    private func startWorkers(
        _ compiler: SnapshotCompiler, _ open: [OpenListener], _ predecessor: Predecessor?, usesRing: Bool,
        note: String
    ) throws(StartError) {
        let wakeups = try makeWakeups(budget.threads)
        let snapshot = compiler.snapshot(
            budget, wakeups: wakeups, listeners: open, geo: state.withLock { $0.companions.geo },
            tls: state.withLock { $0.companions.tls },
            accessLog: state.withLock { $0.companions.accessLog?.plan },
            tracing: state.withLock { $0.companions.tracing },
            flight: state.withLock { $0.companions.flight }, after: nil)
        let plans = try makePlans(snapshot, open, wakeups)
        let (threads, features) = try WorkerThread.startAll(plans.map { Worker($0) }, usesRing: usesRing)
        do throws(StartError) { try predecessor?.awaitTurn() } catch {
            for thread in threads { thread.worker.send(.stop) }
            for thread in threads { thread.join() }
            throw error
        }
        // Nothing but this stands between the workers and their first connection.
        if predecessor != nil { takeUp(open, usesRing: usesRing) }
        state.withLock { $0.companions.flight }?.follow(threads.map(\.worker.pulse))
        for thread in threads { thread.worker.send(.accept) }
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
        let companions = state.withLock { $0.companions }
        return (0..<budget.threads).map { index in
            Worker.Plan(
                index: index, cpu: cpus.isEmpty ? nil : cpus[index % cpus.count], listeners: listeners[index],
                wakeups: wakeups, snapshot: snapshot, checker: companions.checker,
                resolver: companions.resolver,
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

    /// What becomes of a request now.
    ///
    /// - Parameter file: what the configuration in use began as, if it did as a file.
    /// - Throws: what of the question cannot be read.
    public func explain(_ query: ExplanationQuery, file: ConfigurationFile?) throws(OptionSyntaxError)
        -> Explanation
    {
        // Both at once: a reload replaces both.
        let (configuration, snapshot) = state.withLock { ($0.configuration, $0.snapshot) }
        return try Explanation(
            query, configuration: configuration, file: file,
            tables: snapshot.map { ExplanationTables($0) } ?? ExplanationTables(configuration))
    }

    var workers: [Worker] { state.withLock { $0.threads.map(\.worker) } }
    var rateLimiters: [RateLimiter] { registries.limiters.all }
    /// All clusters, in their order.
    var clusterPlans: [ClusterPlan] { state.withLock { $0.snapshot }?.clusters ?? [] }
    var openListeners: [OpenListener] { state.withLock { $0.bound } }
    /// The clusters whose endpoints are watched.
    var clusterHealth: [ClusterHealth] {
        state.withLock { $0.snapshot }?.clusters.compactMap(\.health) ?? []
    }
    /// The clusters with limits.
    var limitedClusters: [ClusterPlan] {
        state.withLock { $0.snapshot }?.clusters.filter { $0.limits != nil } ?? []
    }
    /// The listeners with a limit of their own.
    var limitedListeners: [OpenListener] {
        state.withLock { $0.bound }.filter { $0.listener.maxConnections > 0 }
    }
    /// What finds the endpoints of clusters.
    var discoveredClusters: [DiscoverySource] {
        state.withLock { $0.snapshot }?.clusters.compactMap { $0.discovery?.source } ?? []
    }
    /// The clusters whose endpoints have several priorities.
    var rankedClusters: [ClusterPlan] {
        state.withLock { $0.snapshot }?.clusters.filter { $0.priorities != nil } ?? []
    }
    /// The clusters of which the endpoints of some zone may come first.
    var zonedClusters: [ClusterPlan] {
        state.withLock { $0.snapshot }?.clusters.filter { $0.zones != nil } ?? []
    }
    var geoSource: GeoSource? { state.withLock { $0.companions.geo } }
    var handshakeLimit: HandshakeLimit? { state.withLock { $0.snapshot }?.handshakes }
    var tlsSource: TLSSource? { state.withLock { $0.companions.tls } }
    var flightRecorder: FlightRecorder? { state.withLock { $0.companions.flight } }
    var accessLogWriter: AccessLogWriter? { state.withLock { $0.companions.accessLogWriter } }
    var traceExporter: TraceExporter? { state.withLock { $0.companions.traceExporter } }
    var resolverCounters: ResolverCounters? { state.withLock { $0.companions.resolver }?.counters }

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

    /// Opens the access log anew, for whoever has renamed its file.
    ///
    /// - Returns: whether there is one.
    public func reopenLogs() -> Bool {
        let companions = state.withLock { $0.companions }
        guard let writer = companions.accessLogWriter, companions.accessLog != nil else { return false }
        writer.reopen()
        return true
    }

    // MARK: - Stop

    /// Takes no new connection and lets every exchange finish; returns at once.
    public func drain() { end(.drain) }

    /// Ends everything that still runs; returns at once.
    public func stop() { end(.stop) }

    private func end(_ message: Worker.Message) {
        state.withLock { state in
            // Before the last connections are taken from their backlogs: none is to find the file and then nobody, and somebody else
            // may soon put another one in its place.
            if !state.isEnding {
                for listener in state.bound where !listener.isInherited {
                    ListenerSocket.removeFile(listener.address)
                }
            }
            state.isEnding = true
            // Who waits for a log that is not taken would not hear of it.
            if message == .stop { state.companions.accessLogWriter?.releaseWorkers() }
            for thread in state.threads { thread.worker.send(message) }
        }
    }

    /// Returns when every worker has ended, after `drain` or `stop`.
    public func wait() {
        for thread in state.withLock({ $0.threads }) { thread.join() }
        let (companions, bound) = state.withLock { ($0.companions, $0.bound) }
        companions.stop()
        for listener in bound { listener.close() }
        state.withLock { $0.bound = [] }
    }
}
