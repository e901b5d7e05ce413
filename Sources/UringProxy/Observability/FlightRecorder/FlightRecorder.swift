internal import CPosix
internal import Synchronization

/// Keeps the last events of each worker, looks after workers that hang, and writes dumps of either.
///
/// Workers know their lanes alone, and wait for nobody. One thread looks at them each few milliseconds: for exchanges that were slow, whose
/// events it copies at once, before they are overwritten, and for workers that take too long for a turn. Another one finds the names of
/// functions, and writes: it may take its time.
final class FlightRecorder: Sendable {
    /// Between two dumps (nanoseconds).
    static let pause: Int64 = 1_000_000_000
    /// Between two lines of the diagnostic log about stalls.
    private static let logPause: Int64 = 1_000_000_000
    /// Snapshots whose names are still known: events of older ones have numbers alone.
    private static let nameLimit = 8
    /// Dumps that wait to be written.
    private static let pendingLimit = 4
    /// How long a stall goes on before it is told of.
    private static let storyPatience: Int64 = 1_000_000_000
    /// Events of the recorder's own.
    private static let ownEvents = 1024
    private static let longestInterval: Int64 = 10_000_000

    let lanes: [FlightLane]
    let counters: FlightCounters
    private let own = FlightLane(capacity: ownEvents)
    private let version: String
    private let log: DiagnosticLog
    private let pulses = Mutex<[WorkerPulse]>([])
    private let settings: Mutex<FlightRecorderConfiguration>
    private let names = Mutex<(number: UInt64, tables: [UInt64: FlightNames])>((0, [:]))
    private let watcher = SystemThread()
    private let writer = SystemThread()
    private let stopped: Latch
    private let mail = Mutex(Mail())
    private let mailed: Latch
    /// For names of files.
    private let startedAt = cposix_realtime_nanoseconds()

    private struct Mail {
        var stories: [Story] = []
        var isEnding = false
        var fileNumber = 0
    }

    /// What the writer is to tell.
    private struct Story {
        /// Of a stall: a line of the log less the functions, and where the worker was.
        var line: String?
        var frames: [UInt64] = []
        var dump: FlightDump?
    }

    /// - Parameter workers: how many there are.
    init(
        _ configuration: FlightRecorderConfiguration, workers: Int, version: String, log: DiagnosticLog
    ) throws(SystemCallError) {
        stopped = try Latch()
        mailed = try Latch()
        let capacity = Self.capacity(configuration)
        lanes = (0..<workers).map { _ in FlightLane(capacity: capacity) }
        counters = FlightCounters(workers: workers)
        settings = Mutex(configuration)
        self.version = version
        self.log = log
    }

    private static func capacity(_ configuration: FlightRecorderConfiguration) -> Int {
        let wanted = max(configuration.events, FlightRecorderConfiguration.eventRange.lowerBound)
        return 1 << (Int.bitWidth - (wanted - 1).leadingZeroBitCount)
    }

    /// Once.
    func start() throws(SystemCallError) {
        try writer.start("flight-writer") { self.write() }
        do throws(SystemCallError) { try watcher.start("flight-recorder") { self.watch() } } catch {
            end()
            throw error
        }
    }

    // MARK: - Any thread

    /// Whom to look after.
    func follow(_ workers: [WorkerPulse]) { pulses.withLock { $0 = workers } }

    /// By what workers record from the next snapshot on.
    ///
    /// - Parameter slow: nanoseconds from which on an exchange is slow; 0: none is.
    func plan(_ names: FlightNames, slow: Int64) -> FlightPlan {
        let number = self.names.withLock { known in
            known.number += 1
            known.tables[known.number] = names
            known.tables[known.number - min(known.number, UInt64(Self.nameLimit))] = nil
            return known.number
        }
        noteNames()
        return FlightPlan(lanes: lanes, slow: slow > 0 ? slow : .max, number: number)
    }

