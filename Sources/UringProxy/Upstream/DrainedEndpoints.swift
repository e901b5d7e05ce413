internal import Synchronization

/// The endpoints that an operator has taken out of service while the process runs, by their clusters' names: clusters are made without
/// them, whatever their configuration lists and discovery finds.
final class DrainedEndpoints: Sendable {
    private let identities = Mutex<[String: Set<String>]>([:])

    /// By `FixedUpstream.identity`.
    func drained(in cluster: String) -> Set<String> { identities.withLock { $0[cluster] ?? [] } }

    /// Whether that is something new.
    func set(_ isDrained: Bool, _ identity: String, of cluster: String) -> Bool {
        identities.withLock { identities in
            if isDrained { return identities[cluster, default: []].insert(identity).inserted }
            let isNews = identities[cluster]?.remove(identity) != nil
            if identities[cluster]?.isEmpty ?? false { identities[cluster] = nil }
            return isNews
        }
    }

    /// What is left of a cluster's endpoints.
    func remaining(of endpoints: [FixedUpstream], in cluster: String) -> [FixedUpstream] {
        let drained = drained(in: cluster)
        return drained.isEmpty ? endpoints : endpoints.filter { !drained.contains($0.identity) }
    }

    /// Forgets those of clusters that there are no more.
    func keep(_ clusters: Set<String>) {
        identities.withLock { $0 = $0.filter { clusters.contains($0.key) } }
    }
}
