import CPosix
import TestSupport
import Testing

@testable import UringProxy

@Suite("Limits of clusters", .blocking)
struct GateTests: LimitSuite {
    private func proxy(
        _ driver: TestDriver, _ address: String, requests: Int, queue: Int = 0,
        timeout: Nanoseconds = .seconds(60), threads: Int = 2
    ) throws -> TestProxy {
        try proxy(driver, [address], threads: threads) {
            $0.requests = requests
            $0.queue = queue
            $0.queueTimeout = timeout
        }
    }

    private func gate(_ proxy: TestProxy) throws -> ClusterGate.View {
        try limits(proxy).gate.view
    }

    private func clients(_ proxy: TestProxy, each count: Int) throws -> [[TestSocket]] {
        try proxy.connectToEach(count)
    }

    /// The next request at the origin, and its path.
    private func next(_ origin: TestOrigin) throws -> (TestSocket, String) {
        let socket = try origin.accept()
        return (socket, try path(socket))
    }

    @Test(
        "A reload changes how many are let in, at once and with those that wait; none is lost when the cluster goes",
        arguments: TestDriver.offered)
    func reloads(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try proxy(driver, origin.address, requests: 1, queue: 10, threads: 1)
        let gate = try gate(proxy)
        var clients: [TestSocket] = []
        for index in 0..<5 {
            clients.append(try proxy.connect())
            try clients[index].send(get("\(index)"))
            try proxy.wait(for: "its place") { gate.underWay + gate.waiting == index + 1 }
        }
        var served = [try next(origin)]
        try proxy.reload { $0.clusters[0].limits.requests = 2 }
        served.append(try next(origin))
        #expect(gate.underWay == 2 && gate.waiting == 3)
        // Without limits the next one goes in as well, and those that come find no gate.
        try proxy.reload {
            $0.clusters[0].limits.requests = 0
            $0.clusters[0].limits.queue = 0
        }
        for _ in 0..<3 { served.append(try next(origin)) }
        try proxy.wait(for: "all") { gate.underWay == 5 && gate.waiting == 0 }
        #expect(served.map(\.1) == ["0", "1", "2", "3", "4"])
        for (index, (upstream, _)) in served.enumerated() {
            try upstream.send(Messages.ok)
            try clients[index].expect(Messages.ok)
        }
        try proxy.wait(for: "their end") { gate.underWay == 0 }
        // Another name: it begins with nothing under way. Who waits when it goes is told so.
        try proxy.reload {
            $0.clusters[0].name = "other"
            $0.clusters[0].limits.requests = 1
            $0.clusters[0].limits.queue = 10
            $0.listeners[0].cluster = "other"
        }
        let other = try self.gate(proxy)
        try clients[0].send(get("in"))
        try proxy.wait(for: "the first") { other.underWay == 1 }
        try clients[1].send(get("waits"))
        try proxy.wait(for: "the second") { other.waiting == 1 }
        try proxy.reload {
            $0.clusters = [ClusterConfiguration(name: "third", endpoints: [origin.address])]
            $0.listeners[0].cluster = "third"
        }
        let (head, _) = try clients[1].receiveResponse()
        #expect(head.hasPrefix("HTTP/1.1 503 "))
        try proxy.wait(for: "nobody waits") { other.waiting == 0 }
    }

