// Which endpoints come first for where they stand, and where the client is.
extension Explanation {
    mutating func explainZones(_ cluster: ClusterConfiguration) {
        let first = explainPreferred(cluster) ?? configuration.zone.map { ($0, "zone") }
        guard let (zone, origin) = first, let upstreams = Self.endpoints(of: cluster, discovered) else {
            return
        }
        let local = upstreams.filter { $0.zone == zone }.map(\.identity)
        guard ZonePlan(zone: zone, upstreams, thresholdPercent: cluster.zoneThreshold) != nil else {
            if local.isEmpty && upstreams.contains(where: { $0.zone != nil }) {
                add("zone", "\(zone) has none of them: all are used", origin)
            }
            return
        }
        let rest =
            cluster.zoneThreshold == 0
            ? "others when none of them is healthy"
            : "others get a part of the load with less than \(cluster.zoneThreshold)% of them healthy, and all of it with none"
        let level = hasPriorities(cluster) ? ", of those of one priority" : ""
        add(
            "zone", "\(zone) first\(level): \(local.joined(separator: ", ")); \(rest)",
            "clusters.\(cluster.name).zone_threshold")
    }

    /// The zone that a rule of the cluster names for the client, and where that stands; nil if none does.
    private mutating func explainPreferred(_ cluster: ClusterConfiguration) -> (String, String)? {
        guard let rules = tables.clusters.first(where: { $0.name == cluster.name })?.zones?.rules else {
            return nil
        }
        let location = rules.asksLocation ? tables.databases.reader.location(of: client) : .unknown
        let whom = client.description + (rules.asksLocation ? " (\(location))" : "")
        let path = "clusters.\(cluster.name).preferred_zones"
        guard let rule = rules.rule(for: client, at: location) else {
            let own = configuration.zone == nil ? "no zone comes first" : "the proxy's own zone"
            add("preferred", "none of \(cluster.preferredZones.count) holds for \(whom): \(own)", path)
            return nil
        }
        let zone = rules.zone(of: rule)
        add("preferred", "zone \(zone) for \(whom)", "\(path)[\(rule)]")
        return (zone, "\(path)[\(rule)]")
    }
}
