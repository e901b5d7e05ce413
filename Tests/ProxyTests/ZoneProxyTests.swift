import TestSupport
import Testing

@testable import UringProxy

@Suite("Zones through the proxy", .blocking)
struct ZoneProxyTests {
    private func cluster(
        _ origins: [UnsteadyOrigin], _ zones: [String],
        _ change: (inout ClusterConfiguration) -> Void = { _ in }
    ) -> ClusterConfiguration {
        var cluster = ClusterConfiguration(
            name: "app", endpoints: zip(origins, zones).map { "\($0.address),zone=\($1)" })
        cluster.ejectAtOnce()
        change(&cluster)
        return cluster
    }

    @Test(
        "Requests stay in the zone, leave it with its last endpoint, and come back; no client sees an error",
        arguments: TestDriver.offered, BalancingPolicy.allCases)
    func leaves(_ driver: TestDriver, _ policy: BalancingPolicy) throws {
        let origins = try ["a", "b", "c"].map { try UnsteadyOrigin($0) }
        let proxy = try TestProxy(
            driver,
            cluster: cluster(origins, ["x", "own", "y"]) {
                $0.balance = policy
                $0.hashKey = policy.isHashed ? .uri : nil
            }
        ) {
            $0.zone = "own"
            $0.threads = 2
        }
        let clients = try (0..<4).map { _ in try proxy.connect() }
        #expect(try clients.bodies() == ["b"])
        let share = "uproxy_cluster_local_share{cluster=\"app\"} "
        #expect(MetricsReport.render(proxy.server).contains("\(share)1.0\n"))
        origins[1].become(.dead)
        #expect(try clients.bodies() == ["a", "c"])
        #expect(MetricsReport.render(proxy.server).contains("\(share)0.0\n"))
        origins[1].become(.healthy)
        try proxy.wait(for: "the zone's endpoint is back") {
            try clients.bodies() == ["b"]
        }
        #expect(proxy[.responses5xx] == 0)
        proxy.end()
        for origin in origins { origin.end() }
    }

    @Test(
        "A reload moves the proxy to another zone, and a cookie goes before any",
        arguments: TestDriver.offered)
    func reload(_ driver: TestDriver) throws {
        let origins = try ["a", "b"].map { try UnsteadyOrigin($0) }
        let proxy = try TestProxy(
            driver,
            cluster: cluster(origins, ["x", "y"]) { $0.sticky = StickyConfiguration(cookie: "SRV") }
        ) { $0.zone = "x" }
        let client = try proxy.connect()
        let (head, body) = try client.ask()
        #expect(body == "a")
        let cookie = try #require(setCookie(head))
        for zone in ["y", "x", nil] {
            try proxy.reload { $0.zone = zone }
            let bodies = Set(try (0..<10).map { _ in try client.ask().body })
            #expect(bodies == (zone == "y" ? ["b"] : zone == "x" ? ["a"] : ["a", "b"]))
            #expect(try client.ask("/", "Cookie: \(cookie)\r\n").body == "a")
        }
        proxy.end()
        for origin in origins { origin.end() }
    }

    @Test("What is explained is what happens, for random zones", arguments: TestDriver.offered)
    func explained(_ driver: TestDriver) throws {
        let seed = UInt64.random(in: 0..<1_000_000)
        var random = SplitMix(seed: seed)
        let origins = try ["a", "b", "c", "d"].map { try UnsteadyOrigin($0) }
        for _ in 0..<12 {
            let zones = origins.map { _ in ["x", "y", "z"].randomElement(using: &random)! }
            let proxy = try TestProxy(driver, cluster: cluster(origins, zones)) { $0.zone = "x" }
            let text = try proxy.explain()
            let line = text.split(separator: "\n").first { $0.hasPrefix("zone ") }
            let used = origins.indices.filter { index in
                guard let line, line.contains(" first: ") else { return true }
                return line.contains(origins[index].address)
            }
            let client = try proxy.connect()
            let bodies = try [client].bodies()
            #expect(bodies == Set(used.map { ["a", "b", "c", "d"][$0] }), "seed \(seed): \(zones): \(text)")
            proxy.end()
        }
        for origin in origins { origin.end() }
    }
}
