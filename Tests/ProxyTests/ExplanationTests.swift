import TestSupport
import Testing

@testable import UringProxy

@Suite("Explanation", .blocking)
struct ExplanationTests {
    private static let hosts = ["a.test", "b.a.test", "c.b.a.test", "z.test"]
    private static let segments = ["x", "y", "z", "%78", "..", ".", "", "1"]

    /// Where requests come from, as a proxy that is trusted says.
    private static let sources = ["198.51.100.7", "198.51.100.200", "203.0.113.9", "2001:db8::1"]

    /// What each pattern of `routes` is rewritten to.
    private static let rewrites: [String: RouteConfiguration.Rewrite] = [
        "/x": .init(path: "/r?r=1"), "/x/*": .init(prefix: "/r/s"), "/y/*": .init(prefix: "/"),
        "/{id}": .init(path: "/r/{id}"), "/x/{id}/z": .init(path: "{path}?q={id}"),
        "/{rest...}": .init(path: "/r/{rest}"), "~^/x": .init(path: "/r{path}{query}"),
        "~1$": .init(host: "r"),
    ]

    /// Routes that answer with their own number, or whose origin does.
    private func routes(_ random: inout some RandomNumberGenerator) -> [RouteConfiguration] {
        let hosts = ["a.test", "*.a.test", "*.b.a.test", "~^c", "~z"]
        let paths = ["/x", "/x/y", "/x/*", "/y/*", "/*", "/{id}", "/x/{id}/z", "/{rest...}", "~^/x", "~1$"]
        var routes: [RouteConfiguration] = []
        var seen: [String] = []
        for _ in 0..<16 {
            var route = RouteConfiguration()
            if Bool.random(using: &random) { route.hosts = [hosts.randomElement(using: &random)!] }
            if Int.random(in: 0..<8, using: &random) > 0 { route.path = paths.randomElement(using: &random) }
            if Int.random(in: 0..<3, using: &random) == 0 {
                route.methods = [["GET", "PUT"].randomElement(using: &random)!]
            }
            if Int.random(in: 0..<3, using: &random) == 0 {
                route.headers = [.init(name: "x-a", value: ["1", "*", "!*"].randomElement(using: &random)!)]
            }
            if Int.random(in: 0..<4, using: &random) == 0 { route.query = [.init(name: "q", value: "1*")] }
            if Int.random(in: 0..<4, using: &random) == 0 {
                route.sources = [
                    ["198.51.100.0/24", "!198.51.100.7", "2001:db8::/32"].randomElement(using: &random)!
                ]
            }
            switch Int.random(in: 0..<8, using: &random) {
            case 0: route.access.deny = ["198.51.100.0/25"]
            case 1: route.access.allow = ["203.0.113.0/24", "198.51.100.7"]
            default: break
            }
            // One that is the same as another, or stands behind one that takes all, would be refused.
            let key = "\(route.hosts) \(route.path ?? "")"
            guard !seen.contains(key) else { continue }
            if route.methods.isEmpty && route.headers.isEmpty && route.query.isEmpty && route.sources.isEmpty
            {
                seen.append(key)
            }
            if Int.random(in: 0..<3, using: &random) == 0 {
                switch Int.random(in: 0..<3, using: &random) {
                case 0:
                    route.split = [.init(cluster: "a", weight: 1), .init(cluster: "b", weight: 2)]
                    route.splitKey = [.source, .header("x-a")].randomElement(using: &random)
                default: route.cluster = "a"
                }
                route.requestEdits.set = [.init(name: "X-Route", value: "{route} in {cluster}")]
                if let rewrite = route.path.flatMap({ Self.rewrites[$0] }) { route.rewrite = rewrite }
            } else {
                route.response = .init(body: "\(routes.count)", type: "t/t")
            }
            route.responseEdits.set = [
                .init(name: "X-Seen", value: "{method} {host} {path}{query} {header:x-a}.")
            ]
            routes.append(route)
        }
        return routes
    }

