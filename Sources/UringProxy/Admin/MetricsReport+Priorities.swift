// Which endpoints are used, where some are only while others cannot be. As many lines as there are such clusters.
extension MetricsReport {
    mutating func priorities(_ clusters: [ClusterPlan]) {
        let ranked = clusters.compactMap { cluster in cluster.priorities.map { (cluster, $0) } }
        if ranked.isEmpty { return }
        header("cluster_priority", "The priority of the endpoints that requests go to first.", "gauge")
        for (cluster, priorities) in ranked {
            let priority = priorities.priorities[cluster.health?.level ?? 0]
            sample("cluster_priority", Self.labels(["cluster": cluster.name]), "\(priority)")
        }
    }
}
