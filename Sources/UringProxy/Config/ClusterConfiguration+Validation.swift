// What of a cluster's cookie, health checks, outliers, retries and limits cannot work.
extension ClusterConfiguration {
    private static let shortestSpan = Nanoseconds.milliseconds(10)

    func check(_ problems: inout ProblemList) {
        let path = "clusters.\(name)"
        let outliers = "\(path).outliers"
        checkSpan(self.outliers.window, "\(outliers).window", &problems)
        checkSpan(self.outliers.ejection, "\(outliers).ejection", &problems)
        checkSpan(self.outliers.longestEjection, "\(outliers).ejection_max", &problems)
        if self.outliers.longestEjection < self.outliers.ejection {
            problems.add(
                "\(outliers).ejection_max",
                "\(self.outliers.longestEjection) is shorter than the first ejection (\(self.outliers.ejection))",
                "raise it, or lower 'ejection'")
        }
        checkCount(
            self.outliers.consecutive, OutlierConfiguration.consecutiveRange, "\(outliers).consecutive",
            &problems)
        checkCount(
            self.outliers.minimumRequests, OutlierConfiguration.minimumRequestsRange,
            "\(outliers).minimum_requests", &problems)
        checkCount(
            self.outliers.latencyFactor, OutlierConfiguration.latencyFactorRange,
            "\(outliers).latency_factor", &problems)
        if self.outliers.latencyFactor == 1 {
            problems.add(
                "\(outliers).latency_factor", "half of all endpoints are slower than the others",
                "give 2 or more, or 0 to switch it off")
        }
        if http2 == .auto && tls == nil {
            problems.add(
                "\(path).http2", "without TLS an endpoint has no way to choose",
                "write 'on', if the endpoints begin with HTTP/2 (h2c), or add 'tls'")
        }
        checkDiscovery(&problems)
        checkRetries("\(path).retries", &problems)
        checkLimits("\(path).limits", &problems)
        if let sticky { checkSticky(sticky, "\(path).sticky", &problems) }
        if let health { checkHealth(health, "\(path).health", &problems) }
        if slowStart < .zero || slowStart > .longest {
            problems.add(
                "\(path).slow_start", "\(slowStart) is longer than ten years", "0 switches it off")
        }
    }

    private func checkSticky(
        _ sticky: StickyConfiguration, _ path: String, _ problems: inout ProblemList
    ) {
        if !HashKey.isToken(sticky.cookie[...]) || sticky.cookie.utf8.count > 64 {
            problems.add(
                "\(path).cookie", "\(quoted(sticky.cookie)) is no name of a cookie",
                "use up to 64 letters, digits and hyphens")
        }
        let isPath = sticky.path.utf8.allSatisfy { $0 > 32 && $0 < 127 && $0 != UInt8(ascii: ";") }
        if !sticky.path.hasPrefix("/") || !isPath || sticky.path.utf8.count > 1024 {
            problems.add(
                "\(path).path", "\(quoted(sticky.path)) is no path",
                "begin it with '/', and write spaces, semicolons and what is not ASCII as %XX")
        }
        if sticky.maxAge.isOn && (sticky.maxAge < .seconds(1) || sticky.maxAge > .longest) {
            problems.add(
                "\(path).max_age", "\(sticky.maxAge) is outside 1s to ten years",
                "give for example 1h, or 0 to keep it until the browser ends")
        }
        // Browsers drop what does not keep to these rules of draft-ietf-httpbis-rfc6265bis.
        if sticky.sameSite == .none && !sticky.secure {
            problems.add(
                "\(path).same_site", "browsers refuse 'none' without 'secure'",
                "add 'secure: on', or write lax")
        }
        let isHost = sticky.cookie.hasPrefix("__Host-")
        if (isHost || sticky.cookie.hasPrefix("__Secure-")) && !sticky.secure {
            problems.add(
                "\(path).cookie", "browsers refuse \(quoted(sticky.cookie)) without 'secure'",
                "add 'secure: on', or choose another name")
        }
        if isHost && sticky.path != "/" {
            problems.add(
                "\(path).path", "browsers refuse \(quoted(sticky.cookie)) with a path other than /",
                "leave it out, or choose another name")
        }
    }

    private func checkRetries(_ path: String, _ problems: inout ProblemList) {
        checkCount(retries.attempts, RetryConfiguration.attemptsRange, "\(path).attempts", &problems)
        checkCount(retries.minimum, RetryConfiguration.minimumRange, "\(path).min_per_second", &problems)
        if retries.tryTimeout != .zero { checkSpan(retries.tryTimeout, "\(path).try_timeout", &problems) }
        if retries.on.isEmpty || retries.on.count > 1 && retries.on.contains(.never) {
            problems.add(
                "\(path).on",
                retries.on.isEmpty ? "there is no condition" : "'never' stands beside conditions",
                "write conditions, such as [connect-failure, reset], or never")
        }
        let hedges = retries.hedgeAfter != .zero
        if hedges && (retries.hedgeAfter < .milliseconds(1) || retries.hedgeAfter > .longest) {
            problems.add(
                "\(path).hedge_after", "\(retries.hedgeAfter) is outside 1ms to ten years",
                "give what most answers take, such as 50ms; 0 switches it off")
        }
        if hedges && retries.attempts == 1 {
            problems.add(
                "\(path).attempts", "with 1 nothing is sent to a second endpoint (hedge_after)",
                "give 2 or more, or leave 'hedge_after' out")
        }
        if hedges && retries.budget == 0 && retries.minimum == 0 {
            problems.add(
                "\(path).budget", "with 0 nothing is sent to a second endpoint (hedge_after)",
                "give a share such as 5%, or leave 'hedge_after' out")
        }
        let needAttempts = retries.on.filter { $0 != .connectFailure && $0 != .never }
        if let condition = needAttempts.first, retries.attempts == 1 {
            problems.add(
                "\(path).attempts", "with 1 nothing is sent again on '\(condition.rawValue)'",
                "give 2 or more, or leave the condition out")
        }
        if let condition = needAttempts.first, retries.budget == 0, retries.minimum == 0 {
            problems.add(
                "\(path).budget", "with 0 nothing is sent again on '\(condition.rawValue)'",
                "give a share such as 20%, or leave the condition out")
        }
    }

