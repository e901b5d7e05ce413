// How much of the load stays in zones that come first. As many lines as there are clusters with endpoints in the proxy's zone and
// elsewhere, and as many for each zone that comes first for some clients.
extension MetricsReport {
    mutating func zones(_ clusters: [ClusterPlan]) {
        zoneShares(
            "cluster_local_share",
            "The part of the load that stays in the proxy's zone, 0 to 1; with cluster_panic zones do not count.",
            clusters.map { cluster in
                let labels = Self.labels(["cluster": cluster.name])
                return (cluster, [cluster.zones?.plans[0]].compactMap(\.self).map { (labels, $0) })
            })
        zoneShares(
            "cluster_zone_share",
            "The part of the load of clients for which the zone comes first that stays in it, 0 to 1.",
            clusters.map { cluster in
                guard let zones = cluster.zones, let rules = zones.rules else { return (cluster, []) }
                return (
                    cluster,
                    zip(rules.zones, zones.plans.dropFirst()).compactMap { name, plan in
                        plan.map { (Self.labels(["cluster": cluster.name, "zone": name]), $0) }
                    }
                )
            })
    }

    private mutating func zoneShares(
        _ name: String, _ help: String,
        _ zoned: [(cluster: ClusterPlan, zones: [(labels: String, plan: ZonePlan)])]
    ) {
        if zoned.allSatisfy(\.zones.isEmpty) { return }
        header(name, help, "gauge")
        for (cluster, zones) in zoned {
            for (labels, plan) in zones {
                let level = cluster.health?.level ?? 0
                let share = plan.localShares(
                    level: { Int(cluster.priorities?.levels[$0] ?? 0) },
                    { cluster.health?.endpoints[$0].isAvailable ?? true })[level]
                sample(name, labels, "\(Double(share * 1000 / ZonePlan.whole) / 1000)")
            }
        }
    }
}
