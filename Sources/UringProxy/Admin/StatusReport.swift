internal import CPosix
internal import Synchronization

/// How things stand, as JSON: what `uproxy top`, the status page and whoever else asks the admin listener are told. Durations are in
/// seconds, sizes in bytes, counts since the process began; whoever wants a rate asks twice.
struct StatusReport {
    let server: Server
    let survey: Server.Survey
    let configuration: Configuration
    let plans: [ClusterPlan]
    private let isDraining: Bool
    /// Of all workers, by cluster and endpoint.
    private let pools: [PoolKey: PoolView]

    private struct PoolKey: Hashable {
        var cluster: String
        var endpoint: String
    }

    init(_ server: Server, _ survey: Server.Survey, isDraining: Bool) {
        self.server = server
        self.survey = survey
        self.isDraining = isDraining
        configuration = server.configuration
        plans = server.clusterPlans
        var pools: [PoolKey: PoolView] = [:]
        for pool in survey.all.flatMap(\.pools) {
            let key = PoolKey(cluster: pool.cluster, endpoint: pool.endpoint)
            pools[key] = pools[key].map { $0 + pool } ?? pool
        }
        self.pools = pools
    }

    /// All but single connections.
    func overview(_ json: inout JSONText) {
        json.object("process") { process(&$0) }
        workers(&json)
        json.object("counters") { json in
            let all = server.workers
            for counter in Counter.allCases {
                json.member(
                    "\(counter.description.name)", all.reduce(into: UInt64(0)) { $0 &+= $1.counters[counter] }
                )
            }
        }
        json.object("failures") { json in
            let all = server.workers
            for failure in ProxyError.allCases where failure != .none {
                let count = all.reduce(into: UInt64(0)) { $0 &+= $1.counters[failure] }
                if count > 0 { json.member("\(failure.label)", count) }
            }
        }
        json.object("connections") { phases(&$0) }
        json.object("exchange_states") { json in
            for state in Exchange.State.allCases {
                json.member(
                    "\(state.label)", survey.all.reduce(0) { $0 + $1.exchangeStates[Int(state.rawValue)] })
            }
        }
        json.object("memory") { memory(&$0) }
        json.array("bounds", HistogramScale.bounds) { $0.value(Double($1) / 1e9) }
        listeners(&json)
        clusters(&json)
        exchanges(&json, atLeast: .min, limit: 500)
    }

    // MARK: - The process

    func process(_ json: inout JSONText) {
        let facts = ProcessFacts(files: .system)
        json.member("version", UproxyVersion.current)
        json.member("pid", getpid())
        json.member("ready", !isDraining)
        let now = Double(cposix_realtime_nanoseconds()) / 1e9
        json.member("now", now)
        if let start = facts.startSeconds { json.member("uptime_seconds", max(0, now - start)) }
        if let seconds = facts.cpuSeconds { json.member("cpu_seconds", seconds) }
        if let bytes = facts.residentBytes { json.member("resident_bytes", bytes) }
        if let count = facts.openDescriptors { json.member("open_descriptors", count) }
        if let count = facts.mostDescriptors { json.member("descriptor_limit", count) }
        json.member("engine", server.summary.last ?? "")
        json.member("configuration_reloads", server.reloadCounters.done.load(ordering: .relaxed))
        json.member("configuration_reloads_refused", server.reloadCounters.refused.load(ordering: .relaxed))
    }

    func workers(_ json: inout JSONText) {
        json.array("workers", Array(server.workers.enumerated())) { json, numbered in
            let (index, worker) = numbered
            let gauges = worker.gauges
            json.object { json in
                json.member("worker", index)
                // It has not taken a turn while it was waited for.
                json.member("late", survey.late.contains(index))
                json.member("downstream_connections", gauges.downstreamConnections.load(ordering: .relaxed))
                json.member("streams", gauges.streams.load(ordering: .relaxed))
                json.member("connection_slots", gauges.connections.load(ordering: .relaxed))
                json.member("exchanges", gauges.exchanges.load(ordering: .relaxed))
                json.member("turns", gauges.turns.load(ordering: .relaxed))
                json.member("completions", gauges.completions.load(ordering: .relaxed))
                json.member("slices_exhausted", gauges.slicesExhausted.load(ordering: .relaxed))
                json.member("completion_overflows", gauges.completionOverflows.load(ordering: .relaxed))
                json.member("entry_failures", gauges.entryFailures.load(ordering: .relaxed))
                json.member("short_sends", gauges.shortSends.load(ordering: .relaxed))
                json.member("buffers_leased_bytes", gauges.leasedBytes.load(ordering: .relaxed))
                json.member("buffers_peak_bytes", gauges.peakLeasedBytes.load(ordering: .relaxed))
                json.member("requests", worker.counters[Counter.requests])
            }
        }
    }

