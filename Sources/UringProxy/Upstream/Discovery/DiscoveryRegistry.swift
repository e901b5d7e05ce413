internal import Synchronization

/// What was found of every cluster's endpoints, by cluster and place: what makes it outlive a reload.
final class DiscoveryRegistry: Sendable {
    private struct Key: Hashable {
        let cluster: String
        let place: DiscoveryPlace
    }

    private let sources = Mutex<[Key: DiscoverySource]>([:])

    /// What is known already, or a beginning. At start and reload alone: it locks.
    func source(of cluster: String, _ place: DiscoveryPlace) -> DiscoverySource {
        sources.withLock { sources in
            let key = Key(cluster: cluster, place: place)
            let source = sources[key] ?? DiscoverySource(cluster: cluster, place: place)
            sources[key] = source
            return source
        }
    }

    /// Forgets what none of these clusters has.
    func keep(_ plans: [ClusterPlan]) {
        let kept = plans.compactMap {
            $0.discovery.map { Key(cluster: $0.source.cluster, place: $0.source.place) }
        }
        sources.withLock { sources in sources = sources.filter { kept.contains($0.key) } }
    }
}
