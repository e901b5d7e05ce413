// What exchanges came to, by listener, route, cluster and endpoint. As many lines as the configuration has of those that served
// one; what requests say of themselves adds none.
extension MetricsReport {
    /// A name with exchanges.
    private struct Named {
        let labels: String
        let counts: ExchangeCounts
    }

    private static let classes = ["none", "1xx", "2xx", "3xx", "4xx", "5xx"]

    mutating func exchanges(_ server: Server) {
        let registry = server.registries.histograms
        let workers = server.workers.map(\.histograms)
        var names: [Named] = []
        var endpoints: [Named] = []
        for row in registry.rows {
            var counts = ExchangeCounts(row.kind)
            for worker in workers { worker.read(row.number, into: &counts) }
            if counts.count == 0 { continue }
            switch row.kind {
            case .listener: names.append(Named(labels: Self.labels(["listener": row.name]), counts: counts))
            case .route: names.append(Named(labels: Self.labels(["route": row.name]), counts: counts))
            case .cluster: names.append(Named(labels: Self.labels(["cluster": row.name]), counts: counts))
            case .endpoint:
                let labels = Self.labels(["cluster": row.cluster, "endpoint": row.name])
                endpoints.append(Named(labels: labels, counts: counts))
            }
        }
        exchanges(names)
        stages(names.filter { $0.counts.kind == .cluster })
        self.endpoints(endpoints)
        metric(
            "exchange_names_refused_total",
            "Names of listeners, routes, clusters and endpoints that are counted as 'other', for want of a place.",
            "counter", "\(registry.refused)")
        metric(
            "exchange_counts_bytes", "Memory that counts of exchanges by name may use.", "gauge",
            "\(workers.reduce(0) { $0 + $1.sizeBytes })")
    }

    /// Each exchange has a sample of its listener, of its route and of its cluster.
    private mutating func exchanges(_ names: [Named]) {
        counts(
            "", names,
            classHelp: "Exchanges by the class of their status, 'none' where nothing was answered.")
        histograms(
            "request_duration_seconds",
            "From the first byte of a request to the last one of its response.", names, \.total)
        histograms("added_duration_seconds", "What the proxy added to it.", names, \.added)
        histograms(
            "upstream_wait_seconds", "Of it, what the upstream took to answer.",
            names.filter { $0.counts.kind == .cluster }, \.wait)
    }

    private mutating func endpoints(_ endpoints: [Named]) {
        counts(
            "endpoint_", endpoints,
            classHelp: "Exchanges that ended at an endpoint, by the class of their status.")
        histograms(
            "endpoint_upstream_wait_seconds", "What an endpoint took to answer.", endpoints, \.wait)
    }

    private mutating func counts(_ prefix: String, _ names: [Named], classHelp: String) {
        header("\(prefix)requests_by_status_total", classHelp, "counter")
        for name in names {
            for (label, count) in zip(Self.classes, name.counts.statuses) where count > 0 {
                sample("\(prefix)requests_by_status_total", "\(name.labels),class=\"\(label)\"", "\(count)")
            }
        }
        header("\(prefix)request_bytes_total", "Content of their requests.", "counter")
        for name in names {
            sample("\(prefix)request_bytes_total", name.labels, "\(name.counts.requestBytes)")
        }
        header("\(prefix)response_bytes_total", "Content of their responses.", "counter")
        for name in names {
            sample("\(prefix)response_bytes_total", name.labels, "\(name.counts.responseBytes)")
        }
    }

    private mutating func histograms(
        _ name: String, _ help: String, _ names: [Named], _ histogram: (ExchangeCounts) -> Histogram?
    ) {
        header(name, help, "histogram")
        for named in names {
            if let histogram = histogram(named.counts) { samples(name, named.labels, histogram) }
        }
    }

    /// The ledger, of clusters: the stages' sum is that of the durations.
    private mutating func stages(_ clusters: [Named]) {
        let stages = Ledger.Stage.allCases.map { (stage: $0, label: ",stage=\"\($0.label)\"") }
        header("stage_seconds_total", "Where the time of exchanges went.", "counter")
        for cluster in clusters {
            for (stage, label) in stages {
                sample(
                    "stage_seconds_total", cluster.labels + label, Self.seconds(cluster.counts[stage].sum))
            }
        }
        header(
            "stage_duration_seconds", "Time in a stage, of those exchanges that spent any there.",
            "histogram")
        for cluster in clusters {
            for (stage, label) in stages {
                let histogram = cluster.counts[stage]
                if histogram.count > 0 {
                    samples("stage_duration_seconds", cluster.labels + label, histogram)
                }
            }
        }
    }
}
