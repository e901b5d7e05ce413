import TestSupport
import Testing

@testable import UringProxy

/// TLS that is passed on by the server name that it asks for.
@Suite("Passthrough by server name", .blocking)
struct PassthroughTests {
    /// A listener for `a.test`, `*.b.test` and the rest, or no rest.
    private func proxy(
        _ driver: TestDriver, _ a: String, _ b: String, rest: String? = nil,
        change: (inout Configuration) -> Void = { _ in }
    ) throws -> TestProxy {
        try TestProxy(driver, upstreams: []) {
            $0.listenAddresses = []
            var listener = ListenerConfiguration(
                address: "127.0.0.1:0", role: .tcp, cluster: rest.map { _ in "rest" })
            listener.serverNames = [
                ServerNameRule(names: ["a.test"], cluster: "a"),
                ServerNameRule(names: ["*.b.test"], cluster: "b"),
            ]
            $0.listeners = [listener]
            $0.clusters = [
                ClusterConfiguration(name: "a", endpoints: [a]),
                ClusterConfiguration(name: "b", endpoints: [b]),
            ]
            if let rest { $0.clusters.append(ClusterConfiguration(name: "rest", endpoints: [rest])) }
            change(&$0)
        }
    }

    /// What a library says first that asks for a host.
    private func hello(_ host: String?) throws -> [UInt8] {
        let client = TLSClient(host)
        _ = try client.shakeHands()
        return client.take()
    }

    /// What `socket` sends next is the same at the other end.
    private func expect(_ bytes: [UInt8], at socket: TestSocket) throws {
        let came = try socket.receive(exactly: bytes.count)
        #expect(came == bytes)
    }

    @Test("Clients shake hands with the server whose name they ask for", arguments: TestDriver.offered)
    func names(_ driver: TestDriver) throws {
        var origins: [ServedOrigin] = []
        for name in ["a.test", "b.test", "rest.test"] {
            let identity = TLSServerIdentity(TestCertificate(name))
            origins.append(
                try ServedOrigin(identity) { _, body in
                    "HTTP/1.1 200 OK\r\nContent-Length: \(body.count)\r\n\r\n\(text(body))"
                })
        }
        let proxy = try proxy(
            driver, origins[0].address, origins[1].address, rest: origins[2].address)
        let body = text(pattern(300_000))
        for (host, server) in [
            ("a.test", "a.test"), ("A.Test", "a.test"), ("x.b.test", "b.test"), ("x.y.b.test", "b.test"),
            ("b.test", "rest.test"), ("x.a.test", "rest.test"), ("c.test", "rest.test"), (nil, "rest.test"),
        ] as [(String?, String)] {
            for version in [Int32(12), 13] {
                let client = try TLSSocket(
                    try proxy.connect(), TLSClient(host, versions: version...version))
                #expect(client.session.peerName == server, "\(host ?? "none")")
                try client.send("POST / HTTP/1.1\r\nContent-Length: 300000\r\n\r\n")
                try client.send(body)
                #expect(try client.receiveResponse().body == body)
            }
        }
        #expect(proxy[.serverNamesFollowed] == 8)
        #expect(proxy[.serverNamesDefaulted] == 8)
        #expect(proxy[.tlsHandshakes] == 0)
        proxy.end()
        for origin in origins { origin.end() }
    }

    @Test("Bytes arrive as they came, wherever they are cut", arguments: TestDriver.offered)
    func cuts(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let nobody = try TestOrigin.nobody()
        let proxy = try proxy(driver, origin.address, nobody)
        for records in [16_384, 7] {
            let bytes = HelloMaker("a.test").records(of: records) + latin1("and more")
            for cut in stride(from: 1, to: bytes.count, by: records == 7 ? 5 : 1) {
                let client = try proxy.connect()
                let before = proxy[.bytesReceivedDownstream]
                try client.send(Array(bytes[..<cut]))
                try proxy.wait(for: "the first part") {
                    proxy[.bytesReceivedDownstream] == before + UInt64(cut)
                }
                try client.send(Array(bytes[cut...]))
                let upstream = try origin.accept()
                try expect(bytes, at: upstream)
                try upstream.send("answer")
                try client.expect("answer")
                client.finish()
                try upstream.expectEnd()
            }
        }
    }

    @Test("A large ClientHello may come byte by byte, in many records", arguments: TestDriver.offered)
    func large(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try proxy(driver, origin.address, try TestOrigin.nobody())
        var hello = HelloMaker("a.test")
        hello.extensions! += HelloMaker.extension(21, [UInt8](repeating: 0, count: 15_000))
        for (records, step) in [(16_384, 1000), (100, 333), (16_384, 16_384)] {
            let bytes = hello.records(of: records)
            let client = try proxy.connect()
            for start in stride(from: 0, to: bytes.count, by: step) {
                try client.send(Array(bytes[start..<min(start + step, bytes.count)]))
            }
            let upstream = try origin.accept()
            try expect(bytes, at: upstream)
        }
        let bytes = HelloMaker("a.test").records(of: 1)
        let client = try proxy.connect()
        for byte in bytes { try client.send([byte]) }
        try expect(bytes, at: try origin.accept())
        #expect(proxy[.serverNamesFollowed] == 4)
    }

