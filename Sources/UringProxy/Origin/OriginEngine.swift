internal import CPosix

/// The built-in origin as one thread runs it: every connection of the thread, and what each completion makes of it.
///
/// A server of its own beside the proxy's engine, on the same drivers, buffers and parsers. The files of a request's
/// life: `OriginEngine+Connection` (accept, receive, send, close), `+Request` (heads and bodies), `+Answer`.
struct OriginEngine<D: Driver & ~Copyable>: ~Copyable {
    enum Phase: UInt8 { case running, draining, stopping }

    /// Bytes that may wait in one direction of a connection.
    static var window: UInt32 { 256 * 1024 }
    /// How long a peer may take to send or read the next byte.
    static var stallTimeout: Int64 { 60_000_000_000 }
    static var idleTimeout: Int64 { 600_000_000_000 }
    static var lingerTimeout: Int64 { 2_000_000_000 }

    var driver: D
    let arena: Arena
    let segments: SegmentPool
    let counters: Counters
    /// Those of every thread of the origin, for `/stats`.
    let allCounters: [Counters]
    let headLimits = HeadLimits()

    var listener: Listener
    var connections: Slab<OriginConnection>
    var timers: TimerWheel
    var fields: FieldTable
    var head = RequestHead()
    var phase = Phase.running
    var acceptPaused = false

    /// Filled once and sent from by every answer.
    let pattern: SliceID
    var date = HTTPDate(secondsSince1970: 0)
    var dateExpiresAt = Int64.min

    var flushQueue: SlotQueue
    var starved: SlotQueue

    /// - Parameter listener: bound and listening; the engine closes it.
    init(
        driver: consuming D, arena: Arena, segments: SegmentPool, counters: Counters,
        allCounters: [Counters], listener: Int32, connections capacity: Int
    ) {
        guard let pattern = arena.lease(.bulk) else { preconditionFailure("an arena holds one slice") }
        unsafe BodyPattern.fill(arena.address(pattern), count: SliceClass.bulk.sliceSize, from: 0)
        self.pattern = pattern
        let now = driver.now
        self.driver = driver
        self.arena = arena
        self.segments = segments
        self.counters = counters
        self.allCounters = allCounters
        self.listener = Listener(descriptor: listener, role: .reverse)
        connections = Slab(capacity: capacity)
        // One more for the listener.
        timers = TimerWheel(capacity: capacity + 1, now: now)
        fields = FieldTable(capacity: headLimits.fields)
        flushQueue = SlotQueue(capacity: capacity)
        starved = SlotQueue(capacity: capacity)
        armAccept()
    }

    // MARK: - Turn

    /// When `processTurn` is due even if nothing completes (nanoseconds).
    var nextDeadline: Int64 {
        starved.isEmpty || driver.receivableSlices == 0 ? timers.nextDeadline : driver.now
    }

    /// One turn, between two waits.
    mutating func processTurn() {
        if driver.now >= dateExpiresAt { readDate() }
        while let completion = driver.next() { handle(completion) }
        while let slot = timers.expire(now: driver.now) { expired(slot) }
        feedStarved()
        flushAll()
    }

    /// Once a second; the monotonic clock tells when the next second of the other one begins.
    @inline(never)
    private mutating func readDate() {
        var time = timespec()
        unsafe _ = clock_gettime(CLOCK_REALTIME, &time)
        date = HTTPDate(secondsSince1970: Int64(time.tv_sec))
        dateExpiresAt = driver.now + 1_000_000_000 - Int64(time.tv_nsec)
    }

    @inline(__always)
    private mutating func handle(_ completion: Completion) {
        let token = completion.token
        switch token.kind {
        case .accept:
            accepted(completion)
        case .receive:
            precondition(isCurrent(token), "slots outlive their operations")
            received(token.slot, completion)
        case .send:
            precondition(isCurrent(token), "slots outlive their operations")
            sent(token.slot, completion)
        case .connect, .zeroCopy:
            preconditionFailure("never asked for")
        }
    }

    @inline(__always)
    private func isCurrent(_ token: OperationToken) -> Bool {
        connections.generation(token.slot) == token.generation
    }

