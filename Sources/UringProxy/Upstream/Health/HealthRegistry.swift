internal import Synchronization

/// What is known of every endpoint that a configuration named, by cluster and endpoint, what each cluster's retries have
/// spent, and what is under way at those with limits: what makes it outlive a reload.
final class HealthRegistry: Sendable {
    let news: HealthNews
    private let clusters = Mutex<[String: Entry]>([:])

    private struct Entry {
        let signal: HealthSignal
        let retryBudget = RetryBudget()
        /// Of a cluster with limits.
        var gate: ClusterGate?
        /// Of one that limits its connections.
        var connectionGate: ClusterGate?
        /// Of one whose limit follows latency.
        var adaptive: AdaptiveGate?
        /// Of the endpoints of one that limits what is under way there.
        var caps: [String: EndpointCap] = [:]
        var endpoints: [String: EndpointHealth] = [:]
    }

    /// - Parameter wakeup: of the thread that waits for changes.
    init(wakeup: Wakeup? = nil) { news = HealthNews(wakeup: wakeup) }

    /// The state of a cluster's endpoints: what is known of them already, or a beginning. At start and reload alone: it locks.
    ///
    /// - Parameter endpoints: their identities. One that a known cluster gains begins slowly, if its settings say so.
    func cluster(
        _ name: String, endpoints: [String], settings: HealthSettings, check: HealthCheck? = nil,
        priorities: PriorityPlan? = nil, now: Int64
    ) -> ClusterHealth {
        withEntry(name) { entry in
            let isNew = entry.endpoints.isEmpty
            var states: [EndpointHealth] = []
            for identity in endpoints {
                let state =
                    entry.endpoints[identity]
                    ?? EndpointHealth(identity: identity, returnedAt: isNew ? 0 : now)
                entry.endpoints[identity] = state
                states.append(state)
            }
            return ClusterHealth(
                name: name, settings: settings, check: check, endpoints: states,
                priorities: priorities, signal: entry.signal)
        }
    }

    /// What the retries of a cluster have spent. At start and reload alone: it locks.
    func retryBudget(_ name: String) -> RetryBudget { withEntry(name) { $0.retryBudget } }

    /// What is under way at a cluster with limits. At start and reload alone: it locks.
    func gate(_ name: String) -> ClusterGate {
        withEntry(name) { entry in
            let gate = entry.gate ?? ClusterGate()
            entry.gate = gate
            return gate
        }
    }

    /// How many connections there are to a cluster that limits them. At start and reload alone: it locks.
    func connectionGate(_ name: String) -> ClusterGate {
        withEntry(name) { entry in
            let gate = entry.connectionGate ?? ClusterGate(board: IdleBoard())
            entry.connectionGate = gate
            return gate
        }
    }

    /// What a cluster's answers say about its limit; anew with other settings. At start and reload alone: it locks.
    func adaptive(_ name: String, _ settings: AdaptiveLimit.Settings) -> AdaptiveGate {
        withEntry(name) { entry in
            if let known = entry.adaptive, known.settings == settings { return known }
            let adaptive = AdaptiveGate(settings)
            entry.adaptive = adaptive
            return adaptive
        }
    }

    /// What is under way at the endpoints of a cluster with a limit for it, by their identities. At start and reload alone: it locks.
    func caps(_ name: String, endpoints: [String]) -> [EndpointCap] {
        withEntry(name) { entry in
            endpoints.map { identity in
                let cap = entry.caps[identity] ?? EndpointCap()
                entry.caps[identity] = cap
                return cap
            }
        }
    }

    private func withEntry<Result: Sendable>(_ name: String, _ body: (inout Entry) -> Result) -> Result {
        clusters.withLock { body(&$0[name, default: Entry(signal: HealthSignal(news))]) }
    }

    /// Forgets what none of these clusters has, but where connections are still counted: a cluster that comes back counts them.
    func keep(_ plans: [ClusterPlan]) {
        clusters.withLock { clusters in
            var rest = clusters.filter { ($0.value.connectionGate?.view.underWay ?? 0) > 0 }
            for name in rest.keys {
                rest[name]?.endpoints = [:]
                rest[name]?.caps = [:]
            }
            for plan in plans {
                guard var entry = clusters[plan.name] else { continue }
                let identities = Set(plan.endpoints.map(\.identity))
                entry.endpoints = entry.endpoints.filter { identities.contains($0.key) }
                entry.caps = entry.caps.filter { identities.contains($0.key) }
                // A reload that was refused may have asked for another one.
                entry.adaptive = plan.limits?.adaptive
                rest[plan.name] = entry
            }
            clusters = rest
        }
    }
}
