internal import CPosix
internal import Synchronization

/// One worker: a pinned thread with a driver, an arena and an engine of its own.
///
/// A newcomer starts here. A request passes through `IO/UringDriver` (or `IO/EpollDriver`), `Proxy/Engine` and the files
/// its comment lists; `run` below is the loop that everything happens in.
final class Worker: DriverWork {
    /// What another thread may tell a worker.
    enum Message: UInt8, BitwiseCopyable, Sendable {
        case accept
        /// There is something in `adoptions`.
        case adopt
        case pause
        case handOver
        /// There is something in `inspections`.
        case inspect
        case drain
        case stop
    }

    /// What a worker is made of. Everything but the listeners is shared by all of them.
    struct Plan: Sendable {
        var index: Int
        /// The CPU to run on; nil for any.
        var cpu: Int?
        var listeners: [Listener]
        /// Of all workers.
        var wakeups: [Wakeup]
        var snapshot: Snapshot
        /// nil: nobody is asked for credentials.
        var checker: CredentialChecker?
        var resolver: Resolver?
        var seed: UInt64
    }

    /// Another snapshot to serve by.
    struct Adoption: Sendable {
        var snapshot: Snapshot
        /// This worker's, as `Engine.adopt` takes them.
        var listeners: [Listener]
        var handedOn: [Int]
        // In case that none was needed before.
        var resolver: Resolver?
        var checker: CredentialChecker?
        /// To be told when it is done.
        var acknowledgement: Acknowledgement
    }

    let counters: Counters
    let gauges = Gauges()
    let histograms = ExchangeHistograms()
    let wakeup: Wakeup
    let pulse: WorkerPulse
    let threadName: String
    let cpu: Int?
    let memoryBytes: Int
    let connectionLimit: Int
    let busyPoll: BusyPoll
    let pipeLimit: Int
    /// Until it runs.
    private let plan: Mutex<Plan?>
    private let mailbox = BoundedQueue<Message>(minimumCapacity: 16)
    private let adoptions = Mutex<[Adoption]>([])
    /// What is being asked of it. As long as there is any, one message of it is in the mailbox, no more: others are to find room.
    private let inspections = Mutex<[Inspection]>([])
    private let answers: ResolverInbox
    /// Where names are asked for, and the number to be answered by.
    private let resolver = Mutex<(Resolver, inbox: Int)?>(nil)
    private let verdicts: CredentialInbox
    /// Where credentials are checked, likewise.
    private let checker = Mutex<(CredentialChecker, inbox: Int)?>(nil)
    /// Accepts nothing, after a `pause`.
    let isPaused = Atomic(false)
    /// The listeners, by id, that have gone to another process.
    private let keptListeners = Mutex<[Int]>([])

    init(_ plan: Plan) {
        counters = Counters()
        let wakeup = plan.wakeups[plan.index]
        self.wakeup = wakeup
        pulse = WorkerPulse(index: plan.index, wakeup: wakeup, gauges: gauges)
        threadName = "worker-\(plan.index)"
        cpu = plan.cpu
        let settings = plan.snapshot.settings
        memoryBytes = settings.memoryBytes
        connectionLimit = settings.connections
        busyPoll = settings.busyPoll
        pipeLimit = settings.pipes
        answers = ResolverInbox(minimumCapacity: 1024) { wakeup.signal() }
        verdicts = CredentialInbox { wakeup.signal() }
        self.plan = Mutex(plan)
        use(plan.resolver)
        use(plan.checker)
    }

    private func use(_ new: Resolver?) {
        guard let new else { return }
        resolver.withLock { resolver in
            if resolver == nil { resolver = (new, new.register(answers)) }
        }
    }

    private func use(_ new: CredentialChecker?) {
        guard let new else { return }
        checker.withLock { checker in
            if checker == nil { checker = (new, new.register(verdicts)) }
        }
    }

    deinit { counters.destroy() }

    /// The worker will not run.
    func closeListeners() {
        for listener in takePlan()?.listeners ?? [] { _ = cposix_close(listener.descriptor) }
    }

    /// Once: later snapshots are not to keep the first one in memory.
    private func takePlan() -> Plan? {
        plan.withLock { plan in
            defer { plan = nil }
            return plan
        }
    }

