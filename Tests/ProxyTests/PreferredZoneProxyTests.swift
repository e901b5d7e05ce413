import TestSupport
import Testing

@testable import UringProxy

@Suite("Zones by where clients are, through the proxy", .blocking)
struct PreferredZoneProxyTests {
    /// Two endpoints in zone x, one in y, and one in z.
    private static let zones = ["x", "x", "y", "z"]
    private static let names = ["x1", "x2", "y", "z"]
    private static let partners = AddressSetConfiguration(name: "partners", items: ["198.51.100.0/28"])

    private func preferred(_ zone: String, _ change: (inout PreferredZone) -> Void) -> PreferredZone {
        var preferred = PreferredZone(zone: zone)
        change(&preferred)
        return preferred
    }

    /// Clients of 10.1.0.0/16 and of `partners` come to x, those in Germany to y.
    private func cluster(
        _ addresses: [String], _ change: (inout ClusterConfiguration) -> Void = { _ in }
    ) -> ClusterConfiguration {
        var cluster = ClusterConfiguration(
            name: "app", endpoints: zip(addresses, Self.zones).map { "\($0),zone=\($1)" })
        cluster.zoneThreshold = 0
        cluster.preferredZones = [
            preferred("x") { $0.sources = ["10.1.0.0/16", "partners"] },
            preferred("y") { $0.countries = ["DE"] },
        ]
        change(&cluster)
        return cluster
    }

    private func database() throws -> TemporaryFile {
        var writer = GeoDatabaseWriter()
        writer.add("192.0.2.0/24", GeoDatabaseWriter.place(country: "DE"))
        writer.add("198.51.100.0/24", GeoDatabaseWriter.place(country: "DE"))
        return try TemporaryFile(writer.bytes)
    }

    /// Lets a proxy know who its clients are, and where.
    private func learnClients(_ configuration: inout Configuration, _ database: TemporaryFile) {
        configuration.trust.trustedProxies = ["127.0.0.0/8"]
        configuration.geoDatabases = [database.path]
        configuration.addressSets = [Self.partners]
    }

    private func proxy(
        _ driver: TestDriver, _ cluster: ClusterConfiguration, _ database: TemporaryFile,
        change: (inout Configuration) -> Void = { _ in }
    ) throws -> TestProxy {
        try TestProxy(driver, cluster: cluster) {
            learnClients(&$0, database)
            change(&$0)
        }
    }

    /// The field by which a request is from this client.
    private func from(_ client: String) -> String { "X-Forwarded-For: \(client)\r\n" }

    @Test(
        "Requests go to the zone that is for their client, leave it with its last endpoint, and come back",
        arguments: TestDriver.offered, BalancingPolicy.allCases)
    func places(_ driver: TestDriver, _ policy: BalancingPolicy) throws {
        let origins = try Self.names.map { try UnsteadyOrigin($0) }
        let cluster = cluster(origins.map(\.address)) {
            $0.balance = policy
            $0.hashKey = policy.isHashed ? .uri : nil
            $0.ejectAtOnce()
            $0.outliers.mostEjected = 100
        }
        let proxy = try proxy(driver, cluster, try database()) {
            $0.zone = "z"
            $0.threads = 2
        }
        let sockets = try (0..<4).map { _ in try proxy.connect() }
        func bodies(_ client: String) throws -> Set<String> {
            try sockets.bodies(30, from(client))
        }
        // By latency one of them may be the better for all of the time.
        func isSpread(_ client: String, over names: Set<String>) throws -> Bool {
            let bodies = try bodies(client)
            return bodies == names || policy == .peakEWMA && bodies.isSubset(of: names)
        }
        func isAsItWas() throws -> Bool {
            try isSpread("10.1.2.3", over: ["x1", "x2"])
                && isSpread("198.51.100.7", over: ["x1", "x2"])
                && bodies("192.0.2.1") == ["y"] && bodies("198.51.100.200") == ["y"]
                && bodies("10.2.0.1") == ["z"] && bodies("2001:db8::1") == ["z"]
        }
        #expect(try isAsItWas())
        let share = "uproxy_cluster_zone_share{cluster=\"app\",zone="
        #expect(MetricsReport.render(proxy.server).contains("\(share)\"x\"} 1.0\n\(share)\"y\"} 1.0\n"))
        origins[0].become(.dead)
        #expect(try bodies("10.1.2.3") == ["x2"])
        origins[1].become(.dead)
        #expect(try isSpread("10.1.2.3", over: ["y", "z"]))
        #expect(try bodies("192.0.2.1") == ["y"])
        let report = MetricsReport.render(proxy.server)
        #expect(report.contains("\(share)\"x\"} 0.0\n\(share)\"y\"} 1.0\n"))
        #expect(report.contains("uproxy_cluster_local_share{cluster=\"app\"} 1.0\n"))
        for origin in origins[0...1] { origin.become(.healthy) }
        try proxy.wait(for: "the zone is back") { try isAsItWas() }
        #expect(proxy[.responses5xx] == 0)
        proxy.end()
        for origin in origins { origin.end() }
    }