    @Test(
        "So many are under way, so many wait, the next is refused; whoever came first goes first, whichever worker has it",
        arguments: TestDriver.offered)
    func exact(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try proxy(driver, origin.address, requests: 2, queue: 3)
        let gate = try gate(proxy)
        let clients = try clients(proxy, each: 4)
        var served: [(TestSocket, String)] = []
        for worker in 0..<2 {
            try clients[worker][0].send(get("in\(worker)"))
            served.append(try next(origin))
        }
        // In turns, and the first at the worker that is going to be idle.
        for (place, (worker, client)) in [(1, 1), (0, 1), (1, 2)].enumerated() {
            try clients[worker][client].send(get("wait\(place)"))
            try proxy.wait(for: "a place in the queue") { gate.waiting == place + 1 }
        }
        for worker in 0..<2 {
            try clients[worker][3].send(get("late"))
            let (head, body) = try clients[worker][3].receiveResponse()
            #expect(head.hasPrefix("HTTP/1.1 503 ") && head.contains("Retry-After: 1\r\n"))
            #expect(body.contains("limits") && !head.contains("Connection: close"))
        }
        #expect(gate.underWay == 2 && gate.waiting == 3 && gate.refused == 2)
        #expect(origin.acceptNow() == nil)
        // Whoever waits at one worker is let in by what ends at the other.
        var upstream = served[0].0
        try upstream.send(Messages.okClosing)
        try clients[0][0].expect("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
        for place in 0..<3 {
            let (socket, path) = try next(origin)
            #expect(path == "wait\(place)")
            #expect(gate.underWay == 2 && gate.waiting == 2 - place)
            upstream = socket
            try upstream.send(Messages.okClosing)
            let (worker, client) = [(1, 1), (0, 1), (1, 2)][place]
            try clients[worker][client].expect("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
        }
        try served[1].0.send(Messages.okClosing)
        try clients[1][0].expect("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
        // Those that were refused may ask again.
        try clients[1][3].send(get("again"))
        let (last, path) = try next(origin)
        #expect(path == "again")
        try last.send(Messages.okClosing)
        try clients[1][3].expect("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
        try proxy.wait(for: "rest") { gate.underWay == 0 && gate.waiting == 0 }
        let failures = proxy.server.workers.reduce(0) { $0 + $1.counters[ProxyError.circuitOpen] }
        #expect(failures == 2 && gate.refused == 2)
        let metrics = MetricsReport.render(proxy.server)
        #expect(metrics.contains("uproxy_cluster_requests{cluster=\"app\"} 0\n"))
        #expect(metrics.contains("uproxy_cluster_queued{cluster=\"app\"} 0\n"))
        #expect(
            metrics.contains("uproxy_cluster_refused_total{cluster=\"app\",cause=\"circuit_open\"} 2\n"))
    }

    @Test("Who waits too long is answered with 503, and its place is free", arguments: TestDriver.offered)
    func expires(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try proxy(driver, origin.address, requests: 1, queue: 1, timeout: .milliseconds(50))
        let gate = try gate(proxy)
        let clients = try clients(proxy, each: 2)
        try clients[0][0].send(get("in"))
        let (upstream, _) = try next(origin)
        for round in 1...2 {
            let started = cposix_monotonic_nanoseconds()
            // With a body, which is passed on to nobody.
            try clients[1][0].send("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc")
            let (head, _) = try clients[1][0].receiveResponse()
            #expect(cposix_monotonic_nanoseconds() - started >= 50_000_000)
            #expect(head.hasPrefix("HTTP/1.1 503 ") && head.contains("Retry-After: 1\r\n"))
            #expect(gate.waiting == 0 && gate.underWay == 1 && gate.expired == UInt64(round))
        }
        try upstream.send(Messages.ok)
        try clients[0][0].expect(Messages.ok)
        let failures = proxy.server.workers.reduce(0) { $0 + $1.counters[ProxyError.queueTimeout] }
        #expect(failures == 2 && gate.refused == 0)
    }

    @Test("Who goes away waits no longer, and lets the next one in", arguments: TestDriver.offered)
    func leaves(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try proxy(driver, origin.address, requests: 1, queue: 3)
        let gate = try gate(proxy)
        let clients = try clients(proxy, each: 2)
        try clients[0][0].send(get("in"))
        let (upstream, _) = try next(origin)
        for (place, (worker, client)) in [(1, 0), (0, 1), (1, 1)].enumerated() {
            try clients[worker][client].send(get("wait\(place)"))
            try proxy.wait(for: "a place in the queue") { gate.waiting == place + 1 }
        }
        clients[1][0].reset()
        try proxy.wait(for: "a place that is free") { gate.waiting == 2 }
        // Under way: its place is the next one's.
        clients[0][0].reset()
        upstream.close()
        let (second, path) = try next(origin)
        #expect(path == "wait1")
        try second.send(Messages.ok)
        try clients[0][1].expect(Messages.ok)
        let (third, lastPath) = try next(origin)
        #expect(lastPath == "wait2")
        try third.send(Messages.ok)
        try clients[1][1].expect(Messages.ok)
        #expect(gate.underWay == 0 && gate.waiting == 0)
    }

    @Test(
        "Under load no more than the limit is at the origin, and everybody is served",
        arguments: TestDriver.offered)
    func load(_ driver: TestDriver) throws {
        let crowd = Crowd()
        let origin = try ServedOrigin { _, _ in
            // Until three have met each waits for others.
            crowd.stay(microseconds: crowd.most < 3 ? 20_000 : 100)
            return Messages.ok
        }
        let proxy = try proxy(driver, origin.address, requests: 3, queue: 100)
        let gate = try gate(proxy)
        let address = proxy.address()
        let clients = Clients(16) { try TestSocket(to: address).getOK(50) }
        clients.join()
        let most = crowd.most
        #expect(most == 3 && proxy[.responses2xx] == 800)
        #expect(gate.underWay == 0 && gate.waiting == 0 && gate.refused == 0)
        proxy.end()
        origin.end()
    }

    @Test("Relays wait as well, and are reset where there is no room", arguments: TestDriver.offered)
    func relays(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try proxy(
            driver, [origin.address], threads: 1, limits: { ($0.requests, $0.queue) = (1, 1) },
            change: {
                $0.listeners = [ListenerConfiguration(address: "127.0.0.1:0", role: .tcp, cluster: "app")]
            })
        let gate = try gate(proxy)
        let first = try proxy.connect()
        let upstream = try origin.accept()
        let second = try proxy.connect()
        try second.send("early")
        try proxy.wait(for: "a place in the queue") { gate.waiting == 1 }
        let third = try proxy.connect()
        #expect(try third.receiveUntilClosed().isReset)
        try first.send("one")
        try upstream.expect("one")
        first.finish()
        try upstream.expectEnd()
        upstream.finish()
        let next = try origin.accept()
        try next.expect("early")
        try next.send("answer")
        try second.expect("answer")
        #expect(gate.underWay == 1 && gate.waiting == 0 && gate.refused == 1)
    }

    @Test(
        "A drain ends when those that wait have been served; a stop ends them", arguments: TestDriver.offered)
    func ends(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        for isDrain in [true, false] {
            let proxy = try proxy(driver, origin.address, requests: 1, queue: 3)
            let gate = try gate(proxy)
            try end(proxy, origin, byDrain: isDrain)
            #expect(gate.underWay == 0 && gate.waiting == 0)
        }
    }
}