    @Test(
        "It says what the running proxy does, for 10,000 random requests over both drivers",
        arguments: TestDriver.offered)
    func agrees(_ driver: TestDriver) throws {
        let seed = UInt64.random(in: 0..<1_000_000)
        var random = SplitMix(seed: seed)
        var count = 0
        // It answers with the number of the route, and what it was asked for.
        let origin = try ServedOrigin { head, _ in
            let place = head.split(separator: "X-Route: s[")[1]
            let cluster = place.split(separator: "] in ")[1].prefix { !$0.isNewline }
            let body = "\(place.prefix { $0 != "]" }) \(head.split(separator: " ")[1]) \(cluster)"
            return "HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
        }
        defer { origin.end() }
        while count < 10_000 / TestDriver.offered.count {
            let routes = routes(&random)
            var problems: [ConfigurationProblem] = []
            var shape = Configuration()
            shape.routes = [RouteListConfiguration(name: "s", routes: routes)]
            shape.clusters = ["a", "b"].map { ClusterConfiguration(name: $0, endpoints: [origin.address]) }
            // Conditions that are drawn twice: those are for the check of configurations, not for this.
            let set = RouteCompiler.compile(
                shape.routes[0], shape, sets: AddressSets(shape), seed: 0, &problems)
            if set == nil { continue }
            var kept = Configuration()
            let proxy = try TestProxy(driver, upstreams: []) { configuration in
                configuration.listenAddresses = []
                configuration.listeners = [ListenerConfiguration(address: "127.0.0.1:0", routes: "s")]
                configuration.routes = shape.routes
                configuration.clusters = shape.clusters
                configuration.trust.trustedProxies = ["127.0.0.0/8"]
                kept = configuration
            }
            let client = try proxy.connect()
            let tables = ExplanationTables(kept)
            for _ in 0..<1000 {
                try compare(client, kept, tables, &random, "seed \(seed)")
                count += 1
            }
        }
    }

    @Test("It says how much a cluster is asked to do at once", arguments: [0, 20])
    func limits(_ queue: Int) throws {
        var configuration = Configuration()
        configuration.listeners = [ListenerConfiguration(address: "127.0.0.1:0", cluster: "app")]
        var cluster = ClusterConfiguration(name: "app", endpoints: ["127.0.0.1:1"])
        cluster.limits.requests = 100
        cluster.limits.queue = queue
        if queue > 0 {
            configuration.listeners[0].maxConnections = 500
            cluster.limits.connections = 60
            cluster.limits.endpointRequests = 7
            cluster.limits.adaptive = AdaptiveLimitConfiguration()
        }
        configuration.clusters = [cluster]
        let text: String
        do throws(OptionSyntaxError) {
            text = try Explanation(
                method: "GET", target: "http://h/", fields: [], source: "127.0.0.1", listener: nil,
                configuration: configuration, file: nil
            ).text
        } catch { throw TestFailure(error.message) }
        let more =
            queue > 0
            ? "20 more wait for up to 1s, else they are answered with 503" : "more are answered with 503"
        let others =
            queue > 0
            ? ", 60 connections, idle ones too, and as many requests, 7 at each endpoint, 5 to 1000 without an answer, as long as answers take no more than 25% longer than under little load"
            : ""
        #expect(text.contains("100 requests at a time\(others); \(more)"), "\(text)")
        #expect(text.contains("500 at a time; one more is answered with 503") == (queue > 0), "\(text)")
    }

    @Test("It names the endpoint that a request's key belongs to", arguments: TestDriver.offered)
    func keys(_ driver: TestDriver) throws {
        let origins = try ["a", "b", "c"].map { try UnsteadyOrigin($0) }
        let kinds: [(BalancingPolicy, HashKey)] = [
            (.ringHash, .uri), (.maglev, .header("x-a")), (.ringHash, .cookie("c")), (.maglev, .source),
        ]
        for (policy, key) in kinds {
            var cluster = ClusterConfiguration(name: "app", endpoints: origins.map(\.address))
            (cluster.balance, cluster.hashKey) = (policy, key)
            let proxy = try TestProxy(driver, cluster: cluster)
            let client = try proxy.connect()
            let tables = ExplanationTables(proxy.configuration)
            func explain(_ target: String, _ fields: [String]) throws -> String {
                var query = ExplanationQuery(target: "http://h\(target)")
                query.fields = fields
                query.source = "127.0.0.1"
                do throws(OptionSyntaxError) {
                    return try Explanation(
                        query, configuration: proxy.configuration, file: nil, tables: tables
                    ).text
                } catch { throw TestFailure(error.message) }
            }
            var names: Set<String> = []
            for number in 0..<30 {
                let fields = ["X-A: \(number)", "Cookie: b=1; c=\(number)"]
                let target = "/\(number)?x=\(number % 7)"
                try client.send(
                    "GET \(target) HTTP/1.1\r\nHost: h\r\n\(fields.joined(separator: "\r\n"))\r\n\r\n")
                let name = try client.receiveResponse().body
                let origin = try #require(["a", "b", "c"].firstIndex(of: name))
                let text = try explain(target, fields)
                #expect(text.contains("belongs to \(origins[origin].address): "), "\(key) \(name): \(text)")
                names.insert(name)
            }
            #expect(names.count == (key == .source ? 1 : 3))
            let isAlways = key == .source || key == .uri
            #expect(try explain("/", []).contains("the request has none: endpoints take turns") == !isAlways)
            proxy.end()
        }
        for origin in origins { origin.end() }
    }

    @Test(
        "With priorities it is an endpoint of the one that the running process uses",
        arguments: TestDriver.offered, [BalancingPolicy.ringHash, .maglev])
    func keysOfPriorities(_ driver: TestDriver, _ policy: BalancingPolicy) throws {
        let names = ["a", "b", "c", "d"]
        let origins = try names.map { try UnsteadyOrigin($0) }
        var cluster = ClusterConfiguration(
            name: "app",
            endpoints: zip(origins, [0, 1, 1, 2]).map { "\($0.address),priority=\($1),weight=\(1 + 9 * $1)" })
        (cluster.balance, cluster.hashKey) = (policy, .uri)
        cluster.outliers.consecutive = 1
        let proxy = try TestProxy(driver, cluster: cluster)
        let client = try proxy.connect()
        var found: Set<String> = []
        for number in 0..<40 {
            if number == 10 {
                origins[0].become(.dead)
                _ = try client.ask()
            }
            let name = try client.ask("/\(number)").body
            let origin = try #require(names.firstIndex(of: name))
            let text: String
            do throws(OptionSyntaxError) {
                var query = ExplanationQuery(target: "http://h/\(number)")
                query.source = "127.0.0.1"
                text = try proxy.server.explain(query, file: nil).text
            } catch { throw TestFailure(error.message) }
            #expect(text.contains("belongs to \(origins[origin].address): "), "\(number) \(name): \(text)")
            #expect((name == "a") == (number < 10))
            found.insert(name)
        }
        #expect(found == ["a", "b", "c"])
        proxy.end()
        for origin in origins { origin.end() }
    }

    private func compare(
        _ client: TestSocket, _ configuration: Configuration, _ tables: ExplanationTables,
        _ random: inout some RandomNumberGenerator,
        _ seed: String
    ) throws {
        let method = ["GET", "PUT", "POST"].randomElement(using: &random)!
        let host = Self.hosts.randomElement(using: &random)!
        var path = ""
        for _ in 0..<Int.random(in: 1...4, using: &random) {
            path += "/" + Self.segments.randomElement(using: &random)!
        }
        if Int.random(in: 0..<4, using: &random) == 0 {
            path += "?q=" + ["1", "12", "2"].randomElement(using: &random)!
        }
        let fields =
            Int.random(in: 0..<3, using: &random) == 0
            ? ["X-A: " + ["1", "2"].randomElement(using: &random)!] : []
        let source = Self.sources.randomElement(using: &random)!
        let explanation: String
        do throws(OptionSyntaxError) {
            var query = ExplanationQuery(target: "http://\(host)\(path)")
            query.method = method
            query.fields = fields
            query.source = source
            explanation = try Explanation(query, configuration: configuration, file: nil, tables: tables).text
        } catch { throw TestFailure(error.message) }
        try client.send(
            "\(method) \(path) HTTP/1.1\r\nHost: \(host)\r\nX-Forwarded-For: \(source)\r\n"
                + fields.map { $0 + "\r\n" }.joined() + "\r\n")
        let answer = try client.receiveResponse()
        var wanted: [String] = []
        var target: Substring?
        if answer.head.hasPrefix("HTTP/1.1 200") {
            let words = answer.body.split(separator: " ")
            wanted.append("number \((Int(words[0]) ?? -2) + 1) of 's'")
            let seen = answer.head.split(separator: "\r\n").first { $0.hasPrefix("X-Seen: ") }
            wanted.append("adds \(seen ?? "nothing")\n")
            if words.count > 1 {
                // Without a key it is drawn, each time anew.
                let isDrawn = explanation.contains("drawn by weight")
                wanted.append(
                    "adds X-Route: s[\(words[0])] in \(isDrawn ? "(the one that is drawn)" : words[2])\n")
                target = words[1]
            }
        } else {
            let status = answer.head.dropFirst(9).prefix(3)
            wanted.append(["404": "none: 404", "403": ": 403"][status] ?? "400, ")
        }
        var isRight = wanted.allSatisfy { (explanation + "\n").contains($0) }
        // An origin is asked for what the explanation says, or for the same as we.
        if let target {
            let lines = explanation.split(separator: "\n").filter { $0.hasPrefix("path ") }
            let become = lines.compactMap { line in
                line.firstRange(of: " becomes ").map { line[$0.upperBound...] }
            }
            isRight = isRight && target == become.first ?? path[...]
        }
        #expect(
            isRight, "\(seed): \(method) \(host) \(path) \(fields): \(answer) but \(explanation)")
    }

    @Test("A running process says the same as its file, and how endpoints do")
    func running() throws {
        let origins = [try UnsteadyOrigin("a"), try UnsteadyOrigin("b")]
        var cluster = ClusterConfiguration(name: "app", endpoints: origins.map(\.address))
        cluster.health = HealthCheckConfiguration()
        cluster.health?.interval = .milliseconds(400)
        cluster.health?.timeout = .milliseconds(400)
        cluster.health?.fall = 1
        let proxy = try TestProxy(.epoll, cluster: cluster)
        let admin = try AdminServer(address: "127.0.0.1:0", server: proxy.server)
        try admin.start()
        let client = try AdminClient(address: admin.boundAddress)
        var query = ExplanationQuery(target: "http://h.test/%C3%A4?a=b&c=%20+")
        query.fields = ["X-A: 1 & 2", "X-B: =+%ä"]
        query.source = "2001:db8::1"
        query.listener = proxy.configuration.listeners[0].address
        let offline = try Explanation(query, configuration: proxy.configuration, file: nil).text
        let ends = [
            "2 of 2 endpoints are available",
            "1 of 2 endpoints are available; \(origins[1].address) is unhealthy, say its checks",
            "0 of 2 endpoints are available, too few: all are used; \(origins[0].address) is unhealthy, say its checks",
        ]
        for (round, end) in ends.enumerated() {
            if round > 0 { origins[2 - round].become(.failing) }
            try proxy.wait(for: "its checks") { proxy.server.clusterHealth[0].availableCount == 2 - round }
            let lines = try client.explain(query).split(separator: "\n")
            let now = try #require(lines.first { $0.hasPrefix("now ") })
            #expect(now.contains("  \(end)"))
            #expect(lines.filter { $0 != now }.joined(separator: "\n") == offline)
        }
        for (question, answer) in [
            ("", "HTTP/1.1 400 Bad Request"),
            ("?method=GET", "what is asked for? write /explain?url="),
            ("?url=/&form=1", "there is no 'form': there are url, method, header, from and on"),
            ("?url=/&from=me", "--from 'me' is no address"),
            ("?url=%2Fx%0AHost%3A%20y&header=Host%3A%20h", "400, "),
        ] {
            let socket = try TestSocket(to: admin.boundAddress)
            try socket.send("GET /explain\(question) HTTP/1.1\r\nHost: admin\r\n\r\n")
            let (head, body) = try socket.receiveResponse()
            #expect((head + body).contains(answer), "\(question): \(head)\(body)")
        }
        admin.stop()
        proxy.end()
        for origin in origins { origin.end() }
    }

    @Test("What is refused is refused for the same reason, and in the same order")
    func refusals() throws {
        var configuration = Configuration()
        configuration.limitBodyBytes = 100
        configuration.listeners = [
            ListenerConfiguration(address: "127.0.0.1:1", routes: "s"),
            ListenerConfiguration(address: "127.0.0.1:2", role: .forward),
            ListenerConfiguration(address: "127.0.0.1:3", cluster: "a"),
        ]
        configuration.clusters = [ClusterConfiguration(name: "a", endpoints: ["127.0.0.1:9"])]
        var hard = RouteConfiguration()
        hard.path = "~^/(a+)+$"
        hard.response = .init(body: "in")
        var changed = RouteConfiguration()
        changed.path = "/long/*"
        changed.cluster = "a"
        changed.rewrite = .init(path: "{path}{path}")
        configuration.routes = [RouteListConfiguration(name: "s", routes: [hard, changed])]
        configuration.limitURIBytes = 2000
        let long = String(repeating: "a", count: 1000)
        for (listener, method, target, fields, answer) in [
            ("127.0.0.1:2", "GET", "https://a.test/", [], "501, "),
            ("127.0.0.1:2", "GET", "ftp://a.test/", [], "501, "),
            ("127.0.0.1:2", "GET", "/", [], "400, a forward proxy"),
            ("127.0.0.1:2", "POST", "http://a.test/", ["Content-Length: 101"], "413, "),
            ("127.0.0.1:3", "POST", "/", ["Content-Length: 101"], "413, "),
            ("127.0.0.1:3", "CONNECT", "a.test:443", [], "405, "),
            ("127.0.0.1:1", "CONNECT", "a.test:443", [], "405, "),
            ("127.0.0.1:1", "POST", "/long/x", ["Content-Length: 101"], "413, "),
            ("127.0.0.1:1", "POST", "/long/\(long)", ["Content-Length: 101"], "414, "),
            ("127.0.0.1:1", "GET", "/\(long)!", [], "400, a route's regular expression"),
        ] as [(String, String, String, [String], String)] {
            let text = try Explanation(
                method: method, target: target, fields: fields, source: "192.0.2.7", listener: listener,
                configuration: configuration, file: nil
            ).text
            let answers = text.split(separator: "\n").filter { $0.hasPrefix("answer ") }
            #expect(answers.count == 1 && text.contains("  \(answer)"), "\(text)")
            #expect(!text.contains("upstream "), "\(text)")
        }
    }
}
