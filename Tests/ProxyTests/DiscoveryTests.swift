import CPosix
import Synchronization
import TestSupport
import Testing

@testable import UringProxy

@Suite("Discovery", .blocking)
struct DiscoveryTests {
    /// Origins at one port of several addresses, `a` at 127.0.0.1, `b` at 127.0.0.2 and so on.
    private func origins(_ count: Int) throws -> (all: [UnsteadyOrigin], port: UInt16) {
        for _ in 0..<20 {
            let first = try UnsteadyOrigin("a")
            let port = UInt16(first.address.split(separator: ":").last ?? "") ?? 0
            do {
                let others = try (1..<count).map {
                    try UnsteadyOrigin(String(UnicodeScalar(UInt8(97 + $0))), at: "127.0.0.\($0 + 1):\(port)")
                }
                return ([first] + others, port)
            } catch { first.end() }
        }
        throw TestFailure("no port is free on all addresses")
    }

    private func cluster(
        _ discovery: DiscoveryConfiguration, change: (inout ClusterConfiguration) -> Void = { _ in }
    ) -> ClusterConfiguration {
        var cluster = ClusterConfiguration(name: "app")
        var discovery = discovery
        if discovery.file == nil {
            discovery.refreshMin = .milliseconds(50)
            discovery.refreshMax = .milliseconds(50)
        }
        cluster.discovery = discovery
        change(&cluster)
        return cluster
    }

    private func ask(_ client: TestSocket) throws -> (status: String, body: String) {
        try client.send(Messages.get)
        let (head, body) = try client.receiveResponse()
        return (String(head.dropFirst(9).prefix(3)), body)
    }

    /// Asks until those that are named, and no others, answer eight requests in turn; none fails.
    private func askUntil(_ client: TestSocket, _ wanted: Set<String>) throws {
        let deadline = cposix_monotonic_nanoseconds() + TestSocket.patience
        while true {
            var names: Set<String> = []
            for _ in 0..<8 {
                let (status, name) = try ask(client)
                guard status == "200" else { throw TestFailure("\(status): \(name)") }
                names.insert(name)
            }
            if names == wanted { return }
            guard cposix_monotonic_nanoseconds() < deadline else {
                throw TestFailure("\(names) answer and not \(wanted)")
            }
        }
    }

    private func source(_ proxy: TestProxy) -> DiscoverySource { proxy.server.discoveredClusters[0] }

    private func wait(_ proxy: TestProxy, line: String) throws {
        try proxy.wait(for: line) { proxy.log.withLock { $0.contains(line) } }
    }

    // MARK: - Addresses

