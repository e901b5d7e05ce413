// Which endpoints come first for where they stand.
extension Explanation {
    mutating func explainZones(_ cluster: ClusterConfiguration) {
        guard let zone = configuration.zone, let upstreams = Self.endpoints(of: cluster, discovered) else {
            return
        }
        let local = upstreams.filter { $0.zone == zone }.map(\.identity)
        let path = "clusters.\(cluster.name)"
        guard ZonePlan(zone: zone, upstreams, thresholdPercent: cluster.zoneThreshold) != nil else {
            if local.isEmpty && upstreams.contains(where: { $0.zone != nil }) {
                add("zone", "\(zone) has none of them: all are used", "zone")
            }
            return
        }
        let rest =
            cluster.zoneThreshold == 0
            ? "others when none of them is healthy"
            : "others get a part of the load with less than \(cluster.zoneThreshold)% of them healthy, and all of it with none"
        add("zone", "\(zone) first: \(local.joined(separator: ", ")); \(rest)", "\(path).zone_threshold")
    }
}
