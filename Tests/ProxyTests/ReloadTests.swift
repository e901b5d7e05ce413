import CPosix
import Synchronization
import Testing

@testable import UringProxy

@Suite("Reload", .blocking)
struct ReloadTests {
    /// A proxy with a cluster `a`, `b`… for each origin, and a listener for each cluster.
    private func proxy(
        _ driver: TestDriver, _ origins: [TestOrigin], change: (inout Configuration) -> Void = { _ in }
    ) throws -> TestProxy {
        try TestProxy(driver, upstreams: []) { configuration in
            configuration.listenAddresses = []
            configuration.clusters = origins.enumerated().map { index, origin in
                ClusterConfiguration(name: name(index), endpoints: [origin.address])
            }
            configuration.listeners = origins.indices.map {
                ListenerConfiguration(address: "127.0.0.\($0 + 1):0", cluster: name($0))
            }
            change(&configuration)
        }
    }

    private func name(_ index: Int) -> String { String(UnicodeScalar(UInt8(97 + index))) }

    @Test(
        "What a reload leaves alone keeps its connections, wherever it stands now",
        arguments: TestDriver.offered)
    func untouched(_ driver: TestDriver) throws {
        let origins = [try TestOrigin(), try TestOrigin()]
        let proxy = try proxy(driver, origins)
        let client = try proxy.connect(1)
        try client.send(Messages.get)
        let upstream = try origins[1].accept()
        try upstream.expect(Messages.get)
        try upstream.send(Messages.ok)
        try client.expect(Messages.ok)
        let line = try proxy.reload { configuration in
            configuration.clusters.reverse()
            configuration.clusters.insert(
                ClusterConfiguration(name: "new", endpoints: ["127.0.0.1:1"]), at: 0)
            configuration.clusters[1].endpoints.insert("127.0.0.1:2", at: 0)
            configuration.clusters[1].endpoints[1] += ",weight=100"
        }
        #expect(line == "2 listeners (0 new, 0 gone), 4 endpoints (2 new, 0 gone)")
        for _ in 0..<3 { try exchange(client, upstream) }
        #expect(proxy[.upstreamOpened] - proxy[.upstreamConnectFailures] == 1)
        #expect(origins[1].acceptNow() == nil)
    }

    @Test(
        "An endpoint that has gone gets nothing new, and what it has begun it ends",
        arguments: TestDriver.offered)
    func endpointGone(_ driver: TestDriver) throws {
        let origins = [try TestOrigin(), try TestOrigin()]
        let proxy = try proxy(driver, [origins[0]])
        let idle = try proxy.connect()
        try idle.send(Messages.get)
        let idleUpstream = try origins[0].accept()
        try idleUpstream.expect(Messages.get)
        let busy = try proxy.connect()
        try busy.send(Messages.get)
        let busyUpstream = try origins[0].accept()
        try busyUpstream.expect(Messages.get)
        try busyUpstream.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfirst")
        try busy.expect("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfirst")
        try idleUpstream.send(Messages.ok)
        try idle.expect(Messages.ok)
        try proxy.reload { $0.clusters[0].endpoints = [origins[1].address] }
        try idleUpstream.expectEnd()
        try busyUpstream.send("again")
        try busy.expect("again")
        try busyUpstream.expectEnd()
        for client in [idle, busy] {
            try client.send(Messages.get)
            let upstream = try origins[1].accept()
            try upstream.expect(Messages.get)
            try upstream.send(Messages.ok)
            try client.expect(Messages.ok)
            upstream.close()
        }
        #expect(origins[0].acceptNow() == nil)
    }

