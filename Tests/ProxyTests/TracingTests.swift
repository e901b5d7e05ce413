import CPosix
import Synchronization
import TestSupport
import Testing

@testable import UringProxy

@Suite("Tracing", .blocking)
struct TracingTests {
    private static let trace = "0af7651916cd43dd8448eb211c80319c"
    private static let span = "b7ad6b7169203331"
    private static let parent = "00-\(trace)-\(span)-01"

    private func traced(_ change: (inout TracingConfiguration) -> Void = { _ in }) -> TracingConfiguration {
        var tracing = TracingConfiguration()
        change(&tracing)
        return tracing
    }

    private func values(_ name: String, _ head: String) -> [String] {
        head.split(separator: "\r\n").compactMap { line in
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2, parts[0].lowercased() == name else { return nil }
            return String(parts[1].drop { $0 == " " })
        }
    }

    /// What an origin is told, and what a client is answered.
    private func forwarded(
        _ fields: String, _ proxy: TestProxy, _ origin: TestOrigin, target: String = "/a"
    ) throws -> (request: String, answer: String) {
        let client = try proxy.connect()
        try client.send("GET \(target) HTTP/1.1\r\nHost: h\r\n\(fields)\r\n")
        let upstream = try origin.accept()
        let head = try upstream.receiveHead()
        try upstream.send("HTTP/1.1 204 No Content\r\nServer-Timing: db;dur=1\r\nConnection: close\r\n\r\n")
        return (head, try client.receiveHead())
    }

    @Test(
        "Where nothing is done about traces, their fields pass as all others", arguments: TestDriver.offered)
    func off(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TestProxy(driver, origin)
        let fields = "traceparent: x\r\nTraceparent: y\r\ntracestate: z\r\n"
        let (head, answer) = try forwarded(fields, proxy, origin)
        #expect(head == "GET /a HTTP/1.1\r\nHost: h\r\n\(fields)\r\n")
        #expect(values("server-timing", answer) == ["db;dur=1"])
        var configuration = TracingConfiguration()
        configuration.isOn = false
        _ = try proxy.reload { $0.tracing = configuration }
        #expect(try forwarded(fields, proxy, origin).request == head)
    }

