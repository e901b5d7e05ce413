/// What is known of the process at a moment: the last sample, and what has happened since one before.
struct TopPicture: Sendable {
    /// Of so many intervals.
    static let historySize = 60

    private(set) var sample: TopSample
    /// nil: there is but one sample yet.
    private(set) var interval: TopInterval?
    /// Requests per second, of the last intervals.
    private(set) var requests: [Double] = []
    /// What has become of the process since it was first looked at.
    private(set) var news = ""
    /// The sample that rates are told since, and when it came, in seconds.
    private var base: (sample: TopSample, at: Double)

    /// - Parameter now: seconds of any clock that does not go back.
    init(_ sample: TopSample, at now: Double) {
        self.sample = sample
        base = (sample, now)
    }

    /// - Parameter least: rates of less than so many seconds say nothing; those of the time before stay.
    mutating func add(_ next: TopSample, at now: Double, least: Double) {
        note(next)
        sample = next
        if next.hasRestarted(since: base.sample) {
            interval = nil
            requests = []
            base = (next, now)
            return
        }
        guard now - base.at >= least else { return }
        interval = TopInterval(from: base.sample, to: next, elapsed: now - base.at)
        base = (next, now)
        requests.append(interval?.rate("requests_total") ?? 0)
        if requests.count > Self.historySize { requests.removeFirst() }
    }

    private mutating func note(_ next: TopSample) {
        let process = next.process
        if next.hasRestarted(since: sample) {
            news =
                process.pid == sample.process.pid
                ? "process \(process.pid) began anew; so do the rates"
                : "process \(process.pid) serves in the place of \(sample.process.pid); rates begin anew"
        } else if process.reloads > sample.process.reloads {
            news = "its configuration was reloaded (\(TopText.fixed(process.reloads, 0)))"
        } else if process.reloadsRefused > sample.process.reloadsRefused {
            news = "a reload was refused (\(TopText.fixed(process.reloadsRefused, 0))); its log tells why"
        }
    }
}

// MARK: - Tables

extension TopPicture {
    private typealias Column = TopTable.Column

    private func quantile(_ histogram: TopHistogram?, _ part: Double) -> Double? {
        histogram?.quantile(part, bounds: sample.bounds)
    }

    var clusters: TopTable {
        var table = TopTable([
            Column(name: "CLUSTER", width: 14, isText: true, isFlexible: true),
            Column(name: "REQ/S", width: 6), Column(name: "ERR/S", width: 6), Column(name: "P50", width: 7),
            Column(name: "P99", width: 7), Column(name: "UP", width: 7), Column(name: "ADD.P99", width: 8),
            Column(name: "QUEUED", width: 7), Column(name: "USED", width: 6), Column(name: "IDLE", width: 6),
            Column(name: "REQUESTS", width: 9),
        ])
        table.rows = sample.clusters.map { cluster in
            let counts = interval.map { $0.counts(cluster: cluster.name) }
            let up = cluster.endpoints.count { $0.isUp }
            let all = cluster.endpoints.count
            return TopTable.Row(
                key: cluster.name,
                cells: [
                    .text(cluster.name, .strong),
                    .rate(interval.flatMap { $0.perSecond(counts?.ended ?? 0) }),
                    .rate(interval.flatMap { $0.perSecond(counts?.failed ?? 0) }, .bad),
                    .duration(quantile(counts?.duration, 0.5)), .duration(quantile(counts?.duration, 0.99)),
                    TopTable.Cell(
                        text: cluster.isInPanic ? "panic" : "\(up)/\(all)",
                        number: all == 0 ? 0 : Double(up) / Double(all),
                        style: up == all && !cluster.isInPanic
                            ? .good : up == 0 || cluster.isInPanic ? .bad : .warning),
                    .duration(quantile(counts?.added, 0.99)), .amount(cluster.queued, .warning),
                    .amount(cluster.endpoints.reduce(0) { $0 + $1.inUse }),
                    .amount(cluster.endpoints.reduce(0) { $0 + $1.idle }), .amount(cluster.counts.ended),
                ])
        }
        return table
    }

