import Testing

@testable import UringProxy

@Suite("Rate limits", .blocking)
struct RateLimitTests {
    private func route(_ path: String, _ limits: [String]) -> RouteConfiguration {
        var route = RouteConfiguration()
        route.path = path
        route.access.rateLimits = limits
        route.response = .init(body: "in")
        return route
    }

    /// A proxy whose routes answer themselves. Rates are so low that no bucket fills while a test runs.
    private func proxy(
        _ driver: TestDriver, _ limits: [RateLimitConfiguration], listener: [String] = [],
        _ routes: [RouteConfiguration], change: (inout Configuration) -> Void = { _ in }
    ) throws -> TestProxy {
        try TestProxy(driver, upstreams: []) { configuration in
            configuration.listenAddresses = []
            configuration.listeners = [ListenerConfiguration(address: "127.0.0.1:0", routes: "s")]
            configuration.listeners[0].access.rateLimits = listener
            configuration.routes = [RouteListConfiguration(name: "s", routes: routes)]
            configuration.rateLimits = limits
            change(&configuration)
        }
    }

    private func status(_ client: TestSocket, _ path: String, _ fields: String = "") throws -> String {
        try client.send("GET \(path) HTTP/1.1\r\nHost: h\r\n\(fields)\r\n")
        return String(try client.receiveResponse().head.dropFirst(9).prefix(3))
    }

    private func statuses(_ client: TestSocket, _ path: String, _ fields: String = "", _ count: Int = 3)
        throws
        -> [String]
    {
        try (0..<count).map { _ in try status(client, path, fields) }
    }

