internal import Synchronization

/// The databases in use, for all workers, and the thread that opens a file anew when it has changed.
///
/// Workers ask once a second whether there is something `newer`, and take it over. A new file that is no database, or does not know what is asked for, changes nothing.
final class GeoSource: Sendable {
    private static let checkInterval: Int64 = 1_000_000_000

    /// Of one file, what was seen of it.
    private struct Seen {
        /// At the last check. A stamp that is new may be that of a file that is still being written.
        var latest: UInt64
        /// What was opened, or need not be opened again.
        var settled: UInt64
        /// What was last said to be of no use; nil: nothing.
        var refused: UInt64?
    }

    private struct State {
        var databases: GeoDatabases
        var seen: [Seen]
    }

    private let state: Mutex<State>
    private let asked: GeoKinds
    private let log: DiagnosticLog
    private let thread: RecurringThread
    /// Grows with each change.
    private let generation = Atomic<UInt64>(0)
    private let reloads = Atomic<UInt64>(0)
    private let reloadFailures = Atomic<UInt64>(0)

    /// - Parameter asked: what they have to know together, also once a file has changed.
    init(_ databases: GeoDatabases, asked: GeoKinds, log: DiagnosticLog) throws(SystemCallError) {
        self.asked = asked
        self.log = log
        thread = try RecurringThread()
        state = Mutex(
            State(
                databases: databases,
                seen: databases.all.map { Seen(latest: $0.stamp, settled: $0.stamp) }))
    }

    /// Whether it is of the same files, and has to know the same of them.
    func isSame(as other: GeoCompiler) -> Bool {
        asked == other.asked
            && state.withLock { $0.databases.all.map(\.path) } == other.databases.all.map(\.path)
    }

    /// New files that were taken over, and that were refused, since the start. Any thread.
    var counts: (reloads: UInt64, failures: UInt64) {
        (reloads.load(ordering: .relaxed), reloadFailures.load(ordering: .relaxed))
    }

    /// The databases, and the generation to compare the next one with. Any thread.
    var current: (databases: GeoDatabases, generation: UInt64) {
        state.withLock { ($0.databases, generation.load(ordering: .relaxed)) }
    }

    /// What is in use now, if that is of another generation; no lock is taken otherwise. Any thread.
    func newer(than known: UInt64) -> (databases: GeoDatabases, generation: UInt64)? {
        generation.load(ordering: .acquiring) == known ? nil : current
    }

    /// Starts the thread. Once.
    func start() throws(SystemCallError) {
        try thread.start("geo", every: Self.checkInterval) { self.check() }
    }

    /// Ends the thread and waits for it.
    func stop() { thread.stop() }

    // MARK: - On the thread

    /// Looks at each file, and opens those that have changed and were left alone since the last check.
    private func check() {
        // No other thread writes to it.
        var (databases, seen) = state.withLock { ($0.databases, $0.seen) }
        var hasChanged = false
        for index in seen.indices {
            let path = databases.all[index].path
            let stamp = WholeFile.stamp(of: path)
            let isQuiet = stamp == seen[index].latest
            seen[index].latest = stamp
            guard stamp != seen[index].settled else {
                seen[index].refused = nil
                continue
            }
            guard isQuiet else { continue }
            do throws(GeoDatabaseError) {
                let opened = try GeoDatabase(path)
                // Written to meanwhile: the next check sees that as well.
                guard opened.stamp == stamp, WholeFile.stamp(of: path) == stamp else { continue }
                seen[index].settled = stamp
                let changed = databases.replacing(index, with: opened)
                let missing = asked.subtracting(changed.kinds)
                if missing.isEmpty {
                    seen[index].refused = nil
                    databases = changed
                    hasChanged = true
                    reloads.wrappingAdd(1, ordering: .relaxed)
                } else {
                    refuse(&seen[index], stamp, "\(quoted(path)) does not know \(missing.text) any more")
                }
            } catch {
                // What the system does not give now it may give later, such as a descriptor.
                if case .format = error { seen[index].settled = stamp }
                refuse(&seen[index], stamp, "\(quoted(path)) \(error.reason)")
            }
        }
        state.withLock {
            $0.seen = seen
            guard hasChanged else { return }
            $0.databases = databases
            generation.wrappingAdd(1, ordering: .releasing)
        }
    }

    /// Counts a file that cannot be used and says so, once.
    private func refuse(_ seen: inout Seen, _ stamp: UInt64, _ reason: String) {
        if seen.refused == stamp { return }
        seen.refused = stamp
        reloadFailures.wrappingAdd(1, ordering: .relaxed)
        log.write("geo: \(reason); what was read before stays in use")
    }
}
