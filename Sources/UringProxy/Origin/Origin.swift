internal import CPosix
internal import Synchronization

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