    func endpoints(of name: String) -> TopTable {
        var table = TopTable([
            Column(name: "ENDPOINT", width: 18, isText: true, isFlexible: true),
            Column(name: "REQ/S", width: 6), Column(name: "ERR/S", width: 6),
            Column(name: "STATE", width: 9, isText: true), Column(name: "WAIT", width: 7),
            Column(name: "P99", width: 7), Column(name: "USED", width: 6), Column(name: "IDLE", width: 6),
            Column(name: "WAITING", width: 8), Column(name: "WEIGHT", width: 7),
            Column(name: "WHY", width: 10, isText: true, isFlexible: true),
        ])
        let endpoints = sample.clusters.first { $0.name == name }?.endpoints ?? []
        table.rows = endpoints.map { endpoint in
            let counts = interval.map { $0.counts(endpoint: endpoint.name, of: name) }
            let why =
                endpoint.ejectedFor.isEmpty
                ? "" : "for \(TopText.age(endpoint.ejectedUntil)): \(endpoint.ejectedFor)"
            return TopTable.Row(
                key: endpoint.name,
                cells: [
                    .text(endpoint.name, .strong),
                    .rate(interval.flatMap { $0.perSecond(counts?.ended ?? 0) }),
                    .rate(interval.flatMap { $0.perSecond(counts?.failed ?? 0) }, .bad),
                    .text(
                        endpoint.state,
                        endpoint.state == "healthy" ? .good : endpoint.state == "unhealthy" ? .bad : .warning),
                    .duration(counts?.wait.mean), .duration(quantile(counts?.wait, 0.99)),
                    .amount(endpoint.inUse), .amount(endpoint.idle), .amount(endpoint.waiting, .warning),
                    .amount(Double(endpoint.weight)), .text(why),
                ])
        }
        return table
    }

    var listeners: TopTable {
        var table = TopTable([
            Column(name: "LISTENER", width: 21, isText: true, isFlexible: true),
            Column(name: "REQ/S", width: 6), Column(name: "ERR/S", width: 6), Column(name: "P50", width: 7),
            Column(name: "P90", width: 7), Column(name: "P99", width: 7), Column(name: "ADD.P50", width: 8),
            Column(name: "ADD.P99", width: 8), Column(name: "REQUESTS", width: 9),
        ])
        table.rows = sample.listeners.map { listener in
            let counts = interval.map { $0.counts(listener: listener.address) }
            return TopTable.Row(
                key: listener.address,
                cells: [
                    .text(listener.address, .strong),
                    .rate(interval.flatMap { $0.perSecond(counts?.ended ?? 0) }),
                    .rate(interval.flatMap { $0.perSecond(counts?.failed ?? 0) }, .bad),
                    .duration(quantile(counts?.duration, 0.5)), .duration(quantile(counts?.duration, 0.9)),
                    .duration(quantile(counts?.duration, 0.99)), .duration(quantile(counts?.added, 0.5)),
                    .duration(quantile(counts?.added, 0.99)), .amount(listener.counts.ended),
                ])
        }
        return table
    }

    var exchanges: TopTable {
        var table = TopTable([
            Column(name: "AGE", width: 7), Column(name: "STATE", width: 10, isText: true),
            Column(name: "REQUEST", width: 26, isText: true, isFlexible: true),
            Column(name: "WAITS FOR", width: 30, isText: true, isFlexible: true),
            Column(name: "CLIENT", width: 15, isText: true), Column(name: "CLUSTER", width: 10, isText: true),
            Column(name: "TRIES", width: 6), Column(name: "ID", width: 16, isText: true),
        ])
        table.rows = sample.exchanges.map { exchange in
            TopTable.Row(
                key: exchange.id.isEmpty
                    ? "\(exchange.worker) \(exchange.client) \(exchange.request)" : exchange.id,
                cells: [
                    TopTable.Cell(
                        text: TopText.age(exchange.age), number: exchange.age,
                        style: exchange.age >= 10 ? .bad : exchange.age >= 1 ? .warning : .plain),
                    .text(exchange.state), .text(exchange.request, .strong), .text(exchange.waitsFor),
                    .text(exchange.client), .text(exchange.cluster), .amount(Double(exchange.attempts)),
                    .text(exchange.id),
                ])
        }
        return table
    }

