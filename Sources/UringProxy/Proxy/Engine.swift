internal import Synchronization

/// The proxy as one worker runs it: every connection, exchange, pool and timer of the worker, and what each completion
/// makes of them.
///
/// It asks the driver for operations and is told what became of them; it knows no other thread but by what its owner
/// hands in (`resolved`, `drain`). The files of a request's life, in order: `Engine+Accept`, `Engine+Receive`,
/// `Engine+Request`, `Engine+Route`, `Engine+Balance`, `Engine+Limits`, `Engine+Connect`, `Engine+Relay`, `Engine+Response`, `Engine+Pool`,
/// `Engine+Close`; beside them `Engine+Send`, `Engine+Splice`, `Engine+Timers`, `Engine+Reply`, `Engine+Tunnel`,
/// `Engine+ProxyProtocol`.
struct Engine<D: Driver & ~Copyable>: ~Copyable {
    enum Phase: UInt8 { case running, draining, stopping }

    /// Nobody reads it. An atomic has an address, and so has what it is part of: without one Swift 6.3 copies all 1.5 KB of
    /// the engine to call a method that does not change it (230 instructions per request, and stack for it in every
    /// handler).
    private let pin = Atomic<Bool>(true)
    var driver: D
    let settings: EngineSettings
    let counters: Counters
    let segments: SegmentPool
    let arena: Arena
    let worker: Int
    /// `settings.pseudonym`.
    let pseudonym: FixedBytes

    var connections: Slab<Connection>
    var exchanges: Slab<Exchange>
    var endpoints: EndpointTable
    var timers: TimerWheel
    var fields: FieldTable
    var requestHead = RequestHead()
    var responseHead = ResponseHead()
    var zeroCopies: Slab<ZeroCopySend>

    var listeners: [Listener]
    /// The endpoints of all clusters, in their order.
    var fixedEndpoints: [UInt32] = []
    let fixedAddresses: [SocketAddress?]
    let routeSets: [RouteSet]
    var routeScratch: RouteScratch
    let lending: [LendingQueue]
    var clusters: ClusterTable
    var gates: GateTable
    /// Of all workers, by their index.
    let wakeups: [Wakeup]
    let clientLimit: ClientLimit?
    let trust: Trust
    /// What PROXY protocol headers named, for the headers that go to upstreams; nil: the socket's own addresses. Kept only
    /// where there are both.
    var relayedAddresses: SlotTable<AddressPair?>
    /// Asks for a name's addresses; false if the question could not be taken.
    let askResolver: (ByteView, UInt64) -> Bool

    var phase = Phase.running
    var downstreamCount = 0
    var isAccepting = false
    var acceptPaused = false
    var bulkReceives = 0
    var zeroCopySuspendedUntil: Int64 = 0
    var copiedInARow = 0

    /// Exchanges that wait for a connection another worker is about to lend, and until when at most.
    var awaitingOffers: SlotQueue
    var offerDeadline: Int64 = 0
    /// Connections taken from other workers that have not proved quiet yet.
    var borrowed: SlotQueue
    /// Counts turns, from wait to wait.
    var turn: UInt32 = 0
    /// Connections whose output is to be sent at the turn's end.
    var flushQueue: SlotQueue
    /// Downstream connections that may read their next request: their last exchange ended with bytes left in the input.
    var readQueue: SlotQueue
    /// Connections whose receive found no slice, in the order they asked.
    var starved: SlotQueue
    var splicing: SlotTable<SpliceState>
    /// Connections with a pipe.
    var piped: SlotQueue

