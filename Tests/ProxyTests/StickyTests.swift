import TestSupport
import Testing

@testable import UringProxy

@Suite("Sticky cookies", .blocking)
struct StickyTests {
    private func origins(_ names: String) throws -> [UnsteadyOrigin] {
        try names.map { try UnsteadyOrigin(String($0)) }
    }

    private func cluster(
        _ origins: [UnsteadyOrigin], name: String = "app",
        _ change: (inout ClusterConfiguration) -> Void = { _ in }
    ) -> ClusterConfiguration {
        var cluster = ClusterConfiguration(name: name, endpoints: origins.map(\.address))
        cluster.sticky = StickyConfiguration(cookie: "SRV")
        change(&cluster)
        return cluster
    }

    /// Who answers, and the value of the cookie that the answer sets.
    private func ask(
        _ client: TestSocket, _ cookie: String? = nil, path: String = "/"
    ) throws -> (origin: String, cookie: String?) {
        let field = cookie.map { "Cookie: a=b; SRV=\($0); c=d\r\n" } ?? ""
        let (head, body) = try client.ask(path, field)
        let lines = head.split(separator: "\r\n").filter { $0.hasPrefix("Set-Cookie: SRV=") }
        #expect(lines.count < 2)
        return (body, lines.first.map { String($0.dropFirst(16).prefix { $0 != ";" }) })
    }