    private func checkLimits(_ path: String, _ problems: inout ProblemList) {
        checkCount(limits.requests, LimitConfiguration.range, "\(path).requests", &problems)
        checkCount(limits.connections, LimitConfiguration.range, "\(path).connections", &problems)
        checkCount(limits.endpointRequests, LimitConfiguration.range, "\(path).endpoint_requests", &problems)
        checkCount(limits.streams, LimitConfiguration.streamRange, "\(path).streams", &problems)
        checkCount(limits.queue, LimitConfiguration.range, "\(path).queue", &problems)
        checkSpan(limits.queueTimeout, "\(path).queue_timeout", &problems)
        if let adaptive = limits.adaptive { checkAdaptive(adaptive, "\(path).adaptive", &problems) }
        if limits.queue > 0 && !limits.isOn {
            problems.add(
                "\(path).queue", "without a limit nothing ever waits",
                "give 'requests', 'connections', 'endpoint_requests' or 'adaptive', or leave it out")
        }
    }

    private func checkAdaptive(
        _ adaptive: AdaptiveLimitConfiguration, _ path: String, _ problems: inout ProblemList
    ) {
        checkCount(adaptive.lowest, AdaptiveLimitConfiguration.range, "\(path).min", &problems)
        checkCount(adaptive.highest, AdaptiveLimitConfiguration.range, "\(path).max", &problems)
        checkSpan(adaptive.window, "\(path).window", &problems)
        checkSpan(adaptive.remeasure, "\(path).remeasure", &problems)
        if adaptive.highest < adaptive.lowest {
            problems.add(
                "\(path).max", "\(adaptive.highest) is less than 'min' (\(adaptive.lowest))",
                "raise it, or lower 'min'")
        }
        if adaptive.remeasure < adaptive.window {
            problems.add(
                "\(path).remeasure", "\(adaptive.remeasure) is shorter than a window (\(adaptive.window))",
                "raise it: a minute is common")
        }
        for (name, limit) in [("requests", limits.requests), ("connections", limits.connections)]
        where limit > 0 && limit < adaptive.lowest {
            problems.add(
                "\(path).min", "\(adaptive.lowest) is more than '\(name)' allows (\(limit))",
                "lower it, or raise '\(name)'")
        }
        if adaptive.buffer == 0 {
            problems.add(
                "\(path).buffer", "with 0 any latency that is not the least lowers the limit",
                "give a share such as 25%")
        }
    }

    private func checkHealth(
        _ health: HealthCheckConfiguration, _ path: String, _ problems: inout ProblemList
    ) {
        checkSpan(health.interval, "\(path).interval", &problems)
        checkSpan(health.timeout, "\(path).timeout", &problems)
        checkCount(health.rise, HealthCheckConfiguration.countRange, "\(path).rise", &problems)
        checkCount(health.fall, HealthCheckConfiguration.countRange, "\(path).fall", &problems)
        if health.timeout > health.interval {
            problems.add(
                "\(path).timeout",
                "\(health.timeout) is longer than the time to the next check (\(health.interval))",
                "lower it, or raise 'interval'")
        }
        if !health.path.hasPrefix("/") || !health.path.utf8.allSatisfy({ $0 > 32 && $0 < 127 }) {
            problems.add(
                "\(path).path", "\(quoted(health.path)) is no path",
                "begin it with '/', and write spaces and what is not ASCII as %XX")
        }
        if let host = health.host, !host.utf8.allSatisfy({ $0 > 32 && $0 < 127 }) {
            problems.add("\(path).host", "\(quoted(host)) is no host", "write a name, or NAME:PORT")
        }
        if health.kind == .tcp && (health.path != "/" || health.host != nil || health.body != nil) {
            problems.add(
                "\(path).type", "tcp checks ask for nothing that would be answered",
                "leave out 'path', 'host' and 'body', or write 'type: http'")
        }
    }

    func checkSpan(_ span: Nanoseconds, _ path: String, _ problems: inout ProblemList) {
        if span < Self.shortestSpan || span > .longest {
            problems.add(
                path, "\(span) is outside \(Self.shortestSpan) to ten years",
                "give some seconds, such as 10s")
        }
    }

    private func checkCount(
        _ count: Int, _ range: ClosedRange<Int>, _ path: String, _ problems: inout ProblemList
    ) {
        if !range.contains(count) {
            problems.add(
                path, "\(count) is outside \(range.lowerBound) to \(range.upperBound)",
                range.lowerBound == 0 ? "0 switches it off" : "give some")
        }
    }
}
