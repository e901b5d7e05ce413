import CPosix
import Synchronization
import TestSupport
import Testing

@testable import UringProxy

@Suite("Health", .blocking)
struct HealthTests {
    private static let check: HealthCheckConfiguration = {
        var check = HealthCheckConfiguration()
        check.path = "/healthz"
        check.interval = .milliseconds(250)
        check.timeout = .milliseconds(200)
        check.fall = 2
        return check
    }()

    private func cluster(
        _ addresses: [String], _ change: (inout ClusterConfiguration) -> Void = { _ in }
    ) -> ClusterConfiguration {
        var cluster = ClusterConfiguration(name: "app", endpoints: addresses)
        cluster.outliers.ejection = .milliseconds(200)
        change(&cluster)
        return cluster
    }

    /// The status, and who answered.
    private func ask(_ client: TestSocket) throws -> (status: String, name: String) {
        try client.send(Messages.get)
        let (head, body) = try client.receiveResponse()
        return (String(head.dropFirst(9).prefix(3)), body)
    }

    /// Names of those who answer so many requests, each of which is to be answered with 200.
    private func names(_ client: TestSocket, _ count: Int) throws -> Set<String> {
        var names: Set<String> = []
        for _ in 0..<count {
            let (status, name) = try ask(client)
            #expect(status == "200")
            names.insert(name)
        }
        return names
    }

    private func isAvailable(_ proxy: TestProxy, _ index: Int) -> Bool {
        proxy.server.clusterHealth[0].endpoints[index].isAvailable
    }

    // MARK: - Checks

    @Test(
        "Who is killed, hangs or answers 500 gets no requests within the time of its checks, and again when it works",
        arguments: TestDriver.offered, [UnsteadyOrigin.Mode.dead, .hanging, .failing])
    func checks(_ driver: TestDriver, _ mode: UnsteadyOrigin.Mode) throws {
        let origins = [try UnsteadyOrigin("a"), try UnsteadyOrigin("b"), try UnsteadyOrigin("c")]
        let proxy = try TestProxy(
            driver,
            cluster: cluster(origins.map(\.address)) {
                $0.health = Self.check
                $0.outliers.mostEjected = 0
            })
        let client = try proxy.connect()
        try proxy.wait(for: "the first checks") {
            proxy.server.clusterHealth[0].endpoints.allSatisfy { $0.checkedState == .healthy }
        }
        #expect(try names(client, 12) == ["a", "b", "c"])
        let health = proxy.server.clusterHealth[0].endpoints[1]
        let failedBefore = health.failedChecks.load(ordering: .relaxed)
        origins[1].become(mode)
        let began = cposix_monotonic_nanoseconds()
        try proxy.wait(for: "its checks to fail") { !health.isAvailable }
        // Not fewer; more if the machine is slow to look.
        #expect(health.failedChecks.load(ordering: .relaxed) - failedBefore >= UInt64(Self.check.fall))
        // Two checks that fail: 750 ms at most. The rest is for a machine that does something else.
        #expect(cposix_monotonic_nanoseconds() - began < 4_000_000_000)
        #expect(try names(client, 30) == ["a", "c"])
        let report = MetricsReport.render(proxy.server)
        let healthy = "uproxy_endpoint_healthy{cluster=\"app\",endpoint="
        #expect(report.contains("\(healthy)\"\(origins[0].address)\"} 1\n"))
        #expect(report.contains("\(healthy)\"\(origins[1].address)\"} 0\n"))
        let checks = { health.checks.load(ordering: .relaxed) - health.failedChecks.load(ordering: .relaxed) }
        let succeededBefore = checks()
        origins[1].become(.healthy)
        try proxy.wait(for: "its checks to succeed") { health.isAvailable }
        #expect(checks() - succeededBefore >= UInt64(Self.check.rise))
        #expect(try names(client, 12) == ["a", "b", "c"])
        let reason: String
        switch mode {
        case .dead: reason = "it refused the connection"
        case .hanging: reason = "it did not answer in time"
        default: reason = "it answered with 500"
        }
        let endpoint = "cluster app: endpoint \(origins[1].address)"
        let lines = ["\(endpoint) is unhealthy: \(reason)", "\(endpoint) is healthy again, say its checks"]
        try proxy.wait(for: "the log") { proxy.log.withLock { $0.contains(lines[1]) } }
        #expect(proxy.log.withLock { $0.filter { $0.hasPrefix(endpoint) } } == lines)
        proxy.end()
        for origin in origins { origin.end() }
    }