    @inline(__always)
    func token(_ kind: OperationKind, _ slot: UInt32) -> OperationToken {
        OperationToken(kind, slot: slot, generation: connections.generation(slot))
    }

    /// Goes on with a connection as far as its bytes and the room for more allow.
    @inline(__always)
    mutating func advance(_ slot: UInt32) {
        while step(slot) {}
        if connections[slot].phase == .closing { return }
        updateReceive(slot)
        armTimer(slot)
    }

    /// False if there is nothing to be done for now.
    @inline(__always)
    private mutating func step(_ slot: UInt32) -> Bool {
        switch connections[slot].phase {
        case .waiting: return readRequest(slot)
        case .readingBody: return readBody(slot)
        case .responding: return continueAnswer(slot)
        case .tunnelling: return relayTunnel(slot)
        case .ending:
            if connections[slot].output.isEmpty { beginDiscarding(slot) }
            return false
        case .delaying, .discarding, .closing:
            return false
        }
    }

    // MARK: - Timers

    mutating func armTimer(_ slot: UInt32) { timers.set(slot, deadline: deadline(of: slot)) }

    @inline(__always)
    private func deadline(of slot: UInt32) -> Int64 {
        let active = connections[slot].activeAt
        switch connections[slot].phase {
        case .waiting:
            if connections[slot].output.isEmpty && connections[slot].input.isEmpty {
                // A connection that was made just before the drain has a moment to say what it wants.
                return active + (phase == .running ? Self.idleTimeout : 1_000_000_000)
            }
            return active + Self.stallTimeout
        case .delaying:
            return connections[slot].dueAt
        case .responding:
            let due = connections[slot].dueAt
            if due != .max && connections[slot].output.isEmpty { return due }
            return min(due, active + Self.stallTimeout)
        case .readingBody, .ending:
            return active + Self.stallTimeout
        case .tunnelling:
            return active + Self.idleTimeout
        case .discarding:
            return active + Self.lingerTimeout
        case .closing:
            // The kernel answers a cancel at once; if it does not, it is asked again.
            return driver.now + 1_000_000_000
        }
    }

    private mutating func expired(_ slot: UInt32) {
        if Int(slot) == connections.capacity {
            armAccept()
            return
        }
        guard connections.isOccupied(slot) else { return }
        switch connections[slot].phase {
        case .delaying where connections[slot].dueAt <= driver.now:
            respond(slot)
            advance(slot)
            return
        case .responding where connections[slot].dueAt <= driver.now:
            connections[slot].dueAt = .max
            advance(slot)
            return
        case .closing:
            cancelOperations(slot)
            armTimer(slot)
            return
        case .waiting, .readingBody, .delaying, .responding, .tunnelling, .ending, .discarding:
            break
        }
        let deadline = deadline(of: slot)
        if deadline <= driver.now { close(slot) } else { timers.set(slot, deadline: deadline) }
    }

    // MARK: - Stopping

    /// Takes no new connection and ends each one when its answer is out.
    mutating func drain() {
        guard phase == .running else { return }
        phase = .draining
        stopAccepting()
        for slot in 0..<UInt32(connections.highestCount) where connections.isOccupied(slot) {
            if connections[slot].phase == .waiting && connections[slot].hasRequested
                && connections[slot].input.isEmpty && connections[slot].output.isEmpty
            {
                beginDiscarding(slot)
            }
            if connections.isOccupied(slot) { armTimer(slot) }
        }
    }

    /// Ends everything now.
    mutating func stop() {
        if phase == .running { stopAccepting() }
        phase = .stopping
        for slot in 0..<UInt32(connections.highestCount) where connections.isOccupied(slot) { close(slot) }
    }

    /// Whether a drain has nothing left to wait for.
    var isIdle: Bool { phase != .running && connections.count == 0 && !listener.isArmed }

    /// Once, when `isIdle`.
    mutating func shutDown() {
        driver.close(listener.descriptor, reset: false)
        // What was only asked for is done in a last turn.
        driver.turn(until: 0)
        while let completion = driver.next() { handle(completion) }
        arena.release(pattern)
        assert(segments.linksInUse == 0, "every queue ends with its connection")
    }
}
