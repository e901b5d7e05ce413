import Synchronization
import TestSupport
import Testing

@testable import UringProxy

@Suite("Limits of endpoints", .blocking)
struct EndpointLimitTests: LimitSuite {
    private func proxy(
        _ driver: TestDriver, _ addresses: [String], each: Int, queue: Int = 0, threads: Int = 2,
        change: (inout ClusterConfiguration) -> Void = { _ in }
    ) throws -> TestProxy {
        try proxy(
            driver, addresses, threads: threads, limits: { ($0.endpointRequests, $0.queue) = (each, queue) },
            change: { change(&$0.clusters[0]) })
    }

    private func reload(_ proxy: TestProxy, _ change: (inout ClusterConfiguration) -> Void) throws {
        try proxy.reload { change(&$0.clusters[0]) }
    }

    @Test(
        "An endpoint that has as many as it may is left out; when all are full the answer is 503",
        arguments: TestDriver.offered)
    func exact(_ driver: TestDriver) throws {
        let origins = [try TestOrigin(), try TestOrigin()]
        let proxy = try proxy(driver, origins.map(\.address), each: 2)
        let caps = try limits(proxy).endpoints
        var clients: [String: TestSocket] = [:]
        for name in ["a", "b", "c", "d"] {
            let client = try proxy.connect()
            try client.send(get(name))
            clients[name] = client
        }
        let served = try origins.map { origin in
            try (0..<2).map { _ in
                let socket = try origin.accept()
                return (socket, try path(socket))
            }
        }
        #expect(Set(served.joined().map(\.1)) == ["a", "b", "c", "d"])
        #expect(caps.map(\.view.underWay) == [2, 2])
        let late = try (0..<4).map { _ in try proxy.connect() }
        for client in late {
            try client.send(get("late"))
            let (head, body) = try client.receiveResponse()
            #expect(head.hasPrefix("HTTP/1.1 503 ") && head.contains("Retry-After: 1\r\n"))
            #expect(body.contains("limits"))
        }
        #expect(proxy.failures(.circuitOpen) == 4 && proxy.failures(.noHealthyEndpoint) == 0)
        let metrics = MetricsReport.render(proxy.server)
        for origin in origins {
            #expect(
                metrics.contains(
                    "uproxy_endpoint_requests{cluster=\"app\",endpoint=\"\(origin.address)\"} 2\n"))
        }
        #expect(
            metrics.contains("uproxy_cluster_refused_total{cluster=\"app\",cause=\"circuit_open\"} 4\n"))
        // What is free is there, whoever asks.
        var upstreams: [TestSocket] = []
        for (place, origin) in origins.enumerated() {
            let (upstream, name) = served[place][0]
            try upstream.send(Messages.okClosing)
            try #require(clients[name]).expect(Messages.ok)
            try late[place].send(get("next"))
            let next = try origin.accept()
            #expect(try path(next) == "next")
            #expect(caps.map(\.view.underWay) == [2, 2])
            upstreams.append(next)
        }
        for (place, upstream) in upstreams.enumerated() {
            try upstream.send(Messages.okClosing)
            try late[place].expect(Messages.ok)
        }
        proxy.end()
        #expect(caps.map(\.view.underWay) == [0, 0])
    }

    @Test(
        "Where all are full, requests wait in the order they came, and go to the endpoint that becomes free",
        arguments: TestDriver.offered)
    func queue(_ driver: TestDriver) throws {
        let origins = [try TestOrigin(), try TestOrigin()]
        let proxy = try proxy(driver, origins.map(\.address), each: 1, queue: 4)
        let gate = try limits(proxy).gate.view
        let first = [try proxy.connect(), try proxy.connect()]
        for client in first { try client.send(get("in")) }
        var busy = [try origins[0].accept(), try origins[1].accept()]
        for socket in busy { _ = try path(socket) }
        var waiting: [TestSocket] = []
        for place in 0..<4 {
            waiting.append(try proxy.connect())
            try waiting[place].send(get("\(place)"))
            try proxy.wait(for: "a place in the queue") { gate.waiting == place + 1 }
        }
        let late = try proxy.connect()
        try late.send(get("late"))
        #expect(try late.receiveResponse().head.hasPrefix("HTTP/1.1 503 "))
        for (place, free) in [1, 0, 0, 1].enumerated() {
            try busy[free].send(Messages.okClosing)
            busy[free] = try origins[free].accept()
            #expect(try path(busy[free]) == "\(place)")
            #expect(gate.waiting == 3 - place)
        }
        for socket in busy { try socket.send(Messages.okClosing) }
        for client in first + waiting { try client.expect(Messages.ok) }
        try proxy.wait(for: "rest") { gate.underWay == 0 && gate.waiting == 0 }
        #expect(try limits(proxy).endpoints.map(\.view.underWay) == [0, 0])
    }

    @Test(
        "Who cannot be connected while all others are full waits for those, and not for itself",
        arguments: TestDriver.offered)
    func dead(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try proxy(driver, [origin.address, TestOrigin.nobody()], each: 1, queue: 2) {
            $0.outliers.mostEjected = 0
        }
        let limits = try limits(proxy)
        var upstream: TestSocket?
        let clients = try ["a", "b", "c", "d"].enumerated().map { number, name in
            let client = try proxy.connect()
            try client.send(get(name))
            // Each has its place before the next one comes: at the origin, in the queue once nobody could be connected, or none.
            if number == 0 { upstream = try origin.accept() }
            try proxy.wait(for: "\(name) to be in, or out") {
                let failed = Int(proxy.failures(.connectRefused)) + Int(proxy.failures(.circuitOpen))
                return limits.gate.view.underWay == 1 && limits.gate.view.waiting == min(number, 2)
                    && failed == (number == 3 ? 1 : 0)
            }
            return client
        }
        // For the last there is no room.
        #expect(try clients[3].receiveResponse().head.hasPrefix("HTTP/1.1 50"))
        for client in clients[..<3] {
            let connection = try upstream ?? origin.accept()
            upstream = nil
            _ = try path(connection)
            try connection.send(Messages.okClosing)
            try client.expect(Messages.ok)
        }
        #expect(limits.gate.view.underWay == 0 && limits.gate.view.waiting == 0)
        #expect(limits.endpoints.map(\.view.underWay) == [0, 0])
        proxy.end()
    }

    @Test(
        "Under load no endpoint has more than its limit, and everybody is served",
        arguments: TestDriver.offered, [BalancingPolicy.roundRobin, .maglev])
    func load(_ driver: TestDriver, _ policy: BalancingPolicy) throws {
        let crowds = [Crowd(), Crowd()]
        let origins = try crowds.map { crowd in
            try ServedOrigin { _, _ in
                crowd.stay(microseconds: 100)
                return Messages.ok
            }
        }
        let proxy = try proxy(driver, origins.map(\.address), each: 2, queue: 100) {
            $0.balance = policy
            if policy.isHashed { $0.hashKey = .uri }
        }
        let limits = try limits(proxy)
        let address = proxy.address()
        let clients = Clients(12) { try TestSocket(to: address).getOK(40) }
        clients.join()
        // Whom the key names is always full; the other one may never have as many on a slow machine.
        #expect(crowds.map(\.most).max() == 2 && proxy[.responses2xx] == 480)
        #expect(limits.endpoints.map(\.view.underWay) == [0, 0])
        #expect(limits.gate.view.underWay == 0 && limits.gate.view.waiting == 0)
        proxy.end()
        for origin in origins { origin.end() }
    }

    @Test(
        "A request that is sent again gives its place back first: with all others full it goes to the same endpoint",
        arguments: TestDriver.offered)
    func retries(_ driver: TestDriver) throws {
        let origins = [try TestOrigin(), try TestOrigin()]
        let proxy = try proxy(driver, origins.map(\.address), each: 1, queue: 1) {
            $0.retries.on = [.unavailable]
            $0.retries.minimum = 100
        }
        let gate = try limits(proxy).gate.view
        let clients = [try proxy.connect(), try proxy.connect(), try proxy.connect()]
        for client in clients[..<2] { try client.send(get("in")) }
        let busy = [try origins[0].accept(), try origins[1].accept()]
        for socket in busy { _ = try path(socket) }
        try clients[2].send(get("waits"))
        try proxy.wait(for: "a place in the queue") { gate.waiting == 1 }
        try busy[0].send("HTTP/1.1 503 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        let again = try origins[0].accept()
        #expect(try path(again) == "in")
        #expect(gate.waiting == 1 && gate.underWay == 2)
        try again.send(Messages.okClosing)
        let next = try origins[0].accept()
        #expect(try path(next) == "waits")
        try next.send(Messages.okClosing)
        try busy[1].send(Messages.okClosing)
        for client in clients { try client.expect(Messages.ok) }
        proxy.end()
        #expect(try limits(proxy).endpoints.map(\.view.underWay) == [0, 0])
    }

    @Test(
        "A reload sets, changes and lifts the limit, and takes endpoints out; what is under way counts once",
        arguments: TestDriver.offered)
    func reloads(_ driver: TestDriver) throws {
        let origins = [try TestOrigin(), try TestOrigin()]
        let proxy = try proxy(driver, [origins[0].address], each: 0, threads: 1)
        var clients: [TestSocket] = []
        var busy: [TestSocket] = []
        for count in 0..<2 {
            clients.append(try proxy.connect())
            try clients[count].send(get("\(count)"))
            busy.append(try origins[0].accept())
            #expect(try path(busy[count]) == "\(count)")
        }
        try reload(proxy) {
            $0.limits.endpointRequests = 2
            $0.limits.queue = 5
        }
        let limits = try limits(proxy)
        let cap = try #require(limits.endpoints.first)
        #expect(cap.view.underWay == 2 && limits.gate.view.underWay == 2)
        for count in 2..<5 {
            clients.append(try proxy.connect())
            try clients[count].send(get("\(count)"))
            try proxy.wait(for: "a place in the queue") { limits.gate.view.waiting == count - 1 }
        }
        // What had no gate lets the next one in as well.
        try busy[0].send(Messages.okClosing)
        try clients[0].expect(Messages.ok)
        busy[0] = try origins[0].accept()
        #expect(try path(busy[0]) == "2" && cap.view.underWay == 2)
        try reload(proxy) { $0.limits.endpointRequests = 3 }
        #expect(try self.limits(proxy).endpoints.first === cap)
        busy.append(try origins[0].accept())
        #expect(try path(busy[2]) == "3" && cap.view.underWay == 3)
        // Another endpoint has room for the last one; the first goes, and what is under way there goes on.
        try reload(proxy) { $0.endpoints = [origins[1].address] }
        busy.append(try origins[1].accept())
        #expect(try path(busy[3]) == "4" && cap.view.underWay == 0)
        #expect(try self.limits(proxy).endpoints.map(\.view.underWay) == [1])
        let other = try #require(try self.limits(proxy).endpoints.first)
        try reload(proxy) {
            $0.limits.endpointRequests = 0
            $0.limits.queue = 0
        }
        #expect(other.view.underWay == 0)
        for socket in busy { try socket.send(Messages.okClosing) }
        for client in clients[1...] { try client.expect(Messages.ok) }
        proxy.end()
        #expect(limits.gate.view.underWay == 0)
    }

    @Test(
        "With all others full an ejected endpoint is tried as soon as that is due",
        arguments: TestDriver.offered)
    func trial(_ driver: TestDriver) throws {
        let failing = Atomic<Bool>(true)
        let bad = try ServedOrigin { _, _ in
            failing.load(ordering: .relaxed)
                ? "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n" : Messages.ok
        }
        let good = try TestOrigin()
        let proxy = try proxy(driver, [bad.address, good.address], each: 1, queue: 1) {
            $0.outliers.consecutive = 1
            $0.outliers.statuses = .server
            $0.outliers.ejection = .milliseconds(200)
            $0.outliers.mostEjected = 50
        }
        let gate = try limits(proxy).gate.view
        let health = try #require(proxy.server.clusterHealth.first).endpoints[0]
        var held: (client: TestSocket, upstream: TestSocket)?
        // Until both are in the state that is asked for, whichever came first.
        while held == nil || !health.isEjected {
            let client = try proxy.connect()
            try client.send(Messages.get)
            let first = held == nil ? try [good].firstToAcceptOrReceive(client) : client
            if first !== client { held = (client, first) } else { _ = try client.receiveHead() }
        }
        failing.store(false, ordering: .relaxed)
        let waiting = try proxy.connect()
        try waiting.send(Messages.get)
        try waiting.expect(Messages.ok)
        #expect(gate.waiting == 0 && gate.underWay == 1)
        let both = try #require(held)
        _ = try both.upstream.receiveHead()
        try both.upstream.send(Messages.okClosing)
        try both.client.expect(Messages.ok)
        proxy.end()
        bad.end()
    }
}