    @Test("The end of the stream may follow at once", arguments: TestDriver.offered)
    func ended(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try proxy(driver, origin.address, try TestOrigin.nobody())
        let bytes = try hello("a.test")
        let client = try proxy.connect()
        try client.send(bytes)
        client.finish()
        let upstream = try origin.accept()
        try expect(bytes, at: upstream)
        try upstream.expectEnd()
        try upstream.send("bye")
        upstream.finish()
        try client.expect("bye")
        try client.expectEnd()
    }

    @Test("What is no TLS goes with the rest", arguments: TestDriver.offered)
    func plain(_ driver: TestDriver) throws {
        let nobody = try TestOrigin.nobody()
        let origin = try TestOrigin()
        let proxy = try proxy(driver, nobody, nobody, rest: origin.address)
        for bytes in [latin1("GET / HTTP/1.1\r\n\r\n"), [0, 1, 2], [22, 2, 9]] {
            let client = try proxy.connect()
            try client.send(bytes)
            try expect(bytes, at: try origin.accept())
        }
        #expect(proxy[.serverNamesDefaulted] == 3)
    }

    @Test("Without a place for the rest it is reset, and counted by cause", arguments: TestDriver.offered)
    func refused(_ driver: TestDriver) throws {
        let nobody = try TestOrigin.nobody()
        let proxy = try proxy(driver, nobody, nobody)
        var large = HelloMaker("a.test")
        large.extensions! += HelloMaker.extension(21, [UInt8](repeating: 0, count: 17_000))
        for (bytes, cause) in [
            (try hello("c.test"), .serverNameUnknown), (try hello(nil), .serverNameMissing),
            (latin1("GET / HTTP/1.1\r\n\r\n"), .clientHelloMissing),
            (HelloMaker("a..test").records(), .clientHelloMalformed),
            (large.records(), .clientHelloTooLarge),
        ] as [([UInt8], ProxyError)] {
            let client = try proxy.connect()
            try client.send(bytes)
            #expect(try client.receiveUntilClosed() == ("", true))
            #expect(proxy.failures(cause) == 1, "\(cause)")
        }
        #expect(proxy[.exchangesStarted] == 0)
        // What breaks the rules goes nowhere, whatever the rest may be.
        let origin = try TestOrigin()
        let other = try self.proxy(driver, nobody, nobody, rest: origin.address)
        for bytes in [HelloMaker("a..test").records(), large.records()] {
            let client = try other.connect()
            try client.send(bytes)
            #expect(try client.receiveUntilClosed() == ("", true))
        }
        #expect(other[.serverNamesDefaulted] == 0)
    }

