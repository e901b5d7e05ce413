import CPosix
import Synchronization
import TestSupport
import Testing

@testable import UringProxy

/// The whole proxy, started for one test and ended with it.
///
/// It adds no field to messages unless asked to, so that tests can say exactly what is forwarded.
final class TestProxy {
    let server: Server
    /// As it was started.
    let configuration: Configuration
    /// What it told its operator.
    let log = Locked<[String]>([])
    private var hasEnded = false

    /// A reverse proxy.
    convenience init(
        _ driver: TestDriver, _ origins: TestOrigin..., change: (inout Configuration) -> Void = { _ in }
    ) throws {
        try self.init(driver, upstreams: origins.map(\.address), change: change)
    }

    /// A reverse proxy.
    init(_ driver: TestDriver, upstreams: [String], change: (inout Configuration) -> Void = { _ in }) throws {
        var configuration = Self.configuration(driver)
        configuration.listenAddresses = ["127.0.0.1:0"]
        configuration.upstreams = upstreams
        change(&configuration)
        self.configuration = configuration
        server = try Self.start(configuration, log)
    }

    /// A forward proxy.
    init(
        forward driver: TestDriver, allow: [String] = ["127.0.0.0/8"],
        change: (inout Configuration) -> Void = { _ in }
    )
        throws
    {
        var configuration = Self.configuration(driver)
        configuration.forwardAddresses = ["127.0.0.1:0"]
        configuration.allowDestinations = allow
        change(&configuration)
        self.configuration = configuration
        server = try Self.start(configuration, log)
    }

    /// A reverse proxy with one cluster of a name.
    convenience init(
        _ driver: TestDriver, cluster: ClusterConfiguration, change: (inout Configuration) -> Void = { _ in }
    ) throws {
        try self.init(driver, upstreams: []) {
            $0.listenAddresses = []
            $0.listeners = [ListenerConfiguration(address: "127.0.0.1:0", cluster: cluster.name)]
            $0.clusters = [cluster]
            change(&$0)
        }
    }

    private static func configuration(_ driver: TestDriver) -> Configuration {
        var configuration = Configuration()
        configuration.io = driver.choice
        configuration.threads = 1
        configuration.pin = false
        configuration.memoryBytes = 32 << 20
        configuration.via = nil
        configuration.xForwarded = .off
        return configuration
    }

    private static func start(_ configuration: Configuration, _ log: Locked<[String]>) throws -> Server {
        do throws(StartError) {
            let server = try Server(
                configuration: configuration, log: DiagnosticLog { line in log.withLock { $0.append(line) } })
            try server.start()
            return server
        } catch {
            throw TestFailure("the proxy did not start: \(error.message)")
        }
    }

    deinit { end() }

    /// The address of its listener, or of the listener with this index.
    func address(_ index: Int = 0) -> String { server.boundAddresses[index] }

    /// Lets it go on by another configuration; what has changed, in a line.
    @discardableResult
    func reload(_ change: (inout Configuration) -> Void) throws -> String {
        var configuration = server.configuration
        change(&configuration)
        do throws(Server.ReloadError) { return try server.reload(configuration) } catch {
            throw TestFailure("the reload was refused: \(error)")
        }
    }

    func connect(_ index: Int = 0, receiveBuffer: Int32? = nil) throws -> TestSocket {
        try TestSocket(to: address(index), receiveBuffer: receiveBuffer)
    }

    /// So many connections to each worker.
    func connectToEach(_ count: Int) throws -> [[TestSocket]] {
        var clients = [[TestSocket]](repeating: [], count: server.workers.count)
        var others: [TestSocket] = []
        func open() -> [Int] {
            server.workers.map { $0.gauges.downstreamConnections.load(ordering: .relaxed) }
        }
        // The kernel spreads them by their ports.
        while clients.contains(where: { $0.count < count }) {
            let before = open()
            let client = try connect()
            try wait(for: "the connection") { open() != before }
            let worker = zip(open(), before).enumerated().first { $1.0 != $1.1 }?.offset ?? 0
            if clients[worker].count < count { clients[worker].append(client) } else { others.append(client) }
        }
        return clients
    }

    subscript(counter: Counter) -> UInt64 {
        server.workers.reduce(into: 0) { $0 += $1.counters[counter] }
    }

    /// Exchanges that failed for a cause.
    func failures(_ cause: ProxyError) -> UInt64 {
        server.workers.reduce(into: 0) { $0 += $1.counters[cause] }
    }

    /// Downstream connections that are open.
    var downstreamConnections: Int {
        server.workers.reduce(into: 0) { $0 += $1.gauges.downstreamConnections.load(ordering: .relaxed) }
    }

    /// Waits for what no socket tells of: a count inside the proxy.
    func wait(for what: String, _ condition: () throws -> Bool) throws {
        let deadline = cposix_monotonic_nanoseconds() + TestSocket.patience
        while !(try condition()) {
            guard cposix_monotonic_nanoseconds() < deadline else { throw TestFailure("in vain: \(what)") }
            usleep(500)
        }
    }

    /// Stops, if nobody did, waits for the end, and checks that everything begun was ended.
    func end() {
        if hasEnded { return }
        hasEnded = true
        server.stop()
        server.wait()
        #expect(self[.exchangesStarted] == self[.exchangesFinished])
        #expect(self[.downstreamAccepted] == self[.downstreamClosed])
        #expect(self[.upstreamOpened] == self[.upstreamClosed])
        #expect(self[.tunnelsOpened] == self[.tunnelsClosed])
        for worker in server.workers {
            #expect(worker.gauges.exchanges.load(ordering: .relaxed) == 0)
            #expect(worker.gauges.downstreamConnections.load(ordering: .relaxed) == 0)
        }
    }

    /// As `end`, after a drain has been asked for.
    func waitForDrain() {
        server.wait()
        end()
    }
}