    /// Whether it could go on by other settings: the size of rings stays.
    func canUse(_ configuration: FlightRecorderConfiguration) -> Bool {
        Self.capacity(configuration) == lanes.first?.ring.capacity
    }

    /// - Throws: why files cannot be written where they are to be.
    static func check(_ configuration: FlightRecorderConfiguration) throws(FlightError) {
        guard let directory = configuration.directory else { return }
        let result = unsafe cposix_can_write_into(directory)
        guard result != 0 else { return }
        throw FlightError(
            message:
                "flight_recorder.directory \(quoted(directory)): no file can be made there (errno \(-result)); make it a directory that the process may write into"
        )
    }

    /// Goes on by these settings.
    func use(_ configuration: FlightRecorderConfiguration) {
        settings.withLock { $0 = configuration }
        arm(configuration.directory)
    }

    /// All that is known now.
    func dump() -> FlightDump {
        counters.demanded.wrappingAdd(1, ordering: .relaxed)
        return copy(FlightDump(.demand, version: version), workers: lanes.indices)
    }

    /// Ends both threads, and waits for what is to be written.
    func stop() {
        cposix_flight_disarm(owner)
        stopped.open()
        watcher.join()
        end()
    }

    private func end() {
        mail.withLock { $0.isEnding = true }
        mailed.open()
        writer.join()
    }

    private func copy(_ dump: FlightDump, workers: some Sequence<Int>) -> FlightDump {
        var dump = dump
        for worker in workers {
            dump.rings.append(FlightDump.Ring(number: UInt32(worker), lanes[worker].ring))
        }
        dump.rings.append(FlightDump.Ring(number: FlightDump.Ring.recorder, own.ring))
        dump.names = names.withLock { $0.tables }
        return dump
    }

    // MARK: - Crashes

    /// Whose rings a crash writes: in a process there may be another recorder after this one, or beside it.
    private var owner: UInt64 { UInt64(UInt(bitPattern: ObjectIdentifier(self))) }

    /// A crash leaves its dump in a directory from now on; nil: nowhere.
    private func arm(_ directory: String?) {
        guard let directory else {
            cposix_flight_disarm(owner)
            return
        }
        cposix_flight_own(owner)
        for (index, lane) in lanes.enumerated() { add(lane, UInt32(index)) }
        add(own, FlightDump.Ring.recorder)
        noteNames()
        let result = unsafe cposix_flight_arm("\(directory)/\(fileName(startedAt, "crash"))")
        if result < 0 { log.write("crashes will leave no dump: errno \(-result)") }
    }

    private func add(_ lane: FlightLane, _ number: UInt32) {
        let ring = lane.ring
        _ = unsafe cposix_flight_add_ring(number, ring.memory, FlightRing.headerBytes, UInt64(ring.capacity))
    }

    private func noteNames() {
        guard settings.withLock({ $0.directory }) != nil else { return }
        names.withLock { known in
            let text = Array(FlightDump.text(of: known.tables, version: version).utf8)
            unsafe text.withUnsafeBytes { unsafe _ = cposix_flight_set_names($0.baseAddress!, $0.count) }
        }
    }

    private func fileName(_ realtime: Int64, _ what: String) -> String {
        "\(Self.filePrefix)\(AccessLogRotation.stamp(realtime / 1_000_000_000))-\(getpid())-\(what)\(Self.fileSuffix)"
    }

    private static let filePrefix = "flight-"
    private static let fileSuffix = ".dump"

    // MARK: - The thread that looks

    private struct Looking {
        var watches: [StallWatch] = []
        /// Of workers that hang: what is told when they go on, or have hung for long.
        var stories: [Int: (story: Story, since: Int64)] = [:]
        /// Of workers that hang, those of which it is known why.
        var known: Set<Int> = []
        /// What seemed to keep them at the last look.
        var causes: [Int: StallCause] = [:]
        var dumpedAt = Int64.min / 2
    }

