internal import CPosix
internal import Synchronization

/// What the exporter's thread works with.
final class TraceExporting {
    private static let firstWait: Int64 = 1_000_000_000
    private static let longestWait: Int64 = 30_000_000_000
    /// What a collector may ask for (Retry-After), at most.
    private static let longestRetryAfter: Int64 = 300_000_000_000
    /// So often spans are sent that the collector does not take.
    private static let attemptLimit = 5
    /// So many records of one worker before the next one has its turn, and so many turns before there is a look at what else is to do.
    private static let share = 256
    private static let turns = 16

    private let lanes: [TraceLane]
    private let bell: AccessLogBell
    private let counters: TraceCounters
    private let version: String
    private let log: DiagnosticLog
    private let resolver: () -> Resolver?
    /// `service.instance.id`, where the configuration has none.
    private let instance = TraceExporting.drawnIdentity()
    private var random = SystemRandomNumberGenerator()

    private var configuration: TracingConfiguration.Export?
    private var encoder: SpanEncoder?
    private var client: CollectorClient?

    /// Spans that wait, as they are sent, and the size of each.
    private var spans: [UInt8] = []
    private var sizes: [Int] = []
    /// When the first of them began to wait.
    private var waitingSince: Int64 = 0
    /// Of the first of them, how often they were sent.
    private var attempts = 0
    /// Before that the collector is not asked.
    private var nextAttempt: Int64 = 0
    private var wait = firstWait
    private var state = State.works
    /// Spans lost since it did.
    private var lostCount = 0

    private enum State: Equatable {
        case works
        /// Since when.
        case fails(since: Int64)
        case refuses
        case takesSome
    }

    private let takeMail: () -> Mail
    typealias Mail = (configuration: TracingConfiguration?, end: Int64?)
    /// Not followed yet.
    private var new: TracingConfiguration?
    /// CLOCK_MONOTONIC; nil: it goes on.
    private var end: Int64?
    private var isDrowsy = false
    /// The last look has left something in the rings.
    private var hasMore = false

    init(
        lanes: [TraceLane], bell: AccessLogBell, counters: TraceCounters, version: String, log: DiagnosticLog,
        resolver: @escaping () -> Resolver?, takeMail: @escaping () -> Mail
    ) {
        self.takeMail = takeMail
        self.lanes = lanes
        self.bell = bell
        self.counters = counters
        self.version = version
        self.log = log
        self.resolver = resolver
    }

    /// A random UUID (RFC 9562, section 5.4).
    static func drawnIdentity() -> String {
        var random = SystemRandomNumberGenerator()
        func digits(_ value: UInt64, _ count: Int) -> String {
            let text = String(value, radix: 16)
            return String(repeating: "0", count: count - text.utf8.count) + text
        }
        let (high, low): (UInt64, UInt64) = (random.next(), random.next())
        return digits(high >> 32, 8) + "-" + digits(high >> 16 & 0xFFFF, 4) + "-4" + digits(high & 0xFFF, 3)
            + "-" + digits(low >> 48 & 0x3FFF | 0x8000, 4) + "-" + digits(low & 0xFFFF_FFFF_FFFF, 12)
    }

    // MARK: - The loop

    func run() {
        while true {
            readMail()
            if let new { follow(new) }
            new = nil
            let hasMoved = pump()
            let now = cposix_monotonic_nanoseconds()
            if let end, sizes.isEmpty && !hasMore || now >= end { break }
            if isDue(now) { export(now) } else { sleep(hasMoved: hasMoved, now: now) }
        }
        abandon()
        client?.close()
    }

    private func readMail() {
        let mail = takeMail()
        if let configuration = mail.configuration { new = configuration }
        if mail.end != nil && end == nil {
            end = mail.end
            // Whatever the wait before the next attempt: there is no time for that.
            nextAttempt = 0
        }
    }

