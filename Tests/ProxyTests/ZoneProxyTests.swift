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
        cluster.outliers.consecutive = 1
        cluster.outliers.ejection = .milliseconds(50)
        cluster.outliers.longestEjection = .milliseconds(50)
        change(&cluster)
        return cluster
    }

    private func ask(_ client: TestSocket, path: String = "/", _ fields: String = "") throws -> (
        head: String, body: String
    ) {
        try client.send("GET \(path) HTTP/1.1\r\nHost: h\r\n\(fields)\r\n")
        let answer = try client.receiveResponse()
        guard answer.head.hasPrefix("HTTP/1.1 200") else { throw TestFailure(answer.head) }
        return answer
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
        func spread(_ count: Int = 40) throws -> Set<String> {
            Set(try (0..<count).map { try ask(clients[$0 % 4], path: "/\($0)").body })
        }
        #expect(try spread() == ["b"])
        let share = "uproxy_cluster_local_share{cluster=\"app\"} "
        #expect(MetricsReport.render(proxy.server).contains("\(share)1.0\n"))
        origins[1].become(.dead)
        #expect(try spread() == ["a", "c"])
        #expect(MetricsReport.render(proxy.server).contains("\(share)0.0\n"))
        origins[1].become(.healthy)
        try proxy.wait(for: "the zone's endpoint is back") {
            (try? ask(clients[0]).body) == "b" && (try? spread()) == ["b"]
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
        let (head, body) = try ask(client)
        #expect(body == "a")
        let line = try #require(head.split(separator: "\r\n").first { $0.hasPrefix("Set-Cookie: ") })
        let cookie = line.dropFirst("Set-Cookie: ".count).prefix { $0 != ";" }
        for zone in ["y", "x", nil] {
            try proxy.reload { $0.zone = zone }
            let bodies = Set(try (0..<10).map { _ in try ask(client).body })
            #expect(bodies == (zone == "y" ? ["b"] : zone == "x" ? ["a"] : ["a", "b"]))
            #expect(try ask(client, "Cookie: \(cookie)\r\n").body == "a")
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
            let text = try Explanation(
                method: "GET", target: "http://h/", fields: [], source: "127.0.0.1", listener: nil,
                configuration: proxy.configuration, file: nil
            ).text
            let line = text.split(separator: "\n").first { $0.hasPrefix("zone ") }
            let used = origins.indices.filter { index in
                guard let line, line.contains(" first: ") else { return true }
                return line.contains(origins[index].address)
            }
            let client = try proxy.connect()
            let bodies = Set(try (0..<40).map { try ask(client, path: "/\($0)").body })
            #expect(bodies == Set(used.map { ["a", "b", "c", "d"][$0] }), "seed \(seed): \(zones): \(text)")
            proxy.end()
        }
        for origin in origins { origin.end() }
    }
}
