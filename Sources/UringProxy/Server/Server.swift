internal import CPosix
internal import Synchronization

/// Why the engine could not start, as one sentence for the terminal.
public struct StartError: Error, Sendable {
    public let message: String
}

/// Stand-in until the workers arrive: it starts nothing and ends when it is told to.
public final class Server: Sendable {
    private let configuration: Configuration
    private let stopped = Atomic(false)

    public init(configuration: Configuration) throws(StartError) { self.configuration = configuration }

    public func start() throws(StartError) {}
    public var summary: [String] {
        (configuration.listenAddresses.map { "reverse proxy on \($0)" }
            + configuration.forwardListeners.map { "forward proxy on \($0)" })
    }
    public var boundAddresses: [String] { configuration.listenAddresses + configuration.forwardListeners }
    public func drain() { stop() }
    public func stop() { stopped.store(true, ordering: .releasing) }
    public func wait() {
        while !stopped.load(ordering: .acquiring) { usleep(10_000) }
    }
}

/// Stand-in for the built-in origin.
public final class Origin: Sendable {
    private let address: String
    private let stopped = Atomic(false)

    public init(address: String, threads: Int?, io: Configuration.IOChoice) throws(StartError) {
        self.address = address
    }

    public func start() throws(StartError) {}
    public var summary: [String] { ["origin on \(address)"] }
    public func drain() { stop() }
    public func stop() { stopped.store(true, ordering: .releasing) }
    public func wait() {
        while !stopped.load(ordering: .acquiring) { usleep(10_000) }
    }
}
