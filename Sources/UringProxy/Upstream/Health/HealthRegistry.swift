internal import Synchronization

/// What is known of every endpoint that a configuration named, by cluster and endpoint: what makes it outlive a reload.
final class HealthRegistry: Sendable {
    let news: HealthNews
    private let clusters = Mutex<[String: Entry]>([:])

    private struct Entry {
        let signal: HealthSignal
        var endpoints: [String: EndpointHealth] = [:]
    }

    /// - Parameter wakeup: of the thread that waits for changes.
    init(wakeup: Wakeup? = nil) { news = HealthNews(wakeup: wakeup) }

    /// The state of a cluster's endpoints: what is known of them already, or a beginning. At start and reload alone: it locks.
    ///
    /// - Parameter endpoints: their identities. One that a known cluster gains begins slowly, if its settings say so.
    func cluster(
        _ name: String, endpoints: [String], settings: HealthSettings, check: HealthCheck? = nil, now: Int64
    ) -> ClusterHealth {
        clusters.withLock { clusters in
            let isNew = clusters[name] == nil
            var entry = clusters[name] ?? Entry(signal: HealthSignal(news))
            var states: [EndpointHealth] = []
            for identity in endpoints {
                let state =
                    entry.endpoints[identity]
                    ?? EndpointHealth(identity: identity, returnedAt: isNew ? 0 : now)
                entry.endpoints[identity] = state
                states.append(state)
            }
            clusters[name] = entry
            return ClusterHealth(
                name: name, settings: settings, check: check, endpoints: states, signal: entry.signal)
        }
    }

    /// Forgets what none of these clusters has.
    func keep(_ kept: [ClusterHealth]) {
        clusters.withLock { clusters in
            var rest: [String: Entry] = [:]
            for cluster in kept {
                guard let entry = clusters[cluster.name] else { continue }
                let names = Set(cluster.endpoints.map(\.identity))
                rest[cluster.name] = Entry(
                    signal: entry.signal, endpoints: entry.endpoints.filter { names.contains($0.key) })
            }
            clusters = rest
        }
    }
}
