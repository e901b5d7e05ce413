internal import Synchronization

// What was found of clusters' endpoints. As many lines as the configuration has such clusters.
extension MetricsReport {
    mutating func discovery(_ sources: [DiscoverySource]) {
        if sources.isEmpty { return }
        func each(_ name: String, _ help: String, _ type: String, _ value: (DiscoverySource) -> UInt64) {
            header(name, help, type)
            for source in sources {
                sample(name, Self.labels(["cluster": source.cluster]), "\(value(source))")
            }
        }
        each("discovery_endpoints", "Endpoints that were found last.", "gauge") {
            UInt64($0.endpoints.count)
        }
        each("discovery_refreshes_total", "Answers and files that named endpoints.", "counter") {
            $0.refreshes.load(ordering: .relaxed)
        }
        each("discovery_changes_total", "Those that named others than before.", "counter") {
            $0.changes.load(ordering: .relaxed)
        }
        each("discovery_failures_total", "Answers and files of no use; what was found last stays.", "counter")
        {
            $0.failures.load(ordering: .relaxed)
        }
    }
}
