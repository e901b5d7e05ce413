import CPosix
import TestSupport
import Testing

@testable import UringProxy

@Suite("TLS to upstreams", .blocking)
struct UpstreamTLSTests {
    // MARK: - Requests

    @Test(
        "Requests go over either version, one after the other on one connection",
        arguments: TestDriver.offered)
    func requests(_ driver: TestDriver) throws {
        for version in [Int32(12), 13] {
            let origin = try TLSOrigin(versions: version...version)
            let proxy = try TestProxy(driver, cluster: origin.cluster)
            let client = try proxy.connect()
            let upstream = try origin.accept(Messages.get, from: client)
            #expect(upstream.session.version == version)
            #expect(upstream.session.alpn == "http/1.1")
            // An address is no name to ask for.
            #expect(upstream.session.askedHost == "")
            try upstream.send(Messages.ok)
            try client.expect(Messages.ok)
            for _ in 0..<3 {
                try exchange(client, upstream)
            }
            #expect(proxy[.upstreamTLSHandshakes] == 1 && proxy[.upstreamReused] == 3)
            proxy.server.drain()
            try upstream.expectEnd()
            client.close()
            proxy.waitForDrain()
            #expect(proxy[.tlsTruncated] == 0 && proxy[.tlsErrors] == 0)
        }
    }

    @Test("The name that is asked for is the one that is looked for", arguments: TestDriver.offered)
    func names(_ driver: TestDriver) throws {
        let origin = try TLSOrigin()
        for (host, name, asked) in [
            ("localhost", nil, "localhost"), ("127.0.0.1", "Origin.Example.", "origin.example"),
            ("localhost", "127.0.0.1", ""),
        ] {
            var cluster = origin.cluster(["\(host):\(origin.origin.port)"])
            cluster.tls?.serverName = name
            let proxy = try TestProxy(driver, cluster: cluster)
            let client = try proxy.connect()
            let upstream = try origin.accept(Messages.get, from: client)
            #expect(upstream.session.askedHost == asked)
            try upstream.send(Messages.ok)
            try client.expect(Messages.ok)
        }
    }

    @Test(
        "Endpoints that are found have certificates for the name that they were found by",
        arguments: TestDriver.offered)
    func discovered(_ driver: TestDriver) throws {
        let names = try NameServer(["origin.example": ["127.0.0.1"]])
        let origin = try TLSOrigin()
        var cluster = origin.cluster([])
        cluster.discovery = DiscoveryConfiguration()
        cluster.discovery?.dns = "origin.example:\(origin.origin.port)"
        let proxy = try TestProxy(driver, cluster: cluster) { $0.dnsServers = [names.address] }
        let client = try proxy.connect()
        let upstream = try origin.accept(Messages.get, from: client)
        #expect(upstream.session.askedHost == "origin.example")
        try upstream.send(Messages.ok)
        try client.expect(Messages.ok)
        proxy.end()
        names.stop()
    }

    @Test("A certificate leads to the authority that is trusted", arguments: TestDriver.offered)
    func authority(_ driver: TestDriver) throws {
        let authority = TestCertificate("An authority", signedBy: nil, isAuthority: true)
        let origin = try TLSOrigin(TestCertificate("127.0.0.1", signedBy: authority), authority: authority)
        let proxy = try TestProxy(driver, cluster: origin.cluster)
        let client = try proxy.connect()
        let upstream = try origin.accept(Messages.get, from: client)
        try upstream.send(Messages.ok)
        try client.expect(Messages.ok)
    }

