// How much a cluster is asked to do at once.
extension Explanation {
    /// - Parameter refusal: what becomes of more.
    mutating func explainLimits(_ cluster: ClusterConfiguration, refusal: String) {
        let limits = cluster.limits
        guard limits.isOn else { return }
        let more =
            limits.queue > 0
            ? "\(limits.queue) more wait for up to \(limits.queueTimeout), else they are \(refusal)"
            : "more are \(refusal)"
        var most: [String] = []
        if limits.requests > 0 { most.append("\(limits.requests) requests at a time") }
        if limits.connections > 0 {
            let isFewer = limits.requests == 0 || limits.connections < limits.requests
            most.append(
                "\(limits.connections) connections, idle ones too\(isFewer ? ", and as many requests" : "")")
        }
        if limits.endpointRequests > 0 { most.append("\(limits.endpointRequests) at each endpoint") }
        if let adaptive = limits.adaptive {
            most.append(
                "\(adaptive.lowest) to \(adaptive.highest) without an answer, as long as answers take no more than \(adaptive.buffer)% longer than under little load"
            )
        }
        add("limits", "\(most.joined(separator: ", ")); \(more)", "clusters.\(cluster.name).limits")
    }
}
