internal import Synchronization

// How endpoints do. As many lines as the configuration has endpoints.
extension MetricsReport {
    mutating func health(_ clusters: [ClusterHealth]) {
        endpoints("endpoint_healthy", "1: it gets requests; 0: it is left out.", "gauge", clusters) {
            $0.isAvailable ? 1 : 0
        }
        endpoints(
            "endpoint_ejected", "1: requests failed there, and it is left out for a time.", "gauge", clusters
        ) {
            $0.isEjected ? 1 : 0
        }
        endpoints("endpoint_ejections_total", "Times it was ejected.", "counter", clusters) {
            $0.ejections.load(ordering: .relaxed)
        }
        let checked = clusters.filter { $0.check != nil }
        if !checked.isEmpty {
            endpoints("endpoint_checks_total", "Health checks that have ended.", "counter", checked) {
                $0.checks.load(ordering: .relaxed)
            }
            endpoints("endpoint_checks_failed_total", "Health checks that failed.", "counter", checked) {
                $0.failedChecks.load(ordering: .relaxed)
            }
        }
        header(
            "cluster_panic",
            "1: so few endpoints are healthy that all are used, of several priorities those of the first.",
            "gauge")
        for cluster in clusters {
            sample("cluster_panic", Self.labels(["cluster": cluster.name]), cluster.isPanic ? "1" : "0")
        }
    }

    private mutating func endpoints(
        _ name: String, _ help: String, _ type: String, _ clusters: [ClusterHealth],
        _ value: (EndpointHealth) -> UInt64
    ) {
        endpoints(
            name, help, type,
            clusters.map { ($0.name, $0.endpoints.map { (identity: $0.identity, value: value($0)) }) })
    }

    /// A line for each endpoint of each cluster; one that stands in it twice has one.
    mutating func endpoints(
        _ name: String, _ help: String, _ type: String,
        _ clusters: [(name: String, endpoints: [(identity: String, value: UInt64)])]
    ) {
        header(name, help, type)
        for cluster in clusters {
            var seen: Set<String> = []
            for endpoint in cluster.endpoints where seen.insert(endpoint.identity).inserted {
                let labels = Self.labels(["cluster": cluster.name, "endpoint": endpoint.identity])
                sample(name, labels, "\(endpoint.value)")
            }
        }
    }
}