    @Test("Whom the certificate does not prove to be asked is not asked", arguments: TestDriver.offered)
    func distrusted(_ driver: TestDriver) throws {
        let cases: [(TestCertificate, TestCertificate?, ProxyError)] = [
            (TestCertificate("other.example"), nil, .upstreamTLSWrongHost),
            (TestCertificate("127.0.0.1", end: -60), nil, .upstreamTLSOutdated),
            (TestCertificate("127.0.0.1", begin: 3600), nil, .upstreamTLSOutdated),
            (TestCertificate("127.0.0.1"), TestCertificate("127.0.0.1"), .upstreamTLSUntrusted),
        ]
        for version in [Int32(12), 13] {
            for (certificate, authority, error) in cases {
                let origin = try TLSOrigin(certificate, authority: authority, versions: version...version)
                let proxy = try TestProxy(driver, cluster: origin.cluster)
                let client = try proxy.connect()
                try client.send(Messages.get)
                let reason = try origin.acceptFailing()
                #expect(reason.contains("alert"), "\(reason)")
                let (head, body) = try client.receiveResponse()
                #expect(head.hasPrefix("HTTP/1.1 502 Bad Gateway\r\n"))
                #expect(body == "\(error.reason)\n")
                #expect(proxy.failures(error) == 1)
                #expect(proxy[.upstreamTLSDistrusted] == 1 && proxy[.upstreamTLSHandshakes] == 0)
            }
        }
        // Nor is one that the system's authorities know nothing of.
        let origin = try TLSOrigin()
        var cluster = origin.cluster
        cluster.tls?.rootsPath = nil
        let proxy = try TestProxy(driver, cluster: cluster)
        let client = try proxy.connect()
        try client.send(Messages.get)
        _ = try origin.acceptFailing()
        #expect(try client.receiveResponse().body == "\(ProxyError.upstreamTLSUntrusted.reason)\n")
    }

    @Test("Without verification anybody is taken for it, which is told", arguments: TestDriver.offered)
    func unverified(_ driver: TestDriver) throws {
        let origin = try TLSOrigin(TestCertificate("other.example", end: -60))
        var cluster = origin.cluster
        cluster.tls?.rootsPath = nil
        cluster.tls?.verifies = false
        let proxy = try TestProxy(driver, cluster: cluster)
        let client = try proxy.connect()
        let upstream = try origin.accept(Messages.get, from: client)
        try upstream.send(Messages.ok)
        try client.expect(Messages.ok)
        let line =
            "cluster origin: certificates of its endpoints are not verified, anybody on the way may answer"
        #expect(proxy.log.withLock { $0 } == [line])
        // Not again as long as it is so.
        try proxy.reload { _ in }
        try proxy.reload { $0.clusters[0].tls?.verifies = true }
        try proxy.reload { $0.clusters[0].tls?.verifies = false }
        #expect(proxy.log.withLock { $0 } == [line, line])
    }

    @Test("Whoever asks for a certificate is shown ours", arguments: TestDriver.offered, [Int32(12), 13])
    func clientCertificate(_ driver: TestDriver, _ version: Int32) throws {
        let authority = TestCertificate("Clients' authority", signedBy: nil, isAuthority: true)
        let own = TestCertificate("proxy.example", signedBy: authority)
        let (certificate, key) = (try TemporaryFile(own.certificate), try TemporaryFile(own.key))
        let origin = try TLSOrigin(clientAuthority: authority, versions: version...version)
        var cluster = origin.cluster
        cluster.tls?.certificatePath = certificate.path
        cluster.tls?.keyPath = key.path
        do {
            let proxy = try TestProxy(driver, cluster: cluster)
            let client = try proxy.connect()
            let upstream = try origin.accept(Messages.get, from: client)
            #expect(upstream.session.peerName == "proxy.example")
            try upstream.send(Messages.ok)
            try client.expect(Messages.ok)
        }
        let proxy = try TestProxy(driver, cluster: origin.cluster)
        let client = try proxy.connect()
        try client.send(Messages.get)
        #expect(try origin.acceptFailing() == "peer did not return a certificate")
        #expect(try client.receiveResponse().head.hasPrefix("HTTP/1.1 502 Bad Gateway\r\n"))
        // Of 1.3 the handshake is over on our side when the other one says so.
        #expect(proxy.failures(version == 13 ? .upstreamTLSBroken : .upstreamTLSFailed) == 1)
        #expect(proxy[.upstreamTLSAlerts] == (version == 13 ? 0 : 1))
    }

