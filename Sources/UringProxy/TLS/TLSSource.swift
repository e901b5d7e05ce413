internal import CPosix
internal import Synchronization

/// What listeners begin handshakes with, for all workers, and the thread that reads certificates and keys anew when their files have
/// changed. A new one takes its place at each reload.
///
/// Workers ask whether there is something `newer`, and take it over. Files that cannot be used change nothing.
final class TLSSource: Sendable {
    /// Between two looks at the files.
    private static let checkInterval: Int64 = 500_000_000

    private let contexts: Mutex<[TLSContext?]>
    /// Grows with each change.
    private let generation = Atomic<UInt64>(0)
    /// Of each listener, in the order of the configuration's.
    private let watches: Mutex<[TLSWatch?]>
    private let tickets: [TLSTicketKeys]
    private let counters: TLSReloadCounters
    private let log: DiagnosticLog
    private let thread: RecurringThread

    /// - Parameter listeners: of each one of the configuration; nil where it speaks no TLS.
    init(_ listeners: [TLSCompiler.Compiled?], counters: TLSReloadCounters, log: DiagnosticLog)
        throws(SystemCallError)
    {
        thread = try RecurringThread()
        contexts = Mutex(listeners.map { $0?.context })
        watches = Mutex(listeners.map { $0.map { TLSWatch($0) } })
        var tickets: [TLSTicketKeys] = []
        for keys in listeners.compactMap({ $0?.material.tickets })
        where !tickets.contains(where: { $0 === keys }) {
            tickets.append(keys)
        }
        self.tickets = tickets
        self.counters = counters
        self.log = log
    }

    /// What handshakes begin with, and the generation to compare the next one with. Any thread.
    var current: (contexts: [TLSContext?], generation: UInt64) {
        contexts.withLock { ($0, generation.load(ordering: .relaxed)) }
    }

    /// What is in use now, if that is of another generation; no lock is taken otherwise. Any thread.
    func newer(than known: UInt64) -> (contexts: [TLSContext?], generation: UInt64)? {
        generation.load(ordering: .acquiring) == known ? nil : current
    }

    /// The certificates in use, each file once, and when they end (seconds since 1970). Any thread.
    var certificates: [(file: String, endSeconds: Int64)] {
        var seen: Set<String> = []
        return watches.withLock { $0 }.compactMap { $0?.material }.flatMap { material in
            zip(material.configuration.certificates, material.certificates).map {
                ($0.certificatePath, $1.endSeconds)
            }
        }.filter { seen.insert($0.0).inserted }
    }

    /// Starts the thread. Once.
    func start() throws(SystemCallError) {
        try thread.start("certificates", every: Self.checkInterval) { self.check() }
    }

    /// Ends the thread and waits for it.
    func stop() { thread.stop() }

    /// Looks at all files. Its own thread does so by itself; any other one may as well.
    func check() {
        let now = cposix_monotonic_nanoseconds()
        for keys in tickets { keys.rotate(now: now) }
        watches.withLock { watches in
            for index in watches.indices {
                guard let context = watches[index]?.look(now: now, { report($0) }) else { continue }
                contexts.withLock {
                    $0[index] = context
                    generation.wrappingAdd(1, ordering: .releasing)
                }
            }
        }
    }

    private func report(_ finding: TLSWatch.Finding) {
        switch finding {
        case .taken(let files):
            counters.done.wrappingAdd(1, ordering: .relaxed)
            log.write("tls: \(files.map { quoted($0) }.joined(separator: ", ")) were read again")
        case .refused(let reason):
            counters.refused.wrappingAdd(1, ordering: .relaxed)
            log.write("tls: \(reason); what was read before stays in use")
        }
    }
}

/// What became of files that had changed, since the process began.
final class TLSReloadCounters: Sendable {
    let done = Atomic<UInt64>(0)
    let refused = Atomic<UInt64>(0)
}
