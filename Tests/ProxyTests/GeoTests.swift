import CPosix
import TestSupport
import Testing

@testable import UringProxy

@Suite("Routes by place", .blocking)
struct GeoTests {
    private typealias Writer = GeoDatabaseWriter

    /// Routes for one path that answer with what they ask for, and one for all others.
    private func routes(_ places: [(String, (inout RouteConfiguration) -> Void)]) -> [RouteConfiguration] {
        (places + [("other", { _ in })]).map { name, change in
            var route = RouteConfiguration()
            route.path = "/*"
            change(&route)
            route.response = .init(body: name)
            return route
        }
    }

    private func proxy(
        _ driver: TestDriver, _ files: [TemporaryFile], _ routes: [RouteConfiguration],
        change: (inout Configuration) -> Void
    ) throws -> TestProxy {
        try TestProxy(driver, upstreams: []) { configuration in
            configuration.listenAddresses = []
            configuration.listeners = [ListenerConfiguration(address: "127.0.0.1:0", routes: "s")]
            configuration.routes = [RouteListConfiguration(name: "s", routes: routes)]
            configuration.geoDatabases = files.map(\.path)
            change(&configuration)
        }
    }

    private func ask(_ client: TestSocket, from chain: String? = nil) throws -> String {
        let field = chain.map { "X-Forwarded-For: \($0)\r\n" } ?? ""
        try client.send("GET / HTTP/1.1\r\nHost: h\r\n\(field)\r\n")
        return try client.receiveResponse().body
    }

    private func databases() throws -> [TemporaryFile] {
        var places = Writer()
        places.add("192.0.2.0/24", Writer.place(country: "DE", regions: ["BY"]))
        places.add("192.0.2.128/25", Writer.place(country: "DE", regions: ["BE"]))
        places.add("2001:db8::/32", Writer.place(registered: "AT"))
        var systems = Writer(ipVersion: 4)
        systems.add("198.51.100.0/24", Writer.place(system: 64512))
        systems.add("192.0.2.64/26", Writer.place(system: 64513))
        return [try TemporaryFile(places.bytes), try TemporaryFile(systems.bytes)]
    }

    private static let expected = [
        ("192.0.2.1", "bavaria"), ("192.0.2.70", "system"), ("192.0.2.129", "germany"),
        ("2001:db8::7", "austria"), ("198.51.100.1", "system"), ("203.0.113.1", "other"),
        ("2001:db9::7", "other"),
    ]

    private var places: [RouteConfiguration] {
        routes([
            ("system", { $0.autonomousSystems = ["64512", "AS64513"] }),
            (
                "bavaria",
                {
                    $0.countries = ["DE", "FR"]
                    $0.regions = ["BY"]
                }
            ),
            ("germany", { $0.countries = ["DE"] }),
            (
                "austria",
                {
                    $0.countries = ["AT", "!CH"]
                    $0.autonomousSystems = ["!64512"]
                }
            ),
        ])
    }

    @Test("A PROXY protocol header says where a request comes from", arguments: TestDriver.offered)
    func header(_ driver: TestDriver) throws {
        let proxy = try proxy(driver, try databases(), places) { $0.trust.proxyProtocol = .require }
        for (address, expected) in Self.expected {
            let (version, own) = address.contains(":") ? ("TCP6", "::1") : ("TCP4", "127.0.0.1")
            let client = try proxy.connect()
            try client.send("PROXY \(version) \(address) \(own) 4711 443\r\n")
            #expect(try ask(client) == expected, "\(address)")
            #expect(try ask(client, from: "192.0.2.1") == expected, "\(address), and it claims another")
        }
    }

    @Test(
        "Behind a trusted proxy each request comes from whom it names, and otherwise from itself",
        arguments: TestDriver.offered)
    func chain(_ driver: TestDriver) throws {
        let proxy = try proxy(driver, try databases(), places) {
            $0.trust.trustedProxies = ["127.0.0.0/8"]
        }
        let client = try proxy.connect()
        for (address, expected) in Self.expected {
            #expect(try ask(client, from: address) == expected, "\(address)")
            #expect(try ask(client, from: "192.0.2.1, \(address)") == expected, "\(address)")
        }
        #expect(try ask(client) == "other")
    }