    @Test("Sessions are taken up again, also after a reload", arguments: TestDriver.offered, [Int32(12), 13])
    func resumption(_ driver: TestDriver, _ version: Int32) throws {
        let certificate = TLSOrigin.certificate
        let origin = try TLSOrigin(certificate, versions: version...version)
        let proxy = try TestProxy(driver, cluster: origin.cluster)
        let client = try proxy.connect()
        func isResumed() throws -> Bool {
            let upstream = try origin.accept(Messages.get, from: client)
            try upstream.send(Messages.okClosing)
            #expect(try client.receiveResponse().body == "hi")
            try upstream.expectEnd()
            return upstream.session.isResumed
        }
        #expect(try !isResumed())
        for _ in 0..<3 { #expect(try isResumed()) }
        try proxy.reload { _ in }
        #expect(try isResumed())
        #expect(proxy[.upstreamTLSHandshakes] == 5 && proxy[.upstreamTLSResumed] == 4)
        // Under other settings it begins anew.
        try proxy.reload { $0.clusters[0].tls?.ciphers = "ECDHE-ECDSA-AES128-GCM-SHA256" }
        #expect(try !isResumed())
        #expect(try isResumed())
    }

    // MARK: - Bodies

    @Test("Long bodies pass both ways unchanged", arguments: TestDriver.offered, [Int32(12), 13])
    func bodies(_ driver: TestDriver, _ version: Int32) throws {
        let size = 4 << 20
        let certificate = TLSOrigin.certificate
        let identity = TLSServerIdentity(certificate, versions: version...version)
        let origin = try ServedOrigin { socket in
            let end = try TLSSocket(socket, identity.accept())
            for _ in 0..<2 {
                guard var left = contentLength(try end.receiveHead()) else { throw TestFailure("no length") }
                try end.send("HTTP/1.1 200 OK\r\nContent-Length: \(left)\r\n\r\n")
                while left > 0 {
                    guard let bytes = try end.receive() else { throw TestFailure("cut") }
                    left -= bytes.count
                    try end.send(bytes)
                }
            }
        }
        var cluster = ClusterConfiguration(name: "origin", endpoints: [origin.address])
        let roots = try TemporaryFile(certificate.certificate)
        cluster.tls = UpstreamTLSConfiguration()
        cluster.tls?.rootsPath = roots.path
        let proxy = try TestProxy(driver, cluster: cluster)
        let client = try proxy.connect()
        let body = pattern(size)
        for _ in 0..<2 {
            try client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: \(size)\r\n\r\n")
            let sender = client.sendAside(body)
            let head = try client.receiveHead()
            #expect(contentLength(head) == size)
            #expect(difference(try client.receive(exactly: size), body) == nil)
            sender.join()
        }
        #expect(proxy[.bytesSpliced] == 0 && proxy[.upstreamTLSHandshakes] == 1)
        proxy.end()
        origin.end()
    }

    @Test("TLS on both sides, with chunks", arguments: TestDriver.offered)
    func bothSides(_ driver: TestDriver) throws {
        let origin = try TLSOrigin()
        let proxy = try TLSProxy(driver, origin.origin.address) { $0.clusters = [origin.cluster] }
        let client = try proxy.connect()
        let request =
            "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
        try client.send(request)
        let upstream = try origin.accept()
        try upstream.expect(request)
        let answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nyes\r\n0\r\n\r\n"
        try upstream.send(answer)
        try client.expect(answer)
    }

    @Test("All of it may come byte by byte", arguments: TestDriver.offered, [Int32(12), 13])
    func drip(_ driver: TestDriver, _ version: Int32) throws {
        let origin = try TLSOrigin(versions: version...version)
        let proxy = try TestProxy(driver, cluster: origin.cluster)
        let client = try proxy.connect()
        try client.send(Messages.get)
        let socket = try origin.origin.accept()
        let session = origin.identity.accept()
        func sendAll() throws { for byte in session.take() { try socket.send([byte]) } }
        while !(try session.shakeHands()) {
            try sendAll()
            session.give(try #require(try socket.receive()))
        }
        try sendAll()
        var request: [UInt8] = []
        while request.count < Messages.get.utf8.count {
            request += try session.read() ?? []
            if request.isEmpty { session.give(try #require(try socket.receive())) }
        }
        #expect(text(request) == Messages.get)
        try session.write(latin1(Messages.ok))
        try sendAll()
        try client.expect(Messages.ok)
    }

    @Test(
        "A long body reaches an origin over TLS as a whole",
        arguments: TestDriver.offered)
    func slowOrigin(_ driver: TestDriver) throws {
        let size = 4 << 20
        let origin = try TLSOrigin()
        let proxy = try TestProxy(driver, cluster: origin.cluster)
        let client = try proxy.connect()
        let body = pattern(size)
        let sender = client.sendAside(
            latin1("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: \(size)\r\n\r\n") + body)
        let upstream = try origin.accept()
        _ = try upstream.receiveHead()
        #expect(difference(try upstream.receive(exactly: size), body) == nil)
        try upstream.send(Messages.ok)
        try client.expect(Messages.ok)
        sender.join()
    }

    @Test("A body that ends with the connection is whole only if that is said", arguments: TestDriver.offered)
    func truncated(_ driver: TestDriver) throws {
        let origin = try TLSOrigin()
        let proxy = try TestProxy(driver, cluster: origin.cluster)
        for saysEnd in [true, false] {
            let client = try proxy.connect()
            let upstream = try origin.accept(Messages.get, from: client)
            try upstream.send("HTTP/1.1 200 OK\r\n\r\nsome")
            if saysEnd { try upstream.end() }
            upstream.socket.close()
            let (answer, isReset) = try client.receiveUntilClosedOrWhole()
            #expect(answer.hasSuffix("0\r\n\r\n") == saysEnd, "\(answer)")
            #expect(isReset != saysEnd)
        }
        #expect(proxy[.tlsTruncated] == 1 && proxy[.upstreamTruncated] == 1)
    }

    // MARK: - Idle connections

    @Test("New keys leave an idle connection idle", arguments: TestDriver.offered)
    func quiet(_ driver: TestDriver) throws {
        let origin = try TLSOrigin(versions: 13...13)
        let proxy = try TestProxy(driver, cluster: origin.cluster)
        let client = try proxy.connect()
        let upstream = try origin.accept(Messages.get, from: client)
        try upstream.send(Messages.ok)
        try client.expect(Messages.ok)
        for _ in 0..<3 {
            let before = proxy[.bytesReceivedUpstream]
            upstream.session.updateKeys()
            _ = try upstream.session.shakeHands()
            try upstream.socket.send(upstream.session.take())
            try proxy.wait(for: "them") { proxy[.bytesReceivedUpstream] > before }
            try exchange(client, upstream)
        }
        #expect(proxy[.upstreamReused] == 3 && proxy[.upstreamStale] == 0)
    }

    @Test(
        "An idle connection that ends, or that something is said on, is used no more",
        arguments: TestDriver.offered)
    func stale(_ driver: TestDriver) throws {
        let origin = try TLSOrigin()
        let proxy = try TestProxy(driver, cluster: origin.cluster)
        let client = try proxy.connect()
        let ends: [(TLSSocket) throws -> Void] = [
            { try $0.end() }, { $0.socket.finish() },
            { try $0.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil") },
        ]
        for end in ends {
            let upstream = try origin.accept(Messages.get, from: client)
            try upstream.send(Messages.ok)
            try client.expect(Messages.ok)
            try end(upstream)
            _ = try upstream.socket.receiveUntilClosed()
        }
        // One that is closed instead of an answer is asked once more elsewhere.
        let upstream = try origin.accept(Messages.get, from: client)
        try upstream.send(Messages.ok)
        try client.expect(Messages.ok)
        try client.send(Messages.get)
        try upstream.expect(Messages.get)
        try upstream.end()
        upstream.socket.close()
        let second = try origin.accept()
        try second.expect(Messages.get)
        try second.send(Messages.ok)
        try client.expect(Messages.ok)
        #expect(proxy[.retries] == 1)
    }

    @Test("What is idle for too long is told its end", arguments: TestDriver.offered)
    func expired(_ driver: TestDriver) throws {
        let origin = try TLSOrigin()
        let proxy = try TestProxy(driver, cluster: origin.cluster) { $0.poolIdleTimeout = .milliseconds(200) }
        let client = try proxy.connect()
        let upstream = try origin.accept(Messages.get, from: client)
        try upstream.send(Messages.ok)
        try client.expect(Messages.ok)
        try upstream.expectEnd()
    }

    @Test("Workers lend each other connections with their sessions", arguments: TestDriver.offered)
    func lending(_ driver: TestDriver) throws {
        let certificate = TLSOrigin.certificate
        let origin = try ServedOrigin(TLSServerIdentity(certificate)) { _, _ in Messages.ok }
        var cluster = ClusterConfiguration(name: "origin", endpoints: [origin.address])
        let roots = try TemporaryFile(certificate.certificate)
        cluster.tls = UpstreamTLSConfiguration()
        cluster.tls?.rootsPath = roots.path
        let proxy = try TestProxy(driver, cluster: cluster) { $0.threads = 2 }
        let clients = try proxy.connectToEach(1).joined()
        for _ in 0..<1000 where proxy[.upstreamBorrowed] < 20 {
            for client in clients {
                try client.send(Messages.get)
                try client.expect(Messages.ok)
            }
        }
        #expect(proxy[.upstreamBorrowed] >= 20)
        #expect(proxy[.upstreamTLSHandshakes] == UInt64(origin.accepted))
        #expect(proxy[.upstreamTLSHandshakes] < 10)
        #expect(proxy[.tlsErrors] == 0)
        proxy.end()
        origin.end()
    }

    @Test(
        "Connections made under other settings are used no more after a reload", arguments: TestDriver.offered
    )
    func reload(_ driver: TestDriver) throws {
        let origin = try TLSOrigin()
        let proxy = try TestProxy(driver, cluster: origin.cluster)
        let client = try proxy.connect()
        let busy = try proxy.connect()
        let idle = try origin.accept(Messages.get, from: client)
        let under = try origin.accept(Messages.get, from: busy)
        try idle.send(Messages.ok)
        try client.expect(Messages.ok)
        try proxy.reload { $0.clusters[0].tls?.serverName = "origin.example" }
        try idle.expectEnd()
        let upstream = try origin.accept(Messages.get, from: client)
        #expect(upstream.session.askedHost == "origin.example")
        try upstream.send(Messages.ok)
        try client.expect(Messages.ok)
        // What is under way goes on.
        try under.send(Messages.ok)
        try busy.expect(Messages.ok)
        try under.expectEnd()
        // Nor are those that lead to another authority than the file has now.
        try origin.trust(TestCertificate("127.0.0.1"))
        try proxy.reload { _ in }
        try upstream.expectEnd()
        try client.send(Messages.get)
        _ = try origin.acceptFailing()
        #expect(try client.receiveResponse().head.hasPrefix("HTTP/1.1 502 "))
        // And in clear without it.
        try proxy.reload { $0.clusters[0].tls = nil }
        try client.send(Messages.get)
        let plain = try origin.origin.accept()
        try plain.expect(Messages.get)
        try plain.send(Messages.ok)
        try client.expect(Messages.ok)
    }

    // MARK: - Failures

    @Test("A handshake that fails is an endpoint that cannot be connected", arguments: TestDriver.offered)
    func failures(_ driver: TestDriver) throws {
        let origin = try TLSOrigin()
        let proxy = try TestProxy(driver, cluster: origin.cluster)
        let client = try proxy.connect()
        func fail(_ counter: Counter, _ act: (TestSocket) throws -> Void) throws {
            let before = proxy[counter]
            try client.send(Messages.get)
            let socket = try origin.origin.accept()
            _ = try socket.receive()
            try act(socket)
            let (head, body) = try client.receiveResponse()
            #expect(head.hasPrefix("HTTP/1.1 502 Bad Gateway\r\n"))
            #expect(body == "the TLS handshake with the upstream failed\n")
            #expect(proxy[counter] == before + 1)
        }
        try fail(.upstreamTLSAbandoned) { $0.finish() }
        try fail(.upstreamTLSAbandoned) { $0.reset() }
        try fail(.upstreamTLSMalformed) {
            try $0.send("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        }
        try fail(.upstreamTLSAlerts) { try $0.send([21, 3, 3, 0, 2, 2, 40]) }
        #expect(proxy[.upstreamConnectFailures] == 4)
        // It works when the origin does.
        let upstream = try origin.accept(Messages.get, from: client)
        try upstream.send(Messages.ok)
        try client.expect(Messages.ok)
    }

    @Test("A handshake has what is left of the time to connect", arguments: TestDriver.offered)
    func timeout(_ driver: TestDriver) throws {
        let origin = try TLSOrigin()
        let proxy = try TestProxy(driver, cluster: origin.cluster) { $0.timeoutConnect = .milliseconds(200) }
        let client = try proxy.connect()
        try client.send(Messages.get)
        let socket = try origin.origin.accept()
        #expect(try client.receiveResponse().head.hasPrefix("HTTP/1.1 504 "))
        _ = try socket.receiveUntilClosed()
        #expect(proxy[.timeoutsConnect] == 1 && proxy.failures(.connectTimeout) == 1)
    }

    @Test("The next endpoint is asked where a handshake fails", arguments: TestDriver.offered)
    func another(_ driver: TestDriver) throws {
        let bad = try TLSOrigin(TestCertificate("other.example"))
        let good = try TLSOrigin()
        var cluster = good.cluster([bad.origin.address, good.origin.address])
        cluster.outliers.consecutive = 0
        let proxy = try TestProxy(driver, cluster: cluster)
        let client = try proxy.connect()
        // Round robin comes to either first.
        for _ in 0..<2 {
            try client.send("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc")
            var upstream: TLSSocket?
            while upstream == nil {
                let (socket, index) = try [bad.origin, good.origin].firstToAccept()
                if index == 0 {
                    _ = try? TLSSocket(socket, bad.identity.accept())
                } else {
                    upstream = try TLSSocket(socket, good.identity.accept())
                }
            }
            let found = try #require(upstream)
            _ = try found.receiveHead()
            #expect(text(try found.receive(exactly: 3)) == "abc")
            try found.send(Messages.okClosing)
            #expect(try client.receiveResponse().body == "hi")
        }
        #expect(proxy[.upstreamTLSDistrusted] == 1)
    }

    @Test("What is changed on its way is no answer", arguments: TestDriver.offered)
    func changed(_ driver: TestDriver) throws {
        let origin = try TLSOrigin()
        let proxy = try TestProxy(driver, cluster: origin.cluster)
        let client = try proxy.connect()
        let upstream = try origin.accept(Messages.get, from: client)
        try upstream.session.write(latin1(Messages.ok))
        var bytes = upstream.session.take()
        bytes[bytes.count - 1] ^= 1
        try upstream.socket.send(bytes)
        let (head, body) = try client.receiveResponse()
        #expect(head.hasPrefix("HTTP/1.1 502 Bad Gateway\r\n"))
        #expect(body == "\(ProxyError.upstreamTLSBroken.reason)\n")
        #expect(proxy[.tlsErrors] == 1)
        // Behind one it changes nothing about it.
        let second = try origin.accept(Messages.get, from: client)
        try second.session.write(latin1(Messages.ok))
        let whole = second.session.take()
        try second.session.write(latin1("x"))
        var rest = second.session.take()
        rest[rest.count - 1] ^= 1
        try second.socket.send(whole + rest)
        try client.expect(Messages.ok)
        _ = try second.socket.receiveUntilClosed()
        #expect(proxy[.tlsErrors] == 2)
    }

    // MARK: - Health

    @Test("Checks are made over TLS as well", arguments: TestDriver.offered, [Int32(12), 13])
    func health(_ driver: TestDriver, _ version: Int32) throws {
        let good = try ServedOrigin(
            TLSServerIdentity(TLSOrigin.certificate, versions: version...version)
        ) { head, _ in
            head.hasPrefix("GET /healthz ") ? "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine" : Messages.ok
        }
        let bad = try ServedOrigin(TLSServerIdentity(TestCertificate("other.example"))) { _, _ in Messages.ok
        }
        let roots = try TemporaryFile(TLSOrigin.certificate.certificate)
        var cluster = ClusterConfiguration(name: "origin", endpoints: [good.address, bad.address])
        cluster.tls = UpstreamTLSConfiguration()
        cluster.tls?.rootsPath = roots.path
        var check = HealthCheckConfiguration()
        check.path = "/healthz"
        check.body = "fine"
        check.interval = .seconds(10)
        check.timeout = .seconds(10)
        cluster.health = check
        let proxy = try TestProxy(driver, cluster: cluster)
        let health = proxy.server.clusterHealth[0]
        try proxy.wait(for: "the first checks") {
            health.endpoints.allSatisfy { $0.checkedState != .nothing }
        }
        #expect(health.endpoints[0].checkedState == .healthy)
        #expect(health.endpoints[1].checkedState == .unhealthy)
        let reason = "its certificate leads to no authority that is trusted here"
        let line = "cluster origin: endpoint \(bad.address) is unhealthy: \(reason)"
        try proxy.wait(for: line) { proxy.log.withLock { $0.contains(line) } }
        let client = try proxy.connect()
        for _ in 0..<4 {
            try client.send(Messages.get)
            try client.expect(Messages.ok)
        }
        proxy.end()
        good.end()
        bad.end()
    }

    // MARK: - Tunnels

    @Test("A relay of connections puts TLS on them", arguments: TestDriver.offered)
    func relay(_ driver: TestDriver) throws {
        let origin = try TLSOrigin()
        let proxy = try TestProxy(driver, cluster: origin.cluster) { $0.listeners[0].role = .tcp }
        let client = try proxy.connect()
        let upstream = try origin.accept()
        // What it carries nobody knows.
        #expect(upstream.session.alpn == "")
        try upstream.send("hello")
        try client.expect("hello")
        try client.send("hello yourself")
        try upstream.expect("hello yourself")
        client.finish()
        #expect(try upstream.receiveAll() == [])
        try upstream.send("more")
        try upstream.end()
        try client.expect("more")
        try client.expectEnd()
        // An end that is not told is none.
        let other = try proxy.connect()
        let cut = try origin.accept()
        try cut.send("some")
        try other.expect("some")
        cut.socket.finish()
        #expect(try other.receiveUntilClosed().isReset)
        #expect(proxy[.tlsTruncated] == 1)
    }

    @Test("A protocol is switched to inside TLS", arguments: TestDriver.offered)
    func upgrade(_ driver: TestDriver) throws {
        let origin = try TLSOrigin()
        let proxy = try TestProxy(driver, cluster: origin.cluster)
        let client = try proxy.connect()
        try client.send(Messages.upgrade)
        let upstream = try origin.accept()
        #expect(try upstream.receiveHead().contains("\r\nUpgrade: websocket\r\n"))
        try upstream.send(Messages.switching + "first")
        #expect(try client.receiveHead().hasPrefix("HTTP/1.1 101 "))
        try client.expect("first")
        let body = pattern(300_000)
        try client.send(body)
        #expect(difference(try upstream.receive(exactly: body.count), body) == nil)
        try upstream.send(body)
        #expect(difference(try client.receive(exactly: body.count), body) == nil)
        try upstream.end()
        try client.expectEnd()
    }

    @Test("A parent is spoken to over TLS, with a tunnel inside", arguments: TestDriver.offered)
    func parent(_ driver: TestDriver) throws {
        let parent = try TLSOrigin()
        let proxy = try TestProxy(forward: driver, allow: ["*"]) {
            $0.forwardAddresses = []
            $0.listeners = [ListenerConfiguration(address: "127.0.0.1:0", role: .forward, parent: "origin")]
            $0.clusters = [parent.cluster]
        }
        let client = try proxy.connect()
        let request = "GET http://a.test/ HTTP/1.1\r\nHost: a.test\r\n\r\n"
        let upstream = try parent.accept(request, from: client)
        try upstream.send(Messages.ok)
        try client.expect(Messages.ok)
        let tunnel = try proxy.connect()
        let connect = "CONNECT a.test:443 HTTP/1.1\r\nHost: a.test:443\r\n\r\n"
        let end = try parent.accept(connect, from: tunnel)
        try end.send("HTTP/1.1 200 Fine\r\n\r\n")
        try tunnel.expect("HTTP/1.1 200 Connection established\r\n\r\n")
        let body = pattern(300_000)
        try tunnel.send(body)
        #expect(difference(try end.receive(exactly: body.count), body) == nil)
        try end.send(body)
        #expect(difference(try tunnel.receive(exactly: body.count), body) == nil)
        tunnel.finish()
        #expect(try end.receiveAll() == [])
        try end.end()
        try tunnel.expectEnd()
    }

    @Test("A PROXY protocol header goes before TLS", arguments: TestDriver.offered)
    func header(_ driver: TestDriver) throws {
        let origin = try TLSOrigin()
        for role in [ListenerConfiguration.Role.reverse, .tcp] {
            let proxy = try TestProxy(driver, cluster: origin.cluster) {
                $0.upstreamProxyProtocol = .v1
                $0.listeners[0].role = role
            }
            let client = try proxy.connect()
            try client.send(Messages.get)
            let socket = try origin.origin.accept()
            var line = ""
            while !line.hasSuffix("\r\n") { line += text(try socket.receive(exactly: 1)) }
            #expect(line.hasPrefix("PROXY TCP4 127.0.0.1 127.0.0.1 "))
            let upstream = try TLSSocket(socket, origin.identity.accept())
            #expect(try upstream.receiveHead().hasPrefix("GET /a HTTP/1.1\r\nHost: h\r\n"))
            try upstream.send(Messages.ok)
            try client.expect(Messages.ok)
        }
    }

    @Test(
        "A reload in a handshake changes nothing of the request that waits for it",
        arguments: TestDriver.offered)
    func headerReloaded(_ driver: TestDriver) throws {
        let origin = try TLSOrigin()
        let proxy = try TestProxy(driver, cluster: origin.cluster)
        for version in [Configuration.UpstreamProxyProtocol.v1, .off] {
            let client = try proxy.connect()
            try client.send(Messages.get)
            let socket = try origin.origin.accept()
            if version == .off {
                var line = ""
                while !line.hasSuffix("\r\n") { line += text(try socket.receive(exactly: 1)) }
            }
            try proxy.reload { $0.upstreamProxyProtocol = version }
            let upstream = try TLSSocket(socket, origin.identity.accept())
            #expect(try upstream.receiveHead().hasPrefix("GET /a HTTP/1.1\r\nHost: h\r\n"))
            try upstream.send(Messages.okClosing)
            try client.expect(Messages.ok)
        }
    }
}

extension TestSocket {
    /// A whole chunked answer, or everything up to the end, and whether that was a reset.
    fileprivate func receiveUntilClosedOrWhole() throws -> (text: String, isReset: Bool) {
        var bytes: [UInt8] = []
        do {
            while !bytes.ends(with: latin1("0\r\n\r\n")), let more = try receive() { bytes += more }
        } catch is ConnectionReset {
            return (text(bytes), true)
        }
        return (text(bytes), false)
    }
}
