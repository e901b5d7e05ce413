import CPosix
import Glibc
import Synchronization
import TestSupport
import Testing

@testable import UringProxy

@Suite("Hedged requests", .blocking)
struct HedgeTests {
    private func cluster(
        _ addresses: [String], after: Nanoseconds = .milliseconds(20),
        _ change: (inout ClusterConfiguration) -> Void = { _ in }
    ) -> ClusterConfiguration {
        var cluster = ClusterConfiguration(name: "app", endpoints: addresses)
        cluster.outliers.mostEjected = 0
        cluster.retries.hedgeAfter = after
        cluster.retries.budget = 100
        cluster.retries.minimum = 1000
        change(&cluster)
        return cluster
    }

    /// A request that both endpoints have, the one that was asked first and the one of the hedge.
    private struct Race {
        let proxy: TestProxy
        let client: TestSocket
        let origins: [TestOrigin]
        /// In the order they were asked.
        let sockets: [TestSocket]

        /// The hedge is answered, and the client has that.
        func answerSecond() throws {
            try sockets[1].send(Messages.ok)
            try client.expect(Messages.ok)
        }
    }

    private func race(_ driver: TestDriver, _ request: String = Messages.get) throws -> Race {
        let origins = [try TestOrigin(), try TestOrigin()]
        let proxy = try TestProxy(driver, cluster: cluster(origins.map(\.address)))
        let client = try proxy.connect()
        try client.send(request)
        // The only worker begins with the second endpoint; the hedge goes to the other one.
        let sockets = [try origins[1].accept(), try origins[0].accept()]
        for socket in sockets { try socket.expect(request) }
        return Race(proxy: proxy, client: client, origins: origins, sockets: sockets)
    }

    @Test("A slow endpoint among fast ones is not waited for", arguments: TestDriver.offered)
    func slow(_ driver: TestDriver) throws {
        let origins = [try UnsteadyOrigin("a"), try UnsteadyOrigin("b"), try UnsteadyOrigin("c")]
        origins[0].become(.hanging)
        let proxy = try TestProxy(driver, cluster: cluster(origins.map(\.address))) {
            $0.threads = 2
            // Without a second endpoint a third of the requests would be answered with 504.
            $0.timeoutUpstream = .seconds(3)
        }
        let clients = try (0..<3).map { _ in try proxy.connect() }
        for number in 0..<24 {
            try clients[number % 3].send(RouteProxy.get("/\(number)"))
            let (head, body) = try clients[number % 3].receiveResponse()
            #expect(head.hasPrefix("HTTP/1.1 200 ") && body != "a")
        }
        #expect(proxy[.hedges] >= 4 && proxy[.hedgesWon] + proxy[.hedgesCancelled] <= proxy[.hedges])
        #expect(proxy[.hedgesWon] >= 4 && proxy[.timeoutsUpstream] == 0)
        #expect(proxy[.responses2xx] == 24 && proxy[.retriesDenied] == 0)
        proxy.end()
        for origin in origins { origin.end() }
    }