    private func phases(_ json: inout JSONText) {
        func object(_ side: Connection.Side, _ counts: (Inspection.Answer) -> [Int]) {
            json.object("\(side.label)") { json in
                for phase in Connection.Phase.allCases {
                    let count = survey.all.reduce(0) { $0 + counts($1)[Int(phase.rawValue)] }
                    if count > 0 { json.member("\(phase.label)", count) }
                }
            }
        }
        object(.downstream, \.downstreamPhases)
        object(.upstream, \.upstreamPhases)
    }

    private func memory(_ json: inout JSONText) {
        for (name, bytes) in survey.memory { json.member("\(name)", bytes) }
    }

    // MARK: - Listeners

    func listeners(_ json: inout JSONText) {
        let counts = counts(.listener)
        json.array("listeners", server.openListeners) { json, open in
            json.object { json in
                let address = open.address.description
                json.member("address", address)
                json.member("role", "\(open.listener.role)")
                json.member("tls", open.listener.tls != nil)
                if let own = counts[address] { exchanges(own, &json) }
            }
        }
    }

    /// What exchanges came to, by their names of a kind.
    private func counts(_ kind: HistogramRegistry.Kind) -> [String: ExchangeCounts] {
        let workers = server.workers.map(\.histograms)
        var found: [String: ExchangeCounts] = [:]
        for row in server.registries.histograms.rows where row.kind == kind {
            var counts = ExchangeCounts(kind)
            for worker in workers { worker.read(row.number, into: &counts) }
            found[kind == .endpoint ? "\(row.cluster)/\(row.name)" : row.name] = counts
        }
        return found
    }

    private static let classes = ["none", "1xx", "2xx", "3xx", "4xx", "5xx"]

    /// What exchanges of a name came to; histograms as counts up to each of `bounds`, and of all.
    private func exchanges(_ counts: ExchangeCounts, _ json: inout JSONText) {
        json.object("responses") { json in
            for (name, count) in zip(Self.classes, counts.statuses) where count > 0 {
                json.member(name, count)
            }
        }
        json.member("request_bytes", counts.requestBytes)
        json.member("response_bytes", counts.responseBytes)
        func histogram(_ name: String, _ histogram: Histogram?) {
            guard let histogram else { return }
            json.object(name) { json in
                json.member("sum", Double(histogram.sum) / 1e9)
                json.array("cumulative", histogram.cumulative) { $0.value($1) }
            }
        }
        histogram("duration", counts.total)
        histogram("added", counts.added)
        histogram("upstream_wait", counts.wait)
    }

    // MARK: - Clusters

    func clusters(_ json: inout JSONText) {
        let (clusters, endpoints) = (counts(.cluster), counts(.endpoint))
        json.array("clusters", plans) { json, plan in
            json.object { cluster(plan, clusters, endpoints, &$0) }
        }
    }

    func cluster(_ index: Int, _ json: inout JSONText) {
        cluster(plans[index], counts(.cluster), counts(.endpoint), &json)
    }

    private func cluster(
        _ plan: ClusterPlan, _ clusters: [String: ExchangeCounts], _ endpoints: [String: ExchangeCounts],
        _ json: inout JSONText
    ) {
        json.member("name", plan.name)
        json.member("balance", plan.policy.rawValue)
        json.member("panic", plan.health?.isPanic ?? false)
        if let gate = plan.limits?.gate.view {
            json.member("queued", gate.waiting)
            json.member("under_way", gate.underWay)
        }
        if let counts = clusters[plan.name] { exchanges(counts, &json) }
        let configured = configuration.allClusters.first { $0.name == plan.name }
        let listed = server.listedEndpoints(of: plan, configured)
        let now = cposix_monotonic_nanoseconds()
        json.array("endpoints", listed) { json, endpoint in
            json.object { json in
                let identity = endpoint.upstream.identity
                json.member("endpoint", identity)
                json.member("weight", endpoint.upstream.weight)
                let health = endpoint.place.flatMap { plan.health?.endpoints[$0] }
                state(endpoint, health, now, &json)
                let pool = pools[PoolKey(cluster: plan.name, endpoint: identity)] ?? PoolView()
                json.member("idle", pool.idle)
                json.member("in_use", pool.inUse)
                json.member("waiting", pool.waiting)
                json.member("under_way", pool.underWay)
                if let counts = endpoints["\(plan.name)/\(endpoint.upstream.name)"] {
                    exchanges(counts, &json)
                }
            }
        }
    }

