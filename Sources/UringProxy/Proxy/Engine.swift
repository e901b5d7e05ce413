internal import Synchronization

/// The proxy as one worker runs it: every connection, exchange, pool and timer of the worker, and what each completion
/// makes of them.
///
/// It asks the driver for operations and is told what became of them; it knows no other thread but by what its owner
/// hands in (`resolved`, `drain`). The files of a request's life, in order: `Engine+Accept`, `Engine+ListenerLimits`, `Engine+Receive`,
/// `Engine+Request`, `Engine+Access`, `Engine+Authentication`, `Engine+Route`, `Engine+Changes`, `Engine+Balance`, `Engine+Sticky`, `Engine+Limits`, `Engine+Connect`, `Engine+Places`,
/// `Engine+Relay`, `Engine+Response`, `Engine+Pool`, `Engine+Close`; beside them `Engine+Adopt`, `Engine+Send`, `Engine+Splice`,
/// `Engine+Timers`, `Engine+Reply`, `Engine+Tunnel`, `Engine+Detached`, `Engine+Mirror`, `Engine+Hedge`,
/// `Engine+ProxyProtocol`, `Engine+Handshake`, `Engine+ServerName`, `Engine+UpstreamTLS`, `Engine+TLS`, `Engine+HTTP2`, `Engine+Streams`, `Engine+Notes`, `Engine+AccessLog`, `Engine+Recorder`.
struct Engine<D: Driver & ~Copyable>: ~Copyable {
    enum Phase: UInt8 { case running, draining, stopping }

    /// Nobody reads it. An atomic has an address, and so has what it is part of: without one Swift 6.3 copies all 1.5 KB of
    /// the engine to call a method that does not change it (230 instructions per request, and stack for it in every
    /// handler).
    private let pin = Atomic<Bool>(true)
    var driver: D
    var settings: EngineSettings
    let counters: Counters
    let segments: SegmentPool
    let arena: Arena
    let worker: Int
    /// `settings.pseudonym`.
    var pseudonym: FixedBytes
    /// `settings.parent.authorization`.
    var parentAuthorization: FixedBytes

    var connections: Slab<Connection>
    var exchanges: Slab<Exchange>
    var endpoints: EndpointTable
    var timers: TimerWheel
    var fields: FieldTable
    var requestHead = RequestHead()
    var responseHead = ResponseHead()
    var zeroCopies: Slab<ZeroCopySend>

