import CPosix
import Testing

@testable import UringProxy

@Suite("PROXY protocol", .blocking)
struct ProxyProtocolTests {
    private static let line = latin1("PROXY TCP4 192.0.2.7 198.51.100.9 4711 443\r\n")
    private static let line6 = latin1("PROXY TCP6 2001:db8::7 2001:db8::9 4711 443\r\n")
    private static let signature = latin1("\r\n\r\n\0\r\nQUIT\n")
    private static let block =
        signature + [0x21, 0x11, 0, 12, 192, 0, 2, 7, 198, 51, 100, 9, 0x12, 0x67, 0x01, 0xBB]
    private static let local = signature + [0x20, 0, 0, 0]

    private static func requiring(
        _ driver: TestDriver, _ origin: TestOrigin, change: (inout Configuration) -> Void = { _ in }
    ) throws -> TestProxy {
        try TestProxy(driver, origin) {
            $0.trust.proxyProtocol = .require
            $0.xForwarded = .replace
            change(&$0)
        }
    }

    /// Answers the next request at the origin; whom it was said to be for.
    private func serve(_ origin: TestOrigin, _ client: TestSocket) throws -> String {
        let upstream = try origin.accept()
        let head = try upstream.receiveHead()
        try upstream.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi")
        try client.expect(Messages.ok)
        return field("X-Forwarded-For", head) ?? "nobody"
    }

    private func field(_ name: String, _ head: String) -> String? {
        for line in head.split(separator: "\r\n") where line.hasPrefix("\(name): ") {
            return String(line.dropFirst(name.count + 2))
        }
        return nil
    }

    // MARK: - In

    @Test("The address that a header names is the connection's", arguments: TestDriver.offered)
    func named(_ driver: TestDriver) throws {
        let table: [([UInt8], String)] = [
            (Self.line, "192.0.2.7"), (Self.line6, "2001:db8::7"), (Self.block, "192.0.2.7"),
            // No client: the socket's own address.
            (Self.local, "127.0.0.1"), (latin1("PROXY UNKNOWN\r\n"), "127.0.0.1"),
            (latin1("PROXY UNKNOWN 192.0.2.7 192.0.2.8 1 2\r\n"), "127.0.0.1"),
        ]
        let origin = try TestOrigin()
        let proxy = try Self.requiring(driver, origin)
        for (header, client) in table {
            let socket = try proxy.connect()
            try socket.send(header + latin1(Messages.get))
            #expect(try serve(origin, socket) == client)
            // It holds for every request of the connection.
            try socket.send(Messages.get)
            #expect(try serve(origin, socket) == client)
        }
        #expect(proxy[.proxyHeadersRead] == UInt64(table.count))
        #expect(proxy[.proxyHeadersRefused] == 0)
    }

    @Test(
        "A header may come in two parts, wherever it is cut, and what follows is the first request's",
        arguments: TestDriver.offered)
    func split(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try Self.requiring(driver, origin)
        for header in [Self.line, Self.block] {
            let bytes = header + latin1(Messages.get)
            for cut in 1...header.count + 1 {
                let socket = try proxy.connect()
                let before = proxy[.bytesReceivedDownstream]
                try socket.send(Array(bytes[..<cut]))
                try proxy.wait(for: "the first part") {
                    proxy[.bytesReceivedDownstream] == before + UInt64(cut)
                }
                try socket.send(Array(bytes[cut...]))
                #expect(try serve(origin, socket) == "192.0.2.7", "cut at \(cut)")
                socket.close()
            }
        }
    }

    @Test("Requests may stand behind a header, more than one", arguments: TestDriver.offered)
    func pipelined(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try Self.requiring(driver, origin) { $0.xForwarded = .off }
        let socket = try proxy.connect()
        try socket.send(
            Self.block
                + latin1("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc" + Messages.get))
        let upstream = try origin.accept()
        try upstream.expect("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc")
        try upstream.send(Messages.ok)
        try upstream.expect(Messages.get)
        try upstream.send(Messages.ok)
        try socket.expect(Messages.ok + Messages.ok)
    }

