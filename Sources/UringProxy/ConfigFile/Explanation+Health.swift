// What keeps requests away from endpoints, and from clusters.
extension Explanation {
    mutating func explainHealth(_ cluster: ClusterConfiguration) {
        let path = "clusters.\(cluster.name)"
        if let check = cluster.health {
            let what =
                check.kind == .tcp
                ? "a connection"
                : "GET \(check.path) (\(check.statuses.map(\.description).joined(separator: ", ")))"
            add(
                "health",
                "\(what) each \(check.interval), within \(check.timeout); \(check.fall) that fail take an endpoint out, \(check.rise) that succeed bring it back",
                "\(path).health")
        }
        let settings = HealthSettings(cluster)
        let isJudged = settings.outliers.isOn && cluster.mayHaveSeveralEndpoints
        if isJudged { add("outliers", text(of: cluster.outliers), "\(path).outliers") }
        guard cluster.health != nil || isJudged else { return }
        add(
            "panic",
            cluster.panic == 0
                ? "never: without a healthy endpoint the answer is 503"
                : "with less than \(cluster.panic)% of endpoints healthy all are used", "\(path).panic")
        if cluster.slowStart.isOn {
            add("slow start", "a growing share for \(cluster.slowStart)", "\(path).slow_start")
        }
        if let health = health.first(where: { $0.name == cluster.name }) { explainState(of: health) }
    }

    /// How things stand in the process that is asked.
    private mutating func explainState(of health: ClusterHealth) {
        let available = health.availableCount
        var parts = ["\(available) of \(health.endpoints.count) endpoints are available"]
        if health.isPanic(available: available) {
            parts[0] += ", too few: all are used"
        } else if available == 0 {
            parts[0] += ": 503"
        }
        for endpoint in health.endpoints where !endpoint.isAvailable {
            let why =
                endpoint.isEjected ? "ejected: \(endpoint.ejectionReason.text)" : "unhealthy, say its checks"
            parts.append("\(endpoint.identity) is \(why)")
        }
        add("now", parts.joined(separator: "; "), nil)
    }

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
        if limits.endpointRequests > 0 { most.append("\(limits.endpointRequests) at each endpoint") }
        if let adaptive = limits.adaptive {
            most.append(
                "\(adaptive.lowest) to \(adaptive.highest) without an answer, as long as answers take no more than \(adaptive.buffer)% longer than under little load"
            )
        }
        add("limits", "\(most.joined(separator: ", ")); \(more)", "clusters.\(cluster.name).limits")
    }

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

    private func text(of outliers: OutlierConfiguration) -> String {
        var reasons: [String] = []
        if outliers.consecutive > 0 { reasons.append("\(outliers.consecutive) failures in a row") }
        if outliers.errorRate > 0 { reasons.append("\(outliers.errorRate)% failures in \(outliers.window)") }
        if outliers.latencyFactor > 0 {
            reasons.append("\(outliers.latencyFactor) times the others' latency")
        }
        let statuses: String
        switch outliers.statuses {
        case .none: statuses = ""
        case .gateway: statuses = ", 502 to 504 count"
        case .server: statuses = ", 5xx count"
        }
        return
            "ejected for \(outliers.ejection), then longer, after \(reasons.joined(separator: " or "))\(statuses)"
    }
}