    /// Those that have gone as well, as long as a connection came by them.
    var listeners: [Listener]
    /// In their order: how many connections those with a limit have.
    var listenerLoads: [ListenerLoad?]
    /// Connections that are one too many for their listener and are being told so.
    var surplusCount = 0
    /// Places for listeners that are taken.
    var heldListeners: Int
    /// The endpoints of all clusters, in their order.
    var fixedEndpoints: [UInt32] = []
    /// Those that may still be referred to.
    var retiredEndpoints: [UInt32] = []
    var routeSets: [RouteSet]
    /// What listeners' and routes' access plans are indices of.
    var accessPlans: [AccessPlan]
    /// What access plans' authenticators are indices of.
    var authenticators: [Authenticator]
    var knownCredentials: CredentialCache
    /// Questions of credentials that have no verdict yet.
    var verdictsDue = 0
    /// Asks for credentials to be checked, with a question made for this worker's inbox; false if it could not be taken.
    let askChecker: ((_ inbox: Int) -> CredentialQuery) -> Bool
    var routeScratch: RouteScratch
    /// Where databases come from that say where clients are; nil: there are none.
    var geoSource: GeoSource?
    /// Those in use, kept for `geo` to read, and the source's generation that they are of.
    var geoDatabases: GeoDatabases
    var geoGeneration: UInt64
    var geo: GeoReader
    /// Timeouts and limits of those exchanges whose route has some of its own.
    var policies: SlotTable<RoutePolicy>
    /// Whether exchanges leave anything behind: where it is false nobody looks at the rest of this.
    var keepsNotes: Bool
    /// Whether they are counted by where they came and went.
    var countsExchanges = false
    let histograms: ExchangeHistograms
    var notes: SlotTable<ExchangeNotes>
    /// Exchanges that had notes, and refusals that were logged.
    var noteCount: UInt64 = 0
    var noteTexts: NoteTexts
    /// nil: nothing is logged.
    var accessLog: AccessLogPlan?
    var accessLane: AccessLogLane?
    var logRules = AccessLogRules()
    /// nil: nothing is done about traces.
    var tracing: TracePlan?
    var traceLane: TraceLane?
    var traceRules = TraceRules()
    /// Of those exchanges whose notes say that they are traced.
    var traces: SlotTable<SpanNotes>
    /// A request's lines with that which tells its trace, while they are written.
    var traceBytes = GrowingBytes(capacity: 512)
    /// Whether some answers tell what took how long.
    var timesAnswers = false
    /// Lines of an answer with that which does, while they are written.
    var timingBytes = GrowingBytes(capacity: 512)
    var names: ExchangeNames
    var samplers: [AccessSampler]
    /// Exchanges whose client has not taken all, by its slot; and how many there are.
    var undrained: [UInt32: UndrainedExchange] = [:]
    var undrainedCount = 0
    /// In this turn.
    var published = PublishedKinds()
    /// nil: no events are kept.
    var flightLane: FlightLane?
    var flightRing: FlightRing?
    var flightSlow = Int64.max
    /// The snapshot's whose names events have; 0: none.
    var flightNumber: UInt64 = 0
    /// What has to be added to monotonic time for that since 1970, in nanoseconds.
    var realTimeOffset: Int64 = 0
    /// Of those exchanges whose cluster is sticky: the endpoint that the cookie names; 0: it names none.
    var stickyNames: SlotTable<UInt64>
    /// Lines of an answer with that which sets the cookie, while they are written.
    var stickyBytes = GrowingBytes(capacity: 512)
    /// What the route changes of the request that has just been routed, as bytes and as places in them.
    var changeBytes: GrowingBytes
    var changesWritten = WrittenChanges()
    /// Where a redirection leads to, while it is written.
    var targetBytes: GrowingBytes
    /// The name of an endpoint, likewise.
    var endpointBytes = GrowingBytes(capacity: Endpoint.nameCapacity + 8)
    var random: RandomWords
    var lending: [LendingQueue]
    var clusters: ClusterTable
    var gates: GateTable
    /// Of all workers, by their index.
    let wakeups: [Wakeup]
    var clientLimit: ClientLimit?
    /// nil: no listener has ever spoken TLS.
    var handshakes: HandshakeLimit?
    var trust: Trust
    /// What PROXY protocol headers named, for the headers that go to upstreams; nil: the socket's own addresses.
    var relayedAddresses: SlotTable<AddressPair?>
    /// Whether there may be anything in them.
    var keepsRelayedAddresses: Bool
    /// Asks for a name's addresses; false if the question could not be taken.
    let askResolver: (ByteView, UInt64) -> Bool

    var phase = Phase.running
    /// Connections, and the streams of those that speak HTTP/2.
    var downstreamCount = 0
    var streamCount = 0
    /// Connections that stand for downstream in exchanges that nobody is answered by.
    var detachedCount = 0
    /// Of them, mirrors.
    var mirrorCount = 0
    var isAccepting = false
    var acceptPaused = false
    var bulkReceives = 0
    var zeroCopySuspendedUntil: Int64 = 0
    var copiedInARow = 0