    @Test(
        "A listener that is new serves; one that has gone ends its connections with their exchange",
        arguments: TestDriver.offered)
    func listeners(_ driver: TestDriver) throws {
        let origins = [try TestOrigin(), try TestOrigin()]
        let proxy = try proxy(driver, origins)
        let gone = proxy.address(0)
        let idle = try proxy.connect()
        try idle.send(Messages.get)
        let idleUpstream = try origins[0].accept()
        try idleUpstream.expect(Messages.get)
        try idleUpstream.send(Messages.ok)
        try idle.expect(Messages.ok)
        let busy = try proxy.connect()
        try busy.send(Messages.get)
        try idleUpstream.expect(Messages.get)
        let half = try proxy.connect()
        try half.send("GET / HTTP/1.1\r\n")
        let silent = try proxy.connect()
        try proxy.wait(for: "the connections") { proxy.downstreamConnections == 4 }
        try proxy.reload {
            $0.listeners.removeFirst()
            $0.listeners.append(ListenerConfiguration(address: "127.0.0.3:0", role: .tcp, cluster: "b"))
        }
        try idle.expectEnd()
        #expect(throws: TestFailure.self) { try TestSocket(to: gone) }
        try idleUpstream.send(Messages.ok)
        #expect(
            try busy.receiveAll()
                == "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi")
        try half.send("Host: h\r\n\r\n")
        try idleUpstream.expect("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        try idleUpstream.send(Messages.ok)
        #expect(
            try half.receiveAll()
                == "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi")
        try silent.expectEnd()
        #expect(proxy.server.boundAddresses.count == 2)
        let relayed = try proxy.connect(1)
        let relay = try origins[1].accept()
        try relayed.send("to")
        try relay.expect("to")
        try relay.send("fro")
        try relayed.expect("fro")
    }

    @Test(
        "Tunnels and upgraded connections go on, though nothing of where they came from is left",
        arguments: TestDriver.offered)
    func tunnels(_ driver: TestDriver) throws {
        let origins = [try TestOrigin(), try TestOrigin()]
        let proxy = try proxy(driver, origins) {
            $0.listeners[0].role = .tcp
            $0.listeners.append(ListenerConfiguration(address: "127.0.0.3:0", role: .forward))
            $0.allowDestinations = ["127.0.0.0/8"]
        }
        let relayed = try proxy.connect(0)
        let relay = try origins[0].accept()
        let web = try proxy.connect(1)
        try web.send(TunnelTests.upgrade)
        let webUpstream = try origins[1].accept()
        try webUpstream.expect(TunnelTests.upgradeForwarded)
        try webUpstream.send(TunnelTests.switching)
        try web.expect(TunnelTests.switching)
        let tunnel = try proxy.connect(2)
        try tunnel.send("CONNECT \(origins[0].address) HTTP/1.1\r\nHost: \(origins[0].address)\r\n\r\n")
        let tunnelUpstream = try origins[0].accept()
        try tunnel.expect("HTTP/1.1 200 Connection established\r\n\r\n")
        for round in 0..<20 {
            for (client, upstream) in [(relayed, relay), (web, webUpstream), (tunnel, tunnelUpstream)] {
                try client.send("c\(round)")
                try upstream.expect("c\(round)")
                try upstream.send("o\(round)")
                try client.expect("o\(round)")
            }
            try proxy.reload {
                $0.clusters = [ClusterConfiguration(name: "c\(round)", endpoints: ["127.0.0.1:1"])]
                $0.listeners = [ListenerConfiguration(address: "127.0.0.4:0", cluster: "c\(round)")]
                $0.allowDestinations = []
            }
        }
        for (client, upstream) in [(relayed, relay), (web, webUpstream), (tunnel, tunnelUpstream)] {
            client.finish()
            try upstream.expectEnd()
            upstream.close()
            try client.expectEnd()
        }
    }

    @Test("A listener that gets another role keeps its socket", arguments: TestDriver.offered)
    func roleChanges(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try proxy(driver, [origin])
        let address = proxy.address()
        let idle = try proxy.connect()
        try idle.send(Messages.get)
        let upstream = try origin.accept()
        try upstream.expect(Messages.get)
        try upstream.send(Messages.ok)
        try idle.expect(Messages.ok)
        for role in [ListenerConfiguration.Role.tcp, .reverse, .tcp] {
            try proxy.reload { $0.listeners[0].role = role }
            #expect(proxy.address() == address)
            let client = try proxy.connect()
            if role == .tcp {
                let relay = try origin.accept()
                try client.send("raw")
                try relay.expect("raw")
            } else {
                try exchange(client, upstream)
            }
        }
        try idle.expectEnd()
    }

    @Test("An exchange ends under the limits that it began with", arguments: TestDriver.offered)
    func limits(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try proxy(driver, [origin])
        let head = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
        let client = try proxy.connect()
        try client.send(head)
        let upstream = try origin.accept()
        try upstream.expect(head)
        try proxy.reload {
            $0.limitBodyBytes = 4
            $0.timeoutUpstream = .milliseconds(1)
            $0.timeoutBodyIdle = .milliseconds(1)
        }
        let body = "a\r\n0123456789\r\n0\r\n\r\n"
        try client.send(body)
        try upstream.expect(body)
        try upstream.send(Messages.ok)
        try client.expect(Messages.ok)
        try proxy.reload {
            $0.timeoutUpstream = .zero
            $0.timeoutBodyIdle = .zero
        }
        try client.send(head + body)
        #expect(try client.receiveResponse().head.hasPrefix("HTTP/1.1 413 "))
    }

    @Test("Routes are replaced, and a request whose place has gone is told so", arguments: TestDriver.offered)
    func routes(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        func list(_ body: String) -> [RouteListConfiguration] {
            var route = RouteConfiguration()
            route.response = RouteConfiguration.Response(body: body)
            return [RouteListConfiguration(name: "s", routes: [route])]
        }
        let proxy = try proxy(driver, [origin]) {
            $0.listeners.append(ListenerConfiguration(address: "127.0.0.2:0", routes: "s"))
            $0.routes = list("old")
        }
        let routed = try proxy.connect(1)
        try routed.send(Messages.get)
        #expect(try routed.receiveResponse().body == "old")
        try proxy.reload { $0.routes = list("new") }
        try routed.send(Messages.get)
        #expect(try routed.receiveResponse().body == "new")
        let half = try proxy.connect(0)
        try half.send("GET / HTTP/1.1\r\n")
        try proxy.wait(for: "the connection") { proxy.downstreamConnections == 2 }
        try proxy.reload {
            $0.listeners.removeFirst()
            $0.clusters = []
        }
        try half.send("Host: h\r\n\r\n")
        let answer = try half.receiveAll()
        #expect(answer.hasPrefix("HTTP/1.1 503 "))
        #expect(answer.hasSuffix("where this request would have gone was taken out of the configuration\n"))
    }

    @Test("What the forward proxy may not reach any more it does not reach", arguments: TestDriver.offered)
    func policy(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TestProxy(forward: driver)
        let get = "GET http://\(origin.address)/ HTTP/1.1\r\nHost: \(origin.address)\r\n\r\n"
        let forwarded = "GET / HTTP/1.1\r\nHost: \(origin.address)\r\n\r\n"
        let (client, busy) = (try proxy.connect(), try proxy.connect())
        try client.send(get)
        let upstream = try origin.accept()
        try upstream.expect(forwarded)
        try busy.send(get)
        let busyUpstream = try origin.accept()
        try busyUpstream.expect(forwarded)
        try upstream.send(Messages.ok)
        try client.expect(Messages.ok)
        try proxy.reload { $0.denyDestinations = ["127.0.0.1"] }
        try upstream.expectEnd()
        try busyUpstream.send(Messages.ok)
        try busy.expect(Messages.ok)
        try busyUpstream.expectEnd()
        for client in [client, busy] {
            try client.send(get)
            #expect(try client.receiveResponse().head.hasPrefix("HTTP/1.1 403 "))
        }
        try proxy.reload { $0.denyDestinations = [] }
        try client.send(get)
        let again = try origin.accept()
        try again.expect(forwarded)
        try again.send(Messages.ok)
        try client.expect(Messages.ok)
    }

    @Test(
        "Who is not let in any more is not, on connections that are open too", arguments: TestDriver.offered)
    func denied(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try proxy(driver, [origin])
        let client = try proxy.connect()
        try client.send(Messages.get)
        let upstream = try origin.accept()
        try upstream.expect(Messages.get)
        try upstream.send(Messages.ok)
        try client.expect(Messages.ok)
        try proxy.reload { $0.listeners[0].access.deny = ["127.0.0.0/8"] }
        try client.send(Messages.get)
        #expect(try client.receiveResponse().head.hasPrefix("HTTP/1.1 403 "))
        try proxy.connect().expectEnd()
        // The listener goes, and with it who is let in by it: nobody comes in by what is left of it.
        let half = try { () throws in
            try proxy.reload { $0.listeners[0].access.deny = ["192.0.2.0/24"] }
            return try proxy.connect()
        }()
        try half.send("GET /a HTTP/1.1\r\n")
        try proxy.wait(for: "the connections") { proxy.downstreamConnections == 2 }
        try proxy.reload {
            $0.listeners = [ListenerConfiguration(address: "127.0.0.9:0", cluster: "a")]
        }
        try half.send("Host: h\r\n\r\n")
        #expect(try half.receiveAll().hasPrefix("HTTP/1.1 503 "))
    }

    @Test(
        "An endpoint that checks left out returns when nobody checks any more", arguments: TestDriver.offered)
    func checksEnd(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let dead = try TestOrigin.nobody()
        let proxy = try proxy(driver, [origin]) {
            $0.clusters[0].endpoints.append(dead)
            var check = HealthCheckConfiguration()
            check.kind = .tcp
            check.interval = .milliseconds(50)
            check.timeout = .milliseconds(20)
            $0.clusters[0].health = check
        }
        let health = proxy.server.clusterHealth[0]
        try proxy.wait(for: "the check") { health.endpoints[1].checkedState == .unhealthy }
        try proxy.reload { $0.clusters[0].health = nil }
        try proxy.wait(for: "the return") { health.endpoints[1].isAvailable }
    }

    @Test("What cannot be done changes nothing", arguments: TestDriver.offered)
    func refused(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try proxy(driver, [origin])
        let (client, taken) = (try proxy.connect(), try TestOrigin())
        try client.send(Messages.get)
        let upstream = try origin.accept()
        try upstream.expect(Messages.get)
        try upstream.send(Messages.ok)
        try client.expect(Messages.ok)
        let before = proxy.server.boundAddresses
        func refusal(_ change: (inout Configuration) -> Void) -> String {
            var configuration = proxy.server.configuration
            configuration.clusters[0].endpoints = ["127.0.0.1:1"]
            change(&configuration)
            do throws(Server.ReloadError) {
                return "taken up: \(try proxy.server.reload(configuration))"
            } catch {
                switch error {
                case .needsNewProcess(let problems): return problems.map { "\($0)" }.joined(separator: "\n")
                case .failed(let error): return error.message
                case .isEnding: return "ending"
                case .isHandingOver: return "handing over"
                }
            }
        }
        #expect(
            refusal {
                $0.threads = 2
                $0.memoryBytes = 64 << 20
            } == """
                --threads: a running process cannot change it; undo the change, or start a new process
                --memory: a running process cannot change it; undo the change, or start a new process
                """)
        #expect(
            refusal {
                $0.listeners.append(ListenerConfiguration(address: "127.0.0.1:0", cluster: "a"))
                $0.listeners.append(ListenerConfiguration(address: taken.address, cluster: "a"))
            }
                == "cannot listen on \(taken.address): another process listens there; stop it, or choose another port"
        )
        #expect(
            refusal { $0.listeners[0].cluster = "missing" }
                == "listeners[0].cluster: there is no cluster 'missing'; known are a")
        #expect(proxy.server.boundAddresses == before)
        #expect(proxy.server.reloadCounters.refused.load(ordering: .relaxed) == 3)
        try exchange(client, upstream)
        proxy.server.drain()
        #expect(refusal { _ in } == "ending")
        client.close()
        proxy.waitForDrain()
    }

    @Test("Connections are counted for their client through reloads", arguments: TestDriver.offered)
    func clientLimit(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try proxy(driver, [origin]) { $0.limitConnectionsPerClient = 3 }
        var clients = [try proxy.connect(), try proxy.connect()]
        try proxy.wait(for: "two") { proxy.downstreamConnections == 2 }
        try proxy.reload { $0.limitConnectionsPerClient = 1 }
        try proxy.connect().expectEnd()
        clients.removeLast()
        try proxy.wait(for: "one") { proxy.downstreamConnections == 1 }
        try proxy.connect().expectEnd()
        try proxy.reload { $0.limitConnectionsPerClient = 0 }
        for _ in 0..<5 { clients.append(try proxy.connect()) }
        try proxy.wait(for: "six") { proxy.downstreamConnections == 6 }
        try proxy.reload { $0.limitConnectionsPerClient = 7 }
        clients.append(try proxy.connect())
        try proxy.wait(for: "seven") { proxy.downstreamConnections == 7 }
        try proxy.connect().expectEnd()
    }

    @Test(
        "Endpoints and listeners come and go a thousand times, and leave nothing",
        arguments: TestDriver.offered)
    func manyTimes(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try proxy(driver, [origin]) { $0.threads = 2 }
        let client = try proxy.connect()
        try client.send(Messages.get)
        let upstream = try origin.accept()
        try upstream.expect(Messages.get)
        try upstream.send(Messages.ok)
        try client.expect(Messages.ok)
        for round in 0..<1000 {
            try proxy.reload {
                $0.clusters[0].endpoints = [origin.address, "127.0.0.1:\(1 + round % 7)"]
                $0.clusters[0].balance = round % 2 == 0 ? .leastRequests : .roundRobin
                $0.listeners = Array($0.listeners.prefix(1))
                if round % 10 == 0 {
                    $0.listeners.append(ListenerConfiguration(address: "127.0.0.2:0", cluster: "a"))
                }
            }
            if round % 50 == 0 { try exchange(client, upstream) }
        }
        #expect(origin.acceptNow() == nil)
        for worker in proxy.server.workers {
            try proxy.wait(for: "the listeners' places") {
                worker.gauges.listeners.load(ordering: .relaxed) == 1
            }
        }
        #expect(proxy.server.reloadCounters.done.load(ordering: .relaxed) == 1000)
    }
}
