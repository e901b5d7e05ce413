// Whom a cookie of ours keeps a request with.
extension Explanation {
    /// By the name of a cluster, the endpoint that the request's cookie names.
    ///
    /// - Parameter bytes: what `fields` were parsed from.
    static func namedEndpoints(
        _ configuration: Configuration, _ keys: StickyKeys, _ discovered: [DiscoverySource],
        _ fields: borrowing FieldTable, _ bytes: ByteView
    ) -> [String: String] {
        var named: [String: String] = [:]
        for cluster in configuration.clusters {
            guard let sticky = cluster.sticky else { continue }
            let endpoints = (endpoints(of: cluster, discovered) ?? []).map(\.identity)
            let plan = StickyPlan(sticky, names: keys.names(cluster.name, of: endpoints))
            named[cluster.name] = plan.endpoint(in: fields, bytes).map { endpoints[$0] }
        }
        return named
    }

    mutating func explainSticky(_ cluster: ClusterConfiguration) {
        guard let sticky = cluster.sticky else { return }
        let text: String
        if let endpoint = namedEndpoints[cluster.name] {
            text = "'\(sticky.cookie)' names \(endpoint): it goes there while that is available"
        } else if Self.endpoints(of: cluster, discovered) == nil {
            text = "'\(sticky.cookie)' keeps requests with an endpoint, if it names one that is found"
        } else {
            text = "the answer sets '\(sticky.cookie)', which keeps requests with its endpoint"
        }
        add("cookie", text, "clusters.\(cluster.name).sticky")
    }
}
