internal import CPosix
internal import Synchronization

/// Checks endpoints and reports how they do, on a thread of its own: workers never wait for it, and it for no endpoint.
///
/// Any number of endpoints is checked; so many at a time that a dead network costs a bounded number of descriptors.
final class HealthMonitor: Sendable {
    private let registry: HealthRegistry
    private let resolver: @Sendable () -> Resolver?
    private let log: DiagnosticLog
    private let wakeup: Wakeup
    private let state = Mutex(State())
    private let thread = SystemThread()

    private struct State {
        /// What to follow from now on, if that is new.
        var clusters: [ClusterPlan]?
        var isStopping = false
    }

    /// - Parameters:
    ///   - registry: made with `wakeup`.
    ///   - resolver: for endpoints that are names; asked each time, for a reload may bring the first of them.
    init(
        registry: HealthRegistry, wakeup: Wakeup, resolver: @escaping @Sendable () -> Resolver?,
        log: DiagnosticLog
    ) {
        self.registry = registry
        self.wakeup = wakeup
        self.resolver = resolver
        self.log = log
    }

    /// Follows these clusters and no others; at once where it is running, from its start on where it is not. What it knew of
    /// them before it still knows.
    func follow(_ clusters: [ClusterPlan]) {
        state.withLock { $0.clusters = clusters }
        wakeup.signal()
    }

    func start() throws(SystemCallError) {
        let loop = try HealthLoop(
            news: registry.news, wakeup: wakeup, resolver: resolver, log: log,
            orders: { [self] in
                state.withLock { state in
                    let clusters = state.clusters
                    state.clusters = nil
                    return (clusters, state.isStopping)
                }
            })
        try thread.start("health") { loop.run() }
    }

    /// Ends the thread, if there is one, and waits for it.
    func stop() {
        state.withLock { $0.isStopping = true }
        wakeup.signal()
        thread.join()
    }
}
