internal import Synchronization

/// Finds endpoints and follows what becomes of them, on a thread of its own. What it finds is in the sources; whoever serves by
/// it is told that there is something new.
final class EndpointDiscovery: Sendable {
    private let wakeup: Wakeup
    private let resolver: Resolver
    private let log: DiagnosticLog
    private let takeUp: @Sendable () -> Bool
    private let mail = Mutex(Mail())
    private let thread = SystemThread()

    /// What the thread has yet to see.
    struct Mail {
        /// What to follow from now on, if that is new.
        var plans: [DiscoveryPlan]?
        var answers: [(source: DiscoverySource, answer: ResolverSurvey.Answer)] = []
        var isStopping = false
    }

    /// - Parameter takeUp: called on the thread when sources have changed; false: it could not be done now, and is to be tried
    ///   again.
    init(
        resolver: Resolver, log: DiagnosticLog, takeUp: @escaping @Sendable () -> Bool
    ) throws(SystemCallError) {
        wakeup = try Wakeup()
        self.resolver = resolver
        self.log = log
        self.takeUp = takeUp
    }

    /// Follows what finds the endpoints of these clusters, and nothing else. Any thread.
    func follow(_ clusters: [ClusterPlan]) {
        mail.withLock { $0.plans = clusters.compactMap(\.discovery) }
        wakeup.signal()
    }

    /// Starts the thread. Once.
    func start() throws(SystemCallError) {
        try thread.start("discovery") { [self] in
            let loop = DiscoveryLoop(
                wakeup: wakeup, log: log, takeUp: takeUp, ask: { [self] in ask($0) },
                mail: { [self] in
                    mail.withLock { mail in
                        defer { mail = Mail(isStopping: mail.isStopping) }
                        return mail
                    }
                })
            loop.run()
        }
    }

    /// Ends the thread and waits for it.
    func stop() {
        mail.withLock { $0.isStopping = true }
        wakeup.signal()
        thread.join()
    }

    /// Asks DNS for what a source is made of.
    private func ask(_ source: DiscoverySource) {
        let kind: ResolverSurvey.Kind
        switch source.place {
        case .addresses: kind = .addresses
        case .services: kind = .services
        case .file: return
        }
        resolver.survey(
            ResolverSurvey(source.place.name, kind) { [self] answer in
                mail.withLock { $0.answers.append((source, answer)) }
                wakeup.signal()
            })
    }
}