    @Test("What is no header closes the connection, without a word", arguments: TestDriver.offered)
    func refused(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try Self.requiring(driver, origin)
        var wrongSum = Self.block + [3, 0, 4, 1, 2, 3, 4]
        wrongSum[15] += 7
        let table = [
            latin1(Messages.get), latin1("PROXY TCP4 192.0.2.7 198.51.100.9 4711 65536\r\n" + Messages.get),
            latin1("PROXY TCP4 192.0.2.7 198.51.100.9 4711 443\n" + Messages.get),
            wrongSum + latin1(Messages.get),
            Self.signature + [0x21, 0x11, 0xFF, 0xFF], latin1("PROXY \(String(repeating: "U", count: 200))"),
        ]
        for bytes in table {
            let socket = try proxy.connect()
            try socket.send(bytes)
            #expect(try socket.receiveUntilClosed().text == "")
        }
        #expect(proxy[.proxyHeadersRefused] == UInt64(table.count))
        // One that ends in the middle is as wrong; one that never began is none.
        let cut = try proxy.connect()
        try cut.send(Array(Self.block.dropLast()))
        cut.finish()
        #expect(try cut.receiveUntilClosed().text == "")
        let silent = try proxy.connect()
        silent.finish()
        try silent.expectEnd()
        #expect(proxy[.proxyHeadersRefused] == UInt64(table.count + 1))
        #expect(proxy[.proxyHeadersRead] == 0 && proxy[.requests] == 0 && proxy[.localResponses] == 0)
        #expect(origin.acceptNow() == nil)
    }

    @Test(
        "A header that drips, or does not come, is waited for no longer than a head",
        arguments: TestDriver.offered)
    func slow(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try Self.requiring(driver, origin) { $0.timeoutHead = .milliseconds(300) }
        let silent = try proxy.connect()
        let slow = try proxy.connect()
        try slow.send(Array(Self.line.prefix(20)))
        #expect(try slow.receiveUntilClosed().text == "")
        #expect(try silent.receiveUntilClosed().text == "")
        #expect(proxy[.timeoutsHead] == 2)
        #expect(proxy[.localResponses] == 0)
        // From the header on the request's head has its own time, and its answer.
        let late = try proxy.connect()
        try late.send(Self.line + latin1("GET / HT"))
        #expect(try late.receiveHead().hasPrefix("HTTP/1.1 408 "))
    }

    @Test("--proxy-protocol-from closes the connections of others", arguments: TestDriver.offered)
    func senders(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        for (senders, isTaken) in [(["192.0.2.0/24"], false), (["192.0.2.0/24", "127.0.0.0/8,::1"], true)] {
            let proxy = try Self.requiring(driver, origin) { $0.trust.proxyProtocolFrom = senders }
            let socket = try proxy.connect()
            if isTaken {
                try socket.send(Self.line + latin1(Messages.get))
                #expect(try serve(origin, socket) == "192.0.2.7")
                let check = try proxy.connect()
                try check.send(Self.local + latin1(Messages.get))
                #expect(try serve(origin, check) == "127.0.0.1")
            } else {
                #expect(try socket.receiveUntilClosed().text == "")
            }
            #expect(proxy[.proxySendersRefused] == (isTaken ? 0 : 1))
        }
    }

    @Test("A unix socket's peer is named as unix:", arguments: TestDriver.offered)
    func unix(_ driver: TestDriver) throws {
        let path = "unix:@uproxy-test-\(cposix_monotonic_nanoseconds())"
        let origin = try TestOrigin()
        let proxy = try Self.requiring(driver, origin) {
            $0.listenAddresses = [path]
            $0.trust.proxyProtocolFrom = ["unix:"]
        }
        let socket = try proxy.connect()
        try socket.send(Self.line + latin1(Messages.get))
        #expect(try serve(origin, socket) == "192.0.2.7")
    }

    @Test("--limit-connections-per-client counts the client that is named", arguments: TestDriver.offered)
    func limit(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try Self.requiring(driver, origin) { $0.limitConnectionsPerClient = 1 }
        // Nobody yet: headers are waited for.
        let silent = try (0..<3).map { _ in try proxy.connect() }
        let first = try proxy.connect()
        try first.send(Self.line + latin1(Messages.get))
        #expect(try serve(origin, first) == "192.0.2.7")
        let second = try proxy.connect()
        try second.send(Self.block + latin1(Messages.get))
        #expect(try second.receiveUntilClosed().text == "")
        #expect(proxy[.clientLimitRefusals] == 1)
        let other = try proxy.connect()
        try other.send(Self.line6 + latin1(Messages.get))
        #expect(try serve(origin, other) == "2001:db8::7")
        first.close()
        try proxy.wait(for: "one connection less") { proxy.downstreamConnections == 4 }
        try silent[0].send(Self.line + latin1(Messages.get))
        #expect(try serve(origin, silent[0]) == "192.0.2.7")
    }

