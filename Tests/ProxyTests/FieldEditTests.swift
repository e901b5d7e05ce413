import Testing

@testable import UringProxy

@Suite("Field edits", .blocking)
struct FieldEditTests {
    private func edits(
        set: [(String, String)] = [], add: [(String, String)] = [], remove: [String] = []
    ) -> FieldEdits {
        FieldEdits(
            set: set.map { .init(name: $0.0, value: $0.1) }, add: add.map { .init(name: $0.0, value: $0.1) },
            remove: remove)
    }

    @Test(
        "Request fields are set, added and removed, with what the request is", arguments: TestDriver.offered)
    func request(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try RouteProxy.start(
            driver, [origin],
            [
                RouteProxy.route {
                    $0.path = "/t/{tenant}/*rest".replacing("*rest", with: "{rest...}")
                    $0.cluster = "a"
                    $0.requestEdits = edits(
                        set: [
                            ("X-Tenant", "{tenant}"), ("x-seen", "{method} {host} {path} {query}"),
                            ("X-From", "{client_address}"), ("X-Where", "{route} {cluster}"),
                            ("X-Agent", "<{header:User-Agent}>"), ("X-Session", "{cookie:sid}"),
                            ("X-Braces", "{{\"a\":1}}"), ("X-None", "{header:missing}"),
                        ],
                        add: [("Accept", "b"), ("Accept", "c")], remove: ["cookie", "X-Secret"])
                }
            ])
        let client = try proxy.connect()
        try client.send(
            RouteProxy.get(
                "/t/7/x?y=1", host: "h:81",
                "Accept: a\r\nx-secret: 1\r\nX-SEEN: lies\r\nCookie: a=b; sid=42\r\nX-Secret: 2\r\nUser-Agent: u\r\nX-None: z\r\nB: c\r\n"
            ))
        let upstream = try origin.accept()
        try upstream.expect(
            RouteProxy.get(
                "/t/7/x?y=1", host: "h:81",
                "Accept: a\r\nUser-Agent: u\r\nB: c\r\nX-Tenant: 7\r\nx-seen: GET h /t/7/x ?y=1\r\nX-From: 127.0.0.1\r\nX-Where: s[0] a\r\nX-Agent: <u>\r\nX-Session: 42\r\nX-Braces: {\"a\":1}\r\nAccept: b\r\nAccept: c\r\n"
            ))
        try upstream.send(Messages.ok)
        try client.expect(Messages.ok)
    }