    @Test(
        "Fields, paths and redirections tell where a request comes from, and nothing where nobody knows",
        arguments: TestDriver.offered)
    func told(_ driver: TestDriver) throws {
        let origin = try ServedOrigin { head, _ in
            let lines = head.split(separator: "\r\n")
            let told = lines.filter { $0.hasPrefix("X-") && !$0.hasPrefix("X-Forwarded") }
            let body = ([lines[0].split(separator: " ")[1]] + told).joined(separator: ", ")
            return "HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
        }
        let files = try databases()
        let proxy = try RouteProxy.start(
            driver, [],
            [
                RouteProxy.route {
                    $0.path = "/to"
                    $0.redirect = .init(target: "/from/{geo:country}")
                },
                RouteProxy.route {
                    $0.cluster = "a"
                    $0.rewrite = .init(path: "/x?c={geo:country}")
                    $0.requestEdits.set = [
                        .init(name: "X-Country", value: "{geo:country}"),
                        .init(name: "X-Place", value: "{geo:country}-{geo:region}/{geo:asn}"),
                    ]
                    $0.responseEdits.set = [.init(name: "X-Seen", value: "{geo:asn}")]
                },
            ]
        ) {
            $0.clusters = [ClusterConfiguration(name: "a", endpoints: [origin.address])]
            $0.geoDatabases = files.map(\.path)
            $0.trust.trustedProxies = ["127.0.0.0/8"]
        }
        let client = try proxy.connect()
        func ask(_ path: String, from address: String) throws -> (head: String, body: String) {
            // What a client claims of itself is not what is told.
            try client.send(
                RouteProxy.get(path, "X-Forwarded-For: \(address)\r\nX-Country: XX\r\n"))
            return try client.receiveResponse()
        }
        for (address, country, told, system) in [
            ("192.0.2.1", "DE", "X-Country: DE, X-Place: DE-BY/", nil),
            ("192.0.2.70", "DE", "X-Country: DE, X-Place: DE-BY/64513", "64513"),
            ("2001:db8::7", "AT", "X-Country: AT, X-Place: AT-/", nil),
            ("203.0.113.1", "", "X-Place: -/", nil),
        ] as [(String, String, String, String?)] {
            let answer = try ask("/", from: address)
            #expect(answer.body == "/x?c=\(country), \(told)")
            #expect(answer.head.contains("X-Seen: ") == (system != nil))
            if let system { #expect(answer.head.contains("X-Seen: \(system)\r\n")) }
            #expect(try ask("/to", from: address).head.contains("Location: /from/\(country)\r\n"))
            let text = try proxy.explain(from: address)
            for line in told.split(separator: ", ") { #expect(text.contains("adds \(line)\n"), "\(text)") }
        }
        proxy.end()
        origin.end()
    }

    @Test(
        "A database is replaced while requests come, and a bad file changes nothing",
        arguments: TestDriver.offered)
    func replaced(_ driver: TestDriver) throws {
        func database(_ country: String) -> [UInt8] {
            var writer = Writer()
            writer.add("192.0.2.0/24", Writer.place(country: country))
            // So that every page of a shorter file is gone that was there.
            for index in 0..<2000 {
                writer.add("10.\(index / 256).\(index % 256).0/24", Writer.place(country: "ZZ"))
            }
            return writer.bytes
        }
        let file = try TemporaryFile(database("DE"))
        let routes = routes([
            ("germany", { $0.countries = ["DE"] }), ("austria", { $0.countries = ["AT"] }),
            ("france", { $0.countries = ["FR"] }),
        ])
        let proxy = try proxy(driver, [file], routes) { $0.trust.trustedProxies = ["127.0.0.0/8"] }
        let source = try #require(proxy.server.geoSource)
        let client = try proxy.connect()
        func wait(for now: String, after before: String) throws {
            try proxy.wait(for: now) {
                guard let answer = try? ask(client, from: "192.0.2.1") else { return true }
                #expect(answer == before || answer == now)
                return answer == now
            }
            #expect(try ask(client, from: "192.0.2.1") == now)
        }
        func failures(_ count: UInt64, _ what: String) throws {
            try proxy.wait(for: what) { source.counts.failures == count }
            #expect(try ask(client, from: "192.0.2.1") == "austria", "\(what)")
        }
        #expect(try ask(client, from: "192.0.2.1") == "germany")
        // Written over, as cp does.
        try file.replace(with: database("AT"))
        try wait(for: "austria", after: "germany")
        try file.replace(with: "no database")
        try failures(1, "a file that is no database is refused")
        var systems = Writer()
        systems.add("192.0.2.0/24", Writer.place(system: 7))
        try file.replace(with: systems.bytes)
        try failures(2, "a database that knows no countries is refused")
        // Replaced, as mv does.
        let other = try TemporaryFile(database("FR"))
        #expect(unsafe rename(other.path, file.path) == 0)
        try wait(for: "france", after: "austria")
        #expect(unsafe unlink(file.path) == 0)
        try proxy.wait(for: "a file that is gone is refused") { source.counts.failures == 3 }
        #expect(try ask(client, from: "192.0.2.1") == "france")
        #expect(source.counts.reloads == 2)
        // Once is enough: this takes until some more checks have passed.
        let back = try TemporaryFile(database("DE"))
        #expect(unsafe rename(back.path, file.path) == 0)
        try wait(for: "germany", after: "france")
        let report = MetricsReport.render(proxy.server)
        #expect(report.contains("\nuproxy_geo_reloads_total 3\n"))
        #expect(report.contains("\nuproxy_geo_reload_failures_total 3\n"))
    }

    @Test("What is explained is what happens, for random routes and sources", arguments: TestDriver.offered)
    func explained(_ driver: TestDriver) throws {
        let seed = UInt64.random(in: 0..<1_000_000)
        var random = SplitMix(seed: seed)
        let countries = ["DE", "AT", "FR"]
        let regions = ["1", "BY", "W"]
        var writer = Writer()
        for index in 0..<64 {
            writer.add(
                "192.0.2.\(index * 4)/30",
                Writer.place(
                    country: countries.randomElement(using: &random),
                    regions: [regions.randomElement(using: &random)!],
                    system: UInt32.random(in: 0..<3, using: &random)))
        }
        let file = try TemporaryFile(writer.bytes)
        func some(_ values: [String]) -> [String] {
            var chosen: [String] = []
            for value in values where Int.random(in: 0..<4, using: &random) == 0 {
                chosen.append((Bool.random(using: &random) ? "!" : "") + value)
            }
            return chosen
        }
        var routes: [RouteConfiguration] = []
        while routes.count < 12 {
            var route = RouteConfiguration()
            route.path = ["/*", "/x"].randomElement(using: &random)
            (route.countries, route.regions) = (some(countries), some(regions))
            route.autonomousSystems = some(["1", "2"])
            route.response = .init(body: "\(routes.count)")
            var problems: [ConfigurationProblem] = []
            let list = RouteListConfiguration(name: "s", routes: routes + [route])
            // Neither one that is the same as another, nor one that takes all.
            guard !(route.countries + route.regions + route.autonomousSystems).isEmpty,
                RouteCompiler.compile(
                    list, Configuration(), sets: AddressSets(Configuration()), seed: 0, &problems) != nil
            else { continue }
            routes.append(route)
        }
        var kept = Configuration()
        let proxy = try proxy(driver, [file], routes) {
            $0.trust.trustedProxies = ["127.0.0.0/8"]
            kept = $0
        }
        let client = try proxy.connect()
        for _ in 0..<300 {
            let source =
                "192.0.\(Int.random(in: 1...2, using: &random)).\(UInt8.random(in: 0...255, using: &random))"
            let path = ["/", "/x"].randomElement(using: &random)!
            let text = try Explanation(
                method: "GET", target: "http://h\(path)", fields: [], source: source, listener: nil,
                configuration: kept, file: nil
            ).text
            try client.send("GET \(path) HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: \(source)\r\n\r\n")
            let answer = try client.receiveResponse()
            let wanted =
                answer.head.hasPrefix("HTTP/1.1 404")
                ? "none: 404" : "number \((Int(answer.body) ?? -2) + 1) of 's'"
            #expect(text.contains(wanted), "seed \(seed): \(path) from \(source): \(answer) but \(text)")
            #expect(text.contains("location"))
            #expect(text.contains("not known") == source.hasPrefix("192.0.1"))
        }
    }
}