    /// - Parameters:
    ///   - listeners: bound and listening; the engine closes them.
    ///   - routeSets: what listeners' routes are indices of.
    ///   - clusters: what listeners and routes are indices of.
    ///   - wakeups: of all workers, to tell whose turn it is at a cluster; empty if no cluster has limits.
    ///   - lending: of each endpoint of the clusters, in their order; empty: nothing is lent.
    ///   - askResolver: called with a name and the token to answer with.
    init(
        driver: consuming D, arena: Arena, segments: SegmentPool, settings: EngineSettings,
        counters: Counters,
        worker: Int, listeners: [Listener], clusters plans: [ClusterPlan],
        routeSets: [RouteSet] = [], wakeups: [Wakeup] = [], lending: [LendingQueue],
        clientLimit: ClientLimit?, seed: UInt64, askResolver: @escaping (ByteView, UInt64) -> Bool
    ) {
        let now = driver.now
        self.driver = driver
        self.settings = settings
        self.counters = counters
        self.segments = segments
        self.arena = arena
        self.worker = worker
        pseudonym = FixedBytes(settings.pseudonym)
        let downstream = settings.connections + Self.acceptOvershoot
        let upstreams = plans.flatMap(\.endpoints)
        precondition(worker < wakeups.count || !plans.contains { $0.limits != nil })
        // Each downstream connection may have one upstream connection and a second attempt at one.
        let slots = downstream * 3 + 64
        connections = Slab(capacity: slots)
        exchanges = Slab(capacity: downstream)
        endpoints = EndpointTable(capacity: settings.endpointCapacity + upstreams.count, seed: seed)
        timers = TimerWheel(capacity: slots + listeners.count + 1, now: now)
        fields = FieldTable(capacity: settings.headLimits.fields)
        zeroCopies = Slab(capacity: 1024)
        self.listeners = listeners
        fixedAddresses = upstreams.map { $0.address }
        self.lending = lending
        self.routeSets = routeSets
        routeScratch = RouteScratch(pathBytes: routeSets.isEmpty ? 0 : settings.headLimits.uriBytes)
        clusters = ClusterTable(plans, exchangeCapacity: downstream, worker: worker, seed: seed)
        gates = GateTable(plans, exchangeCapacity: downstream, worker: worker)
        self.wakeups = wakeups
        self.clientLimit = clientLimit
        trust = Trust(settings.trust)
        relayedAddresses = SlotTable(capacity: slots)
        self.askResolver = askResolver
        awaitingOffers = SlotQueue(capacity: downstream)
        borrowed = SlotQueue(capacity: slots * 2)
        // A slot that is freed and taken again within a turn may stand in a queue twice: room for as many as a turn can
        // have of those.
        flushQueue = SlotQueue(capacity: slots * 2 + 65_536)
        readQueue = SlotQueue(capacity: slots * 2 + 65_536)
        starved = SlotQueue(capacity: slots)
        splicing = SlotTable(capacity: slots)
        piped = SlotQueue(capacity: slots)
        for (index, upstream) in upstreams.enumerated() {
            fixedEndpoints.append(addFixedEndpoint(upstream, index: index))
        }
        timers.set(maintenanceTimer, deadline: now + Self.maintenanceInterval)
    }

    private mutating func addFixedEndpoint(_ upstream: FixedUpstream, index: Int) -> UInt32 {
        var name = upstream.name
        let endpoint = name.withUTF8 {
            endpoints.addFixed(
                name: unsafe ByteView(UnsafeRawBufferPointer($0)), port: upstream.port, fixedIndex: index,
                isUnix: upstream.address?.isUnix ?? false)
        }
        if let address = upstream.address {
            endpoints[endpoint].addressState = .known
            endpoints[endpoint].addressCount = 1
            endpoints[endpoint].addressesExpireAt = .max
            if let ip = address.address { endpoints[endpoint].addresses[0] = ip }
        }
        return endpoint
    }

    // MARK: - Turn

    /// When `processTurn` is due even if nothing completes (nanoseconds); now, if work is left from the last one.
    @inline(__always)
    var nextDeadline: Int64 {
        if !borrowed.isEmpty { return driver.now }
        // What this turn gave back the driver takes with the next one.
        if !starved.isEmpty && (driver.receivableSlices > 0 || arena.canLease(.medium)) { return driver.now }
        return awaitingOffers.isEmpty ? timers.nextDeadline : min(timers.nextDeadline, offerDeadline)
    }

