import Testing

@testable import UringProxy

@Suite("Limits of connections", .blocking)
struct ConnectionLimitTests: LimitSuite {
    private func proxy(
        _ driver: TestDriver, _ addresses: [String], connections: Int, queue: Int = 0, threads: Int = 1,
        change: (inout Configuration) -> Void = { _ in }
    ) throws -> TestProxy {
        try proxy(
            driver, addresses, threads: threads,
            limits: { ($0.connections, $0.queue) = (connections, queue) },
            change: change)
    }

    /// How many connections are counted.
    private func gate(_ proxy: TestProxy) throws -> ClusterGate.View {
        try #require(try limits(proxy).connectionGate).view
    }

    /// Both ends of a tunnel that an upgrade opens.
    private func tunnel(_ proxy: TestProxy, _ origin: TestOrigin) throws -> (TestSocket, TestSocket) {
        let client = try proxy.connect()
        try client.send(Messages.upgrade)
        let upstream = try origin.accept()
        _ = try upstream.receiveHead()
        try upstream.send(Messages.switching)
        _ = try client.receiveHead()
        return (client, upstream)
    }

    @Test(
        "An idle connection to another endpoint gives way, and nobody is refused",
        arguments: TestDriver.offered)
    func otherEndpoints(_ driver: TestDriver) throws {
        let origin = try CountingOrigin(ports: 3)
        let proxy = try proxy(driver, origin.addresses, connections: 1)
        let gate = try gate(proxy)
        let client = try proxy.connect()
        for _ in 0..<9 {
            try client.send(Messages.get)
            try client.expect(Messages.ok)
            #expect(gate.underWay <= 2 && gate.waiting == 0)
        }
        try proxy.wait(for: "the one connection that is left") { gate.underWay == 1 }
        #expect(origin.most == 1 && origin.accepted == 9)
        let metrics = MetricsReport.render(proxy.server)
        #expect(metrics.contains("uproxy_cluster_connections{cluster=\"app\"} 1\n"))
        #expect(metrics.contains("uproxy_cluster_connections_limit{cluster=\"app\"} 1\n"))
        #expect(metrics.contains("uproxy_cluster_connections_awaited{cluster=\"app\"} 0\n"))
        proxy.end()
        #expect(gate.underWay == 0)
        origin.end()
    }

    @Test(
        "The idle connection used longest ago goes, and the others are kept", arguments: TestDriver.offered)
    func longestIdle(_ driver: TestDriver) throws {
        let origins = [try TestOrigin(), try TestOrigin(), try TestOrigin()]
        let proxy = try proxy(driver, origins.map(\.address), connections: 2)
        let client = try proxy.connect()
        var served: [(socket: TestSocket, origin: Int)] = []
        for round in 0..<3 {
            try client.send(get("\(round)"))
            let next = try origins.firstToAccept()
            #expect(try path(next.socket) == "\(round)")
            try next.socket.send(Messages.ok)
            try client.expect(Messages.ok)
            served.append(next)
        }
        #expect(Set(served.map(\.origin)).count == 3)
        try served[0].socket.expectEnd()
        // The second one is still there: it is the next endpoint's turn but one.
        try client.send(get("again"))
        let again = try origins.firstToAccept()
        #expect(again.origin == served[0].origin)
        try served[1].socket.expectEnd()
        #expect(try path(again.socket) == "again")
        try again.socket.send(Messages.ok)
        try client.expect(Messages.ok)
        #expect(try gate(proxy).underWay == 2)
    }

    @Test(
        "An idle connection of another worker gives way or is lent, and nobody is refused",
        arguments: TestDriver.offered, [true, false])
    func otherWorkers(_ driver: TestDriver, _ isLent: Bool) throws {
        let origin = try CountingOrigin(ports: 2)
        let proxy = try proxy(driver, origin.addresses, connections: 1, threads: 3) { $0.poolLend = isLent }
        let gate = try gate(proxy)
        let clients = try proxy.connectToEach(1)
        for round in 0..<60 {
            let client = clients[round * 7 % 5 % 3][0]
            try client.send(Messages.get)
            try client.expect(Messages.ok)
        }
        #expect(origin.most == 1 && proxy[.responses2xx] == 60 && proxy.failures(.circuitOpen) == 0)
        proxy.end()
        #expect(gate.underWay == 0 && gate.waiting == 0)
        origin.end()
    }

