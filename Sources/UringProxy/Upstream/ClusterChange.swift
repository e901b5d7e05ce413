/// What of some clusters is what among others that take their place: clusters by their name, endpoints by their cluster and
/// their address, and how TLS and HTTP/2 are spoken to them. What is the same keeps its connections and what was learned of it.
struct ClusterChange: Sendable {
    /// By the index before, the one after; -1 for what has gone.
    let clusterAfter: [Int]
    let endpointAfter: [Int]
    /// By the index after, the one before; -1 for what is new.
    let clusterBefore: [Int]
    let endpointBefore: [Int]

    init(from old: [ClusterPlan], to new: [ClusterPlan]) {
        (clusterBefore, clusterAfter) = Self.match(old.map(\.name), new.map(\.name))
        (endpointBefore, endpointAfter) = Self.match(Self.identities(old), Self.identities(new))
    }

    /// An endpoint that its cluster names twice is told apart by which of them it is.
    private static func identities(_ clusters: [ClusterPlan]) -> [String] {
        clusters.flatMap { cluster in
            var seen: [String: Int] = [:]
            return cluster.endpoints.map { endpoint in
                let identity = endpoint.identity
                seen[identity, default: 0] += 1
                let tls = cluster.tls.map { " \($0.identity(of: endpoint))" } ?? ""
                let http2 = cluster.http2.use == .off ? "" : " http2 \(cluster.http2.use.rawValue)"
                return "\(cluster.name) \(identity) \(seen[identity, default: 0])\(tls)\(http2)"
            }
        }
    }

    private static func match(_ old: [String], _ new: [String]) -> (before: [Int], after: [Int]) {
        let places = Dictionary(uniqueKeysWithValues: old.enumerated().map { ($1, $0) })
        let before = new.map { places[$0] ?? -1 }
        var after = [Int](repeating: -1, count: old.count)
        for (index, place) in before.enumerated() where place >= 0 { after[place] = index }
        return (before, after)
    }
}
