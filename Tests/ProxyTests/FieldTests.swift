import Testing

@testable import UringProxy

@Suite("Fields", .blocking)
struct FieldTests {
    /// What arrives upstream of a request.
    private func forwarded(_ request: String, _ proxy: TestProxy, _ origin: TestOrigin) throws -> String {
        let client = try proxy.connect()
        try client.send(request)
        let upstream = try origin.accept()
        let head = try upstream.receiveHead()
        try upstream.send("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
        _ = try client.receiveHead()
        return head
    }

    @Test("Fields for this hop stay here, in both directions", arguments: TestDriver.offered)
    func hopByHop(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TestProxy(driver, origin)
        let client = try proxy.connect()
        try client.send(
            "GET /a HTTP/1.1\r\nHost: h\r\nA: 1\r\nConnection: X-Private, keep-alive\r\nX-Private: secret\r\n"
                + "Keep-Alive: timeout=5\r\nProxy-Connection: keep-alive\r\nProxy-Authorization: Basic x\r\n"
                + "TE: gzip\r\nUpgrade: h2c\r\nx-private: again\r\nB: 2\r\na: 3\r\n\r\n")
        let upstream = try origin.accept()
        // Order, case and duplicates of the others stay.
        try upstream.expect("GET /a HTTP/1.1\r\nHost: h\r\nA: 1\r\nB: 2\r\na: 3\r\n\r\n")
        try upstream.send(
            "HTTP/1.1 200 OK\r\nSet-Cookie: a\r\nConnection: x-hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\n"
                + "Proxy-Authenticate: Basic\r\nset-cookie: b\r\nContent-Length: 0\r\n\r\n")
        try client.expect("HTTP/1.1 200 OK\r\nSet-Cookie: a\r\nset-cookie: b\r\nContent-Length: 0\r\n\r\n")
    }

    @Test("Host comes first and is that of an absolute target", arguments: TestDriver.offered)
    func host(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TestProxy(driver, origin)
        #expect(
            try forwarded("GET /p HTTP/1.1\r\nA: b\r\nHost: example.org:81\r\n\r\n", proxy, origin)
                == "GET /p HTTP/1.1\r\nHost: example.org:81\r\nA: b\r\n\r\n")
        #expect(
            try forwarded("GET http://e.org:8/p?q HTTP/1.1\r\nHost: other\r\n\r\n", proxy, origin)
                == "GET /p?q HTTP/1.1\r\nHost: e.org:8\r\n\r\n")
        #expect(
            try forwarded("GET /p HTTP/1.0\r\n\r\n", proxy, origin) == "GET /p HTTP/1.1\r\nHost: \r\n\r\n")
    }

    @Test("Via is added with the version received, to requests and responses", arguments: TestDriver.offered)
    func via(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TestProxy(driver, origin) { $0.via = "edge" }
        let client = try proxy.connect()
        try client.send("GET /a HTTP/1.1\r\nHost: h\r\nVia: 1.0 other (x, y)\r\n\r\n")
        let upstream = try origin.accept()
        try upstream.expect("GET /a HTTP/1.1\r\nHost: h\r\nVia: 1.0 other (x, y)\r\nVia: 1.1 edge\r\n\r\n")
        try upstream.send("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n")
        try client.expect("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nVia: 1.0 edge\r\n\r\n")
        let old = try forwarded("GET /a HTTP/1.0\r\nHost: h\r\n\r\n", proxy, origin)
        #expect(old == "GET /a HTTP/1.1\r\nHost: h\r\nVia: 1.0 edge\r\n\r\n")
    }

    @Test("A request that was here before is a loop: 508", arguments: TestDriver.offered)
    func loop(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TestProxy(driver, origin) { $0.via = "edge" }
        let client = try proxy.connect()
        try client.send("GET /a HTTP/1.1\r\nHost: h\r\nVia: 1.1 a, 1.1 EDGE\r\n\r\n")
        let (head, body) = try client.receiveResponse()
        #expect(head.hasPrefix("HTTP/1.1 508 Loop Detected\r\n"))
        #expect(body == "the request came through this proxy before (Via)\n")
        #expect(origin.acceptNow() == nil)
        // The connection is still good, and others' names that contain ours are no loop.
        try client.send("GET /a HTTP/1.1\r\nHost: h\r\nVia: 1.1 edge2 (edge)\r\n\r\n")
        _ = try origin.accept().receiveHead()
    }

    @Test("A forward proxy that is sent to itself answers 508", arguments: TestDriver.offered)
    func realLoop(_ driver: TestDriver) throws {
        let proxy = try TestProxy(forward: driver) { $0.via = "me" }
        let client = try proxy.connect()
        try client.send("GET http://\(proxy.address())/ HTTP/1.1\r\nHost: x\r\n\r\n")
        let (head, _) = try client.receiveResponse()
        #expect(head.hasPrefix("HTTP/1.1 508 Loop Detected\r\n"))
    }

    @Test("X-Forwarded: off, append, replace", arguments: TestDriver.offered)
    func xForwarded(_ driver: TestDriver) throws {
        let received =
            "X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: pub\r\nX-Forwarded-Port: 1\r\n"
        let cases: [(Configuration.ForwardedFields, String, String)] = [
            (.off, "", ""), (.off, received, received),
            (
                .append, "",
                "X-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: h\r\n"
            ),
            (
                .append, received,
                "X-Forwarded-Proto: https\r\nX-Forwarded-Host: pub\r\nX-Forwarded-Port: 1\r\n"
                    + "X-Forwarded-For: 192.0.2.7, 127.0.0.1\r\n"
            ),
            (
                .replace, received,
                "X-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: h\r\n"
            ),
        ]
        for (mode, before, after) in cases {
            let origin = try TestOrigin()
            let proxy = try TestProxy(driver, origin) { $0.xForwarded = mode }
            #expect(
                try forwarded("GET /a HTTP/1.1\r\nHost: h\r\n\(before)\r\n", proxy, origin)
                    == "GET /a HTTP/1.1\r\nHost: h\r\n\(after)\r\n", "\(mode)")
        }
    }

    @Test(
        "Without an option X-Forwarded is appended by a reverse proxy, not by a forward proxy",
        arguments: TestDriver.offered)
    func xForwardedDefault(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let reverse = try TestProxy(driver, origin) { $0.xForwarded = nil }
        #expect(
            try forwarded(Messages.get, reverse, origin)
                == "GET /a HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Proto: http\r\n"
                + "X-Forwarded-Host: h\r\n\r\n")
        let forward = try TestProxy(forward: driver) { $0.xForwarded = nil }
        #expect(
            try forwarded("GET http://\(origin.address)/a HTTP/1.1\r\nHost: h\r\n\r\n", forward, origin)
                == "GET /a HTTP/1.1\r\nHost: \(origin.address)\r\n\r\n")
    }

    @Test("Forwarded: off, append, replace", arguments: TestDriver.offered)
    func forwardedField(_ driver: TestDriver) throws {
        let received = "Forwarded: for=192.0.2.7\r\n"
        let ours = "for=127.0.0.1;host=h;proto=http\r\n"
        let cases: [(Configuration.ForwardedFields, String, String)] = [
            (.off, received, received), (.append, "", "Forwarded: " + ours),
            (.append, received, "Forwarded: for=192.0.2.7, " + ours),
            (.replace, received, "Forwarded: " + ours),
        ]
        for (mode, before, after) in cases {
            let origin = try TestOrigin()
            let proxy = try TestProxy(driver, origin) { $0.forwarded = mode }
            #expect(
                try forwarded("GET /a HTTP/1.1\r\nHost: h\r\n\(before)\r\n", proxy, origin)
                    == "GET /a HTTP/1.1\r\nHost: h\r\n\(after)\r\n", "\(mode)")
        }
    }

    @Test("An IPv6 client is named as RFC 7239 asks", arguments: TestDriver.offered)
    func ipv6Client(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TestProxy(driver, origin) {
            $0.listenAddresses = ["[::1]:0"]
            $0.forwarded = .append
            $0.xForwarded = .append
        }
        #expect(
            try forwarded("GET /a HTTP/1.1\r\nHost: h:1\r\n\r\n", proxy, origin)
                == "GET /a HTTP/1.1\r\nHost: h:1\r\nX-Forwarded-For: ::1\r\nX-Forwarded-Proto: http\r\n"
                + "X-Forwarded-Host: h:1\r\nForwarded: for=\"[::1]\";host=\"h:1\";proto=http\r\n\r\n")
    }

    @Test("Max-Forwards counts down, and 0 is answered here", arguments: TestDriver.offered)
    func maxForwards(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TestProxy(driver, origin)
        #expect(
            try forwarded("OPTIONS /a HTTP/1.1\r\nHost: h\r\nMax-Forwards: 3\r\n\r\n", proxy, origin)
                == "OPTIONS /a HTTP/1.1\r\nHost: h\r\nMax-Forwards: 2\r\n\r\n")
        let client = try proxy.connect()
        try client.send("OPTIONS /a HTTP/1.1\r\nHost: h\r\nMax-Forwards: 0\r\n\r\n")
        try client.expect("HTTP/1.1 204 No Content\r\n\r\n")
        try client.send("TRACE /a HTTP/1.1\r\nHost: h\r\nMax-Forwards: 0\r\n\r\n")
        #expect(try client.receiveResponse().head.hasPrefix("HTTP/1.1 405 Method Not Allowed\r\n"))
        #expect(origin.acceptNow() == nil)
    }
}