    @Test(
        "As many are under way as connections may be; the next waits in the queue, and the one after is refused",
        arguments: TestDriver.offered)
    func queue(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try proxy(driver, [origin.address], connections: 2, queue: 1, threads: 2)
        let (requests, gate) = (try limits(proxy).gate.view, try gate(proxy))
        let clients = try proxy.connectToEach(2)
        var busy: [TestSocket] = []
        for worker in 0..<2 {
            try clients[worker][0].send(get("in"))
            busy.append(try origin.accept())
            #expect(try path(busy[worker]) == "in")
        }
        try clients[0][1].send(get("waits"))
        try proxy.wait(for: "a place in the queue") { requests.waiting == 1 }
        try clients[1][1].send(get("late"))
        #expect(try clients[1][1].receiveResponse().head.hasPrefix("HTTP/1.1 503 "))
        #expect(proxy.failures(.circuitOpen) == 1 && gate.underWay == 2)
        // Its connection has come from the other worker, or is a new one.
        try busy[1].send(Messages.ok)
        try clients[1][0].expect(Messages.ok)
        let next = try [origin].firstToAcceptOrReceive(busy[1])
        #expect(try path(next) == "waits")
        #expect(gate.underWay <= 2)
        try next.send(Messages.ok)
        try clients[0][1].expect(Messages.ok)
        try busy[0].send(Messages.ok)
        try clients[0][0].expect(Messages.ok)
        proxy.end()
        #expect(gate.underWay == 0 && requests.underWay == 0)
    }

    @Test("Tunnels have their connections until they end", arguments: TestDriver.offered)
    func tunnels(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try proxy(driver, [origin.address], connections: 1) {
            $0.listeners.append(ListenerConfiguration(address: "127.0.0.1:0", role: .tcp, cluster: "app"))
        }
        let gate = try gate(proxy)
        let (upgraded, first) = try tunnel(proxy, origin)
        let client = try proxy.connect()
        try client.send(get("late"))
        #expect(try client.receiveResponse().head.hasPrefix("HTTP/1.1 503 "))
        #expect(try proxy.connect(1).receiveUntilClosed().isReset)
        #expect(gate.underWay == 1)
        upgraded.finish()
        try first.expectEnd()
        first.finish()
        try proxy.wait(for: "the tunnel's end") { gate.underWay == 0 }
        let relay = try proxy.connect(1)
        let second = try origin.accept()
        try relay.send("one")
        try second.expect("one")
        try client.send(get("late"))
        #expect(try client.receiveResponse().head.hasPrefix("HTTP/1.1 503 "))
        #expect(gate.underWay == 1)
        relay.reset()
        try proxy.wait(for: "the relay's end") { gate.underWay == 0 }
        try client.send(get("now"))
        let third = try origin.accept()
        #expect(try path(third) == "now")
        try third.send(Messages.ok)
        try client.expect(Messages.ok)
        proxy.end()
        #expect(gate.underWay == 0)
    }

    @Test("What cannot be connected has its place back", arguments: TestDriver.offered)
    func dead(_ driver: TestDriver) throws {
        let origin = try CountingOrigin(ports: 1)
        let proxy = try proxy(driver, [TestOrigin.nobody(), origin.addresses[0]], connections: 1) {
            $0.clusters[0].outliers.mostEjected = 0
        }
        let gate = try gate(proxy)
        let client = try proxy.connect()
        try client.getOK(10)
        #expect(proxy[.upstreamConnectFailures] >= 4 && origin.most == 1)
        try proxy.wait(for: "the one that is left") { gate.underWay <= 1 }
        proxy.end()
        #expect(gate.underWay == 0)
        origin.end()
    }

    @Test("What cannot be connected costs no idle connection its place", arguments: TestDriver.offered)
    func deadBesideIdle(_ driver: TestDriver) throws {
        let origin = try CountingOrigin(ports: 1)
        let addresses = [try TestOrigin.nobody(), try TestOrigin.nobody()] + origin.addresses
        let proxy = try proxy(driver, addresses, connections: 2) { $0.clusters[0].outliers.mostEjected = 0 }
        let client = try proxy.connect()
        try client.getOK(12)
        #expect(proxy[.upstreamConnectFailures] >= 8 && origin.accepted == 1)
        proxy.end()
        origin.end()
    }

    @Test(
        "Under load there are never more connections than that, whichever workers and endpoints, and everybody is served",
        arguments: TestDriver.offered, [true, false])
    func load(_ driver: TestDriver, _ isLent: Bool) throws {
        let origin = try CountingOrigin(ports: 3)
        let proxy = try proxy(driver, origin.addresses, connections: 4, queue: 100, threads: 4) {
            $0.poolLend = isLent
        }
        let gate = try gate(proxy)
        let address = proxy.address()
        let clients = Clients(12) {
            for _ in 0..<5 { try TestSocket(to: address).getOK(10) }
        }
        clients.join()
        #expect(origin.most <= 4 && proxy[.responses2xx] == 600)
        #expect(gate.waiting == 0)
        proxy.end()
        #expect(gate.underWay == 0)
        origin.end()
    }