    /// Exchanges that wait for a connection another worker is about to lend, and until when at most.
    var awaitingOffers: SlotQueue
    var offerDeadline: Int64 = 0
    /// Endpoints with exchanges that wait for a stream, and perhaps a stream for them.
    var awaitedEndpoints: [UInt32] = []
    /// Connections taken from other workers that have not proved quiet yet.
    var borrowed: SlotQueue
    /// Connections whose output is to be sent at the turn's end.
    var flushQueue: SlotQueue
    /// Downstream connections that may read their next request: their last exchange ended with bytes left in the input.
    var readQueue: SlotQueue
    /// Connections whose receive found no slice, in the order they asked.
    var starved: SlotQueue
    var splicing: SlotTable<SpliceState>
    /// Connections with a session of TLS or of HTTP/2, and entries of the flush queue that streams have left there: while it is 0 nobody
    /// asks what a connection is besides. (A client can begin and end any number of streams in a turn.)
    var layeredCount = 0
    var http2: SlotTable<HTTP2State>
    /// What their sessions tell of.
    let http2Inbox: HTTP2Inbox
    var streams: SlotTable<StreamState>
    /// What sessions know streams by.
    var streamBodies: SlotTable<HTTP2Body>
    /// Of a head that is about to become frames.
    var streamFields: FieldTable
    var http2Fields = HTTP2Fields()
    /// Where contexts come from; nil: no listener speaks TLS.
    var tlsSource: TLSSource?
    /// Those in use, which listeners' `tls` are indices of, and the source's generation that they are of.
    var tlsContexts: [TLSContext?]
    var tlsGeneration: UInt64
    /// What listeners' `serverNames` are indices of.
    var serverNames: [ServerNameTable?]
    /// The name that a client asks for, while it is looked up.
    var serverName = GrowingBytes(capacity: ClientHello.nameLimit)
    var tls: SlotTable<TLSState>
    /// Connections that have a session.
    var tlsCount = 0
    /// What sessions read from and write to.
    let tlsWire = TLSWire()
    /// Connections whose ciphertext waited for room, or for its turn.
    var decryptQueue: SlotQueue
    /// Connections whose handshake can go on.
    var handshakeQueue: SlotQueue
    /// Connections with a pipe.
    var piped: SlotQueue

