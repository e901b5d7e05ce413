import CPosix
import Synchronization
import TestSupport
import Testing

@testable import UringProxy

@Suite("Access log", .blocking)
struct AccessLogTests {
    private func exchange(_ client: TestSocket, _ upstream: TestSocket) throws {
        try client.send(Messages.get)
        try upstream.expect(Messages.get)
        try upstream.send(Messages.ok)
        try client.expect(Messages.ok)
    }

    /// A first exchange.
    private func begin(_ proxy: TestProxy, _ origin: TestOrigin) throws -> (TestSocket, TestSocket) {
        let client = try proxy.connect()
        try client.send(Messages.get)
        let upstream = try origin.accept()
        try upstream.expect(Messages.get)
        try upstream.send(Messages.ok)
        try client.expect(Messages.ok)
        return (client, upstream)
    }

    private func log(_ path: String, _ format: String) -> AccessLogConfiguration {
        var log = AccessLogConfiguration(to: path)
        log.format = format
        return log
    }

    private func written(_ proxy: TestProxy) -> UInt64 {
        proxy.server.accessLogWriter?.counters.records.load(ordering: .relaxed) ?? 0
    }

    @Test("What was logged is in the file once the proxy has ended", arguments: TestDriver.offered)
    func ends(_ driver: TestDriver) throws {
        let directory = try TemporaryDirectory()
        let origin = try TestOrigin()
        let proxy = try TestProxy(driver, origin) {
            $0.accessLog = log(directory.path + "a.log", "{method} {status} {cluster}")
        }
        let (client, upstream) = try begin(proxy, origin)
        for _ in 0..<4 { try exchange(client, upstream) }
        proxy.end()
        #expect(directory.text("a.log") == String(repeating: "GET 200 upstream\n", count: 5))
        let metrics = MetricsReport.render(proxy.server)
        #expect(metrics.contains("\nuproxy_access_log_records_total 5\n"))
        #expect(metrics.contains("\nuproxy_access_log_dropped_total 0\n"))
    }

    @Test("Reloads: from none to a log, to another one, and back to none", arguments: TestDriver.offered)
    func reloads(_ driver: TestDriver) throws {
        let directory = try TemporaryDirectory()
        let origin = try TestOrigin()
        let proxy = try TestProxy(driver, origin)
        let (client, upstream) = try begin(proxy, origin)
        #expect(proxy.server.accessLogWriter == nil)
        try proxy.wait(for: "the end of an exchange that is not logged") { proxy[.exchangesFinished] == 1 }
        _ = try proxy.reload { $0.accessLog = log(directory.path + "a.log", "a {status}") }
        for _ in 0..<3 { try exchange(client, upstream) }
        try proxy.wait(for: "three records") { written(proxy) == 3 }
        _ = try proxy.reload { $0.accessLog = log(directory.path + "b.log", "b {status}") }
        for _ in 0..<2 { try exchange(client, upstream) }
        try proxy.wait(for: "five records") { written(proxy) == 5 }
        _ = try proxy.reload { $0.accessLog?.format = "c {status}" }
        try exchange(client, upstream)
        try proxy.wait(for: "six records") { written(proxy) == 6 }
        _ = try proxy.reload { $0.accessLog = nil }
        try exchange(client, upstream)
        proxy.end()
        #expect(directory.text("a.log") == "a 200\na 200\na 200\n")
        #expect(directory.text("b.log") == "b 200\nb 200\nc 200\n")
        #expect(proxy.server.accessLogWriter?.droppedCount == 0)
    }

    @Test(
        "Who ends while nothing is logged leaves nothing to whoever has its place when something is again",
        arguments: TestDriver.offered)
    func pause(_ driver: TestDriver) throws {
        let directory = try TemporaryDirectory()
        let origin = try TestOrigin()
        let proxy = try TestProxy(driver, origin) {
            $0.accessLog = log(directory.path + "a.log", "{target} {status} {response_bytes}")
        }
        let client = try proxy.connect()
        try client.send("GET /first HTTP/1.1\r\nHost: h\r\n\r\n")
        let upstream = try origin.accept()
        _ = try upstream.receiveHead()
        _ = try proxy.reload { $0.accessLog = nil }
        try upstream.send(Messages.ok)
        try client.expect(Messages.ok)
        try client.send("GET /second HTTP/1.1\r\nHost: h\r\n\r\n")
        _ = try upstream.receiveHead()
        // It began when nobody kept notes, and ends when somebody does: with more content than the first one had announced.
        try upstream.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        try client.expect("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        _ = try proxy.reload {
            $0.accessLog = log(directory.path + "b.log", "{target} {status} {response_bytes}")
        }
        let body = String(repeating: "x", count: 1000)
        try upstream.send(body)
        try client.expect(body)
        try exchange(client, upstream)
        proxy.end()
        #expect(directory.text("a.log") == "")
        #expect(directory.text("b.log") == "/a 200 2\n")
    }

    @Test("A reload to a log that cannot be opened changes nothing", arguments: TestDriver.offered)
    func refused(_ driver: TestDriver) throws {
        let directory = try TemporaryDirectory()
        let origin = try TestOrigin()
        let proxy = try TestProxy(driver, origin) { $0.accessLog = log(directory.path + "a.log", "{status}") }
        #expect(throws: TestFailure.self) {
            _ = try proxy.reload { $0.accessLog = log(directory.path + "none/b.log", "{status}") }
        }
        _ = try begin(proxy, origin)
        proxy.end()
        #expect(directory.text("a.log") == "200\n")
    }
}