    @Test(
        "A ClientHello that never comes whole is waited for as a handshake is", arguments: TestDriver.offered)
    func deadline(_ driver: TestDriver) throws {
        let nobody = try TestOrigin.nobody()
        let proxy = try proxy(driver, nobody, nobody, rest: nobody) {
            $0.timeoutTLSHandshake = .milliseconds(80)
        }
        let silent = try proxy.connect()
        let slow = try proxy.connect()
        try slow.send(Array(try hello("a.test").dropLast()))
        for client in [silent, slow] { #expect(try client.receiveUntilClosed().text == "") }
        #expect(proxy[.timeoutsTLSHandshake] == 2)
        #expect(proxy[.exchangesStarted] == 0)
    }

    @Test(
        "Who ends before the ClientHello does is counted, who says nothing is not",
        arguments: TestDriver.offered)
    func abandoned(_ driver: TestDriver) throws {
        let nobody = try TestOrigin.nobody()
        let proxy = try proxy(driver, nobody, nobody, rest: nobody)
        let silent = try proxy.connect()
        silent.finish()
        try silent.expectEnd()
        #expect(proxy[.tlsAbandoned] == 0)
        let half = try proxy.connect()
        try half.send(Array(try hello("a.test").dropLast()))
        half.finish()
        #expect(try half.receiveUntilClosed().text == "")
        #expect(proxy[.tlsAbandoned] == 1)
        let reset = try proxy.connect()
        try reset.send([22, 3])
        try proxy.wait(for: "its bytes") { proxy.downstreamConnections == 1 }
        reset.reset()
        try proxy.wait(for: "its end") { proxy[.tlsAbandoned] == 2 }
    }

    @Test("PROXY protocol headers stand before it, on both sides", arguments: TestDriver.offered)
    func headers(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try proxy(driver, origin.address, try TestOrigin.nobody()) {
            $0.trust.proxyProtocol = .require
            $0.upstreamProxyProtocol = .v1
        }
        let line = latin1("PROXY TCP4 192.0.2.7 198.51.100.9 4711 443\r\n")
        let bytes = try hello("a.test")
        for cut in [1, line.count - 1, line.count, line.count + 1, line.count + bytes.count - 1] {
            let client = try proxy.connect()
            let before = proxy[.bytesReceivedDownstream]
            try client.send(Array((line + bytes)[..<cut]))
            try proxy.wait(for: "the first part") {
                proxy[.bytesReceivedDownstream] == before + UInt64(cut)
            }
            try client.send(Array((line + bytes)[cut...]))
            try expect(line + bytes, at: try origin.accept())
        }
    }

    @Test(
        "A cluster may be spoken to over TLS nevertheless: then it is in TLS", arguments: TestDriver.offered)
    func layered(_ driver: TestDriver) throws {
        let origin = try TLSOrigin()
        let proxy = try proxy(driver, origin.origin.address, try TestOrigin.nobody()) {
            $0.clusters[0].tls = origin.cluster.tls
        }
        let bytes = try hello("a.test")
        let client = try proxy.connect()
        try client.send(bytes)
        let upstream = try origin.accept()
        #expect(try upstream.receive(exactly: bytes.count) == bytes)
    }

    @Test(
        "A reload changes where names lead, also for who is being waited for", arguments: TestDriver.offered)
    func reload(_ driver: TestDriver) throws {
        let (first, second) = (try TestOrigin(), try TestOrigin())
        let proxy = try proxy(driver, first.address, second.address)
        let bytes = try hello("a.test")
        let open = try proxy.connect()
        try open.send(bytes)
        let upstream = try first.accept()
        try expect(bytes, at: upstream)
        let waiting = try (0..<3).map { _ in try proxy.connect() }
        for client in waiting { try client.send(Array(bytes[..<9])) }
        try proxy.wait(for: "its beginning") {
            proxy[.bytesReceivedDownstream] == UInt64(bytes.count + 27)
        }
        try proxy.reload { $0.listeners[0].serverNames[0].cluster = "b" }
        try waiting[0].send(Array(bytes[9...]))
        try expect(bytes, at: try second.accept())
        // A relay like any other.
        try proxy.reload {
            $0.listeners[0].serverNames = []
            $0.listeners[0].cluster = "a"
        }
        try waiting[1].send(Array(bytes[9...]))
        try expect(bytes, at: try first.accept())
        let mute = try proxy.connect()
        try (try first.accept()).send("220")
        try mute.expect("220")
        // The listener goes: nobody knows where its names lead.
        try proxy.reload {
            $0.listeners[0].serverNames = [ServerNameRule(names: ["a.test"], cluster: "a")]
            $0.listeners[0].cluster = nil
        }
        try proxy.reload { $0.listeners[0].address = "127.0.0.2:0" }
        try waiting[2].send(Array(bytes[9...]))
        #expect(try waiting[2].receiveUntilClosed().isReset)
        #expect(proxy.failures(.listenerGone) == 1)
        // What was open is as it was.
        try open.send("more")
        try upstream.expect("more")
        try upstream.send("answer")
        try open.expect("answer")
    }

    @Test("A handshake that a reload has made needless goes nowhere in clear", arguments: TestDriver.offered)
    func terminatedBefore(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TLSProxy(driver, origin.address, role: .tcp)
        let session = TLSClient("a.test")
        _ = try session.shakeHands()
        let bytes = session.take()
        let socket = try proxy.proxy.connect()
        try socket.send(Array(bytes[..<20]))
        try proxy.proxy.wait(for: "its beginning") { proxy[.bytesReceivedDownstream] == 20 }
        try proxy.proxy.reload {
            $0.listeners[0].tls = nil
            $0.listeners[0].serverNames = [ServerNameRule(names: ["a.test"], cluster: "origin")]
        }
        try socket.send(Array(bytes[20...]))
        let terminated = try TLSSocket(socket, session)
        #expect(throws: (any Error).self) { try terminated.receiveAll() }
        #expect(proxy.proxy.failures(.listenerGone) == 1)
        #expect(proxy[.serverNamesFollowed] == 0)
        let client = try proxy.proxy.connect()
        try client.send(bytes)
        try expect(bytes, at: try origin.accept())
    }

    @Test("An explanation says where a name leads, and why")
    func explained() throws {
        let proxy = try proxy(.epoll, "127.0.0.1:1", "127.0.0.1:2")
        let listener = proxy.configuration.listeners[0].address
        func explain(_ url: String) throws -> [String] {
            let text = try Explanation(
                method: "GET", target: url, fields: [], source: "192.0.2.7", listener: listener,
                configuration: proxy.server.configuration, file: nil
            ).text
            return text.split(separator: "\n").map {
                $0.split(separator: " ", omittingEmptySubsequences: true).joined(separator: " ")
            }
        }
        #expect(try explain("https://a.test/").contains("cluster a"))
        #expect(try explain("https://A.test:8443/").contains("server name A.test"))
        #expect(try explain("https://x.y.b.test/").contains("cluster b"))
        for (url, name) in [
            ("https://c.test/", "c.test, which no cluster is named for"), ("https://192.0.2.1/", "none"),
        ] {
            let lines = try explain(url)
            #expect(lines.contains("server name \(name)"))
            #expect(lines.contains("answer none: the connection is reset"))
        }
        try proxy.reload { $0.listeners[0].cluster = "b" }
        let rest = try explain("https://c.test/")
        #expect(rest.contains("server name c.test, which no cluster is named for"))
        #expect(rest.contains("cluster b"))
    }
}
