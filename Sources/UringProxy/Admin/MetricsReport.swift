internal import Synchronization

/// The metrics as Prometheus and others read them: what all workers counted, added up.
struct MetricsReport {
    private let format: MetricsFormat
    private(set) var text = ""

    init(_ format: MetricsFormat = .text) { self.format = format }

    /// - Parameter survey: what workers say of themselves; nil: they were not asked.
    static func render(
        _ server: Server, _ format: MetricsFormat = .text, _ survey: Server.Survey? = nil
    ) -> String {
        let workers = server.workers
        var report = MetricsReport(format)
        report.build()
        for counter in Counter.allCases {
            let (name, help) = counter.description
            let value = workers.reduce(into: UInt64(0)) { $0 += $1.counters[counter] }
            report.metric("\(name)", "\(help)", "counter", "\(value)")
        }
        report.failures(workers)
        report.engine(workers)
        report.reloads(server.reloadCounters)
        let limiters = server.rateLimiters
        if !limiters.isEmpty { report.limits(limiters) }
        if let geo = server.geoSource { report.databases(geo) }
        if let tls = server.tlsSource { report.certificates(tls, server.registries.tlsReloads) }
        if let handshakes = server.handshakeLimit { report.handshakes(handshakes) }
        if let writer = server.accessLogWriter { report.accessLog(writer) }
        if let exporter = server.traceExporter { report.tracing(exporter) }
        if let recorder = server.flightRecorder { report.flightRecorder(recorder) }
        if let resolver = server.resolverCounters { report.names(resolver) }
        let health = server.clusterHealth
        if !health.isEmpty { report.health(health) }
        report.limits(server.limitedClusters)
        report.limits(server.limitedListeners)
        report.discovery(server.discoveredClusters)
        report.priorities(server.rankedClusters)
        report.zones(server.zonedClusters)
        report.exchanges(server)
        if let survey { report.survey(survey) }
        report.process(ProcessFacts(files: .system))
        return report.finished
    }

    // MARK: - The format

    /// Begins a family of samples.
    ///
    /// - Parameters:
    ///   - name: less the prefix `uproxy_`; that of a counter ends in `_total`.
    ///   - type: counter, gauge or histogram.
    mutating func header(_ name: String, _ help: String, _ type: String) {
        let name = Self.fullName(name)
        switch format {
        case .text: text += "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n"
        case .openMetrics:
            let family = type == "counter" && name.hasSuffix("_total") ? String(name.dropLast(6)) : name
            text += "# TYPE \(family) \(type)\n"
            for unit in ["seconds", "bytes"] where family.hasSuffix("_\(unit)") {
                text += "# UNIT \(family) \(unit)\n"
            }
            text += "# HELP \(family) \(Self.escaped(help))\n"
        }
    }

    /// - Parameter labels: as `labels` writes them; empty: none.
    mutating func sample(_ name: String, _ labels: String, _ value: String) {
        text +=
            labels.isEmpty
            ? "\(Self.fullName(name)) \(value)\n" : "\(Self.fullName(name)){\(labels)} \(value)\n"
    }

    /// A family of one sample.
    mutating func metric(_ name: String, _ help: String, _ type: String, _ value: String) {
        header(name, help, type)
        sample(name, "", value)
    }

    /// Cumulative counts, their number and their sum, in seconds.
    mutating func samples(_ name: String, _ labels: String, _ histogram: Histogram) {
        let counts = histogram.cumulative
        for (bound, count) in zip(Self.bounds, counts) {
            sample("\(name)_bucket", "\(labels),le=\"\(bound)\"", "\(count)")
        }
        sample("\(name)_sum", labels, Self.seconds(histogram.sum))
        sample("\(name)_count", labels, "\(counts.last ?? 0)")
    }

    /// What ends it.
    var finished: String { format == .openMetrics ? text + "# EOF\n" : text }

    private static let bounds = HistogramScale.bounds.map { seconds(UInt64($0)) } + ["+Inf"]

    static func seconds(_ nanoseconds: UInt64) -> String { "\(Double(nanoseconds) / 1e9)" }

    static func labels(_ pairs: KeyValuePairs<String, String>) -> String {
        pairs.map { "\($0)=\"\(escaped($1))\"" }.joined(separator: ",")
    }

    /// The value of a label: the path of a socket may hold anything.
    private static func escaped(_ text: String) -> String {
        if text.utf8.allSatisfy({ $0 != 0x5C && $0 != 0x22 && $0 != 0x0A }) { return text }
        return text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
    }

    /// Those of the process have the names that they have everywhere.
    private static func fullName(_ name: String) -> String {
        name.hasPrefix("process_") ? name : "uproxy_\(name)"
    }

    // MARK: - What workers counted

    private mutating func build() {
        header("build_info", "What runs.", "gauge")
        sample("build_info", Self.labels(["version": UproxyVersion.current]), "1")
    }

    private mutating func failures(_ workers: [Worker]) {
        header("failures_total", "Exchanges that failed, by cause.", "counter")
        for failure in ProxyError.allCases where failure != .none {
            let value = workers.reduce(into: UInt64(0)) { $0 += $1.counters[failure] }
            sample("failures_total", Self.labels(["cause": "\(failure.label)"]), "\(value)")
        }
    }