    private func state(
        _ endpoint: Server.ListedEndpoint, _ health: EndpointHealth?, _ now: Int64, _ json: inout JSONText
    ) {
        let state =
            endpoint.isDrained
            ? "drained"
            : health?.checkedState == .unhealthy
                ? "unhealthy"
                : health?.isOnTrial ?? false ? "on_trial" : health?.isEjected ?? false ? "ejected" : "healthy"
        json.member("state", state)
        guard let health, !endpoint.isDrained else { return }
        json.member("checked", health.checkedState != .nothing)
        if health.isEjected {
            json.member("ejected_for", health.ejectionReason.text)
            json.member("ejected_until_seconds", nanoseconds: max(0, health.trialDueAt - now))
        }
        json.member("ejections", health.ejections.load(ordering: .relaxed))
    }

    // MARK: - Exchanges and connections

    /// Those under way, the oldest first.
    func exchanges(_ json: inout JSONText, atLeast youngest: Int64, limit: Int) {
        let oldest = survey.all.flatMap(\.exchanges).sorted { $0.age > $1.age }.filter { $0.age >= youngest }
        json.member("exchanges_under_way", survey.all.reduce(0) { $0 + $1.exchangeStates.reduce(0, +) })
        json.array("late_workers", survey.late) { $0.value($1) }
        json.array("exchanges", oldest.prefix(limit)) { json, exchange in
            json.object { self.exchange(exchange, &$0) }
        }
    }

    private func exchange(_ exchange: ExchangeView, _ json: inout JSONText) {
        if exchange.id != 0 { json.member("id", exchangeID(exchange.id)) }
        json.member("worker", exchange.worker)
        json.member("age", nanoseconds: exchange.age)
        json.member("state", exchange.state)
        json.member("waits_for", exchange.waitsFor)
        if exchange.stage.utf8CodeUnitCount > 0 {
            json.member("stage", exchange.stage)
            json.member("stage_age", nanoseconds: exchange.stageAge)
        }
        json.member("kind", exchange.kind)
        json.member("protocol", exchange.version)
        let texts = [
            ("method", exchange.method), ("host", exchange.host), ("path", exchange.path),
            ("client", exchange.client), ("listener", exchange.listener), ("route", exchange.route),
            ("cluster", exchange.cluster), ("endpoint", exchange.endpoint),
        ]
        for (name, text) in texts where !text.isEmpty { json.member(name, text) }
        json.member("attempts", exchange.attempts)
        json.member("request_bytes", exchange.requestBytes)
        json.member("request_done", exchange.isRequestDone)
        json.member("downstream", exchange.downstream)
        if let upstream = exchange.upstream { json.member("upstream", upstream) }
    }

    func connections(_ json: inout JSONText, limit: Int) {
        json.member("count", survey.all.reduce(0) { $0 + $1.connectionCount })
        json.array("late_workers", survey.late) { $0.value($1) }
        json.object("phases") { phases(&$0) }
        json.array("connections", survey.all.flatMap(\.connections).prefix(limit)) { json, connection in
            json.object { json in
                json.member("worker", connection.worker)
                json.member("slot", connection.slot)
                json.member("side", connection.side.label)
                json.member("phase", connection.phase.label)
                json.member("phase_age", nanoseconds: connection.phaseAge)
                json.member("idle", nanoseconds: connection.idle)
                json.member("peer", connection.peer)
                if !connection.listener.isEmpty { json.member("listener", connection.listener) }
                json.member("requests", connection.requests)
                json.member("input_bytes", connection.inputBytes)
                json.member("output_bytes", connection.outputBytes)
                json.member("tls", connection.isSecure)
                json.member("stream", connection.isStream)
                json.member("streams", connection.streams)
                if connection.descriptor >= 0 { json.member("descriptor", connection.descriptor) }
            }
        }
    }
}

extension PoolView {
    static func + (a: PoolView, b: PoolView) -> PoolView {
        var sum = a
        sum.idle += b.idle
        sum.inUse += b.inUse
        sum.waiting += b.waiting
        sum.underWay += b.underWay
        return sum
    }
}
