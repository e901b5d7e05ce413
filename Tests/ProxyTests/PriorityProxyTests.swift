import CPosix
import TestSupport
import Testing

@testable import UringProxy

@Suite("Priorities through the proxy", .blocking)
struct PriorityProxyTests {
    private func cluster(
        _ addresses: [String], _ priorities: [Int], _ change: (inout ClusterConfiguration) -> Void = { _ in }
    ) -> ClusterConfiguration {
        var cluster = ClusterConfiguration(
            name: "app", endpoints: zip(addresses, priorities).map { "\($0),priority=\($1)" })
        cluster.ejectAtOnce()
        cluster.outliers.mostEjected = 100
        change(&cluster)
        return cluster
    }

    @Test(
        "Requests go to the first priority, to the next while that is gone, and back; no client sees an error",
        arguments: TestDriver.offered, BalancingPolicy.allCases)
    func fails(_ driver: TestDriver, _ policy: BalancingPolicy) throws {
        let origins = try ["a", "b", "c", "d"].map { try UnsteadyOrigin($0) }
        let proxy = try TestProxy(
            driver,
            cluster: cluster(origins.map(\.address), [10, 0, 10, 20]) {
                $0.balance = policy
                $0.hashKey = policy.isHashed ? .uri : nil
            }
        ) { $0.threads = 2 }
        let clients = try (0..<4).map { _ in try proxy.connect() }
        func priority(_ number: Int) -> Bool {
            MetricsReport.render(proxy.server).contains(
                "uproxy_cluster_priority{cluster=\"app\"} \(number)\n")
        }
        #expect(try clients.bodies() == ["b"])
        #expect(priority(0))
        origins[1].become(.dead)
        #expect(try clients.bodies() == ["a", "c"])
        #expect(priority(10))
        for index in [0, 2] { origins[index].become(.dead) }
        #expect(try clients.bodies() == ["d"])
        #expect(priority(20))
        origins[0].become(.healthy)
        try proxy.wait(for: "the second priority is back") {
            try clients.bodies() == ["a"]
        }
        origins[1].become(.healthy)
        try proxy.wait(for: "the first priority is back") {
            try clients.bodies() == ["b"]
        }
        #expect(proxy[.responses5xx] == 0)
        proxy.end()
        for origin in origins { origin.end() }
    }

    @Test(
        "What the first cannot answer is asked of the next, and what is slow is not",
        arguments: TestDriver.offered)
    func retries(_ driver: TestDriver) throws {
        let origins = try ["a", "b", "c"].map { try UnsteadyOrigin($0) }
        origins[0].become(.failing)
        let proxy = try TestProxy(
            driver,
            cluster: cluster(origins.map(\.address), [0, 1, 1]) {
                $0.outliers.mostEjected = 0
                $0.retries.on = [.server]
                $0.retries.hedgeAfter = .milliseconds(10)
                $0.retries.budget = 100
                $0.retries.minimum = 1000
            })
        let client = try proxy.connect()
        var counts: [String: Int] = [:]
        for _ in 0..<20 { counts[try client.ask().body, default: 0] += 1 }
        #expect(counts == ["b": 10, "c": 10] && origins[0].requests == 20)
        origins[0].become(.hanging)
        try client.send(RouteProxy.get("/"))
        // Twice the time after which a second endpoint would have been asked, if it were for that.
        let other = try proxy.connect()
        try other.send(RouteProxy.get("/"))
        usleep(30_000)
        origins[0].become(.healthy)
        #expect(try client.receiveResponse().body == "a" && other.receiveResponse().body == "a")
        #expect(proxy[.hedges] == 0 && origins[1].requests + origins[2].requests == 20)
        proxy.end()
        for origin in origins { origin.end() }
    }

    @Test(
        "Who finds the first full waits for it, and not for the next; a cookie goes before any priority",
        arguments: TestDriver.offered)
    func waits(_ driver: TestDriver) throws {
        let origins = try (0..<2).map { _ in try TestOrigin() }
        let proxy = try TestProxy(
            driver,
            cluster: cluster(origins.map(\.address), [0, 1]) {
                $0.limits.endpointRequests = 1
                $0.limits.queue = 10
                $0.limits.queueTimeout = .seconds(60)
                $0.sticky = StickyConfiguration(cookie: "SRV")
            })
        let clients = try (0..<3).map { _ in try proxy.connect() }
        for (index, client) in clients.enumerated() { try client.send(RouteProxy.get("/\(index)")) }
        let first = try origins[0].accept()
        for _ in clients {
            _ = try first.receivePath()
            #expect(origins[1].acceptNow() == nil)
            try first.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        }
        for client in clients { _ = try client.receiveHead() }
        // The next gives its name when it serves.
        first.close()
        origins[0].close()
        try clients[0].send(RouteProxy.get("/"))
        let second = try origins[1].accept()
        _ = try second.receivePath()
        try second.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        let head = try clients[0].receiveHead()
        let cookie = try #require(setCookie(head))
        let back = try TestOrigin(origins[0].address)
        try proxy.wait(for: "the first is back") {
            try clients[1].send(RouteProxy.get("/"))
            let asked = try [back].firstToAcceptOrReceive(second)
            _ = try asked.receivePath()
            let isBack = asked !== second
            try asked.send(
                "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\(isBack ? "Connection: close\r\n" : "")\r\n")
            _ = try clients[1].receiveHead()
            return isBack
        }
        try clients[2].send(RouteProxy.get("/", "Cookie: \(cookie)\r\n"))
        _ = try second.receivePath()
        try second.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        _ = try clients[2].receiveHead()
    }

    @Test(
        "A reload changes priorities, and what is explained is what happens", arguments: TestDriver.offered)
    func reload(_ driver: TestDriver) throws {
        let seed = UInt64.random(in: 0..<1_000_000)
        var random = SplitMix(seed: seed)
        let names = ["a", "b", "c", "d"]
        let origins = try names.map { try UnsteadyOrigin($0) }
        let proxy = try TestProxy(driver, cluster: cluster(origins.map(\.address), [0, 0, 0, 0]))
        let client = try proxy.connect()
        for _ in 0..<12 {
            let priorities = names.map { _ in Int.random(in: 0...2, using: &random) }
            try proxy.reload { $0.clusters[0] = cluster(origins.map(\.address), priorities) }
            let text = try proxy.explain()
            let first = priorities.min()!
            let used = names.indices.filter { priorities[$0] == first }
            let line = text.split(separator: "\n").first { $0.hasPrefix("priorities ") }
            let part = line?.split(separator: ")").first
            #expect((line == nil) == (Set(priorities).count == 1))
            for index in names.indices {
                let isNamed = part?.contains(origins[index].address) ?? true
                #expect(isNamed == used.contains(index), "seed \(seed): \(text)")
            }
            let bodies = try [client].bodies(12)
            #expect(bodies == Set(used.map { names[$0] }), "seed \(seed): \(priorities)")
        }
        proxy.end()
        for origin in origins { origin.end() }
    }
}
