// How much of the load stays in the proxy's zone. As many lines as there are clusters with endpoints here and elsewhere.
extension MetricsReport {
    mutating func zones(_ clusters: [ClusterPlan]) {
        let zoned = clusters.compactMap { cluster in cluster.zones.map { (cluster, $0) } }
        if zoned.isEmpty { return }
        header(
            "cluster_local_share",
            "The part of the load that stays in the proxy's zone, 0 to 1; with cluster_panic zones do not count.",
            "gauge")
        for (cluster, zones) in zoned {
            let share = zones.localShare { cluster.health?.endpoints[$0].isAvailable ?? true }
            let text = Double(share * 1000 / ZonePlan.whole) / 1000
            self.text += "uproxy_cluster_local_share{cluster=\"\(cluster.name)\"} \(text)\n"
        }
    }
}
