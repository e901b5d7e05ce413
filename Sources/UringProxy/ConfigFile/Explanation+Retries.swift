// When a request is sent again.
extension Explanation {
    mutating func explainRetries(_ cluster: ClusterConfiguration) {
        let retries = cluster.retries
        if retries.hedgeAfter.isOn && cluster.mayHaveSeveralEndpoints
            && namedEndpoints[cluster.name] == nil
        {
            add(
                "hedge",
                "without an answer for \(retries.hedgeAfter) another endpoint is asked as well, if idempotent; within the budget of retries",
                "clusters.\(cluster.name).retries.hedge_after")
        }
        let conditions = retries.on.filter { $0 != .connectFailure && $0 != .never }.map(\.rawValue)
        guard !conditions.isEmpty else { return }
        let which = retries.nonIdempotent ? "any request" : "if idempotent"
        let each = retries.tryTimeout.isOn ? ", each within \(retries.tryTimeout)" : ""
        add(
            "retries",
            "on \(conditions.joined(separator: ", ")), \(which), up to \(retries.attempts) attempts\(each); at most \(retries.budget)% of requests or \(retries.minimum) a second",
            "clusters.\(cluster.name).retries")
    }
}
