internal import CPosix
internal import Synchronization

/// The built-in origin: a small HTTP/1.1 server to try, test and measure the proxy with. Its path `/` lists what it
/// answers.
///
/// It is as fast as the proxy's own drivers and parsers, so that a benchmark measures the proxy and not its origin.
public final class Origin: Sendable {
    private let address: String
    private let threadCount: Int
    private let io: Configuration.IOChoice
    private let state = Mutex(State())

    private struct State {
        var threads: [WorkerThread<OriginWorker>] = []
        var bound: SocketAddress?
        var line = ""
    }

    /// Nothing is opened yet.
    ///
    /// - Parameters:
    ///   - address: `IP:PORT` (port 0 for any free one) or `unix:PATH`.
    ///   - threads: nil for one on each CPU available.
    public init(address: String, threads: Int?, io: Configuration.IOChoice) throws(StartError) {
        if let threads, threads < 1 || threads > 1024 {
            throw StartError(message: "--threads \(threads): give 1 to 1024")
        }
        do throws(SocketAddressError) { _ = try SocketAddress(parsing: address) } catch {
            throw StartError(message: error.message)
        }
        self.address = address
        self.threadCount = threads ?? ProcessorCount.available()
        self.io = io
    }

    /// Opens the listeners and starts the threads; returns when all of them serve.
    public func start() throws(StartError) {
        try DriverChoice.start(io) { usesRing, note throws(StartError) in
            try startWorkers(usesRing: usesRing, note: note)
        }
    }

    private func startWorkers(usesRing: Bool, note: String) throws(StartError) {
        var descriptors: UInt64 = 1024
        unsafe _ = cposix_raise_nofile(&descriptors)
        let connections = max(16, min(Int(clamping: descriptors) - 64, 65_536))
        let (listeners, bound) = try ListenerSocket.listen(address, count: threadCount)
        var workers: [OriginWorker] = []
        let allCounters = (0..<threadCount).map { _ in Counters() }
        do throws(SystemCallError) {
            for (index, listener) in listeners.enumerated() {
                workers.append(
                    try OriginWorker(
                        index: index, listener: listener, connections: connections, allCounters: allCounters))
            }
        } catch {
            for listener in listeners { _ = cposix_close(listener) }
            throw StartError(message: error.message)
        }
        let (threads, features) = try WorkerThread.startAll(workers, usesRing: usesRing)
        let driver = DriverChoice.describe(usesRing: usesRing, features: features, note: note)
        let count = threadCount == 1 ? "1 thread" : "\(threadCount) threads"
        state.withLock { state in
            state.threads = threads
            state.bound = bound
            state.line = "origin on \(bound.description), \(count) on \(driver)"
        }
    }

    // MARK: - Running

    /// What runs where and how, a line each.
    public var summary: [String] { state.withLock { [$0.line] } }

    /// Where it listens, with the port that the kernel chose where 0 was asked; empty before `start`.
    public var boundAddress: String { state.withLock { $0.bound?.description ?? "" } }

    private var workers: [OriginWorker] { state.withLock { $0.threads.map(\.worker) } }

    private func sum(_ counter: Counter) -> Int {
        workers.reduce(0) { $0 + Int(clamping: $1.counters[counter]) }
    }

    /// Connections accepted since the start.
    public var acceptedConnections: Int { sum(.downstreamAccepted) }

    /// Connections open now.
    public var openConnections: Int {
        // Closed first: what opens in between may be missing, and none is counted below zero.
        let closed = sum(.downstreamClosed)
        return sum(.downstreamAccepted) - closed
    }

    /// Request heads read since the start.
    public var requests: Int { sum(.requests) }

    // MARK: - Stop

    /// Takes no new connection and ends each one when its answer is out; returns at once.
    public func drain() { for worker in workers { worker.send(.drain) } }

    /// Ends everything now; returns at once.
    public func stop() { for worker in workers { worker.send(.stop) } }

    /// Returns when every thread has ended, after `drain` or `stop`.
    public func wait() {
        let (threads, bound) = state.withLock { ($0.threads, $0.bound) }
        for thread in threads { thread.join() }
        if let bound { ListenerSocket.removeFile(bound) }
    }
}