    @Test(
        "Retries, hedges and requests that waited for their turn stay in their client's zone",
        arguments: TestDriver.offered)
    func attempts(_ driver: TestDriver) throws {
        let origins = try Self.names.map { try UnsteadyOrigin($0) }
        for (mode, requests) in [(UnsteadyOrigin.Mode.failing, 2), (.hanging, 100)] {
            origins[0].become(mode)
            let cluster = cluster(origins.map(\.address)) {
                $0.outliers.mostEjected = 0
                $0.retries.on = [.server]
                $0.retries.hedgeAfter = .milliseconds(20)
                $0.retries.budget = 100
                $0.retries.minimum = 1000
                $0.limits.requests = requests
                $0.limits.queue = 100
                $0.limits.queueTimeout = .seconds(60)
            }
            let proxy = try proxy(driver, cluster, try database()) { $0.zone = "z" }
            let sockets = try (0..<6).map { _ in try proxy.connect() }
            for _ in 0..<3 {
                for socket in sockets { try socket.send(RouteProxy.get("/", from("10.1.0.1"))) }
                for socket in sockets { #expect(try socket.receiveResponse().body == "x2") }
            }
            #expect(proxy[mode == .failing ? .retries : .hedges] > 0)
            proxy.end()
        }
        #expect(origins[2].requests == 0 && origins[3].requests == 0)
        for origin in origins { origin.end() }
    }

    @Test(
        "A request keeps its zone while a reload gives zones other numbers", arguments: TestDriver.offered)
    func reload(_ driver: TestDriver) throws {
        let origins = try Self.names.map { _ in try TestOrigin() }
        let cluster = cluster(origins.map(\.address)) {
            $0.retries.on = [.reset]
            $0.outliers.mostEjected = 0
        }
        let file = try database()
        let proxy = try proxy(driver, cluster, file)
        let client = try proxy.connect()
        try client.send(RouteProxy.get("/", from("10.1.0.1")))
        var first: (index: Int, socket: TestSocket)?
        try proxy.wait(for: "the request") {
            for index in 0..<2 {
                if let socket = origins[index].acceptNow() { first = (index, socket) }
            }
            return first != nil
        }
        let (index, socket) = try #require(first)
        _ = try socket.receivePath()
        try proxy.reload {
            $0.clusters[0].preferredZones = [
                preferred("z") { $0.sources = ["10.2.0.0/16"] },
                preferred("y") { $0.sources = ["10.1.0.0/16"] },
                preferred("x") { $0.sources = ["10.3.0.0/16"] },
            ]
        }
        socket.reset()
        let second = try origins[1 - index].accept()
        _ = try second.receivePath()
        try second.send(Messages.ok)
        try client.expect(Messages.ok)
        // The next one goes by what holds now.
        try client.send(RouteProxy.get("/", from("10.1.0.1")))
        let third = try origins[2].accept()
        _ = try third.receivePath()
        try third.send(Messages.ok)
        try client.expect(Messages.ok)
        #expect(origins[3].acceptNow() == nil)
        withExtendedLifetime(file) {}
    }

    @Test("A relay goes to the zone of whom its header names", arguments: TestDriver.offered)
    func relay(_ driver: TestDriver) throws {
        let origins = try Self.names.map { _ in try TestOrigin() }
        let proxy = try proxy(driver, cluster(origins.map(\.address)), try database()) {
            $0.listeners = [ListenerConfiguration(address: "127.0.0.1:0", role: .tcp, cluster: "app")]
            $0.trust.proxyProtocol = .require
            $0.zone = "z"
        }
        for (address, index) in [("192.0.2.1", 2), ("10.9.0.1", 3), ("192.0.2.9", 2)] {
            let client = try proxy.connect()
            try client.send("PROXY TCP4 \(address) 127.0.0.1 4711 443\r\nx")
            let upstream = try origins[index].accept()
            try upstream.expect("x")
        }
    }

    @Test("A copy goes to its own cluster's zone for the client", arguments: TestDriver.offered)
    func mirror(_ driver: TestDriver) throws {
        let origins = try Self.names.map { try UnsteadyOrigin($0) }
        let origin = try UnsteadyOrigin("a")
        let route = RouteProxy.route {
            $0.cluster = "a"
            $0.mirror = .init(cluster: "app")
        }
        let file = try database()
        let proxy = try RouteProxy.start(driver, [], [route]) {
            $0.clusters = [
                ClusterConfiguration(name: "a", endpoints: [origin.address]), cluster(origins.map(\.address)),
            ]
            learnClients(&$0, file)
            $0.zone = "z"
        }
        let client = try proxy.connect()
        for number in 0..<30 {
            let source = ["10.1.0.1", "192.0.2.1", "10.2.0.1"][number % 3]
            #expect(try client.ask("/", from(source)).body == "a")
        }
        try proxy.wait(for: "the copies") { proxy[.mirrored] == 30 }
        #expect(origins[0].requests + origins[1].requests == 10)
        #expect(origins[2].requests == 10 && origins[3].requests == 10)
        proxy.end()
        for origin in origins + [origin] { origin.end() }
    }

    @Test(
        "Endpoints that a file names come first where they stand, as soon as they are there",
        arguments: TestDriver.offered)
    func found(_ driver: TestDriver) throws {
        let origins = try Self.names.map { try UnsteadyOrigin($0) }
        func lines(_ zones: [String]) -> String {
            zip(origins, zones).map { "\($0.address),zone=\($1)\n" }.joined()
        }
        let file = try TemporaryFile(lines(["v", "v", "y", "z"]))
        let proxy = try proxy(
            driver,
            cluster([]) {
                $0.endpoints = []
                $0.discovery = DiscoveryConfiguration(file: file.path)
            }, try database())
        let client = try proxy.connect()
        func bodies(_ address: String) throws -> Set<String> {
            try [client].bodies(24, from(address))
        }
        #expect(try bodies("10.1.0.1") == Set(Self.names))
        #expect(try bodies("192.0.2.1") == ["y"])
        try file.replace(with: lines(["v", "v", "x", "x"]))
        try proxy.wait(for: "the zones") { try bodies("10.1.0.1") == ["y", "z"] }
        #expect(try bodies("192.0.2.1") == Set(Self.names))
        proxy.end()
        for origin in origins { origin.end() }
    }

    @Test("What is explained is what happens, for random rules and clients", arguments: TestDriver.offered)
    func explained(_ driver: TestDriver) throws {
        let seed = UInt64.random(in: 0..<1_000_000)
        var random = SplitMix(seed: seed)
        let origins = try Self.names.map { try UnsteadyOrigin($0) }
        let database = try database()
        let clients = ["10.1.0.1", "10.2.0.1", "192.0.2.1", "198.51.100.1", "198.51.100.200", "2001:db8::1"]
        for _ in 0..<10 {
            var cluster = cluster(origins.map(\.address))
            cluster.preferredZones = []
            for zone in ["x", "y", "z", "v"].shuffled(using: &random) {
                cluster.preferredZones.append(
                    preferred(zone) {
                        let sources = ["10.0.0.0/8", "10.1.0.0/16", "partners", "::/0", "0.0.0.0/1"]
                        if Bool.random(using: &random) {
                            $0.sources = [sources.randomElement(using: &random)!]
                        }
                        if Bool.random(using: &random) || $0.sources.isEmpty {
                            $0.countries = [["DE", "!DE", "FR"].randomElement(using: &random)!]
                        }
                    })
            }
            let zone = ["z", nil].randomElement(using: &random)!
            var alone = Configuration()
            alone.clusters = [cluster]
            alone.addressSets = [Self.partners]
            // Two of the rules may be the same.
            guard ZoneCompiler.problems(of: alone).isEmpty else { continue }
            let proxy = try proxy(driver, cluster, database) { $0.zone = zone }
            let socket = try proxy.connect()
            for client in clients {
                let text = try proxy.explain(from: client)
                #expect(text.contains("\npreferred "))
                let line = text.split(separator: "\n").first {
                    $0.hasPrefix("zone ") && $0.contains(" first: ")
                }
                let used = origins.indices.filter { line?.contains(origins[$0].address) ?? true }
                let bodies = try [socket].bodies(24, from(client))
                #expect(bodies == Set(used.map { Self.names[$0] }), "seed \(seed): \(client): \(text)")
            }
            proxy.end()
        }
        for origin in origins { origin.end() }
    }
}