    /// Any thread.
    func send(_ message: Message) {
        // Full only if it holds a drain and a stop many times over: nothing new is lost.
        _ = mailbox.push(message)
        wakeup.signal()
    }

    /// Any thread: serves by another snapshot from the next turn on.
    func adopt(_ adoption: Adoption) {
        use(adoption.resolver)
        use(adoption.checker)
        adoptions.withLock { $0.append(adoption) }
        send(.adopt)
    }

    /// Any thread: tells how things stand, within a few turns.
    func inspect(_ inspection: Inspection) {
        let isFirst = inspections.withLock { inspections in
            inspections.append(inspection)
            return inspections.count == 1
        }
        if isFirst { send(.inspect) }
    }

    /// Any thread: who asked waits no longer.
    func withdraw(_ inspection: Inspection) {
        inspections.withLock { inspections in
            // The first one may have begun, and its message is in the mailbox.
            let first = inspections.first
            inspections.removeAll { $0 === inspection && $0 !== first }
        }
    }

    private func ask(_ name: ByteView, _ token: UInt64) -> Bool {
        // Names are asked for once in their time to live.
        guard let (resolver, inbox) = resolver.withLock({ $0 }),
            let query = ResolverQuery(name: name, inbox: inbox, token: token)
        else { return false }
        return resolver.resolve(query)
    }

    private func check(_ query: (_ inbox: Int) -> CredentialQuery) -> Bool {
        guard let (checker, inbox) = checker.withLock({ $0 }) else { return false }
        return checker.check(query(inbox))
    }

    /// Any thread, when it is paused: goes on to drain, while another process accepts on some of its listeners.
    func handOver(kept: [Int]) {
        keptListeners.withLock { $0 = kept }
        send(.handOver)
    }

    // MARK: - On the worker's own thread

    #if Uring
        func run(on driver: consuming UringDriver, _ arena: Arena, _ segments: SegmentPool) {
            run(driver, arena, segments)
        }
    #endif

    func run(on driver: consuming EpollDriver, _ arena: Arena, _ segments: SegmentPool) {
        run(driver, arena, segments)
    }

    private func run<D: Driver & ~Copyable>(_ driver: consuming D, _ arena: Arena, _ segments: SegmentPool) {
        var engine = makeEngine(driver, arena, segments)
        pulse.thread.store(cposix_flight_enter_thread(), ordering: .releasing)
        // Read through `self` in each turn they would be retained and released in each.
        let wakeup = wakeup
        let mailbox = mailbox
        let answers = answers.queue
        let verdicts = verdicts.queue
        let gauges = gauges
        while !engine.isIdle {
            let deadline = engine.nextDeadline
            wakeup.prepareToSleep()
            let isQuiet =
                mailbox.isEmpty && answers.isEmpty && !engine.isOffered
                && (engine.verdictsDue == 0 || verdicts.isEmpty) && !engine.mayAdmit
            engine.driver.turn(until: isQuiet ? deadline : 0)
            wakeup.didWake()
            engine.processTurn()
            // After what the turn brought: a request that has arrived is not lost to a drain that came with it.
            if !mailbox.isEmpty || !answers.isEmpty {
                readMail(mailbox, answers, &engine)
                engine.processTurn()
            }
            if engine.verdictsDue > 0 && !verdicts.isEmpty {
                while let verdict = verdicts.pop() { engine.credentialsChecked(verdict) }
                engine.processTurn()
            }
            gauges.update(engine)
        }
        pulse.thread.store(0, ordering: .releasing)
        engine.shutDown()
        cposix_flight_leave_thread()
    }

    private func makeEngine<D: Driver & ~Copyable>(
        _ driver: consuming D, _ arena: Arena, _ segments: SegmentPool
    ) -> Engine<D> {
        guard let plan = takePlan() else { preconditionFailure("a worker runs once") }
        return Engine(
            driver: driver, arena: arena, segments: segments, counters: counters, worker: plan.index,
            snapshot: plan.snapshot, listeners: plan.listeners, wakeups: plan.wakeups, seed: plan.seed,
            histograms: histograms,
            askResolver: { [unowned self] in ask($0, $1) }, askChecker: { [unowned self] in check($0) })
    }