    @Test("A forward proxy takes headers too", arguments: TestDriver.offered)
    func forward(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TestProxy(forward: driver) {
            $0.trust.proxyProtocol = .require
            $0.xForwarded = .append
            // Not for where requests say themselves that they go.
            $0.upstreamProxyProtocol = .v2
            $0.listenAddresses = ["127.0.0.1:0"]
            $0.upstreams = [origin.address]
        }
        let socket = try proxy.connect(1)
        try socket.send(Self.line + latin1("GET http://\(origin.address)/a HTTP/1.1\r\nHost: h\r\n\r\n"))
        #expect(try serve(origin, socket) == "192.0.2.7")
        let tunnel = try proxy.connect(1)
        try tunnel.send(Self.block + latin1("CONNECT \(origin.address) HTTP/1.1\r\nHost: h\r\n\r\nping"))
        try tunnel.expect("HTTP/1.1 200 Connection established\r\n\r\n")
        let end = try origin.accept()
        try end.expect("ping")
        try end.send("pong")
        try tunnel.expect("pong")
    }

    @Test("A drain does not wait for headers", arguments: TestDriver.offered)
    func drain(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try Self.requiring(driver, origin)
        let silent = try proxy.connect()
        let begun = try proxy.connect()
        try begun.send(Array(Self.line.prefix(9)))
        try proxy.wait(for: "both") { proxy.downstreamConnections == 2 }
        proxy.server.drain()
        #expect(try silent.receiveUntilClosed().text == "")
        #expect(try begun.receiveUntilClosed().text == "")
        proxy.waitForDrain()
    }

    // MARK: - Out

    private static func sending(
        _ driver: TestDriver, _ version: Configuration.UpstreamProxyProtocol, _ upstreams: [String],
        change: (inout Configuration) -> Void = { _ in }
    ) throws -> TestProxy {
        try TestProxy(driver, upstreams: upstreams) {
            $0.upstreamProxyProtocol = version
            change(&$0)
        }
    }

    /// What goes upstream for `Messages.get`: the header, and word that nothing follows.
    private static let last = "GET /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"

    @Test(
        "A reload takes no header from a request that has one, and gives none to another",
        arguments: TestDriver.offered)
    func outReloaded(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try Self.sending(driver, .v1, [origin.address])
        let client = try proxy.connect()
        try client.send(Messages.get)
        let named = try origin.accept()
        #expect(try named.receiveHead().hasPrefix("PROXY TCP4 127.0.0.1 "))
        try proxy.reload { $0.upstreamProxyProtocol = .off }
        try named.send(Messages.ok)
        try client.expect(Messages.ok)
        // It was that request's alone.
        try client.send(Messages.get)
        let plain = try origin.accept()
        try plain.expect(Messages.get)
        try proxy.reload { $0.upstreamProxyProtocol = .v1 }
        try plain.send(Messages.ok)
        try client.expect(Messages.ok)
        // Nor does one with a header go where there was none.
        try client.send(Messages.get)
        let next = try origin.accept()
        #expect(try next.receiveHead().hasPrefix("PROXY TCP4 127.0.0.1 "))
        try next.send(Messages.ok)
        try client.expect(Messages.ok)
    }

    @Test(
        "Each request goes upstream on a connection of its own, behind a header that names its client",
        arguments: TestDriver.offered)
    func out(_ driver: TestDriver) throws {
        for version in [Configuration.UpstreamProxyProtocol.v1, .v2] {
            let origin = try TestOrigin()
            let proxy = try Self.sending(driver, version, [origin.address])
            let socket = try proxy.connect()
            let own = try #require(SocketAddress(boundBy: socket.descriptor)).port
            let port = try SocketAddress(parsing: proxy.address()).port
            var header = "PROXY TCP4 127.0.0.1 127.0.0.1 \(own) \(port)\r\n"
            if version == .v2 {
                let ports = [own, port].flatMap { [UInt8($0 >> 8), UInt8($0 & 0xFF)] }
                header = text(Self.signature + [0x21, 0x11, 0, 12, 127, 0, 0, 1, 127, 0, 0, 1] + ports)
            }
            for _ in 0..<2 {
                try socket.send(Messages.get)
                let upstream = try origin.accept()
                try upstream.expect(header + Self.last)
                // The upstream would go on.
                try upstream.send(Messages.ok)
                try socket.expect(Messages.ok)
                try upstream.expectEnd()
            }
            #expect(proxy[.upstreamOpened] == 2 && proxy[.upstreamReused] == 0 && proxy[.upstreamLent] == 0)
        }
    }