    private func watch() {
        var looking = Looking()
        while true {
            let settings = settings.withLock { $0 }
            let budget = settings.stall.rawValue
            // With three looks within the budget, a stall of the budget and a third is found for certain.
            let interval = budget > 0 ? min(budget / 3, Self.longestInterval) : Self.longestInterval * 2
            let deadline = cposix_monotonic_nanoseconds() + interval
            if cposix_await_until(stopped.descriptor, Int16(POLLIN), deadline) != 0 { return }
            let now = cposix_monotonic_nanoseconds()
            if budget > 0 {
                look(&looking, settings, interval: interval, now: now)
            }
            takeSlow(&looking, settings, now: now)
        }
    }

    private func takeSlow(
        _ looking: inout Looking, _ settings: FlightRecorderConfiguration, now: Int64
    ) {
        for worker in lanes.indices {
            guard let id = lanes[worker].takeSlow(), settings.directory != nil else { continue }
            guard mayDump(&looking, now: now) else { continue }
            tell(
                Story(
                    dump: copy(FlightDump(.slow, version: version, subject: id), workers: [worker])))
        }
    }

    private func mayDump(_ looking: inout Looking, now: Int64) -> Bool {
        guard now - looking.dumpedAt >= Self.pause else {
            counters.suppressed.wrappingAdd(1, ordering: .relaxed)
            return false
        }
        looking.dumpedAt = now
        return true
    }

    private func look(
        _ looking: inout Looking, _ settings: FlightRecorderConfiguration, interval: Int64, now: Int64
    ) {
        let pulses = pulses.withLock { $0 }
        while looking.watches.count < pulses.count {
            looking.watches.append(StallWatch(budget: settings.stall.rawValue, interval: interval))
        }
        for (index, pulse) in pulses.enumerated() {
            let thread = pulse.thread.load(ordering: .acquiring)
            guard thread != 0 else { continue }
            looking.watches[index].budget = settings.stall.rawValue
            looking.watches[index].interval = interval
            let finding = looking.watches[index].look(sleeps: pulse.sleeps, turns: pulse.turns, now: now) {
                cposix_thread_cpu_nanoseconds(thread)
            }
            switch finding {
            case .nothing: break
            case .began(let since), .goesOn(let since):
                if !looking.known.contains(index) {
                    let used = looking.watches[index].cpuUsed(cposix_thread_cpu_nanoseconds(thread))
                    let (cause, judged) = judge(index, thread, since: since, cpu: used)
                    looking.causes[index] = cause
                    guard let story = judged else { continue }
                    looking.known.insert(index)
                    looking.stories[index] = (story, since)
                } else if now - since >= Self.storyPatience {
                    tellStall(&looking, settings, index, now: now, isOver: false)
                }
            case .ended(let duration):
                if looking.known.remove(index) == nil {
                    counters.stallBegan(index, looking.causes[index] ?? .preempted)
                }
                counters.stallEnded(index, duration)
                own.ring.write(
                    FlightEvent(.stallEnded, at: now, index: UInt32(index), a: UInt64(duration)))
                tellStall(&looking, settings, index, now: now, isOver: true)
            }
        }
    }

    /// - Returns: what keeps a worker, and what is to be told of that; nil: nothing as yet, as it seems to get no CPU, which is the machine's
    ///   doing, or takes no signal. That may change, so it is asked again while the stall goes on.
    private func judge(_ worker: Int, _ thread: Int32, since: Int64, cpu: Int64) -> (StallCause, Story?) {
        let state = UInt8(bitPattern: cposix_thread_state(thread))
        let elapsed = cposix_monotonic_nanoseconds() - since
        let cause = StallCause(elapsed: elapsed, cpu: cpu, state: state)
        if cause == .preempted { return (cause, nil) }
        var frames = [UInt64](repeating: 0, count: Int(CPOSIX_FLIGHT_FRAME_LIMIT))
        let count = unsafe frames.withUnsafeMutableBufferPointer {
            unsafe cposix_flight_sample(thread, $0.baseAddress!, Int32($0.count), 20_000_000)
        }
        if count <= 0 && elapsed < Self.storyPatience { return (cause, nil) }
        counters.stallBegan(worker, cause)
        own.ring.write(
            FlightEvent(
                .stalled, at: cposix_monotonic_nanoseconds(), detail: cause.rawValue, index: UInt32(worker),
                a: UInt64(elapsed), b: UInt64(cpu)))
        return (cause, Story(line: cause.label, frames: Array(frames.prefix(max(0, Int(count))))))
    }

