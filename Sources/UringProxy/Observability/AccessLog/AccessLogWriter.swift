internal import CPosix
internal import Synchronization

/// The thread that takes records out of the workers' rings, renders them and writes them. No worker ever waits for it, unless the
/// configuration wants that: where a destination takes nothing rings fill, and what finds no room is dropped and counted.
///
/// It sleeps without a timer while nothing is logged, and looks each 10 ms while something is.
final class AccessLogWriter: Sendable {
    /// What a destination has time for to take what was published before the end.
    static let patience: Int64 = 2_000_000_000

    let bell: AccessLogBell
    let counters = AccessLogCounters()
    private let log: DiagnosticLog
    private let thread = SystemThread()
    private let ended: Latch
    private let mail = Mutex(Mail())

    private struct Mail {
        /// Not taken up yet.
        var new: [AccessLog] = []
        /// Those that records may still come by.
        var all: [AccessLog] = []
        var isReopening = false
        /// CLOCK_MONOTONIC; nil: it goes on.
        var end: Int64?
    }

    init(log: DiagnosticLog) throws(SystemCallError) {
        self.log = log
        bell = try AccessLogBell()
        ended = try Latch()
    }

    /// Once.
    func start() throws(SystemCallError) {
        try thread.start("access-log") {
            var run = AccessLogWriting(counters: self.counters, log: self.log)
            self.run(&run)
            self.bell.close()
            self.ended.open()
        }
    }

    // MARK: - Any thread

    /// Writes what comes by another log as well.
    func follow(_ log: AccessLog) {
        mail.withLock { mail in
            mail.new.append(log)
            mail.all.append(log)
        }
        bell.signal()
    }

    /// Workers have been told to leave a log: it is given up once they have.
    func noteLeft() { bell.signal() }

    /// Opens files anew, for whoever has renamed them.
    func reopen() {
        mail.withLock { $0.isReopening = true }
        bell.signal()
    }

    /// Workers that wait for room in their rings go on without.
    func releaseWorkers() { bell.close() }

    /// Writes what has been published, if the destinations take it in time; returns when the thread has ended. Where a write does not
    /// return it is left to the end of the process.
    ///
    /// - Parameter patience: nanoseconds.
    func stop(patience: Int64 = patience) {
        let end = cposix_monotonic_nanoseconds() + patience
        mail.withLock { $0.end = end }
        bell.signal()
        guard thread.isStarted else { return }
        if cposix_await_until(ended.descriptor, Int16(POLLIN), end + 500_000_000) == 1 { thread.join() }
    }

    /// Records that will not be written.
    var droppedCount: UInt64 {
        mail.withLock { mail in
            mail.all.reduce(into: counters.lost.load(ordering: .relaxed)) { $0 += $1.droppedCount }
        }
    }

    // MARK: - On its thread

    private func run(_ writing: inout AccessLogWriting) {
        var isEnding = false
        while true {
            let (new, isReopening, end) = takeMail()
            writing.logs += new
            if isReopening { writing.reopen() }
            if end != nil && !isEnding {
                isEnding = true
                // Whatever the wait before the next attempt: there is no time for that.
                writing.retry(now: .max, hasRoom: true)
            }
            let hasMoved = writing.round()
            forgetLeft(&writing)
            let now = cposix_monotonic_nanoseconds()
            if let end, writing.isDone || now >= end {
                writing.abandon()
                return
            }
            sleep(&writing, hasMoved: hasMoved, now: now, end: end)
        }
    }

    private func takeMail() -> (new: [AccessLog], isReopening: Bool, end: Int64?) {
        mail.withLock { mail in
            defer { (mail.new, mail.isReopening) = ([], false) }
            return (mail.new, mail.isReopening, mail.end)
        }
    }

    /// Logs that workers have left, once they are written, or their destination has taken nothing for too long.
    private func forgetLeft(_ writing: inout AccessLogWriting) {
        let gone = writing.takeLeft(patience: Self.patience)
        guard !gone.isEmpty else { return }
        mail.withLock { mail in
            for log in gone {
                counters.lost.wrappingAdd(log.droppedCount, ordering: .relaxed)
                mail.all.removeAll { $0 === log }
            }
        }
    }

    private func sleep(_ writing: inout AccessLogWriting, hasMoved: Bool, now: Int64, end: Int64?) {
        // There is more than one round takes.
        if writing.hasMore { return }
        var nanoseconds: Int64 = -1
        let full = writing.fullDescriptors
        if !writing.isReady {
            // Nobody is to wake it for what it could not write.
            bell.set(.awake)
            writing.isDrowsy = false
        } else if hasMoved {
            bell.set(.napping)
            nanoseconds = AccessLogBell.napNanoseconds
            writing.isDrowsy = false
        } else {
            bell.set(.asleep)
            // Who had not seen that yet has published meanwhile what is found by another look.
            if !writing.isDrowsy { nanoseconds = AccessLogBell.napNanoseconds }
            writing.isDrowsy = true
        }
        if writing.isLeaving || full.count > 1 {
            nanoseconds = Self.sooner(nanoseconds, AccessLogBell.napNanoseconds)
        }
        if let due = writing.nextAttempt { nanoseconds = Self.sooner(nanoseconds, max(due - now, 0)) }
        if let end { nanoseconds = Self.sooner(nanoseconds, max(end - now, 0)) }
        let found = cposix_wait_for_room(bell.descriptor, full.first ?? -1, nanoseconds)
        if found & 1 != 0 {
            bell.empty()
            writing.isDrowsy = false
        }
        writing.retry(now: cposix_monotonic_nanoseconds(), hasRoom: found & 2 != 0 || full.count > 1)
    }

    /// Negative: never.
    private static func sooner(_ a: Int64, _ b: Int64) -> Int64 { a < 0 ? b : min(a, b) }
}