    @inline(never)
    private func readMail<D: Driver & ~Copyable>(
        _ mailbox: BoundedQueue<Message>, _ answers: BoundedQueue<ResolverAnswer>, _ engine: inout Engine<D>
    ) {
        while let answer = answers.pop() {
            engine.resolved(token: answer.token, Engine.Resolution(answer))
        }
        var isInspected = false
        while let message = mailbox.pop() {
            switch message {
            case .accept:
                isPaused.store(false, ordering: .releasing)
                engine.startAccepting()
            case .pause:
                engine.suspendAccepting()
                while engine.isAcceptUnderWay {
                    engine.driver.turn(until: engine.nextDeadline)
                    engine.processTurn()
                }
                isPaused.store(true, ordering: .releasing)
            case .handOver: engine.handOver(keptListeners.withLock { $0 })
            case .adopt: adopt(&engine)
            case .inspect: isInspected = true
            case .drain: engine.drain()
            case .stop: engine.stop()
            }
        }
        if isInspected { inspect(&engine, mailbox) }
    }

    /// One step of the first answer; the next one in the next turn.
    private func inspect<D: Driver & ~Copyable>(_ engine: inout Engine<D>, _ mailbox: BoundedQueue<Message>) {
        guard let inspection = inspections.withLock({ $0.first }) else { return }
        if engine.goOn(with: inspection) { inspections.withLock { _ = $0.removeFirst() } }
        if inspections.withLock({ !$0.isEmpty }) { _ = mailbox.push(.inspect) }
    }
}

extension Worker {
    private func adopt<D: Driver & ~Copyable>(_ engine: inout Engine<D>) {
        let adoptions = adoptions.withLock { adoptions in
            defer { adoptions.removeAll() }
            return adoptions
        }
        for adoption in adoptions {
            engine.adopt(
                adoption.snapshot, listeners: adoption.listeners, handedOn: adoption.handedOn)
            adoption.acknowledgement.count()
        }
    }
}

extension Engine.Resolution where D: ~Copyable {
    init(_ answer: ResolverAnswer) {
        switch answer.status {
        case .ok:
            self = .found(
                count: Int(answer.count), answer.addresses, timeToLiveSeconds: answer.ttlSeconds)
        case .notFound: self = .failed(.nameNotFound)
        case .timedOut: self = .failed(.nameTimeout)
        case .failed: self = .failed(answer.status == .overloaded ? .resolverBusy : .nameFailed)
        }
    }
}

extension Gauges {
    /// Once a turn: plain stores.
    @inline(__always)
    func update<D: Driver & ~Copyable>(_ engine: borrowing Engine<D>) {
        downstreamConnections.store(engine.downstreamCount - engine.streamCount, ordering: .relaxed)
        streams.store(engine.streamCount, ordering: .relaxed)
        connections.store(engine.connections.count, ordering: .relaxed)
        exchanges.store(engine.exchanges.count, ordering: .relaxed)
        listeners.store(engine.heldListeners, ordering: .relaxed)
        tlsSessions.store(engine.tlsCount, ordering: .relaxed)
        leasedBytes.store(engine.arena.leasedBytes, ordering: .relaxed)
        peakLeasedBytes.store(engine.arena.peakLeasedBytes, ordering: .relaxed)
        let statistics = engine.driver.statistics
        turns.store(statistics.entries, ordering: .relaxed)
        completions.store(statistics.completions, ordering: .relaxed)
        shortSends.store(statistics.shortSends, ordering: .relaxed)
        splices.store(statistics.splices, ordering: .relaxed)
        slicesExhausted.store(statistics.slicesExhausted, ordering: .relaxed)
        completionOverflows.store(statistics.completionOverflows, ordering: .relaxed)
        entryFailures.store(statistics.entryFailures, ordering: .relaxed)
        guard statistics.spins > 0 else { return }
        spins.store(statistics.spins, ordering: .relaxed)
        spinsPaid.store(statistics.spinsPaid, ordering: .relaxed)
        spinNanoseconds.store(statistics.spinNanoseconds, ordering: .relaxed)
    }
}