    /// - Parameters:
    ///   - snapshot: its sizes (connections, memory, pipes, dynamic endpoints) are good for the engine's life.
    ///   - listeners: bound and listening; the engine closes them.
    ///   - wakeups: of all workers, to tell whose turn it is at a cluster; empty if no cluster ever has limits.
    ///   - histograms: what exchanges are counted in, where the snapshot's names have rows.
    ///   - askResolver: called with a name and the token to answer with.
    init(
        driver: consuming D, arena: Arena, segments: SegmentPool, counters: Counters, worker: Int,
        snapshot: Snapshot, listeners: [Listener], wakeups: [Wakeup] = [], seed: UInt64,
        histograms: ExchangeHistograms = ExchangeHistograms(),
        askResolver: @escaping (ByteView, UInt64) -> Bool,
        askChecker: @escaping ((_ inbox: Int) -> CredentialQuery) -> Bool = { _ in false }
    ) {
        let now = driver.now
        let settings = snapshot.settings
        self.driver = driver
        self.settings = settings
        self.counters = counters
        self.segments = segments
        self.arena = arena
        self.worker = worker
        pseudonym = FixedBytes(settings.pseudonym)
        parentAuthorization = FixedBytes(settings.parent.authorization)
        let downstream = settings.connections + Self.acceptOvershoot
        // Each of those has a slot in downstream's place.
        let exchanging = downstream + Self.detachedLimit
        precondition(worker < wakeups.count || !snapshot.clusters.contains { $0.limits != nil })
        // Each downstream connection may have one upstream connection and a second attempt at one.
        let slots = exchanging * 3 + 64
        connections = Slab(capacity: slots)
        exchanges = Slab(capacity: exchanging)
        // Each that is retired has a connection, or an exchange that waits for one.
        endpoints = EndpointTable(
            dynamicLimit: settings.endpointCapacity, room: Self.endpointLimit + slots + exchanging, seed: seed
        )
        timers = TimerWheel(capacity: slots + Self.listenerLimit + 1, now: now)
        fields = FieldTable(capacity: settings.headLimits.fields)
        zeroCopies = Slab(capacity: 1024)
        self.listeners = listeners
        listenerLoads = listeners.map { snapshot.listenerLoads[$0.id] }
        heldListeners = listeners.count
        lending = snapshot.lending
        routeSets = snapshot.routes.map(\.set)
        accessPlans = snapshot.access.plans
        authenticators = snapshot.access.authenticators
        knownCredentials = CredentialCache(groups: authenticators.isEmpty ? 0 : Self.credentialGroups)
        self.askChecker = askChecker
        geoSource = snapshot.geo
        (geoDatabases, geoGeneration) = snapshot.geo?.current ?? (GeoDatabases.none, 0)
        geo = geoDatabases.reader
        routeScratch = RouteScratch(pathBytes: routeSets.isEmpty ? 0 : settings.headLimits.uriBytes)
        policies = SlotTable(capacity: exchanging)
        keepsNotes = false
        self.histograms = histograms
        notes = SlotTable(capacity: exchanging)
        noteTexts = NoteTexts(capacity: exchanging, sizeEach: 0)
        traces = SlotTable(capacity: exchanging)
        names = snapshot.names
        samplers = []
        stickyNames = SlotTable(capacity: exchanging)
        changeBytes = GrowingBytes(capacity: routeSets.isEmpty ? 0 : 4096)
        targetBytes = GrowingBytes(capacity: routeSets.isEmpty ? 0 : settings.headLimits.uriBytes)
        random = RandomWords(seed: KeyHash.derive(seed, worker + 1))
        clusters = ClusterTable(snapshot.clusters, exchangeCapacity: exchanging, worker: worker, seed: seed)
        gates = GateTable(snapshot.clusters, exchangeCapacity: exchanging, worker: worker)
        self.wakeups = wakeups
        clientLimit = snapshot.clientLimit
        handshakes = snapshot.handshakes
        trust = Trust(settings.trust)
        keepsRelayedAddresses = settings.trust.requiresHeader
        relayedAddresses = SlotTable(capacity: slots)
        self.askResolver = askResolver
        awaitingOffers = SlotQueue(capacity: exchanging)
        borrowed = SlotQueue(capacity: slots * 2)
        // A slot that is freed and taken again within a turn may stand in a queue twice: room for as many as a turn can
        // have of those.
        flushQueue = SlotQueue(capacity: slots * 2 + 65_536)
        readQueue = SlotQueue(capacity: slots * 2 + 65_536)
        starved = SlotQueue(capacity: slots)
        splicing = SlotTable(capacity: slots)
        http2 = SlotTable(capacity: slots)
        http2Inbox = HTTP2Inbox(headLimit: settings.headLimits.headListBytes)
        streams = SlotTable(capacity: slots)
        streamBodies = SlotTable(capacity: slots)
        streamFields = FieldTable(capacity: Self.writtenFields)
        tlsSource = snapshot.tls
        (tlsContexts, tlsGeneration) = snapshot.tls?.current ?? ([], 0)
        serverNames = snapshot.serverNames
        tls = SlotTable(capacity: slots)
        decryptQueue = SlotQueue(capacity: slots)
        handshakeQueue = SlotQueue(capacity: slots)
        piped = SlotQueue(capacity: slots)
        let (tls, http2) = (snapshot.endpointTLS, snapshot.endpointHTTP2)
        for (index, upstream) in snapshot.endpoints.enumerated() {
            fixedEndpoints.append(
                endpoints.addFixed(upstream, fixedIndex: index, tls: tls[index], http2: http2[index]))
        }
        _ = setConnectionGates()
        adoptNotes(snapshot)
        timers.set(maintenanceTimer, deadline: now + Self.maintenanceInterval)
    }

