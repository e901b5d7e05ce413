// Which endpoints are used only while others cannot be.
extension Explanation {
    /// Whether the cluster's endpoints are known to have several priorities.
    func hasPriorities(_ cluster: ClusterConfiguration) -> Bool {
        Self.endpoints(of: cluster, discovered).flatMap { PriorityPlan($0) } != nil
    }

    mutating func explainPriorities(_ cluster: ClusterConfiguration) {
        guard let upstreams = Self.endpoints(of: cluster, discovered), let plan = PriorityPlan(upstreams)
        else { return }
        let levels = plan.priorities.enumerated().map { level, priority in
            let names = upstreams.indices.filter { plan.levels[$0] == level }.map { upstreams[$0].identity }
            return "\(priority) (\(names.joined(separator: ", ")))"
        }
        add(
            "priorities",
            levels.joined(separator: ", then ")
                + ": each only while none before it can be used, or too few (panic)",
            "clusters.\(cluster.name).\(cluster.discovery == nil ? "endpoints" : "discovery")")
    }
}
