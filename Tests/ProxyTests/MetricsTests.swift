import TestSupport
import Testing

@testable import UringProxy

@Suite("Metrics", .blocking)
struct MetricsTests {
    private func times(_ stages: KeyValuePairs<Ledger.Stage, Int64>) -> Ledger.Times {
        var times = Ledger.Times()
        for (stage, nanoseconds) in stages { times[stage] = nanoseconds }
        return times
    }

    /// A proxy of two workers that count an exchange each, and nothing else: nobody connects.
    private func proxy() throws -> TestProxy {
        let cluster = ClusterConfiguration(name: "app", endpoints: ["127.0.0.1:9"])
        let proxy = try TestProxy(.epoll, cluster: cluster) { $0.threads = 2 }
        let registry = proxy.server.registries.histograms
        let rows = ExchangeRows(
            listener: registry.row(.listener, "unix:/run/\"a\\b\".sock"),
            route: registry.row(.route, "site/0"),
            cluster: registry.row(.cluster, "app"),
            endpoint: registry.row(.endpoint, "127.0.0.1:9", of: "app"))
        _ = registry.row(.route, "unused")
        let workers = proxy.server.workers
        workers[0].histograms.observe(
            rows, status: 200, times: times([.connect: 1_500_000, .wait: 200_000_000]), requestBytes: 3,
            responseBytes: 40)
        workers[1].histograms.observe(
            rows, status: 0, times: times([.wait: 70_000_000_000]), requestBytes: 4, responseBytes: 0)
        return proxy
    }

    @Test func exchangesAreAddedUpByName() throws {
        let metrics = MetricsReport.render(try proxy().server)
        for line in [
            "# TYPE uproxy_request_duration_seconds histogram",
            #"uproxy_request_duration_seconds_bucket{cluster="app",le="0.1"} 0"#,
            #"uproxy_request_duration_seconds_bucket{cluster="app",le="0.25"} 1"#,
            #"uproxy_request_duration_seconds_bucket{cluster="app",le="60.0"} 1"#,
            #"uproxy_request_duration_seconds_bucket{cluster="app",le="+Inf"} 2"#,
            #"uproxy_request_duration_seconds_sum{cluster="app"} 70.2015"#,
            #"uproxy_request_duration_seconds_count{cluster="app"} 2"#,
            #"uproxy_request_duration_seconds_count{route="site/0"} 2"#,
            #"uproxy_added_duration_seconds_sum{route="site/0"} 0.0015"#,
            #"uproxy_added_duration_seconds_bucket{route="site/0",le="0.001"} 1"#,
            #"uproxy_upstream_wait_seconds_sum{cluster="app"} 70.2"#,
            #"uproxy_requests_by_status_total{cluster="app",class="2xx"} 1"#,
            #"uproxy_requests_by_status_total{cluster="app",class="none"} 1"#,
            #"uproxy_request_bytes_total{cluster="app"} 7"#,
            #"uproxy_response_bytes_total{listener="unix:/run/\"a\\b\".sock"} 40"#,
            #"uproxy_stage_seconds_total{cluster="app",stage="connect"} 0.0015"#,
            #"uproxy_stage_seconds_total{cluster="app",stage="tls"} 0.0"#,
            #"uproxy_stage_duration_seconds_count{cluster="app",stage="connect"} 1"#,
            #"uproxy_endpoint_requests_by_status_total{cluster="app",endpoint="127.0.0.1:9",class="2xx"} 1"#,
            #"uproxy_endpoint_upstream_wait_seconds_count{cluster="app",endpoint="127.0.0.1:9"} 2"#,
        ] {
            #expect(metrics.contains("\n\(line)\n"), "\(line)")
        }
        #expect(!metrics.contains("unused") && !metrics.contains("\"other\""))
        #expect(!metrics.contains(#"class="5xx""#))
        #expect(!metrics.contains(#"uproxy_stage_duration_seconds_count{cluster="app",stage="tls"}"#))
        #expect(metrics.contains("\nprocess_resident_memory_bytes "))
    }

    @Test func openMetricsNamesFamiliesAndEnds() throws {
        let metrics = MetricsReport.render(try proxy().server, .openMetrics)
        #expect(
            metrics.contains(
                "\n# TYPE uproxy_downstream_sent_bytes counter\n# UNIT uproxy_downstream_sent_bytes bytes\n# HELP uproxy_downstream_sent_bytes Bytes sent downstream.\nuproxy_downstream_sent_bytes_total 0\n"
            ))
        #expect(
            metrics.contains(
                "# TYPE uproxy_stage_seconds counter\n# UNIT uproxy_stage_seconds seconds\n"))
        #expect(metrics.hasSuffix("\n# EOF\n"))
        // A counter's family may not be another one's.
        let families = metrics.split(separator: "\n").filter { $0.hasPrefix("# TYPE ") }
            .map { $0.split(separator: " ")[2] }
        #expect(Set(families).count == families.count)
    }

    @Test func adminAnswersWithWhatIsAccepted() throws {
        let proxy = try proxy()
        let admin = try AdminServer(address: "127.0.0.1:0", server: proxy.server)
        try admin.start()
        defer { admin.stop() }
        func ask(_ path: String, _ more: String = "") throws -> (head: String, body: String) {
            let socket = try TestSocket(to: admin.boundAddress)
            try socket.send("GET \(path) HTTP/1.1\r\nHost: admin\r\n\(more)\r\n")
            return try socket.receiveResponse()
        }
        let text = try ask("/metrics")
        #expect(text.head.contains("\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"))
        #expect(!text.body.contains("# EOF"))
        let open = try ask(
            "/metrics", "accept:application/openmetrics-text;version=1.0.0,text/plain;q=0.5\r\n")
        #expect(
            open.head.contains(
                "\r\nContent-Type: application/openmetrics-text; version=1.0.0; charset=utf-8\r\n"))
        #expect(open.body.hasSuffix("# EOF\n"))
        let ready = try ask("/ready", "Accept: application/openmetrics-text\r\n")
        #expect(ready.head.contains("\r\nContent-Type: text/plain; charset=utf-8\r\n"))
        #expect(ready.body == "ok\n")
    }
}