    /// Of the credentials that a worker remembers.
    static var credentialGroups: Int { 512 }
    /// Listeners at most, those that have gone but for their connections included.
    static var listenerLimit: Int { ListenerConfiguration.limit * 2 }
    /// Exchanges that nobody is answered by, at most: room for them is kept apart from that for others.
    static var detachedLimit: Int { Configuration.mirroredRange.upperBound + 1024 }
    /// Endpoints of all clusters at most.
    static var endpointLimit: Int { ClusterConfiguration.totalEndpointLimit }

    // MARK: - Turn

    /// When `processTurn` is due even if nothing completes (nanoseconds); now, if work is left from the last one.
    @inline(__always)
    var nextDeadline: Int64 {
        if !borrowed.isEmpty || !awaitedEndpoints.isEmpty { return driver.now }
        if tlsCount > 0 && hasSecureWork { return driver.now }
        // What this turn gave back the driver takes with the next one.
        if !starved.isEmpty && (driver.receivableSlices > 0 || arena.canLease(.medium)) { return driver.now }
        return awaitingOffers.isEmpty ? timers.nextDeadline : min(timers.nextDeadline, offerDeadline)
    }

    /// One turn, between two waits: everything that completed, everything that is due, everything to be sent.
    mutating func processTurn() {
        if tlsCount > 0 { shakeHandsInTurn() }
        handleCompletions()
        if !borrowed.isEmpty { useBorrowed() }
        expireTimers()
        if !awaitingOffers.isEmpty { serveAwaiting() }
        if gates.attention > 0 { admitWaiting() }
        if !starved.isEmpty { feedStarved() }
        // What the epoll driver can do at once has completed at once: it belongs to this turn too.
        repeat {
            if tlsCount > 0 { decryptQueued() }
            if !awaitedEndpoints.isEmpty { serveAwaitingStreams() }
            readQueued()
            flushAll()
        } while handleCompletions()
        if !published.isEmpty { wakeReaders() }
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

    /// Takes no new connection and ends each one when its exchange is over, or after a last moment without one: a request that
    /// is on its way to a connection that was kept alive is answered.
    mutating func drain() {
        guard phase == .running else { return }
        phase = .draining
        stopAccepting()
        for slot in 0..<UInt32(connections.highestCount) where connections.isOccupied(slot) {
            switch connections[slot].phase {
            case .pooled:
                close(slot)
            case .detached:
                drainDetached(connections[slot].exchange)
            case .multiplexing where connections[slot].side == .upstream:
                if http2[slot].streamCount == 0 { endMultiplexing(slot) }
            case .multiplexing:
                announceEnd(slot)
            case .readingProxyHeader, .handshaking, .waiting, .readingHead, .exchanging, .discarding,
                .connecting, .securing, .borrowed, .leased, .retiring, .tunnelling, .closing:
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
                if keepsNotes { noteStop(exchange) }
                finishExchange(exchange)
            }
            // An upstream connection has ended with its exchange, and its slot perhaps with it.
            guard connections.isOccupied(slot), connections[slot].phase != .closing else { continue }
            // After the exchanges of its streams, each of which ends in its own way.
            if connections[slot].phase == .multiplexing && connections[slot].side == .upstream { continue }
            close(slot)
        }
        for slot in 0..<UInt32(connections.highestCount)
        where connections.isOccupied(slot) && connections[slot].phase == .multiplexing {
            close(slot)
        }
        flushAll()
    }

    /// The end of the worker: gives back what only it knows of. To be called once, when `isIdle`.
    mutating func shutDown() {
        sweepOffers(all: true)
        closeListeners()
        // What was only asked for is done in a last turn, or in more of them where the kernel does not take all at once.
        repeat {
            driver.turn(until: 0)
            handleCompletions()
            settleClosed()
        } while gates.hasClosed
        if gates.attention > 0 { leaveConnectionGates() }
    }

    /// Whether a drain has nothing left to wait for.
    @inline(__always)
    var isIdle: Bool {
        phase != .running && connections.count == 0 && zeroCopies.count == 0
            && !listeners.contains { $0.isArmed }
    }
}
