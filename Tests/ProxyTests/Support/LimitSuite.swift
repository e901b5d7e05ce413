import Testing

@testable import UringProxy

/// What tests of a cluster's limits share.
protocol LimitSuite {}

extension LimitSuite {
    /// A proxy with one cluster, `app`, in whose queue no time runs out unless the limits say so.
    func proxy(
        _ driver: TestDriver, _ addresses: [String], threads: Int, limits: (inout LimitConfiguration) -> Void,
        change: (inout Configuration) -> Void = { _ in }
    ) throws -> TestProxy {
        var cluster = ClusterConfiguration(name: "app", endpoints: addresses)
        cluster.limits.queueTimeout = .seconds(60)
        limits(&cluster.limits)
        return try TestProxy(driver, cluster: cluster) {
            $0.threads = threads
            change(&$0)
        }
    }

    func limits(_ proxy: TestProxy) throws -> LimitPlan {
        try #require(proxy.server.limitedClusters.first?.limits)
    }

    func get(_ path: String) -> String { RouteProxy.get("/\(path)") }

    /// What the next request, made by `get`, asks for.
    func path(_ socket: TestSocket) throws -> String { String(try socket.receivePath().dropFirst()) }

    /// One request is at the origin and one waits: a drain ends when both have been served, a stop ends them.
    func end(_ proxy: TestProxy, _ origin: TestOrigin, byDrain isDrain: Bool) throws {
        let requests = try limits(proxy).gate.view
        let clients = try proxy.connectToEach(1)
        try clients[0][0].send(get("in"))
        let upstream = try origin.accept()
        #expect(try path(upstream) == "in")
        try clients[1][0].send(get("waits"))
        try proxy.wait(for: "a place in the queue") { requests.waiting == 1 }
        if isDrain {
            proxy.server.drain()
            try upstream.send(Messages.ok)
            #expect(try clients[0][0].receiveResponse().head.hasPrefix("HTTP/1.1 200 "))
            // Lent, if the answer came before the drain.
            let second = try [origin].firstToAcceptOrReceive(upstream)
            #expect(try path(second) == "waits")
            try second.send(Messages.ok)
            #expect(try clients[1][0].receiveResponse().head.hasPrefix("HTTP/1.1 200 "))
            proxy.waitForDrain()
        } else {
            proxy.end()
        }
    }
}
