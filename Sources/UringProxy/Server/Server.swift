internal import CPosix
internal import Synchronization

/// The proxy: its listeners, workers and resolver, from start to stop.
public final class Server: Sendable {
    private let configuration: Configuration
    private let budget: Budget
    private let policy: DestinationPolicy
    private let upstreams: [FixedUpstream]
    private let state = Mutex(State())

    private struct State {
        var threads: [WorkerThread<Worker>] = []
        var resolver: Resolver?
        var bound: [SocketAddress] = []
        var lines: [String] = []
    }

    /// Checks the configuration; nothing is opened yet.
    ///
    /// - Throws: all that is wrong with it, one line each.
    public init(configuration: Configuration) throws(StartError) {
        let problems = configuration.validate()
        guard problems.isEmpty else {
            throw StartError(message: problems.map { "\($0)" }.joined(separator: "\n"))
        }
        self.configuration = configuration
        do throws(DestinationRuleError) {
            policy = try DestinationPolicy(
                allow: configuration.allowDestinations, deny: configuration.denyDestinations)
        } catch {
            throw StartError(message: error.message)
        }
        var upstreams: [FixedUpstream] = []
        for text in configuration.upstreams { upstreams.append(try Self.upstream(text)) }
        self.upstreams = upstreams
        budget = Budget(configuration)
    }

    /// `HOST:PORT` with a name to resolve or an address, or `unix:PATH`.
    private static func upstream(_ text: String) throws(StartError) -> FixedUpstream {
        if let address = try? SocketAddress(parsing: text) {
            return FixedUpstream(
                name: address.isUnix ? "localhost" : text, port: address.port, address: address)
        }
        guard let colon = text.lastIndex(of: ":"),
            let port = SocketAddress.port(text[text.index(after: colon)...]), port > 0
        else { throw StartError(message: "--upstream \(text): give HOST:PORT or unix:PATH") }
        return FixedUpstream(name: String(text[..<colon]), port: port, address: nil)
    }

    // MARK: - Start

    /// Opens the listeners and starts the workers; returns when all of them serve.
    public func start() throws(StartError) {
        var limit: UInt64 = 0
        unsafe _ = cposix_raise_nofile(&limit)
        let resolver = try makeResolver()
        state.withLock { $0.resolver = resolver }
        try DriverChoice.start(configuration.io) { usesRing, note throws(StartError) in
            try startWorkers(usesRing: usesRing, note: note)
        }
    }

    private func makeResolver() throws(StartError) -> Resolver? {
        let isNeeded = !configuration.forwardListeners.isEmpty || upstreams.contains { $0.address == nil }
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

    private func startWorkers(usesRing: Bool, note: String) throws(StartError) {
        let (plans, bound) = try makePlans()
        let (threads, features) = try WorkerThread.startAll(plans.map { Worker($0) }, usesRing: usesRing)
        let driver = DriverChoice.describe(usesRing: usesRing, features: features, note: note)
        let lines = startLines(bound, driver: driver)
        state.withLock { state in
            state.threads = threads
            state.bound = bound
            state.lines = lines
        }
    }

    /// One plan per worker, and the addresses they listen on together.
    private func makePlans() throws(StartError) -> ([Worker.Plan], [SocketAddress]) {
        let count = budget.threads
        var listeners = [[Listener]](repeating: [], count: count)
        var bound: [SocketAddress] = []
        let wakeups: [Wakeup]
        func add(_ text: String, _ role: Listener.Role) throws(StartError) {
            let (descriptors, address) = try ListenerSocket.listen(text, count: count)
            for worker in 0..<count {
                listeners[worker].append(Listener(descriptor: descriptors[worker], role: role))
            }
            bound.append(address)
        }
        do throws(StartError) {
            for text in configuration.listenAddresses { try add(text, .reverse) }
            for text in configuration.forwardListeners { try add(text, .forward) }
            wakeups = try makeWakeups(count)
        } catch {
            for list in listeners { for listener in list { _ = cposix_close(listener.descriptor) } }
            throw error
        }
        let settings = EngineSettings(
            configuration, connections: budget.connectionsPerWorker, memoryBytes: budget.memoryPerWorker,
            pipes: budget.pipesPerWorker, policy: policy)
        let lending =
            count > 1 && configuration.poolLend
            ? upstreams.map { _ in LendingQueue(capacity: count * 64, wakeups: wakeups) } : []
        var random = SystemRandomNumberGenerator()
        let perClient = configuration.limitConnectionsPerClient
        let clientLimit = perClient > 0 ? ClientLimit(limit: perClient, seed: random.next()) : nil
        let cpus = configuration.pin ? ProcessorCount.allowedProcessors() : []
        let resolver = state.withLock { $0.resolver }
        let plans = (0..<count).map { index in
            Worker.Plan(
                index: index, cpu: cpus.isEmpty ? nil : cpus[index % cpus.count], listeners: listeners[index],
                wakeup: wakeups[index], settings: settings, upstreams: upstreams, lending: lending,
                clientLimit: clientLimit,
                resolver: resolver, seed: random.next())
        }
        return (plans, bound)
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

    private func startLines(_ bound: [SocketAddress], driver: String) -> [String] {
        let reverse = configuration.listenAddresses.count
        var lines: [String] = []
        for (index, address) in bound.enumerated() {
            lines.append(
                index < reverse
                    ? "reverse proxy on \(address.description) to \(configuration.upstreams.joined(separator: ", "))"
                    : "forward proxy on \(address.description)")
        }
        let threads = budget.threads == 1 ? "1 thread" : "\(budget.threads) threads"
        let spinning = configuration.busyPoll.isOn ? ", spinning up to \(configuration.busyPoll)" : ""
        lines.append("\(threads) on \(driver), \(budget.summary)\(spinning)")
        return lines
    }

    // MARK: - Running

    /// What runs where and how, a line each.
    public var summary: [String] { state.withLock { $0.lines } }

    /// Where the reverse and then the forward listeners are, with the ports that the kernel chose where 0 was asked.
    public var boundAddresses: [String] { state.withLock { $0.bound.map(\.description) } }

    var workers: [Worker] { state.withLock { $0.threads.map(\.worker) } }
    var resolverCounters: ResolverCounters? { state.withLock { $0.resolver }?.counters }

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
        let (resolver, bound) = state.withLock { ($0.resolver, $0.bound) }
        resolver?.stop()
        for address in bound { ListenerSocket.removeFile(address) }
    }
}
