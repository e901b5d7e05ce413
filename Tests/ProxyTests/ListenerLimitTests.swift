import Synchronization
import TestSupport
import Testing

@testable import UringProxy

@Suite("Limits of listeners", .blocking)
struct ListenerLimitTests {
    private func proxy(
        _ driver: TestDriver, _ origin: TestOrigin, _ role: ListenerConfiguration.Role, limit: Int,
        change: (inout Configuration) -> Void = { _ in }
    ) throws -> TestProxy {
        try TestProxy(driver, cluster: ClusterConfiguration(name: "app", endpoints: [origin.address])) {
            $0.threads = 2
            $0.listeners = [ListenerConfiguration(address: "127.0.0.1:0", role: role, cluster: "app")]
            $0.listeners[0].maxConnections = limit
            change(&$0)
        }
    }

    private func load(_ proxy: TestProxy) throws -> ListenerLoad {
        try #require(proxy.server.state.withLock { $0.bound }.first).load
    }

    private func expectRefusal(_ client: TestSocket) throws {
        let (head, body) = try client.receiveResponse()
        #expect(head.hasPrefix("HTTP/1.1 503 ") && head.contains("Retry-After: 1\r\n"))
        #expect(head.contains("Connection: close\r\n") && body.contains("max_connections"))
        try client.expectEnd()
    }

    private func expectService(_ client: TestSocket, _ origin: TestOrigin) throws {
        try client.send(Messages.get)
        let upstream = try origin.accept()
        try upstream.expect(Messages.get)
        try upstream.send(Messages.okClosing)
        try client.expect("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
    }

    @Test(
        "So many connections are served, whichever worker has them; one more is told so; an end makes room",
        arguments: TestDriver.offered)
    func exact(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try proxy(driver, origin, .reverse, limit: 5)
        let load = try load(proxy)
        var clients: [TestSocket] = []
        for count in 1...5 {
            clients.append(try proxy.connect())
            try proxy.wait(for: "the connection") { load.connections == count }
        }
        for _ in 0..<3 { try expectRefusal(proxy.connect()) }
        // What was asked before the answer came does not destroy it.
        let hasty = try proxy.connect()
        try hasty.send(Messages.get)
        try expectRefusal(hasty)
        #expect(load.connections == 5 && load.refused == 4 && proxy.failures(.listenerFull) == 4)
        #expect(origin.acceptNow() == nil)
        for client in clients { try expectService(client, origin) }
        let metrics = MetricsReport.render(proxy.server)
        let label = "{listener=\"\(proxy.address())\"}"
        #expect(metrics.contains("uproxy_listener_connections\(label) 5\n"))
        #expect(metrics.contains("uproxy_listener_connections_limit\(label) 5\n"))
        #expect(metrics.contains("uproxy_listener_refused_total\(label) 4\n"))
        clients.removeLast().close()
        try proxy.wait(for: "the end") { load.connections == 4 }
        let next = try proxy.connect()
        try expectService(next, origin)
        #expect(load.connections == 5)
        proxy.end()
        #expect(load.connections == 0)
    }

    @Test(
        "A burst never passes the limit, and everybody is served or told", arguments: TestDriver.offered)
    func burst(_ driver: TestDriver) throws {
        let crowd = Crowd()
        let origin = try ServedOrigin { _, _ in
            crowd.stay(microseconds: 200)
            return Messages.ok
        }
        let proxy = try TestProxy(
            driver, cluster: ClusterConfiguration(name: "app", endpoints: [origin.address])
        ) {
            $0.threads = 2
            $0.listeners[0].maxConnections = 3
        }
        let address = proxy.address()
        let answers = Locked<[Substring: Int]>([:])
        let clients = Clients(8) {
            for _ in 0..<25 {
                let client = try TestSocket(to: address)
                try client.send(Messages.get)
                let head = try client.receiveResponse().head
                answers.withLock { $0[head.dropFirst(9).prefix(3), default: 0] += 1 }
            }
        }
        clients.join()
        let counts = answers.withLock { $0 }
        #expect(Set(counts.keys).isSubset(of: ["200", "503"]) && counts.values.reduce(0, +) == 200)
        #expect(crowd.most <= 3)
        #expect(counts["503", default: 0] == Int(try load(proxy).refused))
        proxy.end()
        origin.end()
    }

    @Test("A connection too many of a layer-4 listener is reset", arguments: TestDriver.offered)
    func relay(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try proxy(driver, origin, .tcp, limit: 1)
        let load = try load(proxy)
        let first = try proxy.connect()
        let upstream = try origin.accept()
        #expect(try proxy.connect().receiveUntilClosed().isReset)
        try first.send("one")
        try upstream.expect("one")
        #expect(load.connections == 1 && load.refused == 1)
        first.finish()
        try upstream.expectEnd()
        upstream.finish()
        try first.expectEnd()
        try proxy.wait(for: "the end") { load.connections == 0 }
        let second = try proxy.connect()
        try second.send("two")
        try origin.accept().expect("two")
    }

    @Test(
        "A reload sets, changes and lifts the limit; what is open counts from then on, and stays",
        arguments: TestDriver.offered)
    func reloads(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try proxy(driver, origin, .reverse, limit: 0)
        let load = try load(proxy)
        func limit(_ limit: Int) throws { try proxy.reload { $0.listeners[0].maxConnections = limit } }
        var clients: [TestSocket] = []
        for _ in 0..<3 {
            clients.append(try proxy.connect())
            try expectService(clients[clients.count - 1], origin)
        }
        #expect(load.connections == 0)
        try limit(2)
        #expect(load.connections == 3)
        try expectRefusal(proxy.connect())
        for client in clients { try expectService(client, origin) }
        try limit(4)
        clients.append(try proxy.connect())
        try expectService(clients[3], origin)
        try expectRefusal(proxy.connect())
        #expect(load.connections == 4)
        try limit(0)
        #expect(load.connections == 0)
        clients.append(try proxy.connect())
        try expectService(clients[4], origin)
        try limit(5)
        #expect(load.connections == 5)
        try expectRefusal(proxy.connect())
        proxy.end()
        #expect(load.connections == 0)
    }
}