    private mutating func engine(_ workers: [Worker]) {
        func sum(_ value: (Gauges) -> Int) -> String {
            "\(workers.reduce(into: 0) { $0 += value($1.gauges) })"
        }
        func total(_ value: (Gauges) -> UInt64) -> String {
            "\(workers.reduce(into: UInt64(0)) { $0 += value($1.gauges) })"
        }
        metric("workers", "Threads that serve.", "gauge", "\(workers.count)")
        metric(
            "downstream_connections", "Open downstream connections.", "gauge",
            sum { $0.downstreamConnections.load(ordering: .relaxed) })
        metric(
            "http2_streams_in_progress", "Requests of HTTP/2 connections under way.", "gauge",
            sum { $0.streams.load(ordering: .relaxed) })
        metric(
            "connection_slots", "Connections of both sides that hold a slot.", "gauge",
            sum { $0.connections.load(ordering: .relaxed) })
        metric("exchanges", "Exchanges under way.", "gauge", sum { $0.exchanges.load(ordering: .relaxed) })
        metric(
            "tls_sessions", "Connections that have a session of TLS, with clients and with endpoints.",
            "gauge",
            sum { $0.tlsSessions.load(ordering: .relaxed) })
        metric(
            "buffer_leased_bytes", "Buffer memory in use.", "gauge",
            sum { $0.leasedBytes.load(ordering: .relaxed) })
        metric(
            "buffer_peak_bytes", "The most buffer memory that was in use.", "gauge",
            sum { $0.peakLeasedBytes.load(ordering: .relaxed) })
        // What was closed first: none is to be missing from those that were opened.
        let closed = workers.reduce(into: UInt64(0)) { $0 += $1.counters[Counter.upstreamClosed] }
        let opened = workers.reduce(into: UInt64(0)) { $0 += $1.counters[Counter.upstreamOpened] }
        metric(
            "upstream_connections", "Open upstream connections, idle ones too.", "gauge",
            "\(opened - min(closed, opened))")
        metric(
            "turns_total", "Kernel entries that wait (io_uring_enter or epoll_wait).", "counter",
            total { $0.turns.load(ordering: .relaxed) })
        metric(
            "completions_total", "Completions handled.", "counter",
            total { $0.completions.load(ordering: .relaxed) })
        metric(
            "short_sends_total", "Sends that left bytes over.", "counter",
            total { $0.shortSends.load(ordering: .relaxed) })
        metric(
            "splice_calls_total", "Calls of splice(2), two for each time a pipe is filled and emptied.",
            "counter", total { $0.splices.load(ordering: .relaxed) })
        metric(
            "slices_exhausted_total", "Receives that found no slice (ENOBUFS).", "counter",
            total { $0.slicesExhausted.load(ordering: .relaxed) })
        metric(
            "completion_overflows_total", "Completions that did not fit the ring.", "counter",
            total { $0.completionOverflows.load(ordering: .relaxed) })
        metric(
            "turn_failures_total", "Waits that failed.", "counter",
            total { $0.entryFailures.load(ordering: .relaxed) })
        metric(
            "spins_total", "Waits that began with a spin (--busy-poll).", "counter",
            total { $0.spins.load(ordering: .relaxed) })
        metric(
            "spins_paid_total", "Spins that something came of, so that nothing had to be woken.", "counter",
            total { $0.spinsPaid.load(ordering: .relaxed) })
        metric(
            "spin_seconds_total", "Time spent spinning.", "counter",
            Self.seconds(workers.reduce(into: 0) { $0 += $1.gauges.spinNanoseconds.load(ordering: .relaxed) })
        )
    }

    private mutating func reloads(_ reloads: ReloadCounters) {
        metric(
            "reloads_total", "Configurations taken up by the running process.", "counter",
            "\(reloads.done.load(ordering: .relaxed))")
        metric(
            "reloads_refused_total", "Reloads that changed nothing, for what was wrong.", "counter",
            "\(reloads.refused.load(ordering: .relaxed))")
    }

    private mutating func limits(_ limiters: [RateLimiter]) {
        func each(_ name: String, _ help: String, _ count: RateLimiter.Count) {
            header(name, help, "counter")
            for limiter in limiters {
                sample(name, Self.labels(["limit": limiter.name]), "\(limiter[count])")
            }
        }
        each("rate_limit_exceeded_total", "Requests and connections refused for a rate limit.", .exceeded)
        each("rate_limit_observed_total", "Those that exceeded one that only observes.", .observed)
        each(
            "rate_limit_evictions_total", "Keys forgotten before their time, for want of room (size).",
            .evicted)
    }

    private mutating func databases(_ geo: GeoSource) {
        metric(
            "geo_reloads_total", "Geo databases that were opened anew.", "counter",
            "\(geo.counts.reloads)")
        metric(
            "geo_reload_failures_total", "New files of geo databases that could not be used.", "counter",
            "\(geo.counts.failures)")
    }

    private mutating func names(_ resolver: ResolverCounters) {
        func value(_ counter: borrowing Atomic<UInt64>) -> String { "\(counter.load(ordering: .relaxed))" }
        metric("resolver_queries_total", "Names asked of the resolver.", "counter", value(resolver.queries))
        metric("resolver_cache_hits_total", "Answered from its cache.", "counter", value(resolver.cacheHits))
        metric("resolver_lookups_total", "Names asked of the servers.", "counter", value(resolver.lookups))
        metric("resolver_not_found_total", "Names that do not exist.", "counter", value(resolver.notFound))
        metric(
            "resolver_timeouts_total", "Names no server answered for in time.", "counter",
            value(resolver.timeouts))
        metric("resolver_failures_total", "Names that failed otherwise.", "counter", value(resolver.failures))
    }
}
