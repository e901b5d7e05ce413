// The process as a whole, in a few lines: a name each, and figures.
extension TopPicture {
    /// So wide are the names of lines.
    private static let indent = 12

    private func line(_ name: String, _ figures: [(name: String, value: String)]) -> TopLine {
        var line = TopLine(name, .strong)
        line.pad(to: Self.indent)
        for (index, figure) in figures.enumerated() {
            if index > 0 { line.add("  ") }
            if !figure.name.isEmpty { line.add("\(figure.name) ", .faint) }
            line.add(figure.value)
        }
        return line
    }

    /// Version, process and how it does, in a line.
    var header: TopLine {
        let process = sample.process
        var line = TopLine("uproxy \(process.version)", .strong)
        line.add("  pid \(process.pid)  up \(TopText.age(process.uptime))  ")
        line.add(process.isReady ? "ready" : "draining", process.isReady ? .good : .warning)
        let late = sample.workers.count { $0.isLate }
        if late > 0 { line.add("  \(late) late", .bad) }
        line.add("  CPU \(TopText.percent(interval?.cpu))  mem \(TopText.bytes(process.residentBytes))")
        let (open, limit) = (process.openDescriptors, process.descriptorLimit)
        line.add(
            "  fds \(TopText.fixed(open, 0))/\(TopText.amount(limit))",
            limit > 0 && open > 0.8 * limit ? .warning : .plain)
        line.add("  \(process.engine.prefix { $0 != "(" && $0 != "," }.trimmingSpaces)")
        return line
    }

    func summary(_ palette: TopPalette) -> [TopLine] {
        let total = interval?.total
        func rate(_ counter: String) -> Double? { interval?.rate(counter) }
        var lines: [TopLine] = []

        var requests = line("requests", [("", "\(TopText.rate(rate("requests_total")))/s")])
        for (name, style) in [
            ("2xx", TopStyle.good), ("3xx", .plain), ("4xx", .warning), ("5xx", .bad), ("none", .bad),
        ] {
            let value = interval.map { $0.perSecond(total?.responses[name] ?? 0) }
            requests.add("  \(name) ", .faint)
            requests.add(TopText.rate(value), value ?? 0 > 0 ? style : .plain)
        }
        requests.add("  |\(TopText.bars(self.requests.suffix(30), isUnicode: palette.isUnicode))|", .faint)
        lines.append(requests)

        func bytes(_ name: String) -> String { "\(TopText.bytes(rate(name)))/s" }
        lines.append(
            line(
                "bytes",
                [
                    ("from clients", bytes("downstream_received_bytes_total")),
                    ("to clients", bytes("downstream_sent_bytes_total")),
                    ("from upstreams", bytes("upstream_received_bytes_total")),
                    ("to upstreams", bytes("upstream_sent_bytes_total")),
                ]))

        func quantiles(_ histogram: TopHistogram?) -> [(name: String, value: String)] {
            [("p50", 0.5), ("p90", 0.9), ("p99", 0.99)].map { name, part in
                (name, TopText.duration(histogram?.quantile(part, bounds: sample.bounds)))
            } + [("mean", TopText.duration(histogram?.mean))]
        }
        lines.append(line("latency", quantiles(total?.duration)))
        let (added, duration) = (total?.added.sum ?? 0, total?.duration.sum ?? 0)
        lines.append(
            line(
                "added",
                quantiles(total?.added)
                    + [("of latency", TopText.percent(duration > 0 ? added / duration : nil))]))

        lines.append(line("clients", Self.phases(sample.downstream)))
        lines.append(line("upstreams", Self.phases(sample.upstream)))
        lines.append(
            line(
                "exchanges",
                [("", "\(TopText.amount(sample.underWay)) under way")] + Self.largest(sample.exchangeStates)))

        let (reused, opened) = (
            rate("upstream_connections_reused_total"), rate("upstream_connections_opened_total")
        )
        let uses = (reused ?? 0) + (opened ?? 0)
        let endpoints = sample.clusters.flatMap(\.endpoints)
        lines.append(
            line(
                "pools",
                [
                    ("reused", TopText.percent(uses > 0 ? (reused ?? 0) / uses : nil)),
                    ("opened", "\(TopText.rate(opened))/s"),
                    ("idle", TopText.amount(endpoints.reduce(0) { $0 + $1.idle })),
                    ("used", TopText.amount(endpoints.reduce(0) { $0 + $1.inUse })),
                    ("lent", "\(TopText.rate(rate("upstream_connections_lent_total")))/s"),
                    ("borrowed", "\(TopText.rate(rate("upstream_connections_borrowed_total")))/s"),
                    ("stale", "\(TopText.rate(rate("upstream_connections_stale_total")))/s"),
                ]))

        let turns = interval?.sum("turns") ?? 0
        func workers(_ name: String) -> Double { sample.workers.reduce(0) { $0 + $1[name] } }
        lines.append(
            line(
                "ring",
                [
                    ("turns", "\(TopText.rate(interval.map { $0.perSecond(turns) }))/s"),
                    (
                        "completions/turn",
                        TopText.rate(turns > 0 ? (interval?.sum("completions") ?? 0) / turns : nil)
                    ),
                    (
                        "ENOBUFS",
                        "\(TopText.rate(interval.map { $0.perSecond($0.sum("slices_exhausted")) }))/s"
                    ),
                    ("overflows", TopText.amount(workers("completion_overflows"))),
                    ("late", "\(sample.workers.count { $0.isLate })"),
                ]))
        lines.append(line("memory", Self.largest(sample.memory, TopText.bytes)))
        lines.append(errorLine)
        return lines
    }

    /// The causes that are the most frequent now.
    private var errorLine: TopLine {
        var line = TopLine("errors", .strong)
        line.pad(to: Self.indent)
        guard let interval else {
            line.add("-")
            return line
        }
        let now = interval.failures.filter { $0.value > 0 }.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
        if now.isEmpty { line.add("none now") }
        for (index, failure) in now.prefix(6).enumerated() {
            line.add("\(index > 0 ? "  " : "")\(failure.key) ", .faint)
            line.add("\(TopText.rate(interval.perSecond(failure.value)))/s", .bad)
        }
        return line
    }

    /// How many there are, and in which phases.
    private static func phases(_ counts: [String: Double]) -> [(name: String, value: String)] {
        [("", TopText.amount(counts.values.reduce(0, +)))] + largest(counts)
    }

    private static func largest(
        _ counts: [String: Double], _ text: (Double) -> String = TopText.amount
    ) -> [(name: String, value: String)] {
        counts.filter { $0.value > 0 }.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map {
            ($0.key, text($0.value))
        }
    }
}

extension Substring {
    /// Without spaces at its end.
    fileprivate var trimmingSpaces: Substring {
        var text = self
        while text.last == " " { text.removeLast() }
        return text
    }
}

extension [(name: String, value: String)] {
    fileprivate static func + (
        a: [(name: String, value: String)], b: [(name: String, value: String)]
    ) -> [(name: String, value: String)] {
        var both = a
        both.append(contentsOf: b)
        return both
    }
}