    @Test(
        "Addresses come and go while a client keeps asking; those that stay keep their connections, and failures of DNS change nothing",
        arguments: TestDriver.offered)
    func addresses(_ driver: TestDriver) throws {
        let (origins, port) = try origins(3)
        let names = try NameServer(["app.test": ["127.0.0.2", "127.0.0.1"]])
        let proxy = try TestProxy(
            driver, cluster: cluster(DiscoveryConfiguration(dns: "app.test:\(port)"))
        ) { $0.dnsServers = [names.address] }
        let client = try proxy.connect()
        try askUntil(client, ["a", "b"])
        names.set("app.test", NameServer.Zone(addresses: ["127.0.0.3", "127.0.0.2", "127.0.0.1"]))
        try askUntil(client, ["a", "b", "c"])
        #expect(proxy[.upstreamOpened] == 3)
        names.set("app.test", NameServer.Zone(addresses: ["127.0.0.2", "127.0.0.3"]))
        try askUntil(client, ["b", "c"])
        origins[0].end()
        for zone in [NameServer.Zone(code: 2), nil, NameServer.Zone()] {
            names.set("app.test", zone)
            let failures = source(proxy).failures.load(ordering: .relaxed)
            try proxy.wait(for: "failures") {
                source(proxy).failures.load(ordering: .relaxed) >= failures + 3
            }
            try askUntil(client, ["b", "c"])
        }
        names.set("app.test", NameServer.Zone(addresses: ["127.0.0.3"]))
        try askUntil(client, ["c"])
        #expect(proxy[.upstreamOpened] == 3)
        #expect(
            proxy.log.withLock { $0 } == [
                "cluster app: 2 endpoints (2 new, 0 gone)",
                "cluster app: 3 endpoints (1 new, 0 gone)",
                "cluster app: 2 endpoints (0 new, 1 gone)",
                "cluster app: name servers have failed to answer for 'app.test'; 2 endpoints found before stay in use",
                "cluster app: 'app.test' has no records; 2 endpoints found before stay in use",
                "cluster app: endpoints are found again",
                "cluster app: 1 endpoint (0 new, 1 gone)",
            ])
        let explanation = try proxy.server.explain(ExplanationQuery(target: "/"), file: nil).text
        #expect(explanation.contains("\nfound      127.0.0.3:\(port)\n"), "\(explanation)")
        let metrics = MetricsReport.render(proxy.server)
        #expect(metrics.contains("\nuproxy_discovery_endpoints{cluster=\"app\"} 1\n"))
        #expect(metrics.contains("\nuproxy_discovery_changes_total{cluster=\"app\"} 4\n"))
        proxy.end()
        names.stop()
        for origin in origins.dropFirst() { origin.end() }
    }

    @Test("Each address is checked for itself, under the name of all", arguments: TestDriver.offered)
    func health(_ driver: TestDriver) throws {
        let (origins, port) = try origins(2)
        let names = try NameServer(["app.test": ["127.0.0.1", "127.0.0.2", "127.0.0.9"]])
        let proxy = try TestProxy(
            driver,
            cluster: cluster(DiscoveryConfiguration(dns: "app.test:\(port)")) {
                $0.health = HealthCheckConfiguration()
                $0.health?.interval = .milliseconds(200)
                $0.health?.timeout = .milliseconds(200)
            }
        ) { $0.dnsServers = [names.address] }
        let health = proxy.server.clusterHealth[0]
        try proxy.wait(for: "the first checks") {
            health.endpoints.allSatisfy { $0.checkedState != .nothing }
        }
        #expect(health.endpoints.map(\.identity) == [1, 2, 9].map { "127.0.0.\($0):\(port)" })
        #expect(health.endpoints.map(\.checkedState) == [.healthy, .healthy, .unhealthy])
        let client = try proxy.connect()
        try askUntil(client, ["a", "b"])
        #expect(proxy[.upstreamConnectFailures] == 0)
        proxy.end()
        names.stop()
        for origin in origins { origin.end() }
    }

    @Test("Host may name the host whose address the endpoint is, and a placeholder the address")
    func host() throws {
        let origin = try TestOrigin()
        let names = try NameServer(["app.test": ["127.0.0.1"]])
        let proxy = try RouteProxy.start(
            .epoll, [],
            [
                RouteProxy.route {
                    $0.cluster = "app"
                    $0.rewrite.host = "upstream"
                    $0.responseEdits.set = [FieldEdits.Field(name: "X-Endpoint", value: "{endpoint}")]
                }
            ]
        ) {
            $0.clusters = [cluster(DiscoveryConfiguration(dns: "app.test:\(origin.port)"))]
            $0.dnsServers = [names.address]
        }
        let client = try proxy.connect()
        try client.send(Messages.get)
        let upstream = try origin.accept()
        try upstream.expect("GET /a HTTP/1.1\r\nHost: app.test:\(origin.port)\r\n\r\n")
        try upstream.send(Messages.ok)
        try client.expect(
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Endpoint: 127.0.0.1:\(origin.port)\r\n\r\nhi")
        proxy.end()
        names.stop()
    }

    // MARK: - Before the first answer

    @Test(
        "A start waits for the first answer for a time, and then serves 503 until there is one",
        arguments: TestDriver.offered)
    func late(_ driver: TestDriver) throws {
        let (origins, port) = try origins(1)
        let names = try NameServer(zones: ["app.test": NameServer.Zone(isSilent: true)])
        let discovery = DiscoveryConfiguration(dns: "app.test:\(port)")
        for role in [ListenerConfiguration.Role.reverse, .tcp] {
            names.set("app.test", NameServer.Zone(isSilent: true))
            let proxy = try TestProxy(
                driver,
                cluster: cluster(discovery) {
                    $0.discovery?.wait = .milliseconds(50)
                    $0.limits.requests = role == .tcp ? 0 : 10
                    $0.limits.queue = 10
                }
            ) {
                $0.dnsServers = [names.address]
                $0.listeners[0].role = role
                if role == .tcp { $0.clusters[0].limits = LimitConfiguration() }
            }
            try wait(
                proxy,
                line: "cluster app: no endpoint was found within 50ms; the answer is 503 until there is one")
            let client = try proxy.connect()
            if role == .reverse {
                let (status, body) = try ask(client)
                #expect(status == "503")
                #expect(body.contains("no endpoint of the cluster has been found yet"))
                #expect(proxy.failures(.noEndpoint) == 1)
            } else {
                #expect(try client.receiveUntilClosed().text.isEmpty)
            }
            names.set("app.test", NameServer.Zone(addresses: ["127.0.0.1"]))
            try proxy.wait(for: "an endpoint") { !source(proxy).endpoints.isEmpty }
            // Taken up within a second after it was found.
            try proxy.wait(for: "it to be in use") {
                guard let client = try? proxy.connect(), (try? client.send(Messages.get)) != nil else {
                    return false
                }
                return (try? client.receiveResponse())?.body == "a"
            }
            proxy.end()
        }
        names.stop()
        for origin in origins { origin.end() }
    }

    @Test("A start goes on as soon as there is an answer, be it that there is no such name")
    func firstAnswer() throws {
        let (origins, port) = try origins(1)
        let names = try NameServer(["app.test": ["127.0.0.1"]])
        for (name, status) in [("app.test", "200"), ("nowhere.test", "503")] {
            let began = cposix_monotonic_nanoseconds()
            let proxy = try TestProxy(
                .epoll,
                cluster: cluster(DiscoveryConfiguration(dns: "\(name):\(port)")) {
                    $0.discovery?.wait = .minutes(2)
                }
            ) { $0.dnsServers = [names.address] }
            #expect(try ask(proxy.connect()).status == status)
            #expect(cposix_monotonic_nanoseconds() - began < Nanoseconds.minutes(1).rawValue)
            proxy.end()
        }
        names.stop()
        for origin in origins { origin.end() }
    }

    // MARK: - Services

    @Test(
        "SRV records bring ports, weights and priorities: the others stand in when those of the lowest number are gone",
        arguments: TestDriver.offered)
    func services(_ driver: TestDriver) throws {
        let origins = try ["a", "b", "c"].map { try UnsteadyOrigin($0) }
        let ports = origins.map { UInt16($0.address.split(separator: ":").last ?? "") ?? 0 }
        func record(_ index: Int, priority: UInt16, weight: UInt16) -> ServiceRecord {
            ServiceRecord(priority: priority, weight: weight, port: ports[index], target: "host\(index).test")
        }
        let all = [
            record(2, priority: 20, weight: 50), record(0, priority: 10, weight: 30),
            record(1, priority: 10, weight: 10),
        ]
        var zones: [String: NameServer.Zone] = ["_http._tcp.app.test": NameServer.Zone(services: all)]
        for index in 0..<3 { zones["host\(index).test"] = NameServer.Zone(addresses: ["127.0.0.1"]) }
        let names = try NameServer(zones: zones)
        let proxy = try TestProxy(
            driver, cluster: cluster(DiscoveryConfiguration(srv: "_http._tcp.app.test"))
        ) { $0.dnsServers = [names.address] }
        let client = try proxy.connect()
        var counts: [String: Int] = [:]
        for _ in 0..<40 { counts[try ask(client).body, default: 0] += 1 }
        #expect(counts == ["a": 30, "b": 10])
        names.set("_http._tcp.app.test", NameServer.Zone(services: [all[0]]))
        try askUntil(client, ["c"])
        // RFC 2782: a target of "." says that the service is not there. Nothing to go by while there are endpoints.
        let none = ServiceRecord(priority: 0, weight: 0, port: 0, target: "")
        names.set("_http._tcp.app.test", NameServer.Zone(services: [none]))
        try wait(
            proxy,
            line: "cluster app: '_http._tcp.app.test' names no host; 1 endpoint found before stays in use")
        try askUntil(client, ["c"])
        names.set("_http._tcp.app.test", NameServer.Zone(services: all))
        try askUntil(client, ["a", "b"])
        for origin in origins[0...1] { origin.become(.dead) }
        try askUntil(client, ["c"])
        proxy.end()
        names.stop()
        for origin in origins { origin.end() }
    }

    // MARK: - Files

    @Test(
        "A file is read again when it changes; one that is bad, or gone, changes nothing and says why",
        arguments: TestDriver.offered)
    func file(_ driver: TestDriver) throws {
        let origins = try ["a", "b"].map { try UnsteadyOrigin($0) }
        let file = try TemporaryFile("# of the fleet\n\(origins[0].address)\n")
        let proxy = try TestProxy(driver, cluster: cluster(DiscoveryConfiguration(file: file.path)))
        let client = try proxy.connect()
        #expect(try ask(client).body == "a")
        let next = try TemporaryFile("- \(origins[1].address),weight=2\n")
        #expect(unsafe rename(next.path, file.path) == 0)
        try askUntil(client, ["b"])
        try file.replace(with: "\(origins[0].address)\nnowhere\n")
        try wait(
            proxy,
            line:
                "cluster app: \(file.path):2: 'nowhere' has no port; write HOST:PORT, [IPV6]:PORT or unix:PATH; 1 endpoint found before stays in use"
        )
        unsafe _ = unlink(file.path)
        try wait(
            proxy,
            line:
                "cluster app: '\(file.path)' does not exist; check the path; 1 endpoint found before stays in use"
        )
        try askUntil(client, ["b"])
        try file.replace(with: "[\(origins[0].address), '\(origins[1].address)']")
        try askUntil(client, ["a", "b"])
        #expect(source(proxy).failures.load(ordering: .relaxed) == 2)
        proxy.end()
        for origin in origins { origin.end() }
    }

    // MARK: - Reloads

    @Test(
        "Reloads and discovery at the same time lose nothing of each other, and no request",
        arguments: TestDriver.offered)
    func reloads(_ driver: TestDriver) throws {
        let (origins, port) = try origins(3)
        let names = try NameServer(["app.test": ["127.0.0.1"], "other.test": ["127.0.0.3"]])
        let proxy = try TestProxy(
            driver, cluster: cluster(DiscoveryConfiguration(dns: "app.test:\(port)"))
        ) {
            $0.dnsServers = [names.address]
            $0.threads = 2
        }
        let client = try proxy.connect()
        let began = cposix_monotonic_nanoseconds()
        var round = 0
        // Two changes at least are taken up meanwhile.
        while source(proxy).changes.load(ordering: .relaxed) < 4
            || cposix_monotonic_nanoseconds() - began < Nanoseconds.milliseconds(1200).rawValue
        {
            guard cposix_monotonic_nanoseconds() - began < TestSocket.patience else {
                throw TestFailure("no change is taken up")
            }
            let isBoth = round % 10 < 5
            names.set(
                "app.test", NameServer.Zone(addresses: isBoth ? ["127.0.0.2", "127.0.0.1"] : ["127.0.0.1"]))
            try proxy.reload {
                $0.clusters[0].balance = round % 2 == 0 ? .roundRobin : .leastRequests
                $0.timeoutUpstream = .seconds(Int64(20 + round % 2))
            }
            for _ in 0..<10 { #expect(try ask(client).status == "200") }
            round += 1
        }
        names.set("app.test", NameServer.Zone(addresses: ["127.0.0.1", "127.0.0.2"]))
        try askUntil(client, ["a", "b"])
        #expect(proxy.server.configuration.timeoutUpstream == .seconds(Int64(20 + (round - 1) % 2)))
        // Another place: the reload waits for it.
        try proxy.reload { $0.clusters[0].discovery?.dns = "other.test:\(port)" }
        #expect(try ask(client).body == "c")
        // A list in its place.
        try proxy.reload {
            $0.clusters[0].discovery = nil
            $0.clusters[0].endpoints = [origins[0].address]
        }
        #expect(try ask(client).body == "a")
        #expect(proxy.server.discoveredClusters.isEmpty)
        proxy.end()
        names.stop()
        for origin in origins { origin.end() }
    }
}
