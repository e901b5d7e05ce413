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
                : "with less than \(cluster.panic)% of endpoints\(hasPriorities(cluster) ? " of each priority healthy all of the first" : " healthy all") are used",
            "\(path).panic")
        if cluster.slowStart.isOn {
            add("slow start", "a growing share for \(cluster.slowStart)", "\(path).slow_start")
        }
        if let health = health.first(where: { $0.name == cluster.name }) { explainState(of: health) }
    }

    /// How things stand in the process that is asked.
    private mutating func explainState(of health: ClusterHealth) {
        let available = health.availableCount
        var parts = ["\(available) of \(health.endpoints.count) endpoints are available"]
        if health.isPanic {
            parts[0] += ", too few: \(health.panicText)"
        } else if available == 0 {
            parts[0] += ": 503"
        }
        if let priorities = health.priorities, let level = health.level {
            parts[0] += ", those of priority \(priorities.priorities[level]) are used"
        }
        for endpoint in health.endpoints where !endpoint.isAvailable {
            let why =
                endpoint.isEjected ? "ejected: \(endpoint.ejectionReason.text)" : "unhealthy, say its checks"
            parts.append("\(endpoint.identity) is \(why)")
        }
        add("now", parts.joined(separator: "; "), nil)
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
