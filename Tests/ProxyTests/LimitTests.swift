import CPosix
import Synchronization
import Testing

@testable import UringProxy

@Suite("Limits", .blocking)
struct LimitTests {
    /// The answer to a request that never gets further than the proxy, which ends the connection behind it.
    private func refused(
        _ request: String, _ status: String, _ proxy: TestProxy,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let client = try proxy.connect()
        try client.send(request)
        let (head, body) = try client.receiveResponse()
        #expect(head.hasPrefix("HTTP/1.1 \(status)\r\n"), sourceLocation: sourceLocation)
        #expect(head.contains("Connection: close\r\n"), sourceLocation: sourceLocation)
        #expect(!body.isEmpty, sourceLocation: sourceLocation)
        try client.expectEnd(sourceLocation: sourceLocation)
    }

    @Test("Heads over a limit, and expectations unknown, are refused", arguments: TestDriver.offered)
    func heads(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TestProxy(driver, origin) { $0.limitFields = 10 }
        let long = String(repeating: "a", count: 9000)
        try refused("GET /\(long) HTTP/1.1\r\nHost: h\r\n\r\n", "414 URI Too Long", proxy)
        let fields = (0..<10).map { "F\($0): x\r\n" }.joined()
        try refused(
            "GET / HTTP/1.1\r\nHost: h\r\n\(fields)\r\n", "431 Request Header Fields Too Large", proxy)
        let large = (0..<5).map { "F\($0): \(long)\r\n" }.joined()
        try refused("GET / HTTP/1.1\r\nHost: h\r\n\(large)\r\n", "431 Request Header Fields Too Large", proxy)
        try refused(
            "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nExpect: magic\r\n\r\nabc",
            "417 Expectation Failed",
            proxy)
        proxy.end()
        #expect(origin.acceptNow() == nil)
    }

    @Test("Heads just below the limits pass", arguments: TestDriver.offered)
    func headsBelowLimits(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TestProxy(driver, origin)
        let client = try proxy.connect()
        let value = String(repeating: "v", count: 7000)
        let request =
            "GET /\(String(repeating: "a", count: 8000)) HTTP/1.1\r\nHost: h\r\n"
            + (0..<3).map { "F\($0): \(value)\r\n" }.joined() + "\r\n"
        try client.send(request)
        let upstream = try origin.accept()
        try upstream.expect(request)
        let response =
            "HTTP/1.1 200 OK\r\n" + (0..<4).map { "F\($0): \(value)\r\n" }.joined()
            + "Content-Length: 0\r\n\r\n"
        try upstream.send(response)
        try client.expect(response)
    }

    @Test("A response head over the limit is a 502", arguments: TestDriver.offered)
    func responseHead(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TestProxy(driver, origin)
        let client = try proxy.connect()
        try client.send(Messages.get)
        let upstream = try origin.accept()
        try upstream.expect(Messages.get)
        try upstream.send("HTTP/1.1 200 OK\r\nF: \(String(repeating: "v", count: 40_000))\r\n\r\n")
        #expect(try client.receiveResponse().head.hasPrefix("HTTP/1.1 502 Bad Gateway\r\n"))
    }

    @Test("A body longer than --limit-body is refused before it is sent", arguments: TestDriver.offered)
    func bodyLength(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TestProxy(driver, origin) { $0.limitBodyBytes = 1000 }
        try refused(
            "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1001\r\n\r\n", "413 Content Too Large", proxy)
        #expect(origin.acceptNow() == nil)
        let client = try proxy.connect()
        let request = latin1("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n") + pattern(1000)
        try client.send(request)
        #expect(try origin.accept().receive(exactly: request.count) == request)
    }

    @Test("A chunked body is cut where it passes --limit-body: 413", arguments: TestDriver.offered)
    func chunkedBody(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TestProxy(driver, origin) { $0.limitBodyBytes = 10_000 }
        let client = try proxy.connect()
        let head = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
        try client.send(head + "3\r\nabc\r\n")
        let upstream = try origin.accept()
        try upstream.expect(head + "3\r\nabc\r\n")
        try client.send(latin1("4000\r\n") + pattern(16_384) + latin1("\r\n"))
        let (answer, _) = try client.receiveResponse()
        #expect(answer.hasPrefix("HTTP/1.1 413 Content Too Large\r\n"))
        try client.expectEnd()
        let (rest, _) = try upstream.receiveUntilClosed()
        #expect(!rest.hasSuffix("0\r\n\r\n"))
    }

