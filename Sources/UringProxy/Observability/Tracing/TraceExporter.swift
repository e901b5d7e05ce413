internal import CPosix
internal import Synchronization

/// The thread that takes sampled exchanges out of the workers' rings, makes spans of them and sends these to a collector. No worker ever
/// waits for it: what finds no room is dropped and counted.
///
/// It sleeps without a timer while there are no spans.
final class TraceExporter: Sendable {
    /// What the collector has time for to take what was published before the end.
    static let patience: Int64 = 2_000_000_000

    let counters = TraceCounters()
    /// By the worker's index.
    let lanes: [TraceLane]
    private let bell: AccessLogBell
    private let version: String
    private let resolver: @Sendable () -> Resolver?
    private let log: DiagnosticLog
    private let thread = SystemThread()
    private let ended: Latch
    private let mail = Mutex(Mail())

    private struct Mail {
        /// Not taken up yet.
        var configuration: TracingConfiguration?
        /// CLOCK_MONOTONIC; nil: it goes on.
        var end: Int64?
    }

    /// - Parameters:
    ///   - version: of this program.
    ///   - resolver: the one in use, where the collector has a name.
    init(
        workers: Int, version: String, log: DiagnosticLog, resolver: @escaping @Sendable () -> Resolver?
    ) throws(SystemCallError) {
        let bell = try AccessLogBell()
        self.bell = bell
        self.version = version
        self.resolver = resolver
        self.log = log
        lanes = (0..<workers).map { _ in TraceLane(bell: bell) }
        ended = try Latch()
    }

    /// Once.
    func start() throws(SystemCallError) {
        try thread.start("trace-export") {
            let exporting = TraceExporting(
                lanes: self.lanes, bell: self.bell, counters: self.counters, version: self.version,
                log: self.log, resolver: self.resolver, takeMail: { self.takeMail() })
            exporting.run()
            self.bell.close()
            self.ended.open()
        }
    }

    // MARK: - Any thread

    /// Exports as another configuration says from now on. What waits goes where that one wants it.
    func use(_ configuration: TracingConfiguration) {
        mail.withLock { $0.configuration = configuration }
        bell.signal()
    }

    /// Sends what has been published, if the collector takes it in time; returns when the thread has ended.
    ///
    /// - Parameter patience: nanoseconds.
    func stop(patience: Int64 = patience) {
        let end = cposix_monotonic_nanoseconds() + patience
        mail.withLock { $0.end = end }
        bell.signal()
        guard thread.isStarted else { return }
        if cposix_await_until(ended.descriptor, Int16(POLLIN), end + 500_000_000) == 1 { thread.join() }
    }

    /// Spans that will not be sent.
    var droppedCount: UInt64 {
        lanes.reduce(into: counters.dropped.load(ordering: .relaxed)) { $0 += $1.droppedCount }
    }

    private func takeMail() -> (configuration: TracingConfiguration?, end: Int64?) {
        mail.withLock { mail in
            defer { mail.configuration = nil }
            return (mail.configuration, mail.end)
        }
    }
}
