import Testing

@testable import UringProxy

@Suite("Keep-alive", .blocking)
struct KeepAliveTests {

    @Test("A thousand requests in a row make one upstream connection", arguments: TestDriver.offered)
    func reuse(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TestProxy(driver, origin)
        let client = try proxy.connect()
        var upstream: TestSocket?
        for _ in 0..<1000 {
            try client.send(Messages.get)
            if upstream == nil { upstream = try origin.accept() }
            try upstream!.expect(Messages.get)
            try upstream!.send(Messages.ok)
            try client.expect(Messages.ok)
        }
        #expect(origin.acceptNow() == nil)
        #expect(proxy[.upstreamOpened] == 1)
        #expect(proxy[.upstreamReused] == 999)
        #expect(proxy[.downstreamAccepted] == 1)
    }

    @Test("A new downstream connection takes the idle upstream connection", arguments: TestDriver.offered)
    func reuseAcrossConnections(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TestProxy(driver, origin)
        var upstream: TestSocket?
        for _ in 0..<20 {
            let client = try proxy.connect()
            try client.send(Messages.get)
            if upstream == nil { upstream = try origin.accept() }
            try upstream!.expect(Messages.get)
            try upstream!.send(Messages.ok)
            try client.expect(Messages.ok)
        }
        #expect(proxy[.upstreamOpened] == 1)
    }

    @Test("Pipelined requests are answered in order, one at a time", arguments: TestDriver.offered)
    func pipelining(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TestProxy(driver, origin)
        let client = try proxy.connect()
        let paths = (0..<50).map { "/\($0)" }
        try client.send(paths.map { "GET \($0) HTTP/1.1\r\nHost: h\r\n\r\n" }.joined())
        let upstream = try origin.accept()
        for path in paths {
            try upstream.expect("GET \(path) HTTP/1.1\r\nHost: h\r\n\r\n")
            try upstream.send("HTTP/1.1 200 OK\r\nContent-Length: \(path.utf8.count)\r\n\r\n\(path)")
        }
        for path in paths {
            try client.expect("HTTP/1.1 200 OK\r\nContent-Length: \(path.utf8.count)\r\n\r\n\(path)")
        }
        #expect(proxy[.upstreamOpened] == 1)
    }

    @Test("Pipelined requests with bodies are taken apart where one ends", arguments: TestDriver.offered)
    func pipelinedBodies(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TestProxy(driver, origin)
        let client = try proxy.connect()
        let first = "POST /1 HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc"
        let second = "POST /2 HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nGET \r\n0\r\n\r\n"
        try client.send(first + second + Messages.get)
        let upstream = try origin.accept()
        for request in [first, second, Messages.get] {
            try upstream.expect(request)
            try upstream.send(Messages.ok)
            try client.expect(Messages.ok)
        }
    }

    @Test("An HTTP/1.0 client gets Connection: close, and an end", arguments: TestDriver.offered)
    func http10(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TestProxy(driver, origin)
        let client = try proxy.connect()
        try client.send("GET /a HTTP/1.0\r\nHost: h\r\n\r\n")
        let upstream = try origin.accept()
        // RFC 9110 §2.5: our version upstream.
        try upstream.expect(Messages.get)
        try upstream.send(Messages.ok)
        try client.expect(Messages.okClosing)
        try client.expectEnd()
    }

    @Test("An HTTP/1.0 client that asks for keep-alive is told so, and kept", arguments: TestDriver.offered)
    func http10KeepAlive(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TestProxy(driver, origin)
        let client = try proxy.connect()
        var upstream: TestSocket?
        for _ in 0..<3 {
            try client.send("GET /a HTTP/1.0\r\nHost: h\r\nConnection: Keep-Alive\r\n\r\n")
            if upstream == nil { upstream = try origin.accept() }
            try upstream!.expect(Messages.get)
            try upstream!.send(Messages.ok)
            try client.expect("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nhi")
        }
    }