    @Test(
        "The first answer sets the cookie, and who sends it comes to the same endpoint by every policy, connection and thread",
        arguments: TestDriver.offered, BalancingPolicy.allCases)
    func kept(_ driver: TestDriver, _ policy: BalancingPolicy) throws {
        let origins = try origins("abc")
        let proxy = try TestProxy(
            driver,
            cluster: cluster(origins) {
                $0.balance = policy
                $0.hashKey = policy.isHashed ? .uri : nil
            }
        ) { $0.threads = 2 }
        var cookies: [String: String] = [:]
        for number in 0..<60 where cookies.count < 3 || number < 12 {
            let answer = try ask(try proxy.connect(), path: "/\(number)")
            let cookie = try #require(answer.cookie)
            #expect(cookies[answer.origin, default: cookie] == cookie)
            cookies[answer.origin] = cookie
        }
        #expect(Set(cookies.values).count == 3)
        // Hexadecimal digits, which say nothing of the address.
        #expect(cookies.values.allSatisfy { $0.count == 16 && $0.allSatisfy(\.isHexDigit) })
        for number in 0..<10 {
            let client = try proxy.connect()
            for (origin, cookie) in cookies {
                #expect(try ask(client, cookie, path: "/\(number)") == (origin, nil))
            }
        }
        #expect(proxy[.stickyFollowed] == 30)
        proxy.end()
        // The same after a start, with the endpoints in another order, and beside others.
        let again = try TestProxy(driver, cluster: cluster(origins.reversed()) { $0.endpoints.append("h:1") })
        let client = try again.connect()
        for (origin, cookie) in cookies { #expect(try ask(client, cookie) == (origin, nil)) }
        again.end()
        for origin in origins { origin.end() }
    }

    @Test("What is no name of an endpoint is passed over, and set anew", arguments: TestDriver.offered)
    func unknown(_ driver: TestDriver) throws {
        let origins = try origins("ab")
        let proxy = try TestProxy(driver, cluster: cluster(origins))
        let client = try proxy.connect()
        let (origin, cookie) = try ask(client)
        let known = try #require(cookie)
        for bad in [
            "", "0", "0000000000000000", known.uppercased() + "x", "\(known)0", "ffffffffffffffff", "\"",
        ] {
            #expect(try ask(client, bad).cookie != nil, "\(bad)")
        }
        #expect(try ask(client, known) == (origin, nil))
        #expect(proxy[.stickyFollowed] == 1 && proxy[.stickySet] == 8)
        proxy.end()
        for origin in origins { origin.end() }
    }

    @Test(
        "Its attributes are what the configuration says, beside the fields of origin and route",
        arguments: TestDriver.offered)
    func attributes(_ driver: TestDriver) throws {
        let origin = try ServedOrigin { _, _ in
            "HTTP/1.1 200 OK\r\nSet-Cookie: own=1\r\nContent-Length: 0\r\n\r\n"
        }
        for (change, expected) in [
            ({ _ in }, "; Path=/; HttpOnly; SameSite=Lax"),
            (
                {
                    $0.path = "/shop"
                    $0.maxAge = .hours(1)
                    $0.httpOnly = false
                    $0.secure = true
                    $0.sameSite = .none
                }, "; Path=/shop; Max-Age=3600; Secure; SameSite=None"
            ),
        ] as [((inout StickyConfiguration) -> Void, String)] {
            var sticky = StickyConfiguration(cookie: "SRV")
            change(&sticky)
            let proxy = try RouteProxy.start(
                driver, [],
                [
                    RouteProxy.route {
                        $0.cluster = "app"
                        $0.responseEdits.add = [.init(name: "X-From", value: "{endpoint}")]
                    }
                ]
            ) {
                var cluster = ClusterConfiguration(name: "app", endpoints: [origin.address])
                cluster.sticky = sticky
                $0.clusters = [cluster]
            }
            let client = try proxy.connect()
            try client.send(RouteProxy.get("/"))
            let head = try client.receiveResponse().head
            let lines = head.split(separator: "\r\n")
            let cookie = try #require(lines.first { $0.hasPrefix("Set-Cookie: SRV=") })
            #expect(cookie.dropFirst("Set-Cookie: SRV=".count + 16) == expected)
            #expect(lines.contains("Set-Cookie: own=1") && lines.contains("X-From: \(origin.address)"))
            proxy.end()
        }
        origin.end()
    }

    @Test(
        "An endpoint that fails, is ejected or gone loses its clients to another, whose cookie is set by the answer",
        arguments: TestDriver.offered, [UnsteadyOrigin.Mode.dead, .failing])
    func lost(_ driver: TestDriver, _ mode: UnsteadyOrigin.Mode) throws {
        let origins = try origins("abc")
        let proxy = try TestProxy(
            driver,
            cluster: cluster(origins) {
                $0.retries.on = [.connectFailure, .internalError]
                $0.retries.minimum = 1000
                $0.outliers.consecutive = 3
                $0.outliers.statuses = .server
                $0.outliers.ejection = .hours(1)
                $0.outliers.longestEjection = .hours(1)
            })
        let client = try proxy.connect()
        let (home, cookie) = try ask(client)
        let known = try #require(cookie)
        let lost = try #require(origins.first { $0.requests == 1 })
        lost.become(mode)
        for _ in 0..<3 {
            let (origin, cookie) = try ask(client, known)
            #expect(origin != home)
            let other = try #require(cookie)
            #expect(other != known)
            #expect(try ask(client, other) == (origin, nil))
        }
        // From now on it is not asked at all, though it would answer.
        lost.become(.healthy)
        let before = lost.requests
        for _ in 0..<6 { #expect(try ask(client, known).origin != home) }
        #expect(lost.requests == before)
        proxy.end()
        for origin in origins { origin.end() }
    }

    @Test(
        "Of a split a cookie keeps the cluster too, and a share of nothing keeps nobody",
        arguments: TestDriver.offered)
    func split(_ driver: TestDriver) throws {
        let (a, b) = (try origins("ab"), try origins("cd"))
        func start(_ weights: [Int]) throws -> TestProxy {
            try RouteProxy.start(
                driver, [],
                [
                    RouteProxy.route {
                        $0.split = zip(["main", "canary"], weights).map { .init(cluster: $0, weight: $1) }
                    }
                ]
            ) {
                $0.threads = 2
                $0.clusters = [cluster(a, name: "main"), cluster(b, name: "canary")]
            }
        }
        var cookies: [String: String] = [:]
        let proxy = try start([50, 50])
        let client = try proxy.connect()
        while cookies.count < 4 {
            let answer = try ask(client)
            let cookie: String = try #require(answer.cookie)
            cookies[answer.origin] = cookie
        }
        for _ in 0..<8 {
            let client = try proxy.connect()
            for (origin, cookie) in cookies {
                #expect(try ask(client, cookie) == (origin, nil))
                let text = try proxy.explain(fields: ["Cookie: SRV=\(cookie)"])
                let address = try #require((a + b).first { $0.address == named(text) }).address
                #expect((a.contains { $0.address == address }) == ["a", "b"].contains(origin))
            }
        }
        proxy.end()
        let drained = try start([1, 0])
        let other = try drained.connect()
        #expect(try ["a", "b"].contains(ask(other, cookies["c"]).origin))
        drained.end()
        for origin in a + b { origin.end() }
    }

    @Test(
        "A reload leaves everybody where they are, and an endpoint that goes loses its clients",
        arguments: TestDriver.offered)
    func reload(_ driver: TestDriver) throws {
        let origins = try origins("abc")
        let proxy = try TestProxy(driver, cluster: cluster(origins))
        let client = try proxy.connect()
        var cookies: [String: String] = [:]
        while cookies.count < 3 {
            let answer = try ask(client)
            let cookie: String = try #require(answer.cookie)
            cookies[answer.origin] = cookie
        }
        try proxy.reload {
            $0.clusters[0].endpoints = [origins[2].address, origins[0].address]
            $0.clusters[0].balance = .leastRequests
        }
        #expect(try ask(client, cookies["a"]) == ("a", nil))
        #expect(try ask(client, cookies["c"]) == ("c", nil))
        #expect(try ask(client, cookies["b"]).cookie != nil)
        proxy.end()
        for origin in origins { origin.end() }
    }

    @Test("With a key the names are others, the same for all who have it")
    func keys() throws {
        let file = try TemporaryFile("# made by openssl\n0123456789abcdef0123\n")
        var cluster = ClusterConfiguration(name: "app", endpoints: ["10.0.0.1:1"])
        cluster.sticky = StickyConfiguration(cookie: "SRV")
        var configuration = Configuration()
        configuration.clusters = [cluster]
        func name() -> UInt64 {
            let keys = StickyKeys(configuration)
            #expect(keys.problems.isEmpty)
            return keys.names("app", of: ["10.0.0.1:1"])[0]
        }
        let plain = name()
        configuration.clusters[0].sticky?.keyFile = file.path
        let keyed = name()
        // As hmac of Python's library has it: what clients hold must not change from one version to the next.
        #expect(plain == 0xcf36_fca0_7ad7_7772)
        #expect(keyed == 0xc16b_9b03_96ff_d749)
        try file.replace(with: "short\n")
        #expect(StickyKeys(configuration).problems.map(\.remedy) == ["write it with 'openssl rand -hex 32'"])
        try file.replace(with: "0123456789abcdef0123\n0123456789abcdef0124\n")
        #expect(StickyKeys(configuration).problems.count == 1)
    }

    @Test("What is explained is what happens", arguments: TestDriver.offered)
    func explained(_ driver: TestDriver) throws {
        let origins = try origins("abcd")
        let proxy = try TestProxy(driver, cluster: cluster(origins))
        let client = try proxy.connect()
        for _ in 0..<4 {
            let (origin, cookie) = try ask(client)
            let text = try proxy.explain(fields: ["Cookie: x=y; SRV=\(try #require(cookie))"])
            let index = try #require(["a", "b", "c", "d"].firstIndex(of: origin))
            #expect(named(text) == origins[index].address)
        }
        let text = try proxy.explain(fields: ["Cookie: SRV=nobody"])
        #expect(text.contains("the answer sets 'SRV'") && named(text) == nil)
        proxy.end()
        for origin in origins { origin.end() }
    }

    /// The endpoint that a cookie names, according to an explanation.
    private func named(_ text: String) -> String? {
        let line = text.split(separator: "\n").first { $0.contains(" names ") }
        return line?.split(separator: " names ").last.map { String($0.prefix { $0 != " " }.dropLast()) }
    }
}
