import CPosix
import TestSupport
import Testing

@testable import UringProxy

@Suite("Retries", .blocking)
struct RetryTests {
    private func cluster(
        _ addresses: [String], on conditions: [RetryConfiguration.Condition],
        _ change: (inout ClusterConfiguration) -> Void = { _ in }
    ) -> ClusterConfiguration {
        var cluster = ClusterConfiguration(name: "app", endpoints: addresses)
        // What is ejected would not be asked twice.
        cluster.outliers.mostEjected = 0
        cluster.retries.on = conditions
        cluster.retries.budget = 100
        cluster.retries.minimum = 1000
        change(&cluster)
        return cluster
    }

    private func status(_ client: TestSocket, _ request: String = Messages.get) throws -> String {
        try client.send(request)
        return String(try client.receiveResponse().head.dropFirst(9).prefix(3))
    }

    @Test(
        "While one endpoint is dead, resets, hangs or answers 500, clients see no error",
        arguments: TestDriver.offered, [UnsteadyOrigin.Mode.dead, .resetting, .hanging, .failing])
    func noErrors(_ driver: TestDriver, _ mode: UnsteadyOrigin.Mode) throws {
        let origins = [try UnsteadyOrigin("a"), try UnsteadyOrigin("b"), try UnsteadyOrigin("c")]
        let proxy = try TestProxy(
            driver,
            cluster: cluster(origins.map(\.address), on: [.connectFailure, .reset, .timeout, .internalError])
            {
                $0.retries.tryTimeout = .milliseconds(100)
            }
        ) { $0.threads = 2 }
        let clients = try (0..<4).map { _ in try proxy.connect() }
        for (round, origin) in origins.enumerated() {
            origin.become(mode)
            for number in 0..<12 { #expect(try status(clients[(number + round) % 4]) == "200") }
            origin.become(.healthy)
            for client in clients { #expect(try status(client) == "200") }
        }
        #expect(proxy[.retries] > 0 && proxy[.responses5xx] == 0 && proxy[.retriesDenied] == 0)
        proxy.end()
        for origin in origins { origin.end() }
    }

    @Test(
        "Attempts are counted, on one endpoint as well, and the last answer is passed on",
        arguments: TestDriver.offered)
    func attempts(_ driver: TestDriver) throws {
        let origin = try UnsteadyOrigin("a")
        let proxy = try TestProxy(driver, cluster: cluster([origin.address], on: [.server]))
        let client = try proxy.connect()
        origin.become(.failing)
        #expect(try status(client) == "500")
        #expect(origin.requests == 3 && proxy[.retries] == 2)
        // An answer that came whole leaves its connection as good as new.
        #expect(proxy[.upstreamOpened] == 1)
        // It may have been acted upon.
        #expect(try status(client, "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n") == "500")
        #expect(origin.requests == 4)
        #expect(proxy[.responses5xx] == 2)
        origin.become(.resetting)
        #expect(try status(client) == "502")
        // Once more after all: the connection had been used before, and might have been closed for that.
        #expect(origin.requests == 6)
        proxy.end()
        origin.end()
    }

    @Test("A body is sent again as long as it is held, and never in part", arguments: TestDriver.offered)
    func bodies(_ driver: TestDriver) throws {
        let seen = Locked<[Int]>([])
        let origins = try (0..<2).map { index in
            try ServedOrigin { _, body in
                let count = seen.withLock { seen in
                    seen.append(body.count)
                    return seen.count
                }
                if count % 2 == 1 { return "HTTP/1.1 503 No\r\nContent-Length: 1\r\n\r\n\(index)" }
                return "HTTP/1.1 200 OK\r\nContent-Length: \(body.count)\r\n\r\n\(text(body))"
            }
        }
        let proxy = try TestProxy(
            driver,
            cluster: cluster(origins.map(\.address), on: [.unavailable]) { $0.retries.nonIdempotent = true })
        let client = try proxy.connect()
        let small = text(pattern(3000))
        try client.send("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 3000\r\n\r\n\(small)")
        let (head, body) = try client.receiveResponse()
        #expect(head.hasPrefix("HTTP/1.1 200 ") && body == small)
        // One that passed through is gone.
        try client.send(
            "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 30000\r\n\r\n" + text(pattern(30_000)))
        #expect(try client.receiveResponse().head.hasPrefix("HTTP/1.1 503 "))
        #expect(seen.withLock { $0 } == [3000, 3000, 30_000])
        proxy.end()
        for origin in origins { origin.end() }
    }

    @Test(
        "When every endpoint fails the extra load is the budget, for all workers together",
        arguments: TestDriver.offered)
    func budget(_ driver: TestDriver) throws {
        let origins = [try UnsteadyOrigin("a"), try UnsteadyOrigin("b"), try UnsteadyOrigin("c")]
        for origin in origins { origin.become(.failing) }
        let proxy = try TestProxy(
            driver,
            cluster: cluster(origins.map(\.address), on: [.server]) {
                $0.retries.budget = 20
                $0.retries.minimum = 0
            }
        ) { $0.threads = 2 }
        let clients = try (0..<6).map { _ in try proxy.connect() }
        for number in 0..<300 { #expect(try status(clients[number % 6]) == "500") }
        let load = origins.reduce(0) { $0 + $1.requests }
        #expect(load <= 360 && load >= 340, "\(load)")
        #expect(proxy[.retriesDenied] > 0)
        proxy.end()
        for origin in origins { origin.end() }
    }

    @Test("Never is never", arguments: TestDriver.offered)
    func never(_ driver: TestDriver) throws {
        let origins = [try UnsteadyOrigin("a"), try UnsteadyOrigin("b")]
        origins[0].become(.dead)
        let proxy = try TestProxy(driver, cluster: cluster(origins.map(\.address), on: [.never]))
        let client = try proxy.connect()
        var statuses: [String: Int] = [:]
        for _ in 0..<10 { statuses[try status(client), default: 0] += 1 }
        #expect(statuses == ["200": 5, "502": 5])
        #expect(proxy[.retries] == 0)
        proxy.end()
        for origin in origins { origin.end() }
    }
}