    @Test(
        "A reload lowers, lifts and sets the limit: idle ones beyond it go, and what is open counts once",
        arguments: TestDriver.offered)
    func reloads(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try proxy(driver, [origin.address], connections: 3, threads: 1)
        let gate = try gate(proxy)
        var clients: [TestSocket] = []
        var upstreams: [TestSocket] = []
        for index in 0..<3 {
            clients.append(try proxy.connect())
            try clients[index].send(get("\(index)"))
            upstreams.append(try origin.accept())
            #expect(try path(upstreams[index]) == "\(index)")
        }
        for (upstream, client) in zip(upstreams, clients) {
            try upstream.send(Messages.ok)
            try client.expect(Messages.ok)
        }
        #expect(gate.underWay == 3)
        try proxy.reload { $0.clusters[0].limits.connections = 1 }
        // Used longest ago.
        try upstreams[0].expectEnd()
        try upstreams[1].expectEnd()
        try proxy.wait(for: "the end of two") { gate.underWay == 1 }
        try clients[0].send(get("kept"))
        #expect(try path(upstreams[2]) == "kept")
        try clients[1].send(get("late"))
        #expect(try clients[1].receiveResponse().head.hasPrefix("HTTP/1.1 503 "))
        try proxy.reload { $0.clusters[0].limits.connections = 0 }
        #expect(gate.underWay == 0)
        try clients[1].send(get("more"))
        let more = try origin.accept()
        #expect(try path(more) == "more")
        try more.send(Messages.ok)
        try clients[1].expect(Messages.ok)
        // One is busy, and one is idle: beyond the limit.
        try proxy.reload { $0.clusters[0].limits.connections = 1 }
        #expect(try self.gate(proxy).underWay <= 2)
        try more.expectEnd()
        try proxy.wait(for: "the end of one") { gate.underWay == 1 }
        try upstreams[2].send(Messages.ok)
        try clients[0].expect(Messages.ok)
        proxy.end()
        #expect(gate.underWay == 0)
    }

    @Test(
        "A limit that a reload sets is kept by all workers: idle ones of another one go for those that are busy",
        arguments: TestDriver.offered, [0, 1])
    func reloadsOfSeveral(_ driver: TestDriver, _ busy: Int) throws {
        let origin = try TestOrigin()
        let proxy = try proxy(driver, [origin.address], connections: 0, threads: 2) { $0.poolLend = false }
        let clients = try proxy.connectToEach(3)
        // Three of the busy worker, and two of the other one. Whichever takes the limit up last sees what is beyond it.
        let all = clients[busy] + clients[1 - busy].prefix(2)
        var upstreams: [TestSocket] = []
        for client in all {
            try client.send(get("first"))
            upstreams.append(try origin.accept())
            #expect(try path(upstreams.last!) == "first")
        }
        for (client, upstream) in zip(all, upstreams) {
            try upstream.send(Messages.ok)
            try client.expect(Messages.ok)
        }
        for client in clients[busy].prefix(2) { try client.send(get("busy")) }
        // The last used is the first reused: what has become idle first stays so.
        for upstream in upstreams[1...2] { #expect(try path(upstream) == "busy") }
        try proxy.reload { $0.clusters[0].limits.connections = 2 }
        let gate = try gate(proxy)
        for index in [0, 3, 4] { try upstreams[index].expectEnd() }
        try proxy.wait(for: "what is beyond the limit to end") { gate.underWay == 2 }
        for upstream in upstreams[1...2] { try upstream.send(Messages.ok) }
        for client in clients[busy].prefix(2) { try client.expect(Messages.ok) }
        proxy.end()
        #expect(gate.underWay == 0 && gate.waiting == 0)
    }

    @Test(
        "A tunnel counts while its cluster is gone, and when that comes back", arguments: TestDriver.offered)
    func returns(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try proxy(driver, [origin.address], connections: 1, threads: 2)
        let before = try gate(proxy)
        let (tunnel, upstream) = try tunnel(proxy, origin)
        let cluster = proxy.server.configuration.clusters[0]
        try proxy.reload {
            $0.clusters = [ClusterConfiguration(name: "other", endpoints: [origin.address])]
            $0.listeners[0].cluster = "other"
        }
        #expect(before.underWay == 1)
        try proxy.reload {
            $0.clusters = [cluster]
            $0.listeners[0].cluster = "app"
        }
        let client = try proxy.connect()
        try client.send(get("late"))
        #expect(try client.receiveResponse().head.hasPrefix("HTTP/1.1 503 "))
        #expect(try gate(proxy).underWay == 1)
        tunnel.finish()
        try upstream.expectEnd()
        upstream.finish()
        try proxy.wait(for: "the tunnel's end") { before.underWay == 0 }
        try client.send(get("now"))
        let next = try origin.accept()
        #expect(try path(next) == "now")
        try next.send(Messages.ok)
        try client.expect(Messages.ok)
        #expect(try gate(proxy).underWay == 1)
        proxy.end()
        #expect(before.underWay == 0)
    }

    @Test("A drain and a stop give all places back, those of who waits too", arguments: TestDriver.offered)
    func ends(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        for isDrain in [true, false] {
            let proxy = try proxy(driver, [origin.address], connections: 1, queue: 3, threads: 2)
            let gate = try gate(proxy)
            try end(proxy, origin, byDrain: isDrain)
            #expect(gate.underWay == 0 && gate.waiting == 0)
        }
    }
}
