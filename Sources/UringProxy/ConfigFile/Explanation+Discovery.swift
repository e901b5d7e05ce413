// When a cluster's endpoints are looked for.
extension Explanation {
    /// Of so many endpoints each is named.
    private static let namesAtMost = 16

    /// Those that are listed, or that the process which is asked has found; nil: nobody knows.
    static func endpoints(of cluster: ClusterConfiguration, _ discovered: [DiscoverySource])
        -> [FixedUpstream]?
    {
        if cluster.discovery == nil {
            return cluster.endpoints.compactMap { try? FixedUpstream(parsing: $0) }
        }
        return discovered.first { $0.cluster == cluster.name }?.endpoints
    }

    mutating func explainDiscovery(_ discovery: DiscoveryConfiguration, of cluster: ClusterConfiguration) {
        let until =
            discovery.wait.isOn
            ? "a start waits up to \(discovery.wait) for the first" : "a start does not wait for the first"
        add(
            "discovery",
            discovery.file == nil
                ? "asked again when the time to live is over, after \(discovery.refreshMin) to \(discovery.refreshMax); what was found last stays when nothing is; \(until), and the answer is 503 until then"
                : "read again when it changes; what it said last stays when it cannot be used",
            "clusters.\(cluster.name).discovery")
        guard let found = Self.endpoints(of: cluster, discovered) else { return }
        let names = found.prefix(Self.namesAtMost).map { endpoint in
            endpoint.identity + (endpoint.weight == 1 ? "" : ",weight=\(endpoint.weight)")
                + (endpoint.zone.map { ",zone=\($0)" } ?? "")
                + (endpoint.priority == 0 ? "" : ",priority=\(endpoint.priority)")
        }
        let more = found.count > names.count ? " and \(found.count - names.count) more" : ""
        add("found", found.isEmpty ? "nothing yet: 503" : names.joined(separator: ", ") + more, nil)
    }
}