    @Test("Bodies and upgrades follow their header", arguments: TestDriver.offered)
    func outStreams(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try Self.sending(driver, .v1, [origin.address])
        let socket = try proxy.connect()
        let body = pattern(1 << 20)
        let sender = spawn { [descriptor = socket.descriptor] in
            try? TestSocket(descriptor: cposix_duplicate(descriptor)).send(
                latin1("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: \(body.count)\r\n\r\n") + body)
        }
        let upstream = try origin.accept()
        #expect(try upstream.receiveHead().hasPrefix("PROXY TCP4 127.0.0.1 127.0.0.1 "))
        #expect(difference(try upstream.receive(exactly: body.count), body) == nil)
        try upstream.send(Messages.ok)
        try socket.expect(Messages.ok)
        sender.join()
        try upstream.expectEnd()

        try socket.send("GET /a HTTP/1.1\r\nHost: h\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n")
        let tunnel = try origin.accept()
        let head = try tunnel.receiveHead()
        #expect(head.hasPrefix("PROXY TCP4 127.0.0.1 127.0.0.1 "))
        #expect(head.hasSuffix("\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n"))
        try tunnel.send("HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n")
        #expect(try socket.receiveHead().hasPrefix("HTTP/1.1 101 "))
        try socket.send("ping")
        try tunnel.expect("ping")
    }

    @Test("An upstream that cannot be connected costs no header", arguments: TestDriver.offered)
    func outRetry(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try Self.sending(driver, .v1, [TestOrigin.nobody(), origin.address])
        for _ in 0..<2 {
            let socket = try proxy.connect()
            let own = try #require(SocketAddress(boundBy: socket.descriptor)).port
            try socket.send(Messages.get)
            let upstream = try origin.accept()
            let head = try upstream.receiveHead()
            #expect(head.hasPrefix("PROXY TCP4 127.0.0.1 127.0.0.1 \(own) "))
            #expect(head.hasSuffix("\r\n" + Self.last))
            try upstream.send(Messages.ok)
            try socket.expect(Messages.ok)
        }
        #expect(proxy[.retries] == 1)
    }

    @Test(
        "A header is passed on with both ends; one without a client by the socket's",
        arguments: TestDriver.offered)
    func inAndOut(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try Self.sending(driver, .v1, [origin.address]) { $0.trust.proxyProtocol = .require }
        func header(for sent: [UInt8]) throws -> (header: String, port: UInt16) {
            let socket = try proxy.connect()
            try socket.send(sent + latin1(Messages.get))
            let upstream = try origin.accept()
            let head = try upstream.receiveHead()
            try upstream.send(Messages.ok)
            try socket.expect(Messages.ok)
            let own = try #require(SocketAddress(boundBy: socket.descriptor)).port
            return (head.split(separator: "\r\n").first.map(String.init) ?? "", own)
        }
        #expect(try header(for: Self.block).header == "PROXY TCP4 192.0.2.7 198.51.100.9 4711 443")
        #expect(try header(for: Self.line6).header == "PROXY TCP6 2001:db8::7 2001:db8::9 4711 443")
        let (local, port) = try header(for: Self.local)
        #expect(local.hasPrefix("PROXY TCP4 127.0.0.1 127.0.0.1 \(port) "))
    }

    @Test("A client on a unix socket has no address to tell", arguments: TestDriver.offered)
    func outUnix(_ driver: TestDriver) throws {
        let path = "unix:@uproxy-test-\(cposix_monotonic_nanoseconds())"
        let origin = try TestOrigin()
        for (version, header) in [
            (Configuration.UpstreamProxyProtocol.v1, "PROXY UNKNOWN\r\n"), (.v2, text(Self.local)),
        ] {
            let proxy = try Self.sending(driver, version, [origin.address]) { $0.listenAddresses = [path] }
            let socket = try proxy.connect()
            try socket.send(Messages.get)
            let upstream = try origin.accept()
            try upstream.expect(header + Self.last)
            try upstream.send(Messages.ok)
            try socket.expect(Messages.ok)
        }
    }