    var workers: TopTable {
        var table = TopTable([
            Column(name: "WORKER", width: 7), Column(name: "REQ/S", width: 6),
            Column(name: "TURNS/S", width: 8),
            Column(name: "C/TURN", width: 7), Column(name: "ENOBUFS/S", width: 10),
            Column(name: "OVERFLOWS", width: 10), Column(name: "CONNS", width: 7),
            Column(name: "EXCH.", width: 6), Column(name: "LATE", width: 5, isText: true),
            Column(name: "STREAMS", width: 8), Column(name: "SHORT/S", width: 8),
            Column(name: "REFUSED", width: 8), Column(name: "BUFFERS", width: 9),
        ])
        table.rows = sample.workers.map { worker in
            func rate(_ name: String) -> Double? {
                interval.map { $0.perSecond($0.count(name, worker: worker.number)) }
            }
            let turns = interval?.count("turns", worker: worker.number) ?? 0
            let completions = interval?.count("completions", worker: worker.number) ?? 0
            return TopTable.Row(
                key: "\(worker.number)",
                cells: [
                    TopTable.Cell(text: "\(worker.number)", number: Double(-worker.number), style: .strong),
                    .rate(rate("requests")), .rate(rate("turns")),
                    .rate(turns > 0 ? completions / turns : nil), .rate(rate("slices_exhausted"), .warning),
                    .amount(worker["completion_overflows"], .bad), .amount(worker["downstream_connections"]),
                    .amount(worker["exchanges"]), worker.isLate ? .text("late", .bad) : .text("no"),
                    .amount(worker["streams"]), .rate(rate("short_sends")),
                    .amount(worker["entry_failures"], .bad),
                    TopTable.Cell(
                        text: TopText.bytes(worker["buffers_leased_bytes"]),
                        number: worker["buffers_leased_bytes"]),
                ])
        }
        return table
    }

    /// What of the counters' names tells that something went wrong.
    private static let signs = [
        "failures", "refus", "timeouts_", "aborts", "truncated", "errors", "exhausted", "exceeded", "denied",
        "floods",
        "stale", "alerted", "incompatible", "malformed", "abandoned", "untrusted", "expired", "revoked",
        "missing",
        "starved", "skipped", "panic", "fallbacks", "pauses", "retries", "reset", "goaways",
    ]

    /// What has gone wrong since the process began: exchanges that failed, by their cause, and counters.
    var errors: TopTable {
        var table = TopTable([
            Column(name: "CAUSE", width: 24, isText: true, isFlexible: true), Column(name: "PER S", width: 8),
            Column(name: "TOTAL", width: 9), Column(name: "KIND", width: 8, isText: true),
        ])
        func add(_ name: String, _ kind: String, _ total: Double, _ counted: [String: Double]?) {
            let rate = interval.flatMap { $0.perSecond(counted?[name] ?? 0) }
            table.rows.append(
                TopTable.Row(
                    key: "\(kind) \(name)",
                    cells: [.text(name, .strong), .rate(rate, .bad), .amount(total), .text(kind)]))
        }
        for (name, total) in sample.failures.sorted(by: { ($1.value, $0.key) < ($0.value, $1.key) })
        where total > 0 {
            add(name, "failure", total, interval?.failures)
        }
        for (name, total) in sample.counters.sorted(by: { ($1.value, $0.key) < ($0.value, $1.key) })
        where total > 0 && Self.signs.contains(where: name.contains) {
            add(name, "counter", total, interval?.counters)
        }
        return table
    }
}