    @Test("An error answer survives megabytes of upload that nobody reads", arguments: TestDriver.offered)
    func lingering(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TestProxy(driver, origin) { $0.limitBodyBytes = 1000 }
        for _ in 0..<5 {
            let client = try proxy.connect()
            let body = pattern(4 << 20)
            try client.send(
                latin1("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: \(body.count)\r\n\r\n") + body)
            client.finish()
            let (head, text) = try client.receiveResponse()
            #expect(head.hasPrefix("HTTP/1.1 413 Content Too Large\r\n"))
            #expect(text == "the request body is larger than the limit; see --limit-body\n")
            try client.expectEnd()
        }
    }

    @Test("At --limit-connections accepting pauses, and resumes", arguments: TestDriver.offered)
    func connections(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TestProxy(driver, origin) { $0.limitConnections = 2 }
        let first = try proxy.connect()
        let second = try proxy.connect()
        try proxy.wait(for: "two connections") { proxy.downstreamConnections == 2 }
        let third = try proxy.connect()
        try third.send(Messages.get)
        // It waits in the backlog, while the two are served.
        try second.send(Messages.get)
        let upstream = try origin.accept()
        try upstream.expect(Messages.get)
        try upstream.send(Messages.ok)
        try second.expect(Messages.ok)
        #expect(proxy[.downstreamAccepted] == 2)
        #expect(proxy[.requests] == 1)
        first.close()
        try upstream.expect(Messages.get)
        try upstream.send(Messages.ok)
        try third.expect(Messages.ok)
        #expect(proxy[.acceptPauses] >= 1)
    }

    @Test("A burst beyond --limit-connections waits, and is served", arguments: TestDriver.offered)
    func burst(_ driver: TestDriver) throws {
        let origin = try ServedOrigin { _, _ in Messages.ok }
        let proxy = try TestProxy(driver, upstreams: [origin.address]) { $0.limitConnections = 4 }
        var clients: [TestSocket] = []
        for _ in 0..<64 {
            let client = try proxy.connect()
            try client.send("GET /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
            clients.append(client)
        }
        var turnedAway = 0
        for client in clients {
            if try client.receiveUntilClosed().text != Messages.okClosing { turnedAway += 1 }
            client.close()
        }
        #expect(turnedAway == 0)
        proxy.end()
        origin.end()
    }

    @Test("--limit-connections-per-client closes what is beyond it", arguments: TestDriver.offered)
    func perClient(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TestProxy(driver, origin) { $0.limitConnectionsPerClient = 2 }
        let first = try proxy.connect()
        let second = try proxy.connect()
        let third = try proxy.connect()
        #expect(try third.receiveUntilClosed().text == "")
        #expect(proxy[.clientLimitRefusals] == 1)
        try second.send(Messages.get)
        let upstream = try origin.accept()
        try upstream.expect(Messages.get)
        try upstream.send(Messages.ok)
        try second.expect(Messages.ok)
        first.close()
        try proxy.wait(for: "one connection less") { proxy.downstreamConnections == 1 }
        let fourth = try proxy.connect()
        try fourth.send(Messages.get)
        try upstream.expect(Messages.get)
    }

    @Test("A reader that stops holds the origin back, in bounded memory", arguments: TestDriver.offered)
    func backpressure(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TestProxy(driver, origin)
        let client = try proxy.connect(receiveBuffer: 16_384)
        try client.send(Messages.get)
        let upstream = try origin.accept()
        try upstream.expect(Messages.get)
        let leased = { proxy.server.workers[0].gauges.peakLeasedBytes.load(ordering: .relaxed) }
        let before = leased()
        // More than what the kernel may keep for the two connections (net.ipv4.tcp_rmem and tcp_wmem: 32 MiB and 4 MiB).
        let body = pattern(64 << 20)
        let all = latin1("HTTP/1.1 200 OK\r\nContent-Length: \(body.count)\r\n\r\n") + body
        // Until nothing has gone out for a while: every buffer between is full.
        var sent = 0
        while cposix_await_until(
            upstream.descriptor, Int16(POLLOUT), cposix_monotonic_nanoseconds() + 300_000_000) != 0
        {
            let size = upstream.sendSome(Array(all[sent..<min(all.count, sent + 65_536)]))
            try #require(size > 0)
            sent += size
            if sent == all.count { break }
        }
        #expect(sent < all.count, "the origin was never held back")
        #expect(leased() - before < 2 << 20, "one stalled stream")
        let sender = upstream.sendAside(Array(all[sent...]))
        // The stall has been seen: what is left need not come through a keyhole.
        _ = cposix_setsockopt_int(client.descriptor, SOL_SOCKET, SO_RCVBUF, 4 << 20)
        #expect(difference(try client.receive(exactly: all.count), all) == nil)
        sender.join()
    }
}
