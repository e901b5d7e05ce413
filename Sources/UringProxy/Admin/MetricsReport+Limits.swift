// What clusters and listeners with limits are doing. As many lines as the configuration has of them.
extension MetricsReport {
    private mutating func adaptiveLimits(_ clusters: [ClusterPlan]) {
        let adaptive = clusters.compactMap { cluster in cluster.limits?.adaptive.map { (cluster.name, $0) } }
        if adaptive.isEmpty { return }
        header("cluster_adaptive_limit", "Requests that may be without an answer at a time.", "gauge")
        for (name, gate) in adaptive {
            sample("cluster_adaptive_limit", Self.labels(["cluster": name]), "\(gate.view.current)")
        }
        header(
            "cluster_latency_floor_seconds", "How long answers take under little load; 0: not known yet.",
            "gauge")
        for (name, gate) in adaptive {
            let seconds = Double(gate.floor) / 1e9
            sample("cluster_latency_floor_seconds", Self.labels(["cluster": name]), "\(seconds)")
        }
    }

    private mutating func connections(_ clusters: [ClusterPlan]) {
        let limited = clusters.compactMap { cluster in
            cluster.limits.flatMap { limits in
                limits.connectionGate.map { (cluster.name, $0.view, limits.settings.connections) }
            }
        }
        if limited.isEmpty { return }
        header(
            "cluster_connections", "Connections to its endpoints, idle ones too, where there is a limit.",
            "gauge")
        for (name, gate, _) in limited {
            sample("cluster_connections", Self.labels(["cluster": name]), "\(gate.underWay)")
        }
        header("cluster_connections_limit", "How many there may be.", "gauge")
        for (name, _, limit) in limited {
            sample("cluster_connections_limit", Self.labels(["cluster": name]), "\(limit)")
        }
        header("cluster_connections_awaited", "Requests that wait for one of them to be closed.", "gauge")
        for (name, gate, _) in limited {
            sample("cluster_connections_awaited", Self.labels(["cluster": name]), "\(gate.waiting)")
        }
    }

    private mutating func endpointRequests(_ clusters: [ClusterPlan]) {
        if clusters.isEmpty { return }
        endpoints(
            "endpoint_requests", "Exchanges under way, where endpoint_requests limits them.", "gauge",
            clusters.map { cluster in
                let caps = zip(cluster.endpoints, cluster.limits?.endpoints ?? [])
                return (cluster.name, caps.map { ($0.identity, UInt64($1.view.underWay)) })
            })
    }

    mutating func limits(_ listeners: [OpenListener]) {
        if listeners.isEmpty { return }
        func each(_ name: String, _ help: String, _ type: String, _ value: (OpenListener) -> UInt64) {
            header(name, help, type)
            for listener in listeners {
                sample(name, Self.labels(["listener": listener.address.description]), "\(value(listener))")
            }
        }
        each("listener_connections", "Open connections, where max_connections limits them.", "gauge") {
            UInt64($0.load.connections)
        }
        each("listener_connections_limit", "How many there may be.", "gauge") {
            UInt64($0.listener.maxConnections)
        }
        each("listener_refused_total", "Connections refused for max_connections.", "counter") {
            $0.load.refused
        }
    }

    mutating func limits(_ clusters: [ClusterPlan]) {
        let gates = clusters.compactMap { cluster in cluster.limits.map { (cluster.name, $0.gate.view) } }
        if gates.isEmpty { return }
        func line(_ name: String, _ cluster: String, _ value: some BinaryInteger) {
            sample(name, Self.labels(["cluster": cluster]), "\(value)")
        }
        adaptiveLimits(clusters)
        connections(clusters)
        endpointRequests(clusters.filter { $0.limits?.isCapped ?? false })
        header("cluster_requests", "Exchanges under way, where there is a limit.", "gauge")
        for (name, gate) in gates { line("cluster_requests", name, gate.underWay) }
        header("cluster_queued", "Requests that wait for one of them to end.", "gauge")
        for (name, gate) in gates { line("cluster_queued", name, gate.waiting) }
        header("cluster_refused_total", "Requests refused for the limit, by cause.", "counter")
        for (name, gate) in gates {
            let causes = [
                (ProxyError.circuitOpen, gate.refused), (.loadShed, gate.shed), (.queueTimeout, gate.expired),
            ]
            for (cause, count) in causes {
                let labels = Self.labels(["cluster": name, "cause": "\(cause.label)"])
                sample("cluster_refused_total", labels, "\(count)")
            }
        }
    }
}
