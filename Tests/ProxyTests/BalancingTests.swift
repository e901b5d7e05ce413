import CPosix
import Testing

@testable import UringProxy

@Suite("Balancing through the proxy", .blocking)
struct BalancingTests {
    /// Origins that answer each request with their own index.
    private func origins(_ count: Int, delay: [UInt32] = []) throws -> [ServedOrigin] {
        try (0..<count).map { index in
            let delay = index < delay.count ? delay[index] : 0
            return try ServedOrigin { _, _ in
                if delay > 0 { usleep(delay) }
                return "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n\(index)"
            }
        }
    }

    /// The index of the origin that answered.
    private func ask(_ client: TestSocket, path: String = "/", fields: String = "") throws -> Int {
        let (head, body) = try client.ask(path, fields)
        guard let index = Int(body) else { throw TestFailure(head) }
        return index
    }

    @Test(
        "Every policy spreads requests over all origins",
        arguments: TestDriver.offered, BalancingPolicy.allCases)
    func spread(_ driver: TestDriver, _ policy: BalancingPolicy) throws {
        let origins = try origins(3)
        let proxy = try TestProxy(driver, upstreams: origins.map(\.address)) {
            $0.balance = policy
            $0.hashKey = policy.isHashed ? .uri : nil
        }
        let client = try proxy.connect()
        var counts = [0, 0, 0]
        for number in 0..<90 { counts[try ask(client, path: "/\(number)")] += 1 }
        // By chance one gets fewer than five of 90 once in 10^10 runs.
        #expect(counts.allSatisfy { $0 >= (policy == .peakEWMA ? 1 : 5) }, "\(counts)")
        if policy == .roundRobin || policy == .leastRequests { #expect(counts == [30, 30, 30]) }
        proxy.end()
        for origin in origins { origin.end() }
    }

    @Test("Weights count", arguments: TestDriver.offered)
    func weights(_ driver: TestDriver) throws {
        let origins = try origins(3)
        let texts = zip(origins, [5, 1, 2]).map { "\($0.address),weight=\($1)" }
        let proxy = try TestProxy(driver, upstreams: texts)
        let client = try proxy.connect()
        var counts = [0, 0, 0]
        for _ in 0..<80 { counts[try ask(client)] += 1 }
        #expect(counts == [50, 10, 20])
        proxy.end()
        for origin in origins { origin.end() }
    }

    @Test(
        "A key goes to the same origin from every worker and connection",
        arguments: TestDriver.offered, [BalancingPolicy.ringHash, .maglev])
    func sameKey(_ driver: TestDriver, _ policy: BalancingPolicy) throws {
        let origins = try origins(4)
        func check(_ key: HashKey, _ request: (Int) -> (path: String, fields: String)) throws {
            let proxy = try TestProxy(driver, upstreams: origins.map(\.address)) {
                $0.balance = policy
                $0.hashKey = key
                $0.threads = 2
            }
            var homes: [Int?] = .init(repeating: nil, count: 12)
            // The kernel spreads them: one worker gets all once in 2^23 runs.
            for _ in 0..<24 {
                let client = try proxy.connect()
                for number in 0..<12 {
                    let (path, fields) = request(number)
                    let index = try ask(client, path: path, fields: fields)
                    #expect(homes[number] ?? index == index)
                    homes[number] = index
                }
                client.close()
            }
            #expect(key == .source || Set(homes).count > 1)
            #expect(proxy.server.workers.allSatisfy { $0.counters[.requests] > 0 })
            proxy.end()
        }
        var random = 0
        func noise() -> Int {
            random += 1
            return random
        }
        try check(.uri) { ("/\($0)?q=\(noise())", "X-Noise: \(noise())\r\n") }
        try check(.header("x-user")) { ("/\(noise())", "X-Other: \(noise())\r\nX-USER: u\($0)\r\n") }
        try check(.cookie("id")) { ("/\(noise())", "Cookie: a=\(noise()); id=\($0)\r\n") }
        try check(.source) { _ in ("/\(noise())", "") }
        for origin in origins { origin.end() }
    }

    @Test(
        "A dead origin is passed over, and clients see no error",
        arguments: TestDriver.offered, BalancingPolicy.allCases)
    func dead(_ driver: TestDriver, _ policy: BalancingPolicy) throws {
        let origins = try origins(3)
        let proxy = try TestProxy(driver, upstreams: [TestOrigin.nobody()] + origins.map(\.address)) {
            $0.balance = policy
            $0.hashKey = policy.isHashed ? .uri : nil
            $0.threads = 2
        }
        for _ in 0..<4 {
            let client = try proxy.connect()
            for number in 0..<40 { _ = try ask(client, path: "/\(number)") }
            client.close()
        }
        #expect(proxy[.responses5xx] == 0)
        #expect(proxy[.retries] == proxy[.upstreamConnectFailures] && proxy[.retries] > 0)
        proxy.end()
        for origin in origins { origin.end() }
    }

    @Test("Peak EWMA sends a slow origin little", arguments: TestDriver.offered)
    func slow(_ driver: TestDriver) throws {
        let origins = try origins(3, delay: [0, 20_000, 0])
        let proxy = try TestProxy(driver, upstreams: origins.map(\.address)) { $0.balance = .peakEWMA }
        let client = try proxy.connect()
        var counts = [0, 0, 0]
        for _ in 0..<300 { counts[try ask(client)] += 1 }
        #expect(counts[1] < 10, "\(counts)")
        proxy.end()
        for origin in origins { origin.end() }
    }
}