    @Test(
        "A name that is not found ends a request and its hedge, which wait for it both",
        arguments: TestDriver.offered)
    func sameName(_ driver: TestDriver) throws {
        let origin = try TestOrigin(backlog: 0)
        let fillers = try origin.fill()
        let names = try NameServer(zones: ["b.test": NameServer.Zone(isSilent: true)])
        let proxy = try TestProxy(driver, cluster: cluster([origin.address, "b.test:80"])) {
            $0.timeoutConnect = .milliseconds(300)
            $0.dnsServers = [names.address]
        }
        // Whichever is first: with two requests each is, and the one at the address is hedged.
        let clients = try (0..<2).map { _ in try proxy.connect() }
        for client in clients { try client.send(Messages.get) }
        try proxy.wait(for: "hedges, and those that cannot be connected") {
            proxy[.hedges] >= 1 && proxy[.timeoutsConnect] >= 1
        }
        names.set("b.test", NameServer.Zone(code: 3))
        for client in clients { #expect(try client.receiveResponse().head.hasPrefix("HTTP/1.1 50")) }
        try proxy.wait(for: "all to end") { proxy[.exchangesStarted] == proxy[.exchangesFinished] }
        #expect(proxy[.hedges] <= 2 && proxy[.exchangesStarted] <= 4)
        proxy.end()
        names.stop()
        for filler in fillers { filler.close() }
    }

    @Test(
        "The first answer wins, and the other's connection is closed", arguments: TestDriver.offered, [0, 1])
    func firstWins(_ driver: TestDriver, _ winner: Int) throws {
        let race = try race(driver, "PUT /a HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nbody")
        let (proxy, client, origins, sockets) = (race.proxy, race.client, race.origins, race.sockets)
        // What is no answer yet decides nothing.
        try sockets[1].send("HTTP/1.1 103 Early\r\n\r\nHTTP/1.1 20")
        if winner == 1 {
            try sockets[1].send("0 OK\r\nContent-Length: 2\r\n\r\nhi")
        } else {
            try sockets[0].send(Messages.ok)
        }
        try client.expect(Messages.ok)
        try sockets[1 - winner].expectEnd()
        #expect(proxy[.hedges] == 1 && proxy[.hedgesWon] == UInt64(winner))
        #expect(proxy[.hedgesCancelled] == UInt64(1 - winner))
        // There is one answer, and the winner's connection is kept.
        // Not idempotent: however slow this is, it is not hedged.
        let next = "POST /b HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n"
        for _ in 0..<2 {
            try client.send(next)
            var other: TestSocket?
            try proxy.wait(for: "the next request") {
                other = origins[0].acceptNow() ?? origins[1].acceptNow()
                return other != nil || proxy[.upstreamReused] > 0
            }
            let connection = other ?? sockets[winner]
            try connection.expect(next)
            try connection.send(Messages.ok)
            try client.expect(Messages.ok)
            if other == nil { break }
        }
        #expect(proxy[.upstreamReused] == 1 && proxy[.responses2xx] >= 2)
    }

    @Test("When the first endpoint fails the exchange goes on with the second", arguments: TestDriver.offered)
    func takenOver(_ driver: TestDriver) throws {
        let race = try race(driver)
        race.sockets[0].reset()
        try race.proxy.wait(for: "the first one's end") { race.proxy[.upstreamClosed] == 1 }
        try race.answerSecond()
        #expect(race.proxy.failures(.upstreamReset) == 0 && race.proxy[.responses2xx] == 1)
    }

    @Test(
        "When the first answer makes no sense the exchange goes on with the second",
        arguments: TestDriver.offered)
    func senseless(_ driver: TestDriver) throws {
        let race = try race(driver)
        try race.sockets[0].send("what?\r\n\r\n")
        try race.sockets[0].expectEnd()
        try race.answerSecond()
        #expect(race.proxy.failures(.upstreamBadResponse) == 0 && race.proxy[.responses2xx] == 1)
    }

    @Test(
        "A request on a connection used before is hedged in time, though nothing else goes on",
        arguments: TestDriver.offered)
    func warm(_ driver: TestDriver) throws {
        // Of what the kernel has sent io_uring tells when something else happens, which is once a second at least. A busy machine
        // may be late once or twice.
        let waits = try (0..<5).map { _ in try waitForHedge(driver) }.sorted()
        #expect(waits[2] < 150_000_000, "\(waits)")
    }

    /// Nanoseconds from a request on a connection used before to its hedge.
    private func waitForHedge(_ driver: TestDriver) throws -> Int64 {
        let origins = [try TestOrigin(), try TestOrigin()]
        let proxy = try TestProxy(driver, cluster: cluster(origins.map(\.address)))
        let client = try proxy.connect()
        var sockets: [TestSocket] = []
        for place in [1, 0] {
            try client.send("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n")
            sockets.append(try origins[place].accept())
            _ = try sockets[1 - place].receiveHead()
            try sockets[1 - place].send(Messages.ok)
            try client.expect(Messages.ok)
        }
        let began = cposix_monotonic_nanoseconds()
        try client.send(Messages.get)
        for socket in sockets { try socket.expect(Messages.get) }
        let wait = cposix_monotonic_nanoseconds() - began
        #expect(proxy[.hedges] == 1 && proxy[.upstreamReused] == 2 && proxy[.upstreamOpened] == 2)
        try sockets[0].send(Messages.ok)
        try client.expect(Messages.ok)
        proxy.end()
        return wait
    }

    @Test("The client's end is the end of both", arguments: TestDriver.offered)
    func aborted(_ driver: TestDriver) throws {
        let race = try race(driver)
        race.client.reset()
        for socket in race.sockets { try socket.expectEnd() }
        #expect(race.proxy[.hedges] == 1)
    }

    @Test("A request that is not idempotent is not hedged", arguments: TestDriver.offered)
    func notIdempotent(_ driver: TestDriver) throws {
        let origins = [try TestOrigin(), try TestOrigin()]
        let proxy = try TestProxy(driver, cluster: cluster(origins.map(\.address))) {
            $0.timeoutUpstream = .milliseconds(150)
        }
        let client = try proxy.connect()
        try client.send("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n")
        #expect(try client.receiveResponse().head.hasPrefix("HTTP/1.1 504 "))
        #expect(proxy[.hedges] == 0 && proxy[.upstreamOpened] == 1)
    }

    @Test(
        "Hedges and retries share the budget when every endpoint is slow, and when it fails as well",
        arguments: TestDriver.offered, ["200 OK", "500 No"])
    func budget(_ driver: TestDriver, _ status: String) throws {
        let asked = Atomic<Int>(0)
        let origins = try (0..<2).map { _ in
            try ServedOrigin { _, _ in
                asked.wrappingAdd(1, ordering: .relaxed)
                usleep(60_000)
                return "HTTP/1.1 \(status)\r\nContent-Length: 1\r\n\r\nx"
            }
        }
        let proxy = try TestProxy(
            driver,
            cluster: cluster(origins.map(\.address), after: .milliseconds(10)) {
                $0.retries.budget = 10
                $0.retries.minimum = 0
                $0.retries.on = [.server]
            })
        let clients = try (0..<10).map { _ in try proxy.connect() }
        for _ in 0..<6 {
            for client in clients { try client.send(Messages.get) }
            for client in clients {
                #expect(try client.receiveResponse().head.hasPrefix("HTTP/1.1 \(status.prefix(3)) "))
            }
        }
        // Of 60 requests, a tenth more.
        #expect(asked.load(ordering: .relaxed) <= 66)
        #expect(proxy[.hedges] > 0 && proxy[.hedges] <= 6 && proxy[.retriesDenied] > 0)
        #expect(proxy[.responses2xx] + proxy[.responses5xx] == 60)
        proxy.end()
        for origin in origins { origin.end() }
    }

    @Test("A cluster with limits has no room for more than they say", arguments: TestDriver.offered)
    func limits(_ driver: TestDriver) throws {
        let origins = [try TestOrigin(), try TestOrigin()]
        let proxy = try TestProxy(
            driver, cluster: cluster(origins.map(\.address)) { $0.limits.requests = 1 }
        ) { $0.timeoutUpstream = .milliseconds(150) }
        let client = try proxy.connect()
        for _ in 0..<2 {
            try client.send(Messages.get)
            #expect(try client.receiveResponse().head.hasPrefix("HTTP/1.1 504 "))
        }
        #expect(proxy[.hedges] == 0 && proxy[.upstreamOpened] == 2)
    }
}