    @Test(
        "Connection: close from downstream is answered in kind and not passed on",
        arguments: TestDriver.offered)
    func clientCloses(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TestProxy(driver, origin)
        let client = try proxy.connect()
        try client.send("GET /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        let upstream = try origin.accept()
        try upstream.expect(Messages.get)
        try upstream.send(Messages.ok)
        try client.expect(Messages.okClosing)
        try client.expectEnd()
        // The upstream connection is none of its business.
        let other = try proxy.connect()
        try other.send(Messages.get)
        try upstream.expect(Messages.get)
    }

    @Test(
        "Who said that it sends no more is not waited for; who says more all the same is heard out",
        arguments: TestDriver.offered)
    func clientSaidClose(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TestProxy(driver, origin)
        let request = "GET /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
        let quiet = try proxy.connect()
        try quiet.send(request)
        let upstream = try origin.accept()
        try upstream.expect(Messages.get)
        try upstream.send(Messages.ok)
        try quiet.expect(Messages.okClosing)
        // Its own end is still open.
        try proxy.wait(for: "the end of the connection") { proxy[.downstreamClosed] == 1 }
        try quiet.expectEnd()

        let talkative = try proxy.connect()
        try talkative.send(request + "more")
        try upstream.expect(Messages.get)
        try upstream.send(Messages.ok)
        try talkative.expect(Messages.okClosing)
        try talkative.expectEnd()
        #expect(proxy[.downstreamClosed] == 1)
        talkative.finish()
        try proxy.wait(for: "the end of the connection") { proxy[.downstreamClosed] == 2 }
    }

    @Test("Connection: close from upstream ends that connection alone", arguments: TestDriver.offered)
    func upstreamCloses(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TestProxy(driver, origin)
        let client = try proxy.connect()
        for _ in 0..<3 {
            try client.send(Messages.get)
            let upstream = try origin.accept()
            try upstream.expect(Messages.get)
            try upstream.send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi")
            try client.expect(Messages.ok)
            try upstream.expectEnd()
        }
        #expect(proxy[.upstreamOpened] == 3)
        #expect(proxy[.downstreamAccepted] == 1)
    }

    @Test("An idle downstream connection is closed after --timeout-keepalive", arguments: TestDriver.offered)
    func idleTimeout(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TestProxy(driver, origin) { $0.timeoutKeepalive = .milliseconds(150) }
        let client = try proxy.connect()
        try client.send(Messages.get)
        let upstream = try origin.accept()
        try upstream.expect(Messages.get)
        try upstream.send(Messages.ok)
        try client.expect(Messages.ok)
        try client.expectEnd()
        #expect(proxy[.timeoutsKeepalive] == 1)
    }

    @Test("An idle upstream connection is closed after --pool-idle-timeout", arguments: TestDriver.offered)
    func poolTimeout(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TestProxy(driver, origin) { $0.poolIdleTimeout = .milliseconds(150) }
        let client = try proxy.connect()
        try client.send(Messages.get)
        let upstream = try origin.accept()
        try upstream.expect(Messages.get)
        try upstream.send(Messages.ok)
        try client.expect(Messages.ok)
        try upstream.expectEnd()
        // Downstream's is still good.
        try client.send(Messages.get)
        let second = try origin.accept()
        try second.expect(Messages.get)
        try second.send(Messages.ok)
        try client.expect(Messages.ok)
    }

    @Test("At most --pool-idle connections are kept", arguments: TestDriver.offered)
    func poolLimit(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TestProxy(driver, origin) { $0.poolIdle = 2 }
        var pairs: [(TestSocket, TestSocket)] = []
        for _ in 0..<4 {
            let client = try proxy.connect()
            try client.send(Messages.get)
            let upstream = try origin.accept()
            try upstream.expect(Messages.get)
            pairs.append((client, upstream))
        }
        for (client, upstream) in pairs {
            try upstream.send(Messages.ok)
            try client.expect(Messages.ok)
        }
        // The least recently used go.
        try pairs[0].1.expectEnd()
        try pairs[1].1.expectEnd()
        try proxy.wait(for: "two idle connections") { proxy[.upstreamClosed] == 2 }
    }

    @Test("--limit-requests-per-connection ends with Connection: close", arguments: TestDriver.offered)
    func requestLimit(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TestProxy(driver, origin) { $0.limitRequestsPerConnection = 3 }
        let client = try proxy.connect()
        // All pipelined: the fourth is never read.
        try client.send(Messages.get + Messages.get + Messages.get + Messages.get)
        let upstream = try origin.accept()
        for number in 1...3 {
            try upstream.expect(Messages.get)
            try upstream.send(Messages.ok)
            try client.expect(
                number < 3 ? Messages.ok : Messages.okClosing)
        }
        try client.expectEnd()
        proxy.end()
        try upstream.expectEnd()
    }

    @Test("A GET on a stale idle connection is sent again on a new one", arguments: TestDriver.offered)
    func staleGet(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TestProxy(driver, origin)
        let client = try proxy.connect()
        try client.send(Messages.get)
        let upstream = try origin.accept()
        try upstream.expect(Messages.get)
        try upstream.send(Messages.ok)
        try client.expect(Messages.ok)
        // The origin gives up the connection just as it gets the next request: read, and closed without an answer.
        try client.send(Messages.get)
        try upstream.expect(Messages.get)
        upstream.close()
        let second = try origin.accept()
        try second.expect(Messages.get)
        try second.send(Messages.ok)
        try client.expect(Messages.ok)
        #expect(proxy[.retries] == 1)
    }

    @Test("A GET on an idle connection that is reset is sent again", arguments: TestDriver.offered)
    func resetGet(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TestProxy(driver, origin)
        let client = try proxy.connect()
        try client.send(Messages.get)
        let upstream = try origin.accept()
        try upstream.expect(Messages.get)
        try upstream.send(Messages.ok)
        try client.expect(Messages.ok)
        try client.send(Messages.get)
        try upstream.expect(Messages.get)
        upstream.reset()
        let second = try origin.accept()
        try second.expect(Messages.get)
        try second.send(Messages.ok)
        try client.expect(Messages.ok)
    }

    @Test("A POST that a stale connection may have taken is not repeated: 502", arguments: TestDriver.offered)
    func stalePost(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TestProxy(driver, origin)
        let client = try proxy.connect()
        try client.send(Messages.get)
        let upstream = try origin.accept()
        try upstream.expect(Messages.get)
        try upstream.send(Messages.ok)
        try client.expect(Messages.ok)
        let post = "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc"
        try client.send(post)
        try upstream.expect(post)
        upstream.close()
        let (head, _) = try client.receiveResponse()
        #expect(head.hasPrefix("HTTP/1.1 502 Bad Gateway\r\n"))
        #expect(proxy[.retries] == 0)
        proxy.end()
        #expect(origin.acceptNow() == nil)
    }

    @Test(
        "A new connection that ends without an answer is a 502, also for GET", arguments: TestDriver.offered)
    func freshConnectionEnds(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TestProxy(driver, origin)
        let client = try proxy.connect()
        try client.send(Messages.get)
        let upstream = try origin.accept()
        try upstream.expect(Messages.get)
        upstream.close()
        let (head, body) = try client.receiveResponse()
        #expect(head.hasPrefix("HTTP/1.1 502 Bad Gateway\r\n"))
        #expect(body == "the upstream closed the connection before it answered\n")
        // And the downstream connection lives on.
        try client.send(Messages.get)
        let second = try origin.accept()
        try second.expect(Messages.get)
        try second.send(Messages.ok)
        try client.expect(Messages.ok)
    }

    @Test("Bytes that nobody asked for end an idle upstream connection", arguments: TestDriver.offered)
    func unsolicited(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TestProxy(driver, origin)
        let client = try proxy.connect()
        try client.send(Messages.get)
        let upstream = try origin.accept()
        try upstream.expect(Messages.get)
        try upstream.send(Messages.ok)
        try client.expect(Messages.ok)
        // A response that the next request would otherwise get for its own.
        try upstream.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil")
        let (rest, _) = try upstream.receiveUntilClosed()
        #expect(rest == "")
        try client.send(Messages.get)
        let second = try origin.accept()
        try second.expect(Messages.get)
        try second.send(Messages.ok)
        try client.expect(Messages.ok)
    }

    @Test("Bytes behind a response do not become the next one", arguments: TestDriver.offered)
    func surplusBehindResponse(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TestProxy(driver, origin)
        let client = try proxy.connect()
        try client.send(Messages.get + Messages.get)
        let upstream = try origin.accept()
        try upstream.expect(Messages.get)
        try upstream.send(Messages.ok + "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil")
        let second = try origin.accept()
        try second.expect(Messages.get)
        try second.send(Messages.ok)
        try client.expect(Messages.ok + Messages.ok)
    }
}