    @Test("A trace goes on or begins, and the endpoint is told our span", arguments: TestDriver.offered)
    func fields(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TestProxy(driver, origin) { $0.tracing = traced() }
        let (head, _) = try forwarded(
            "A: b\r\nTraceParent: \(Self.parent)\r\ntracestate: k=v\r\nC: d\r\n", proxy, origin)
        let told = values("traceparent", head)
        #expect(told.count == 1)
        #expect(told[0].hasPrefix("00-\(Self.trace)-") && told[0].hasSuffix("-01") && told[0] != Self.parent)
        #expect(
            head
                == "GET /a HTTP/1.1\r\nHost: h\r\nA: b\r\ntracestate: k=v\r\nC: d\r\ntraceparent: \(told[0])\r\n\r\n"
        )
        for bad in [
            "", "traceparent: \(Self.parent)-x\r\ntracestate: k=v\r\n",
            "traceparent: \(Self.parent)\r\ntraceparent: \(Self.parent)\r\ntracestate: k=v\r\n",
            "tracestate: k=v\r\n",
        ] {
            let (head, _) = try forwarded(bad, proxy, origin)
            let told = values("traceparent", head)
            #expect(told.count == 1 && told[0].utf8.count == 55 && told[0].hasSuffix("-03"), "\(bad)")
            #expect(!told[0].contains(Self.trace), "\(bad)")
            #expect(values("tracestate", head) == [], "\(bad)")
        }
        #expect(proxy[.tracesContinued] == 1 && proxy[.tracesBegun] == 4 && proxy[.tracesSampled] == 5)
        let old = try forwarded("traceparent: \(Self.parent)\r\n", proxy, origin).request
        _ = try proxy.reload { $0.tracing?.sample = 0 }
        #expect(values("traceparent", try forwarded("", proxy, origin).request)[0].hasSuffix("-02"))
        _ = try proxy.reload { $0.tracing?.parent = .resample }
        let resampled = try forwarded("traceparent: \(Self.parent)\r\n", proxy, origin).request
        #expect(values("traceparent", resampled)[0].hasPrefix("00-\(Self.trace)-"))
        #expect(values("traceparent", resampled)[0].hasSuffix("-00"))
        _ = try proxy.reload { $0.tracing?.parent = .ignore }
        let ignored = try forwarded("traceparent: \(Self.parent)\r\n", proxy, origin).request
        #expect(!ignored.contains(Self.trace) && old.contains(Self.trace))
        _ = try proxy.reload { $0.tracing = nil }
        #expect(values("traceparent", try forwarded("", proxy, origin).request) == [])
    }

    @Test("The routes' changes stay beside it, and so do answers of routes", arguments: TestDriver.offered)
    func routes(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let tracing = traced()
        let changed = RouteProxy.route {
            $0.path = "/a"
            $0.cluster = "a"
            $0.requestEdits.set = [FieldEdits.Field(name: "X-A", value: "{path}")]
            $0.responseEdits.set = [FieldEdits.Field(name: "X-B", value: "c")]
        }
        let own = RouteProxy.route {
            $0.path = "/own"
            $0.response = RouteConfiguration.Response(status: 200, body: "hi")
            $0.responseEdits.set = [FieldEdits.Field(name: "X-B", value: "c")]
        }
        let plain = RouteProxy.route {
            $0.path = "/plain"
            $0.cluster = "a"
            $0.serverTiming = false
        }
        let proxy = try RouteProxy.start(driver, [origin], [changed, own, plain]) {
            $0.tracing = tracing
            $0.serverTiming = true
        }
        let (head, answer) = try forwarded("traceparent: \(Self.parent)\r\n", proxy, origin)
        #expect(values("x-a", head) == ["/a"] && values("traceparent", head).count == 1)
        #expect(values("x-b", answer) == ["c"])
        let timings = values("server-timing", answer)
        #expect(timings.count == 2 && timings[0] == "db;dur=1" && timings[1].hasPrefix("uproxy;dur="))
        let bare = try forwarded("", proxy, origin, target: "/plain")
        #expect(values("server-timing", bare.answer) == ["db;dur=1"])
        #expect(values("x-a", bare.request) == [] && values("traceparent", bare.request).count == 1)
        let client = try proxy.connect()
        for _ in 0..<3 {
            try client.send("GET /own HTTP/1.1\r\nHost: h\r\n\r\n")
            let (head, body) = try client.receiveResponse()
            #expect(body == "hi" && values("x-b", head) == ["c"])
            #expect(values("server-timing", head).count == 1)
            // Refused before a route was found.
            try client.send("GET /none HTTP/1.1\r\nHost: h\r\n\r\n")
            let refused = try client.receiveResponse().head
            #expect(refused.hasPrefix("HTTP/1.1 404") && values("x-b", refused) == [])
            #expect(values("server-timing", refused).count == 1)
        }
    }

    @Test(
        "A trace is of the exchange that it was made for, whatever waits in between",
        arguments: TestDriver.offered)
    func retried(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TestProxy(driver, origin) { $0.tracing = traced() }
        let client = try proxy.connect()
        try client.send(Messages.get)
        let first = try origin.accept()
        let before = values("traceparent", try first.receiveHead())
        try first.send(Messages.ok)
        try client.expect(Messages.ok)
        // The connection turns out to be dead: the same request goes by another one.
        try client.send(Messages.get)
        let dying = values("traceparent", try first.receiveHead())
        first.reset()
        let second = try origin.accept()
        let after = values("traceparent", try second.receiveHead())
        #expect(after == dying && after != before)
        try second.send(Messages.ok)
        try client.expect(Messages.ok)
    }

    // MARK: - Spans

    /// A collector that keeps what it gets.
    private func collector(_ bodies: Locked<[[UInt8]]>) throws -> ServedOrigin {
        try ServedOrigin { head, body in
            guard head.hasPrefix("POST /v1/traces ") else {
                return "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
            }
            bodies.withLock { $0.append(body) }
            return "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
        }
    }

    private func spanCount(_ bodies: [[UInt8]]) -> Int {
        func inner(_ bytes: ArraySlice<UInt8>, _ wanted: UInt64) -> [ArraySlice<UInt8>] {
            var reader = ProtobufReader(bytes)
            var found: [ArraySlice<UInt8>] = []
            while let (field, value) = reader.next() {
                if field == wanted, case .bytes(let bytes) = value { found.append(bytes) }
            }
            return found
        }
        return bodies.flatMap { inner($0[...], 1) }.flatMap { inner($0, 2) }.flatMap { inner($0, 2) }.count
    }

    private func exported(_ proxy: TestProxy) -> UInt64 {
        proxy.server.traceExporter?.counters.exported.load(ordering: .relaxed) ?? 0
    }

    @Test("Spans come to the collector, and to another one after a reload", arguments: TestDriver.offered)
    func spans(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let (first, second) = (Locked<[[UInt8]]>([]), Locked<[[UInt8]]>([]))
        let (one, other) = (try collector(first), try collector(second))
        let proxy = try TestProxy(driver, origin)
        _ = try forwarded("", proxy, origin)
        #expect(proxy.server.traceExporter == nil)
        _ = try proxy.reload {
            $0.tracing = traced {
                $0.export = TracingConfiguration.Export(endpoint: "http://\(one.address)")
                $0.export?.interval = .milliseconds(20)
            }
        }
        for _ in 0..<3 { _ = try forwarded("", proxy, origin) }
        try proxy.wait(for: "six spans") { exported(proxy) == 6 }
        _ = try proxy.reload { $0.tracing?.export?.endpoint = "http://\(other.address)/v1/traces" }
        _ = try forwarded("", proxy, origin)
        try proxy.wait(for: "eight spans") { exported(proxy) == 8 }
        _ = try proxy.reload { $0.tracing?.export = nil }
        _ = try forwarded("", proxy, origin)
        _ = try proxy.reload {
            $0.tracing?.export = TracingConfiguration.Export(endpoint: "http://\(other.address)/v1/traces")
            $0.tracing?.export?.interval = .seconds(3600)
        }
        _ = try forwarded("", proxy, origin)
        // What waits is sent at the end.
        proxy.end()
        one.end()
        other.end()
        #expect(spanCount(first.withLock { $0 }) == 6)
        #expect(spanCount(second.withLock { $0 }) == 4)
        #expect(exported(proxy) == 10 && proxy.server.traceExporter?.droppedCount == 0)
        let metrics = MetricsReport.render(proxy.server)
        #expect(metrics.contains("\nuproxy_trace_spans_total{result=\"exported\"} 10\n"))
    }

    @Test("A collector by its name", arguments: TestDriver.offered)
    func named(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let bodies = Locked<[[UInt8]]>([])
        let collector = try collector(bodies)
        let port = collector.address.split(separator: ":").last ?? ""
        let proxy = try TestProxy(driver, origin) {
            $0.tracing = traced {
                $0.export = TracingConfiguration.Export(endpoint: "http://localhost:\(port)")
                $0.export?.interval = .zero
            }
        }
        _ = try forwarded("", proxy, origin)
        try proxy.wait(for: "two spans") { exported(proxy) == 2 }
        proxy.end()
        collector.end()
    }

    @Test(
        "A collector that is not there delays no exchange and no end, and every span is counted",
        arguments: TestDriver.offered)
    func absent(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let nobody = try TestOrigin.nobody()
        let proxy = try TestProxy(driver, origin) {
            $0.tracing = traced {
                $0.export = TracingConfiguration.Export(endpoint: "http://\(nobody)")
                $0.export?.interval = .milliseconds(1)
                $0.export?.batch = 4
                $0.export?.queue = 10
            }
        }
        for _ in 0..<20 { _ = try forwarded("", proxy, origin) }
        try proxy.wait(for: "the others to be dropped") { proxy.server.traceExporter?.droppedCount == 30 }
        proxy.end()
        #expect(proxy.server.traceExporter?.droppedCount == 40)
        #expect(exported(proxy) == 0)
        let told = proxy.log.withLock { $0.filter { $0.contains("refused the connection") } }
        #expect(told.count == 1, "\(told)")
    }
}