    private func follow(_ new: TracingConfiguration) {
        // Without a collector what is left goes to the last one.
        guard new.isOn, let export = new.export else { return }
        encoder = SpanEncoder(new, instance: instance, version: version)
        if export.endpoint != configuration?.endpoint || export.headers != configuration?.headers {
            client?.close()
            client = CollectorClient(export, version: version)
            (attempts, nextAttempt, wait) = (0, 0, Self.firstWait)
        }
        configuration = export
    }

    private func sleep(hasMoved: Bool, now: Int64) {
        if hasMore { return }
        var nanoseconds: Int64 = -1
        if hasMoved {
            bell.set(.napping)
            nanoseconds = AccessLogBell.napNanoseconds
            isDrowsy = false
        } else {
            bell.set(.asleep)
            // Who had not seen that yet has published meanwhile what is found by another look (`AccessLogBell`).
            if !isDrowsy { nanoseconds = AccessLogBell.napNanoseconds }
            isDrowsy = true
        }
        func wake(at time: Int64) {
            nanoseconds = nanoseconds < 0 ? max(0, time - now) : min(nanoseconds, max(0, time - now))
        }
        if !sizes.isEmpty, let configuration {
            wake(at: max(nextAttempt, waitingSince + configuration.interval.rawValue))
        }
        if let end { wake(at: end) }
        if cposix_wait_for_either(bell.descriptor, -1, 0, nanoseconds) & 1 != 0 {
            bell.empty()
            isDrowsy = false
        }
    }

    /// Waits for events of a descriptor, and makes spans meanwhile.
    ///
    /// - Parameter descriptor: -1: for a signal of the bell alone.
    /// - Returns: false: the deadline has passed.
    private func pause(_ descriptor: Int32, _ events: Int16, until deadline: Int64) -> Bool {
        while true {
            _ = pump()
            readMail()
            let now = cposix_monotonic_nanoseconds()
            guard now < min(deadline, end ?? .max) else { return false }
            bell.set(.napping)
            let nanoseconds = hasMore ? 0 : min(AccessLogBell.napNanoseconds, deadline - now)
            let found = cposix_wait_for_either(bell.descriptor, descriptor, events, nanoseconds)
            if found & 1 != 0 { bell.empty() }
            if found & 2 != 0 || descriptor < 0 && found != 0 { return true }
        }
    }

    // MARK: - Spans

    /// Makes spans of what is in the rings.
    ///
    /// - Returns: whether there was anything.
    private func pump() -> Bool {
        var hasMoved = false
        hasMore = false
        for _ in 0..<Self.turns {
            var count = 0
            for lane in lanes { count += pump(lane.ring) }
            hasMore = count > 0
            if count == 0 { break }
            hasMoved = true
        }
        if hasMoved { counters.waiting.store(UInt64(sizes.count), ordering: .relaxed) }
        return hasMoved
    }

    private func pump(_ ring: RecordRing) -> Int {
        var count = 0
        while count < Self.share, let bytes = ring.next() {
            if let view = SpanRecordView(bytes) {
                take(view)
            } else {
                assertionFailure("what is in a ring is a record")
            }
            ring.consume(bytes)
            count += 1
        }
        return count
    }

    private func take(_ view: SpanRecordView) {
        let count = view.notes.attemptedAt == 0 ? 1 : 2
        guard encoder != nil, let configuration, sizes.count + count <= max(configuration.queue, 2) else {
            counters.dropped.wrappingAdd(UInt64(count), ordering: .relaxed)
            if state != .works { lostCount += count }
            return
        }
        if sizes.isEmpty { waitingSince = cposix_monotonic_nanoseconds() }
        encoder?.append(view, to: &spans, sizes: &sizes)
    }

    /// The first of those that wait are done with.
    private func remove(_ count: Int) {
        spans.removeFirst(sizes.prefix(count).reduce(0, +))
        sizes.removeFirst(count)
        attempts = 0
        waitingSince = cposix_monotonic_nanoseconds()
        counters.waiting.store(UInt64(sizes.count), ordering: .relaxed)
    }

