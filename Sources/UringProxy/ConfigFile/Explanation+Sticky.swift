// Whom a cookie of ours keeps a request with.
extension Explanation {
    /// By the name of a cluster, the endpoint that the request's cookie names.
    ///
    /// - Parameter bytes: what `fields` were parsed from.
    static func namedEndpoints(
        _ configuration: Configuration, _ health: [ClusterHealth], _ fields: borrowing FieldTable,
        _ bytes: ByteView
    ) -> [String: String] {
        let keys = StickyKeys(configuration)
        var named: [String: String] = [:]
        for cluster in configuration.clusters {
            guard let sticky = cluster.sticky else { continue }
            // Those that are found only the running process knows.
            let endpoints =
                health.first { $0.name == cluster.name }?.endpoints.map(\.identity)
                ?? cluster.endpoints.compactMap { try? FixedUpstream(parsing: $0).identity }
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
        } else if cluster.discovery != nil && !health.contains(where: { $0.name == cluster.name }) {
            text = "'\(sticky.cookie)' keeps requests with an endpoint, if it names one that is found"
        } else {
            text = "the answer sets '\(sticky.cookie)', which keeps requests with its endpoint"
        }
        add("cookie", text, "clusters.\(cluster.name).sticky")
    }
}
