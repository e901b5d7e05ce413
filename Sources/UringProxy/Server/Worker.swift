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
        case drain
        case stop
    }

    /// What a worker is made of. Everything but the listeners is shared by all of them.
    struct Plan: Sendable {
        var index: Int
        /// The CPU to run on; nil for any.
        var cpu: Int?
        var listeners: [Listener]
        /// Of all workers, by their index.
        var wakeups: [Wakeup]
        var settings: EngineSettings
        var clusters: [ClusterPlan]
        var routeSets: [RouteSet]
        var lending: [LendingQueue]
        var clientLimit: ClientLimit?
        var resolver: Resolver?
        var seed: UInt64
    }

    let plan: Plan
    let counters: Counters
    let gauges = Gauges()
    var wakeup: Wakeup { plan.wakeups[plan.index] }
    private let mailbox = BoundedQueue<Message>(minimumCapacity: 16)
    private let answers: ResolverInbox
    private let inbox: Int

    init(_ plan: Plan) {
        self.plan = plan
        counters = Counters()
        let wakeup = plan.wakeups[plan.index]
        answers = ResolverInbox(minimumCapacity: 1024) { wakeup.signal() }
        inbox = plan.resolver?.register(answers) ?? -1
    }

    deinit { counters.destroy() }

    var cpu: Int? { plan.cpu }
    var threadName: String { "worker-\(plan.index)" }
    var memoryBytes: Int { plan.settings.memoryBytes }
    var connectionLimit: Int { plan.settings.connections }
    var busyPoll: BusyPoll { plan.settings.busyPoll }
    var pipeLimit: Int { plan.settings.pipes }

    func closeListeners() { for listener in plan.listeners { _ = cposix_close(listener.descriptor) } }

    /// Any thread.
    func send(_ message: Message) {
        // Full only if it holds a drain and a stop many times over: nothing new is lost.
        _ = mailbox.push(message)
        wakeup.signal()
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
        // Read through `self` in each turn they would be retained and released in each.
        let wakeup = wakeup
        let mailbox = mailbox
        let answers = answers.queue
        let gauges = gauges
        let resolver = plan.resolver
        let inbox = inbox
        var engine = Engine(
            driver: driver, arena: arena, segments: segments, settings: plan.settings, counters: counters,
            worker: plan.index, listeners: plan.listeners, clusters: plan.clusters,
            routeSets: plan.routeSets, wakeups: plan.wakeups, lending: plan.lending,
            clientLimit: plan.clientLimit, seed: plan.seed,
            askResolver: { name, token in
                guard let resolver, let query = ResolverQuery(name: name, inbox: inbox, token: token) else {
                    return false
                }
                return resolver.resolve(query)
            })
        while !engine.isIdle {
            let deadline = engine.nextDeadline
            wakeup.prepareToSleep()
            let isQuiet = mailbox.isEmpty && answers.isEmpty && !engine.isOffered && !engine.mayAdmit
            engine.driver.turn(until: isQuiet ? deadline : 0)
            wakeup.didWake()
            engine.processTurn()
            // After what the turn brought: a request that has arrived is not lost to a drain that came with it.
            if !mailbox.isEmpty || !answers.isEmpty {
                readMail(mailbox, answers, &engine)
                engine.processTurn()
            }
            gauges.update(engine)
        }
        engine.shutDown()
    }

    @inline(never)
    private func readMail<D: Driver & ~Copyable>(
        _ mailbox: BoundedQueue<Message>, _ answers: BoundedQueue<ResolverAnswer>, _ engine: inout Engine<D>
    ) {
        while let answer = answers.pop() {
            engine.resolved(token: answer.token, Engine.Resolution(answer))
        }
        while let message = mailbox.pop() {
            switch message {
            case .accept: engine.startAccepting()
            case .drain: engine.drain()
            case .stop: engine.stop()
            }
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
        downstreamConnections.store(engine.downstreamCount, ordering: .relaxed)
        connections.store(engine.connections.count, ordering: .relaxed)
        exchanges.store(engine.exchanges.count, ordering: .relaxed)
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