    private func tellStall(
        _ looking: inout Looking, _ settings: FlightRecorderConfiguration, _ worker: Int, now: Int64,
        isOver: Bool
    ) {
        guard let told = looking.stories.removeValue(forKey: worker) else { return }
        let since = told.since
        var story = told.story
        let milliseconds = (now - since) / 1_000_000
        let time = isOver ? "for about \(milliseconds) ms" : "for \(milliseconds) ms, and still is"
        story.line = "worker-\(worker) was in one turn \(time) (\(story.line ?? ""))"
        if settings.directory != nil && mayDump(&looking, now: now) {
            let dump = FlightDump(
                .stall, version: version, subject: UInt64(worker), detail: UInt64(now - since))
            story.dump = copy(dump, workers: [worker])
        }
        tell(story)
    }

    private func tell(_ story: Story) {
        let isTaken = mail.withLock { mail in
            guard mail.stories.count < Self.pendingLimit else { return false }
            mail.stories.append(story)
            return true
        }
        if isTaken { mailed.open() } else { counters.suppressed.wrappingAdd(1, ordering: .relaxed) }
    }

    // MARK: - The thread that writes

    private func write() {
        var loggedAt = Int64.min / 2
        var unlogged = 0
        while true {
            mailed.wait()
            mailed.close()
            let (stories, isEnding) = mail.withLock { mail in
                defer { mail.stories.removeAll() }
                return (mail.stories, mail.isEnding)
            }
            for var story in stories {
                if let line = story.line {
                    let names = FunctionNames.of(story.frames)
                    story.dump?.text = names.joined(separator: "\n")
                    let now = cposix_monotonic_nanoseconds()
                    if now - loggedAt >= Self.logPause {
                        let rest = unlogged > 0 ? "; \(unlogged) others since the last line" : ""
                        log.write("stall: \(line)\(Self.place(names))\(rest)")
                        (loggedAt, unlogged) = (now, 0)
                    } else {
                        unlogged += 1
                    }
                }
                if let dump = story.dump { write(dump) }
            }
            if isEnding { return }
        }
    }

    /// Where it was: the innermost functions, as far as they tell something.
    private static func place(_ names: [String]) -> String {
        if names.isEmpty { return "; where is not known, as it took no signal" }
        return " in " + names.prefix(8).joined(separator: " < ")
    }

    private func write(_ dump: FlightDump) {
        let settings = settings.withLock { $0 }
        guard let directory = settings.directory else { return }
        let number = mail.withLock { mail in
            mail.fileNumber += 1
            return mail.fileNumber
        }
        let what = dump.reason == .slow ? "slow" : "stall"
        let bytes = dump.encoded
        let result = unsafe bytes.withUnsafeBytes {
            unsafe cposix_write_new_file(
                directory, fileName(dump.realtime, "\(number)-\(what)"), $0.baseAddress!, $0.count)
        }
        if result < 0 {
            let failures = counters.failed.wrappingAdd(1, ordering: .relaxed).newValue
            // Once: the counter tells the rest.
            if failures == 1 {
                log.write(
                    "the flight recorder cannot write into \(directory) (errno \(-result)): mend that, or set another flight_recorder.directory"
                )
            }
            return
        }
        counters.written(dump.reason)
        _ = unsafe cposix_delete_oldest(directory, Self.filePrefix, Self.fileSuffix, Int32(settings.keep))
    }
}