    @Test(
        "Behind trusted proxies the header names the client that they tell of", arguments: TestDriver.offered)
    func outOfChain(_ driver: TestDriver) throws {
        let table: [(ProxyTrust.Field, String, String)] = [
            (
                .xForwardedFor, "X-Forwarded-For: 192.0.2.9, 192.0.2.1, 10.0.0.2",
                "TCP4 192.0.2.1 127.0.0.1 0 "
            ),
            (.xForwardedFor, "X-Forwarded-For: 2001:db8::1", "TCP6 2001:db8::1 ::ffff:127.0.0.1 0 "),
            // The field that they do not write is anybody's.
            (.xForwardedFor, "Forwarded: for=192.0.2.1", "TCP4 127.0.0.1 127.0.0.1 "),
            (.forwarded, "Forwarded: for=192.0.2.1;proto=http", "TCP4 192.0.2.1 127.0.0.1 0 "),
            (.forwarded, "X-Forwarded-For: 192.0.2.1", "TCP4 127.0.0.1 127.0.0.1 "),
        ]
        let origin = try TestOrigin()
        for (trustedField, received, expected) in table {
            let proxy = try Self.sending(driver, .v1, [origin.address]) {
                $0.trust.trustedProxies = ["127.0.0.0/8", "10.0.0.0/8"]
                $0.trust.trustedField = trustedField
            }
            let socket = try proxy.connect()
            try socket.send("GET /a HTTP/1.1\r\nHost: h\r\n\(received)\r\n\r\n")
            let upstream = try origin.accept()
            let head = try upstream.receiveHead()
            #expect(head.hasPrefix("PROXY \(expected)"), "\(received): \(head)")
            try upstream.send(Messages.ok)
            try socket.expect(Messages.ok)
        }
    }

    // MARK: - Trusted proxies

    @Test(
        "Fields are appended to what a trusted proxy sent, and replace what others did",
        arguments: TestDriver.offered)
    func trustedFields(_ driver: TestDriver) throws {
        let received =
            "X-Forwarded-For: 192.0.2.9\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: pub\r\n"
            + "Forwarded: for=192.0.2.9\r\n"
        let appended =
            "X-Forwarded-Proto: https\r\nX-Forwarded-Host: pub\r\nX-Forwarded-For: 192.0.2.9, 127.0.0.1\r\n"
            + "Forwarded: for=192.0.2.9, for=127.0.0.1;host=h;proto=http\r\n"
        let replaced =
            "X-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: h\r\n"
            + "Forwarded: for=127.0.0.1;host=h;proto=http\r\n"
        let table: [([String], Configuration.ForwardedFields, String)] = [
            ([], .append, appended), (["127.0.0.1"], .append, appended), (["10.0.0.0/8"], .append, replaced),
            (["127.0.0.1"], .replace, replaced), (["10.0.0.0/8"], .off, received),
            (["127.0.0.1"], .off, received),
        ]
        for (proxies, policy, expected) in table {
            let origin = try TestOrigin()
            let proxy = try TestProxy(driver, origin) {
                $0.trust.trustedProxies = proxies
                $0.xForwarded = policy
                $0.forwarded = policy
            }
            let socket = try proxy.connect()
            try socket.send("GET /a HTTP/1.1\r\nHost: h\r\n\(received)\r\n")
            let head = try origin.accept().receiveHead()
            #expect(head == "GET /a HTTP/1.1\r\nHost: h\r\n\(expected)\r\n", "\(proxies) \(policy)")
        }
    }

    @Test("Who is trusted is whom the PROXY protocol names", arguments: TestDriver.offered)
    func trustedByHeader(_ driver: TestDriver) throws {
        for (proxies, expected) in [
            (["192.0.2.0/24"], "203.0.113.5, 192.0.2.7"), (["127.0.0.1"], "192.0.2.7"),
        ] {
            let origin = try TestOrigin()
            let proxy = try Self.requiring(driver, origin) {
                $0.trust.trustedProxies = proxies
                $0.xForwarded = .append
            }
            let socket = try proxy.connect()
            try socket.send(
                Self.line + latin1("GET /a HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: 203.0.113.5\r\n\r\n"))
            #expect(try serve(origin, socket) == expected)
        }
    }
}
