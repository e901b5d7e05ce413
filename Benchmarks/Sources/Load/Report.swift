/// What a run found, as JSON.
enum Report {
    static func of(_ generator: borrowing Generator) -> JSONObject {
        let options = generator.options
        let window = generator.window
        let seconds = Double(window.elapsedNanoseconds) / 1e9
        var report = beginning(options)
        if generator.isInterrupted { report.add("interrupted", true) }
        report.add("requests", window.counts.requests)
        report.add("errors", errors(generator.tally))
        report.add("seconds", seconds, digits: 6)
        report.add(
            "requests_per_second", seconds > 0 ? Double(window.counts.requests) / seconds : 0, digits: 1)
        report.add("bytes_in", window.counts.bytesIn)
        report.add("bytes_out", window.counts.bytesOut)
        report.add("body_bytes", generator.expectedBytes ?? 0)
        report.add("latency_us", distribution(generator.latency))
        report.add("connections_opened", generator.tally.connectionsOpened)
        report.add("cpu_seconds", Double(window.cpuNanoseconds) / 1e9, digits: 6)
        if options.mode == .open {
            report.add("rate", options.rate, digits: 1)
            report.add("sent", generator.lateness.count)
            report.add("completed", generator.latency.count)
            report.add("lateness_us", distribution(generator.lateness))
            report.add("generator_late", generator.lateness.percentile(99) > 100_000)
        }
        return report
    }

    static func ofIdle(_ generator: borrowing Generator) -> JSONObject {
        var report = beginning(generator.options)
        report.add("alive", generator.idleCount)
        report.add("asked_again", generator.options.isAgain)
        report.add("requests", generator.tally.counts.requests)
        report.add("errors", errors(generator.tally))
        report.add("connections_opened", generator.tally.connectionsOpened)
        return report
    }

    static func ofSlow(_ run: borrowing SlowRun, _ options: Options) -> JSONObject {
        var report = beginning(options)
        report.add("alive", run.alive)
        report.add("answered", run.answered)
        report.add("closed", run.closed)
        report.add("errors", errors(run.tally))
        report.add("bytes_out", run.tally.counts.bytesOut)
        report.add("connections_opened", run.tally.connectionsOpened)
        return report
    }

    /// What `idle` and `slow` say once all connections are open.
    static func ready(_ count: Int, _ tally: borrowing Tally, _ elapsed: Int64) -> JSONObject {
        var report = JSONObject()
        report.add("ready", count)
        report.add("seconds", Double(elapsed) / 1e9, digits: 6)
        report.add("errors", errors(tally))
        return report
    }

    private static func beginning(_ options: Options) -> JSONObject {
        var report = JSONObject()
        report.add("mode", options.mode.rawValue)
        report.add("target", options.target.text)
        report.add("path", options.path)
        report.add("connections", options.connections)
        return report
    }

    /// All kinds; of those that happened the first one's status, length or errno as well.
    private static func errors(_ tally: borrowing Tally) -> JSONObject {
        var errors = JSONObject()
        errors.add("total", tally.failed)
        for failure in Failure.allCases { errors.add(failure.name, tally[failure]) }
        var first = JSONObject()
        for failure in Failure.allCases {
            if let detail = tally.firstDetail(failure) { first.add(failure.name, detail) }
        }
        errors.add("first", first)
        return errors
    }

    /// In microseconds.
    private static func distribution(_ histogram: Histogram) -> JSONObject {
        var result = JSONObject()
        result.add("count", histogram.count)
        result.add("mean", histogram.mean / 1000, digits: 3)
        result.add("stddev", histogram.standardDeviation / 1000, digits: 3)
        for (name, percent) in [
            ("p50", 50.0), ("p75", 75), ("p90", 90), ("p95", 95), ("p99", 99), ("p99.9", 99.9), ("max", 100),
        ] {
            result.add(name, Double(histogram.percentile(percent)) / 1000, digits: 3)
        }
        return result
    }
}