    @Test("Response fields likewise, also of interim responses' successors", arguments: TestDriver.offered)
    func response(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try RouteProxy.start(
            driver, [origin],
            [
                RouteProxy.route {
                    $0.cluster = "a"
                    $0.responseEdits = edits(
                        set: [("Server", "edge"), ("X-Path", "{path}"), ("X-By", "{endpoint}")],
                        add: [("Set-Cookie", "b=2")], remove: ["X-Powered-By"])
                }
            ])
        let client = try proxy.connect()
        try client.send(RouteProxy.get("/a") + RouteProxy.get("/b"))
        let upstream = try origin.accept()
        try upstream.expect(RouteProxy.get("/a"))
        try upstream.send(
            "HTTP/1.1 103 Early Hints\r\nServer: x\r\n\r\n"
                + "HTTP/1.1 200 OK\r\nserver: x\r\nX-Powered-By: p\r\nSet-Cookie: a=1\r\nX-Path: no\r\nContent-Length: 2\r\n\r\nhi"
        )
        try client.expect("HTTP/1.1 103 Early Hints\r\nServer: x\r\n\r\n")
        try client.expect(
            "HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nContent-Length: 2\r\nServer: edge\r\nX-Path: /a\r\nX-By: \(origin.address)\r\nSet-Cookie: b=2\r\n\r\nhi"
        )
        // The next one on the connection, ended by closing, with chunks for downstream.
        try upstream.expect(RouteProxy.get("/b"))
        try upstream.send("HTTP/1.1 200 OK\r\nX-Powered-By: p\r\n\r\nhi")
        upstream.close()
        try client.expect(
            "HTTP/1.1 200 OK\r\nServer: edge\r\nX-Path: /b\r\nX-By: \(origin.address)\r\nSet-Cookie: b=2\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
    }

    @Test("Our own answers to a request that a route took have its fields", arguments: TestDriver.offered)
    func own(_ driver: TestDriver) throws {
        let dead = try TestOrigin.nobody()
        let common = edits(
            set: [("X-Route", "{route}"), ("Content-Type", "text/x-own")], remove: ["Retry-After"])
        let proxy = try RouteProxy.start(
            driver, [],
            [
                RouteProxy.route {
                    $0.path = "/fixed"
                    $0.response = .init(status: 200, body: "x")
                    $0.responseEdits = common
                },
                RouteProxy.route {
                    $0.path = "/moved"
                    $0.redirect = .init(target: "/new{query}")
                    $0.responseEdits = edits(set: [("Cache-Control", "max-age=60")])
                },
                RouteProxy.route {
                    $0.path = "/dead"
                    $0.cluster = "a"
                    $0.responseEdits = common
                },
            ]
        ) { $0.clusters = [ClusterConfiguration(name: "a", endpoints: [dead])] }
        let client = try proxy.connect()
        try client.send(
            RouteProxy.get("/fixed") + RouteProxy.get("/fixed", method: "HEAD") + RouteProxy.get("/moved?q")
                + RouteProxy.get("/none"))
        let head = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nX-Route: s[0]\r\nContent-Type: text/x-own\r\n\r\n"
        try client.expect(head + "x" + head)
        try client.expect(
            "HTTP/1.1 308 Permanent Redirect\r\nLocation: /new?q\r\nContent-Length: 0\r\nCache-Control: max-age=60\r\n\r\n"
        )
        try client.expect("HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\nContent-Length: 28\r\n\r\n")
        try client.expect("no route takes this request\n")
        try client.send(RouteProxy.get("/dead"))
        try client.expect(
            "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 36\r\nX-Route: s[2]\r\nContent-Type: text/x-own\r\n\r\nthe upstream refused the connection\n"
        )
    }

    @Test("What holds for a list is changed by its routes", arguments: TestDriver.offered)
    func defaults(_ driver: TestDriver) throws {
        let proxy = try RouteProxy.start(
            driver, [],
            [
                RouteProxy.route {
                    $0.path = "/a"
                    $0.response = .init(status: 204)
                },
                RouteProxy.route {
                    $0.path = "/b"
                    $0.response = .init(status: 204)
                    $0.responseEdits = edits(set: [("x-a", "{path}")], add: [("X-C", "2")], remove: ["X-B"])
                },
            ]
        ) {
            var defaults = RouteDefaults(name: "s")
            defaults.response = edits(
                set: [("X-A", "1"), ("X-B", "1"), ("X-By", "{endpoint}")], add: [("X-C", "1")])
            $0.routeDefaults = [defaults]
        }
        let client = try proxy.connect()
        try client.send(RouteProxy.get("/a") + RouteProxy.get("/b"))
        try client.expect("HTTP/1.1 204 No Content\r\nX-A: 1\r\nX-B: 1\r\nX-C: 1\r\n\r\n")
        try client.expect("HTTP/1.1 204 No Content\r\nX-C: 1\r\nx-a: /b\r\nX-C: 2\r\n\r\n")
    }

    @Test(
        "A request has one name in both directions: its own, if it may stand there, or a new one",
        arguments: TestDriver.offered)
    func requestID(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try RouteProxy.start(
            driver, [origin],
            [
                RouteProxy.route {
                    $0.cluster = "a"
                    $0.requestEdits = edits(set: [("X-Request-ID", "{request_id}")])
                    $0.responseEdits = edits(set: [("X-Request-ID", "{request_id}")])
                }
            ])
        let client = try proxy.connect()
        var upstream: TestSocket?
        var seen: Set<String> = []
        for (given, isKept) in [
            ("", false), ("", false), ("abc-1.2/Z=", true), ("a b", false),
            (String(repeating: "x", count: 129), false),
        ] {
            try client.send(RouteProxy.get("/", given.isEmpty ? "" : "X-Request-Id: \(given)\r\n"))
            let connection = try upstream ?? origin.accept()
            upstream = connection
            let head = try connection.receiveHead()
            let id = try #require(
                head.split(separator: "\r\n").first { $0.hasPrefix("X-Request-ID: ") }?.dropFirst(14))
            #expect(isKept ? id == given : id.count == 32 && id.allSatisfy(\.isHexDigit))
            #expect(seen.insert(String(id)).inserted)
            #expect(head.lowercased().split(separator: "x-request-id").count == 2)
            try connection.send(Messages.ok)
            try client.expect("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Request-ID: \(id)\r\n\r\nhi")
        }
    }