    @Test(
        "What exceeds a limit is answered with 429 and when to come again, without an upstream",
        arguments: TestDriver.offered)
    func answer(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try proxy(
            driver, [RateLimitConfiguration(name: "slow", rate: RequestRate(2, per: .day), burst: 1)], []
        ) {
            var route = route("/*", ["slow"])
            route.response = nil
            route.cluster = "a"
            $0.clusters = [ClusterConfiguration(name: "a", endpoints: [origin.address])]
            $0.routes = [RouteListConfiguration(name: "s", routes: [route])]
        }
        let client = try proxy.connect()
        try client.send(Messages.get)
        let upstream = try origin.accept()
        _ = try upstream.receiveHead()
        try upstream.send(Messages.ok)
        try client.expect(Messages.ok)
        for _ in 0..<2 {
            try client.send(Messages.get)
            let (head, body) = try client.receiveResponse()
            let wait = head.split(separator: "\r\n").first { $0.hasPrefix("Retry-After: ") }?.dropFirst(13)
            let seconds = try #require(wait.flatMap { Int($0) })
            // Half a day, less what has passed.
            #expect((43_100...43_200).contains(seconds))
            #expect(
                head
                    == "HTTP/1.1 429 Too Many Requests\r\nRetry-After: \(seconds)\r\nRateLimit-Policy: \"slow\";q=2;w=86400\r\nRateLimit: \"slow\";r=0;t=\(seconds)\r\nContent-Type: text/plain\r\nContent-Length: 52\r\n\r\n"
            )
            #expect(body == "too many requests; wait as long as Retry-After says\n")
        }
        #expect(proxy[.upstreamOpened] == 1)
        #expect(proxy.failures(.rateLimited) == 2)
        let metrics = MetricsReport.render(proxy.server)
        #expect(metrics.contains("\nuproxy_rate_limit_exceeded_total{limit=\"slow\"} 2\n"))
        #expect(metrics.contains("\nuproxy_failures_total{cause=\"rate_limited\"} 2\n"))
    }

    @Test("Requests are counted by what the key says", arguments: TestDriver.offered)
    func keys(_ driver: TestDriver) throws {
        func limit(_ name: String, _ key: RateLimitKey) -> RateLimitConfiguration {
            RateLimitConfiguration(name: name, rate: RequestRate(1, per: .day), key: key)
        }
        let proxy = try proxy(
            driver,
            [
                limit("address", .address), limit("net", .standardPrefix), limit("key", .header("x-key")),
                limit("host", .header("host")), limit("route", .route), limit("all", .all),
            ],
            [
                route("/address", ["address"]), route("/net", ["net"]), route("/key", ["key"]),
                route("/host", ["host"]), route("/route/1", ["route"]), route("/route/2", ["route"]),
                route("/all/1", ["all"]), route("/all/2", ["all"]),
            ]
        ) { $0.trust.trustedProxies = ["127.0.0.0/8"] }
        let client = try proxy.connect()
        func from(_ address: String) -> String { "X-Forwarded-For: \(address)\r\n" }
        let requests = [
            ("/address", from("192.0.2.1"), "200"), ("/address", from("192.0.2.2"), "200"),
            ("/address", from("192.0.2.1"), "429"), ("/net", from("192.0.2.1"), "200"),
            ("/net", from("192.0.2.2"), "429"), ("/net", from("192.0.3.2"), "200"),
            ("/net", from("2001:db8::1"), "200"), ("/net", from("2001:db8::2:1"), "429"),
            ("/net", from("2001:db8:1::1"), "200"), ("/key", "X-Key: a\r\n", "200"),
            ("/key", "x-kEY:  a\r\n", "429"), ("/key", "X-Key: b\r\n", "200"),
            // The first counts; without one there is no count.
            ("/key", "X-Key: c\r\nX-Key: a\r\n", "200"), ("/key", "", "200"), ("/key", "", "200"),
            ("/host", "", "200"), ("/host", "", "429"), ("/route/1", "", "200"), ("/route/1", "", "429"),
            ("/route/2", "", "200"), ("/route/2", "", "429"), ("/all/1", "", "200"), ("/all/2", "", "429"),
        ]
        for (path, fields, expected) in requests {
            let got = try status(client, path, fields)
            #expect(got == expected, "\(path) \(fields)")
        }
    }

    @Test(
        "A listener's limits are asked before a route's, and who is not let in takes nothing",
        arguments: TestDriver.offered)
    func order(_ driver: TestDriver) throws {
        let proxy = try proxy(
            driver,
            [
                RateLimitConfiguration(name: "three", rate: RequestRate(3, per: .day)),
                RateLimitConfiguration(name: "two", rate: RequestRate(2, per: .day)),
            ], listener: ["three"], [route("/two", ["two"]), route("/denied", ["two"]), route("/free", [])]
        ) { $0.routes[0].routes[1].access.deny = ["127.0.0.1"] }
        let client = try proxy.connect()
        #expect(try status(client, "/denied") == "403")
        #expect(try statuses(client, "/two") == ["200", "200", "429"])
        // The listener's are used up, for a route without any as well, and for what no route takes.
        #expect(try status(client, "/free") == "429")
        #expect(try status(client, "/nowhere") == "429")
        let (exceeded, other) = (proxy.server.rateLimiters[0], proxy.server.rateLimiters[1])
        #expect((exceeded.name, exceeded[.exceeded]) == ("three", 3))
        #expect((other.name, other[.exceeded]) == ("two", 0))
    }

    @Test("A limit that only observes counts, and lets in", arguments: TestDriver.offered)
    func observes(_ driver: TestDriver) throws {
        let proxy = try proxy(
            driver,
            [RateLimitConfiguration(name: "o", rate: RequestRate(1, per: .day), mode: .observe)],
            [route("/*", ["o"])])
        let client = try proxy.connect()
        #expect(try statuses(client, "/") == ["200", "200", "200"])
        let limiter = proxy.server.rateLimiters[0]
        #expect(limiter[.observed] == 2)
        #expect(limiter[.exceeded] == 0)
    }

    @Test("A bucket fills again", arguments: TestDriver.offered)
    func refills(_ driver: TestDriver) throws {
        let proxy = try proxy(
            driver, [RateLimitConfiguration(name: "r", rate: RequestRate(10), burst: 1)], [route("/*", ["r"])]
        )
        let client = try proxy.connect()
        #expect(try status(client, "/") == "200")
        var refused = 0
        try proxy.wait(for: "another to be let in") {
            if (try? status(client, "/")) == "200" { return true }
            refused += 1
            return false
        }
        #expect(refused > 0)
    }

    @Test("A body that is refused ends the connection behind the answer", arguments: TestDriver.offered)
    func body(_ driver: TestDriver) throws {
        let proxy = try proxy(
            driver, [RateLimitConfiguration(name: "r", rate: RequestRate(1, per: .day))], listener: ["r"],
            [route("/*", [])])
        let client = try proxy.connect()
        #expect(try status(client, "/") == "200")
        try client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nab")
        let answer = try client.receiveResponse()
        #expect(answer.head.hasPrefix("HTTP/1.1 429 "))
        #expect(answer.head.contains("Connection: close\r\n"))
        try client.expectEnd()
    }

    @Test("A forward proxy's requests are limited, and a relay's connections", arguments: TestDriver.offered)
    func roles(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TestProxy(driver, upstreams: []) { configuration in
            configuration.listenAddresses = []
            configuration.listeners = [
                ListenerConfiguration(address: "127.0.0.1:0", role: .forward),
                ListenerConfiguration(address: "127.0.0.1:0", role: .tcp, cluster: "a"),
            ]
            configuration.listeners[0].access.rateLimits = ["f"]
            configuration.listeners[1].access.rateLimits = ["t"]
            configuration.clusters = [ClusterConfiguration(name: "a", endpoints: [origin.address])]
            configuration.rateLimits = [
                RateLimitConfiguration(name: "f", rate: RequestRate(1, per: .day), burst: 2),
                RateLimitConfiguration(name: "t", rate: RequestRate(1, per: .day), burst: 1),
            ]
        }
        let forward = try proxy.connect(0)
        let connect = "CONNECT 10.0.0.1:443 HTTP/1.1\r\nHost: 10.0.0.1:443\r\n\r\n"
        for expected in ["403", "403", "429"] {
            try forward.send(connect)
            #expect(try forward.receiveResponse().head.dropFirst(9).hasPrefix(expected))
        }
        let first = try proxy.connect(1)
        try first.send(Messages.get)
        _ = try origin.accept().receiveHead()
        #expect(try proxy.connect(1).receiveUntilClosed().text == "")
        #expect(proxy[.rateLimitRefusals] == 1)
    }
}
