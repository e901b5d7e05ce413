import CPosix
import Testing

@testable import UringProxy

@Suite("Relays (layer 4)", .blocking)
struct RelayTests {
    private func proxy(
        _ driver: TestDriver, _ endpoints: [String], change: (inout Configuration) -> Void = { _ in }
    ) throws -> TestProxy {
        try TestProxy(driver, upstreams: []) { configuration in
            configuration.listenAddresses = []
            configuration.listeners = [
                ListenerConfiguration(address: "127.0.0.1:0", role: .tcp, cluster: "c")
            ]
            configuration.clusters = [ClusterConfiguration(name: "c", endpoints: endpoints)]
            change(&configuration)
        }
    }

    @Test(
        "Bytes pass both ways as they are, whoever speaks first, and each end by itself",
        arguments: TestDriver.offered)
    func bothWays(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try proxy(driver, [origin.address])
        let client = try proxy.connect()
        // The server speaks first, as with mail and databases.
        let upstream = try origin.accept()
        try upstream.send("220 hello\r\n")
        try client.expect("220 hello\r\n")
        try client.send("\u{0}\u{FF}GET / HTTP/1.1\r\n")
        try upstream.expect("\u{0}\u{FF}GET / HTTP/1.1\r\n")
        client.finish()
        try upstream.expectEnd()
        try upstream.send("bye")
        try client.expect("bye")
        upstream.finish()
        try client.expectEnd()
        try proxy.wait(for: "the end of the tunnel") { proxy[.tunnelsClosed] == 1 }
        #expect(proxy[.requests] == 0 && proxy[.responses2xx] == 0 && proxy[.localResponses] == 0)
    }

    @Test(
        "What was sent before the upstream was connected arrives, and its end behind it",
        arguments: TestDriver.offered)
    func earlyEnd(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try proxy(driver, [origin.address])
        let client = try proxy.connect()
        try client.send("one\n")
        client.finish()
        let upstream = try origin.accept()
        try upstream.expect("one\n")
        try upstream.expectEnd()
        try upstream.send("two\n")
        upstream.finish()
        try client.expect("two\n")
        try client.expectEnd()
    }

    @Test(
        "A dead endpoint is passed over; with all of them dead the client is reset",
        arguments: TestDriver.offered)
    func dead(_ driver: TestDriver) throws {
        let origins = [try TestOrigin(), try TestOrigin()]
        let proxy = try proxy(driver, origins.map(\.address))
        origins[0].close()
        for _ in 0..<4 {
            let client = try proxy.connect()
            try client.send("x")
            let upstream = try origins[1].accept()
            try upstream.expect("x")
        }
        origins[1].close()
        let client = try proxy.connect()
        #expect(try client.receiveUntilClosed() == ("", true))
        #expect(proxy[.localResponses] == 0)
    }

    @Test("A long stream arrives whole and in order", arguments: TestDriver.offered)
    func long(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try proxy(driver, [origin.address])
        let client = try proxy.connect()
        let upstream = try origin.accept()
        let bytes = pattern(3_000_000)
        let sender = client.sendAside(pattern(3_000_000))
        #expect(difference(try upstream.receive(exactly: bytes.count), bytes) == nil)
        sender.join()
    }

    @Test("Connections per client are limited as everywhere", arguments: TestDriver.offered)
    func limit(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try proxy(driver, [origin.address]) { $0.limitConnectionsPerClient = 1 }
        let first = try proxy.connect()
        _ = try origin.accept()
        let second = try proxy.connect()
        try second.expectEnd()
        #expect(proxy[.clientLimitRefusals] == 1)
        first.close()
    }

    @Test("A relay takes and sends the PROXY protocol, before everything else", arguments: TestDriver.offered)
    func proxyProtocol(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try proxy(driver, [origin.address]) { configuration in
            configuration.trust.proxyProtocol = .require
            configuration.upstreamProxyProtocol = .v1
        }
        let client = try proxy.connect()
        try client.send("PROXY TCP4 192.0.2.7 198.51.100.9 4711 443\r\n")
        let upstream = try origin.accept()
        // The server may speak first.
        try upstream.send("220\r\n")
        try client.expect("220\r\n")
        try client.send("x")
        try upstream.expect("PROXY TCP4 192.0.2.7 198.51.100.9 4711 443\r\nx")
        let other = try proxy.connect()
        try other.send("GET / HTTP/1.1\r\n")
        try other.expectEnd()
        #expect(proxy[.proxyHeadersRefused] == 1)
    }
}