    @Test("A check that takes its time comes to its end, however often there is a reload meanwhile")
    func reloads() throws {
        let origin = try UnsteadyOrigin("a")
        origin.become(.hanging)
        let proxy = try TestProxy(
            .epoll,
            cluster: cluster([origin.address]) {
                $0.health = Self.check
                $0.health?.interval = .milliseconds(500)
                $0.health?.timeout = .milliseconds(400)
            })
        var configuration = proxy.server.configuration
        try proxy.wait(for: "the end of a check") {
            configuration.clusters[0].panic = configuration.clusters[0].panic == 0 ? 10 : 0
            _ = try? proxy.server.reload(configuration)
            usleep(20_000)
            return !isAvailable(proxy, 0)
        }
        proxy.end()
        origin.end()
    }

    @Test("Endpoints that are names and sockets are checked, with statuses and a text as asked")
    func kinds() throws {
        let socket = "unix:/tmp/uproxy-health-\(getpid()).sock"
        let origins = [try UnsteadyOrigin("named"), try UnsteadyOrigin("local", at: socket)]
        let dns = try NameServer(["app.test": ["127.0.0.1"]])
        let port = origins[0].address.split(separator: ":").last ?? ""
        let endpoints = ["app.test:\(port)", socket, "nowhere.test:80"]
        let proxy = try TestProxy(
            .epoll,
            cluster: cluster(endpoints) {
                $0.health = Self.check
                $0.health?.interval = .milliseconds(400)
                $0.health?.timeout = .milliseconds(400)
                $0.health?.statuses = [StatusRange(200...200)]
                $0.health?.body = "named"
                $0.panic = 0
            }
        ) { $0.dnsServers = [dns.address] }
        let health = proxy.server.clusterHealth[0]
        try proxy.wait(for: "the first checks") {
            health.endpoints.allSatisfy { $0.checkedState != .nothing }
        }
        #expect(health.endpoints.map(\.checkedState) == [.healthy, .unhealthy, .unhealthy])
        let client = try proxy.connect()
        #expect(try names(client, 6) == ["named"])
        try proxy.wait(for: "the log") { proxy.log.withLock { $0.count } == 2 }
        #expect(
            Set(proxy.log.withLock { $0 }) == [
                "cluster app: endpoint \(socket) is unhealthy: its answer does not hold the expected text",
                "cluster app: endpoint nowhere.test:80 is unhealthy: its name has no address, or could not be resolved",
            ])
        proxy.end()
        dns.stop()
        for origin in origins { origin.end() }
    }

    @Test(
        "Without a healthy endpoint requests get 503, and connections a reset; in a panic it is tried nevertheless",
        arguments: TestDriver.offered)
    func noneLeft(_ driver: TestDriver) throws {
        let origin = try UnsteadyOrigin("a")
        origin.become(.failing)
        func cluster(_ name: String, panic: Int) -> ClusterConfiguration {
            var cluster = ClusterConfiguration(name: name, endpoints: [origin.address])
            cluster.health = Self.check
            cluster.panic = panic
            return cluster
        }
        let proxy = try TestProxy(driver, cluster: cluster("strict", panic: 0)) {
            $0.clusters.append(cluster("panicking", panic: 10))
            $0.listeners.append(ListenerConfiguration(address: "127.0.0.1:0", cluster: "panicking"))
            $0.listeners.append(
                ListenerConfiguration(address: "127.0.0.1:0", role: .tcp, cluster: "strict"))
        }
        try proxy.wait(for: "the first checks") {
            proxy.server.clusterHealth.allSatisfy { !$0.endpoints[0].isAvailable }
        }
        let strict = try proxy.connect()
        try strict.send("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi" + Messages.get)
        for _ in 0..<2 {
            let (head, body) = try strict.receiveResponse()
            #expect(head.hasPrefix("HTTP/1.1 503 ") && head.contains("\r\nRetry-After: 1\r\n"))
            #expect(body == "no endpoint of the cluster is healthy\n")
            if head.contains("Connection: close") { break }
        }
        let before = origin.requests
        let panicking = try proxy.connect(1)
        #expect(try ask(panicking) == ("500", "a"))
        #expect(origin.requests > before && proxy[.panicChoices] == 1)
        let relay = try proxy.connect(2)
        #expect(try relay.receiveUntilClosed().isReset)
        #expect(
            proxy.log.withLock { $0 }.contains(
                "cluster strict: 0 of 1 endpoints are healthy, requests are answered with 503"))
        #expect(
            proxy.log.withLock { $0 }.contains(
                "cluster panicking: 0 of 1 endpoints are healthy, all are used"))
        proxy.end()
        origin.end()
    }

    // MARK: - Ejection

    @Test(
        "Who cannot be connected is ejected by default, for all workers, tried by single requests, and taken back",
        arguments: TestDriver.offered)
    func ejection(_ driver: TestDriver) throws {
        let origins = [try UnsteadyOrigin("a"), try UnsteadyOrigin("b"), try UnsteadyOrigin("c")]
        let proxy = try TestProxy(driver, cluster: cluster(origins.map(\.address))) { $0.threads = 2 }
        origins[0].become(.dead)
        // Over several connections, so that both workers have some.
        for _ in 0..<8 {
            let client = try proxy.connect()
            #expect(try names(client, 10).isSubset(of: ["b", "c"]))
        }
        #expect(!isAvailable(proxy, 0))
        // Five in a row, in a race of two workers perhaps one more, and single trials since.
        let trials = proxy.server.clusterHealth[0].endpoints[0].ejections.load(ordering: .relaxed)
        #expect(proxy[.upstreamConnectFailures] <= 5 + 1 + trials)
        #expect(proxy[.responses5xx] == 0)
        origins[0].become(.healthy)
        let client = try proxy.connect()
        try proxy.wait(for: "a trial") {
            _ = try? ask(client)
            return isAvailable(proxy, 0)
        }
        #expect(try names(client, 12) == ["a", "b", "c"])
        try proxy.wait(for: "the log") {
            proxy.log.withLock { $0.last } == "cluster app: endpoint \(origins[0].address) is back"
        }
        #expect(
            proxy.log.withLock { $0.first }?.hasPrefix(
                "cluster app: endpoint \(origins[0].address) is ejected for ") == true)
        proxy.end()
        for origin in origins { origin.end() }
    }

    @Test(
        "Resets, answers that do not come and, if asked, statuses eject as well",
        arguments: TestDriver.offered, [UnsteadyOrigin.Mode.resetting, .hanging, .failing])
    func failures(_ driver: TestDriver, _ mode: UnsteadyOrigin.Mode) throws {
        let origins = [try UnsteadyOrigin("a"), try UnsteadyOrigin("b")]
        let proxy = try TestProxy(
            driver,
            cluster: cluster(origins.map(\.address)) {
                $0.outliers.consecutive = 3
                $0.outliers.statuses = .server
                $0.outliers.ejection = .seconds(100)
            }
        ) { $0.timeoutUpstream = .milliseconds(50) }
        origins[0].become(mode)
        let client = try proxy.connect()
        var statuses: [String: Int] = [:]
        for _ in 0..<20 { statuses[try ask(client).status, default: 0] += 1 }
        let bad = mode == .resetting ? "502" : mode == .hanging ? "504" : "500"
        #expect(statuses == ["200": 17, bad: 3])
        #expect(proxy.server.clusterHealth[0].availableCount == 1)
        proxy.end()
        for origin in origins { origin.end() }
    }
}
