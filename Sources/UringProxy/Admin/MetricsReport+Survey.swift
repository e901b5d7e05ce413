// How connections, exchanges and pools stand, as workers say when they are asked. As many lines as the configuration has endpoints.
extension MetricsReport {
    mutating func survey(_ survey: Server.Survey) {
        metric(
            "workers_late", "Workers that have not said how they stand: their turn takes too long.", "gauge",
            "\(survey.late.count)")
        header("connections_by_phase", "Connections by side and phase.", "gauge")
        for phase in Connection.Phase.allCases {
            if phase.isDownstream { count(.downstream, phase, survey.all.map(\.downstreamPhases)) }
            if phase.isUpstream { count(.upstream, phase, survey.all.map(\.upstreamPhases)) }
        }
        header("exchanges_by_state", "Exchanges under way, by what they wait for.", "gauge")
        for state in Exchange.State.allCases {
            let count = survey.all.reduce(0) { $0 + $1.exchangeStates[Int(state.rawValue)] }
            sample("exchanges_by_state", Self.labels(["state": "\(state.label)"]), "\(count)")
        }
        header("memory_bytes", "Memory of the workers, by what it is for.", "gauge")
        for (name, bytes) in survey.memory {
            sample("memory_bytes", Self.labels(["class": "\(name)"]), "\(bytes)")
        }
        pools(survey)
    }

    private mutating func count(_ side: Connection.Side, _ phase: Connection.Phase, _ counts: [[Int]]) {
        let count = counts.reduce(0) { $0 + $1[Int(phase.rawValue)] }
        let labels = Self.labels(["side": "\(side.label)", "phase": "\(phase.label)"])
        sample("connections_by_phase", labels, "\(count)")
    }

    private mutating func pools(_ survey: Server.Survey) {
        var order: [String] = []
        var pools: [String: PoolView] = [:]
        for pool in survey.all.flatMap(\.pools) {
            let cluster = pool.cluster.isEmpty ? "dynamic" : pool.cluster
            let endpoint = pool.cluster.isEmpty ? "dynamic" : pool.endpoint
            let labels = Self.labels(["cluster": cluster, "endpoint": endpoint])
            if pools[labels] == nil { order.append(labels) }
            pools[labels] = pools[labels].map { $0 + pool } ?? pool
        }
        func family(_ name: String, _ help: String, _ value: (PoolView) -> Int) {
            header(name, help, "gauge")
            for labels in order { sample(name, labels, "\(pools[labels].map(value) ?? 0)") }
        }
        family("pool_idle_connections", "Idle connections to an endpoint.", \.idle)
        family("pool_connections_in_use", "Connections to it that requests use, or open.", \.inUse)
        family("pool_waiting_requests", "Requests that wait for a stream of one of them.", \.waiting)
        family("pool_requests", "Requests that it has been chosen for, and that are under way.", \.underWay)
    }
}