    @Test("No value puts a line of its own into a head, whatever it holds", arguments: TestDriver.offered)
    func injection(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try RouteProxy.start(
            driver, [origin],
            [
                RouteProxy.route {
                    $0.path = "/{a}"
                    $0.cluster = "a"
                    $0.requestEdits = edits(set: [("X-A", "{a}|{path}|{query}|{header:x-b}|{cookie:c}")])
                    $0.responseEdits = edits(set: [("X-A", "{a}|{header:x-b}|{endpoint}")])
                }
            ])
        let client = try proxy.connect()
        let fields = "X-B: a\tb\u{FF}\r\nCookie: c=%0d%0a\r\n"
        try client.send(RouteProxy.get("/%0d%0aX:%20y?%0d%0a", fields))
        let upstream = try origin.accept()
        let path = "/%0d%0aX:%20y"
        try upstream.expect(
            RouteProxy.get(
                path + "?%0d%0a", fields + "X-A: %0D%0AX:%20y|\(path)|?%0d%0a|a\tb\u{FF}|%0d%0a\r\n"))
        try upstream.send(Messages.ok)
        try client.expect(
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-A: %0D%0AX:%20y|a\tb\u{FF}|\(origin.address)\r\n\r\nhi"
        )
    }

    @Test("Many long values are refused", arguments: TestDriver.offered)
    func tooLarge(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try RouteProxy.start(
            driver, [origin],
            [
                RouteProxy.route {
                    $0.path = "/many"
                    $0.cluster = "a"
                    $0.requestEdits = edits(
                        add: (0..<16).map { ("X-\($0)", "{header:x-long}") })
                },
                RouteProxy.route {
                    $0.path = "/few"
                    $0.cluster = "a"
                    $0.requestEdits = edits(add: [("A", "{header:x-long}"), ("B", "{header:x-long}")])
                },
            ])
        let client = try proxy.connect()
        let long = String(repeating: "l", count: 6000)
        try client.send(RouteProxy.get("/many", "X-Long: \(long)\r\n"))
        let answer = try client.receiveResponse()
        #expect(answer.head.hasPrefix("HTTP/1.1 431 "))
        try client.send(RouteProxy.get("/few", "X-Long: \(long)\r\n"))
        let upstream = try origin.accept()
        try upstream.expect(RouteProxy.get("/few", "X-Long: \(long)\r\nA: \(long)\r\nB: \(long)\r\n"))
        try upstream.send(Messages.ok)
        try client.expect(Messages.ok)
    }

    @Test("An upgrade's answer has them as well, and the tunnel opens", arguments: TestDriver.offered)
    func upgrade(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try RouteProxy.start(
            driver, [origin],
            [
                RouteProxy.route {
                    $0.cluster = "a"
                    $0.responseEdits = edits(set: [("X-A", "b")])
                }
            ])
        let client = try proxy.connect()
        let upgrade = "Upgrade: echo\r\nConnection: Upgrade\r\n"
        try client.send(RouteProxy.get("/", upgrade))
        let upstream = try origin.accept()
        try upstream.expect(RouteProxy.get("/", upgrade))
        try upstream.send("HTTP/1.1 101 Switching Protocols\r\n\(upgrade)\r\n")
        try client.expect("HTTP/1.1 101 Switching Protocols\r\nX-A: b\r\n\(upgrade)\r\n")
        try client.send("ping")
        try upstream.expect("ping")
    }

    @Test("The scheme and the host that a route tells are not told again", arguments: TestDriver.offered)
    func forwarded(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try RouteProxy.start(
            driver, [origin],
            [
                RouteProxy.route {
                    $0.cluster = "a"
                    $0.requestEdits = edits(set: [("X-Forwarded-Proto", "https"), ("x-forwarded-host", "o")])
                }
            ]
        ) { $0.xForwarded = .append }
        let client = try proxy.connect()
        try client.send(RouteProxy.get("/", "X-Forwarded-Proto: ftp\r\n"))
        let upstream = try origin.accept()
        try upstream.expect(
            RouteProxy.get(
                "/",
                "X-Forwarded-Proto: https\r\nx-forwarded-host: o\r\nX-Forwarded-For: 127.0.0.1\r\n"))
        try upstream.send(Messages.ok)
        try client.expect(Messages.ok)
    }
}