    /// At the end: what has not been taken in time.
    private func abandon() {
        _ = pump()
        counters.dropped.wrappingAdd(UInt64(sizes.count), ordering: .relaxed)
        remove(sizes.count)
    }

    // MARK: - Requests

    private func isDue(_ now: Int64) -> Bool {
        guard let configuration, !sizes.isEmpty, now >= nextAttempt else { return false }
        return sizes.count >= configuration.batch || end != nil || attempts > 0
            || now - waitingSince >= configuration.interval.rawValue
    }

    private func export(_ now: Int64) {
        guard let configuration, let encoder, let client else { return }
        let count = min(sizes.count, configuration.batch)
        let body = encoder.request(spans.prefix(sizes.prefix(count).reduce(0, +)))
        let deadline = min(now + configuration.timeout.rawValue, end ?? .max)
        counters.requests.wrappingAdd(1, ordering: .relaxed)
        let outcome = client.post(body, until: deadline, resolver: resolver, bell: bell) {
            self.pause($0, $1, until: $2)
        }
        switch outcome {
        case .taken(let answer):
            let (rejected, reason) = SpanEncoder.rejected(answer[...])
            let lost = min(rejected, count)
            counters.exported.wrappingAdd(UInt64(count - lost), ordering: .relaxed)
            counters.rejected.wrappingAdd(UInt64(lost), ordering: .relaxed)
            noteTaken(lost, reason)
            remove(count)
            wait = Self.firstWait
        case .refused(let status):
            counters.failures.wrappingAdd(1, ordering: .relaxed)
            counters.rejected.wrappingAdd(UInt64(count), ordering: .relaxed)
            note(.refuses, "the collector refuses spans with \(status)")
            lostCount += count
            remove(count)
        case .failed(let reason, let retryAfter):
            counters.failures.wrappingAdd(1, ordering: .relaxed)
            noteFailure(reason)
            attempts += 1
            if attempts >= Self.attemptLimit {
                counters.failed.wrappingAdd(UInt64(count), ordering: .relaxed)
                lostCount += count
                remove(count)
            }
            let now = cposix_monotonic_nanoseconds()
            if let retryAfter {
                nextAttempt = now + min(retryAfter, Self.longestRetryAfter)
            } else {
                // Of many proxies not all are to come at once.
                nextAttempt = now + wait / 2 + Int64.random(in: 0...wait / 2, using: &random)
                wait = min(wait * 2, Self.longestWait)
            }
            // Nobody waits for another attempt.
            if end != nil { end = now }
        }
    }

    // MARK: - What the operator is told: when it changes

    private var name: String { "tracing.otlp \(configuration?.endpoint ?? "")" }

    private func noteFailure(_ reason: String) {
        if case .fails = state { return }
        note(
            .fails(since: cposix_monotonic_nanoseconds()),
            "\(reason); it is tried again, and spans that find no room meanwhile are dropped")
    }

    private func note(_ new: State, _ text: String) {
        if state == new { return }
        state = new
        log.write("\(name): \(text)")
    }

    private func noteTaken(_ rejected: Int, _ reason: String) {
        if rejected > 0 {
            note(
                .takesSome,
                "the collector has not taken \(rejected) spans: "
                    + (reason.isEmpty ? "it does not say why" : DiagnosticText.plain(reason)))
            return
        }
        switch state {
        case .works: return
        case .fails(let since):
            let seconds = max(1, (cposix_monotonic_nanoseconds() - since) / 1_000_000_000)
            log.write("\(name): spans are taken again, after \(seconds)s and \(lostCount) lost")
        case .refuses, .takesSome: log.write("\(name): spans are taken again, after \(lostCount) lost")
        }
        (state, lostCount) = (.works, 0)
    }
}

/// What a peer says, as a line of the diagnostic log.
private enum DiagnosticText {
    static func plain(_ text: String) -> String {
        String(
            String.UnicodeScalarView(text.unicodeScalars.map { $0.value < 32 || $0.value == 127 ? " " : $0 }))
    }
}