    /// One turn, between two waits: everything that completed, everything that is due, everything to be sent.
    mutating func processTurn() {
        handleCompletions()
        if !borrowed.isEmpty { useBorrowed() }
        expireTimers()
        if !awaitingOffers.isEmpty { serveAwaiting() }
        if gates.waitingCount > 0 { admitWaiting() }
        if !starved.isEmpty { feedStarved() }
        // What the epoll driver can do at once has completed at once: it belongs to this turn too.
        repeat {
            readQueued()
            flushAll()
        } while handleCompletions()
        turn &+= 1
    }

    /// Whether there were any.
    @inline(__always)
    @discardableResult
    private mutating func handleCompletions() -> Bool {
        var found = false
        while let completion = driver.next() {
            handle(completion)
            found = true
        }
        return found
    }

    @inline(__always)
    private mutating func handle(_ completion: Completion) {
        let token = completion.token
        switch token.kind {
        case .accept:
            accepted(Int(token.slot), completion)
        case .receive:
            guard isCurrent(token) else {
                dropStale(completion)
                return
            }
            received(token.slot, completion)
        case .send:
            guard isCurrent(token) else { return }
            sent(token.slot, completion.result)
        case .connect:
            guard isCurrent(token) else { return }
            connected(token.slot, completion)
        case .zeroCopy:
            zeroCopyEnded(token.slot, completion)
        }
    }

    @inline(__always)
    private func isCurrent(_ token: OperationToken) -> Bool {
        connections.generation(token.slot) == token.generation
    }

    /// A slot is freed when nothing is in flight on it, so this cannot happen; if it does, no buffer is lost by it.
    private func dropStale(_ completion: Completion) {
        assertionFailure("a completion for an earlier tenant of its slot")
        if completion.slice != .none { arena.release(completion.slice) }
    }

    @inline(__always)
    func token(_ kind: OperationKind, _ slot: UInt32) -> OperationToken {
        OperationToken(kind, slot: slot, generation: connections.generation(slot))
    }

    // MARK: - Stopping

    /// Takes no new connection and ends each one when its exchange is over.
    mutating func drain() {
        guard phase == .running else { return }
        phase = .draining
        stopAccepting()
        for slot in 0..<UInt32(connections.highestCount) where connections.isOccupied(slot) {
            switch connections[slot].phase {
            case .waiting where connections[slot].output.isEmpty && connections[slot].requestCount > 0,
                .pooled:
                close(slot)
            case .readingProxyHeader, .waiting, .readingHead, .exchanging, .discarding, .connecting,
                .borrowed,
                .leased, .retiring, .tunnelling, .closing:
                armTimer(slot)
            }
        }
        flushAll()
    }

    /// Ends everything now.
    mutating func stop() {
        if phase == .running { stopAccepting() }
        phase = .stopping
        for slot in 0..<UInt32(connections.highestCount) where connections.isOccupied(slot) {
            if let exchange = exchangeIndex(of: slot) {
                // What has begun must not look whole.
                if exchanges[exchange].state == .responding {
                    connections[exchanges[exchange].downstream].resetsOnClose = true
                }
                resetRelay(exchange)
                finishExchange(exchange)
            }
            // An upstream connection has ended with its exchange, and its slot perhaps with it.
            guard connections.isOccupied(slot), connections[slot].phase != .closing else { continue }
            close(slot)
        }
        flushAll()
    }

    /// The end of the worker: gives back what only it knows of. To be called once, when `isIdle`.
    mutating func shutDown() {
        sweepOffers(all: true)
        closeListeners()
        // What was only asked for is done in a last turn.
        driver.turn(until: 0)
        handleCompletions()
    }

    /// Whether a drain has nothing left to wait for.
    @inline(__always)
    var isIdle: Bool {
        phase != .running && connections.count == 0 && zeroCopies.count == 0
            && !listeners.contains { $0.isArmed }
    }
}
