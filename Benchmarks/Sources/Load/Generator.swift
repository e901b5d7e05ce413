internal import CPosix

/// The load of `closed`, `open` and `idle`: one thread, one epoll descriptor, all connections.
///
/// Life of a request: `begin` sends it (and connects first, if it must), `readable` reads the answer, `answered` checks
/// and counts it, `next` decides what its connection does then. What goes wrong ends in `fail`.
struct Generator: ~Copyable {
    enum Phase {
        /// All connections are made, none works yet.
        case opening
        /// Warm-up, then the window that is measured.
        case running
        /// No request begins any more but those that are overdue; the answers still count.
        case draining
        case finished
    }

    /// Connections being made at the same time: fewer than the shortest backlog of a listener.
    static var openingAtOnce: Int { 128 }
    /// How often time limits, retries and signals are looked after, in nanoseconds.
    private static var tick: Int64 { 50_000_000 }

    let options: Options
    var target: Target
    let request: Request
    /// What every connection begins with: CONNECT, or nothing.
    let preface: Request
    var poller: Poller
    let inbox = Inbox()
    var table: ConnectionTable
    /// Beginnings of heads that were cut in two, by connection.
    var carried: [[UInt8]]

    var tally = Tally()
    var latency = Histogram()
    /// How late requests were sent although a connection was free.
    var lateness = Histogram()
    var expectedBytes: Int?

    var phase = Phase.opening
    /// The time as it was last read: CLOCK_MONOTONIC in nanoseconds.
    var now = cposix_monotonic_nanoseconds()
    private var nextTick: Int64 = 0
    let timeout: Int64

    /// Slots below this one were opened once.
    var opened = 0
    /// Connections that neither work nor have failed yet.
    var firstAttemptsLeft: Int
    /// Slots to be connected anew at the next tick: not at once, for what refuses once often refuses again.
    var retries: [Int] = []

    /// Requests begun.
    var issued = 0
    /// Slots with a request that has begun and not ended.
    var underWay = 0
    var free: FreeQueue
    var schedule: Schedule?
    var window: Window
    private(set) var isInterrupted = false

    init(_ options: Options) throws(UsageError) {
        let target = try Target(options.target, sourceCount: options.sourceCount)
        let request = try Request(options)
        let poller = try Poller()
        self.options = options
        self.target = target
        self.request = request
        self.poller = poller
        preface = Request(tunnelTo: options.connect)
        table = ConnectionTable(count: options.connections)
        carried = Array(repeating: [], count: options.connections)
        expectedBytes = options.expectedBytes
        timeout = nanoseconds(options.timeout)
        firstAttemptsLeft = options.connections
        free = FreeQueue(capacity: options.connections)
        window = Window(warmup: nanoseconds(options.warmupSeconds), size: nanoseconds(options.windowSeconds))
    }

    /// Runs `closed` and `open` from beginning to end.
    mutating func run() {
        while phase != .finished {
            advance()
            if phase != .finished { turn(until: nextEvent) }
        }
    }

    /// Waits for events, until `deadline` at the latest, and handles them. How many there were.
    @discardableResult
    mutating func turn(until deadline: Int64) -> Int {
        let count = poller.wait(nanoseconds: min(deadline, nextTick) - now)
        now = cposix_monotonic_nanoseconds()
        for index in 0..<count {
            handle(poller.event(index))
            issueDue()
        }
        issueDue()
        if now >= nextTick {
            nextTick = now + Self.tick
            checkTimeouts()
            retryConnecting()
            if cposix_wait_for_signal_within(0) != 0 { isInterrupted = true }
        }
        return count
    }

    /// An event of something that is no connection has this in place of a slot.
    static var inputTag: UInt64 { .max }

    private mutating func handle(_ event: Poller.Event) {
        if event.tag == Self.inputTag { return }
        let slot = Int(event.tag & 0xFFFF_FFFF)
        let generation = UInt32(truncatingIfNeeded: event.tag >> 32)
        if event.isWritable && table[slot].generation == generation { writable(slot) }
        if (event.isReadable || event.isEnding) && table[slot].generation == generation {
            readable(slot, isEnding: event.isEnding)
        }
    }

    /// When there is something to do even if no event comes.
    private var nextEvent: Int64 {
        var next = Int64.max
        if let boundary = window.nextBoundary { next = boundary }
        if let schedule, let at = schedule.time(of: issued), !free.isEmpty { next = min(next, at) }
        return next
    }

    /// Goes on to the next phase when it is time.
    private mutating func advance() {
        if isInterrupted && phase != .finished { return finish() }
        switch phase {
        case .opening:
            if options.isNewConnection {
                firstAttemptsLeft = 0
            } else {
                openMore()
                if firstAttemptsLeft > 0 { return }
                if retries.count == table.count { return finish() }
            }
            phase = .running
            now = cposix_monotonic_nanoseconds()
            window.begin(at: now)
            if options.mode == .open {
                schedule = Schedule(
                    start: now, rate: options.rate,
                    total: Int((options.warmupSeconds + options.windowSeconds) * options.rate))
            }
            window.advance(now, tally.counts)
            for slot in 0..<table.count where isFree(slot) { next(slot) }
            issueDue()
        case .running:
            window.advance(now, tally.counts)
            if let limit = options.requestLimit, issued >= limit, underWay == 0 { return finish() }
            if window.isOver { phase = .draining }
        case .draining:
            if underWay == 0 && schedule?.time(of: issued) == nil { finish() }
        case .finished:
            break
        }
    }

    private mutating func finish() {
        window.end(at: now, tally.counts)
        phase = .finished
    }

    /// Whether a request can begin on the slot.
    func isFree(_ slot: Int) -> Bool {
        switch table[slot].state {
        case .idle: true
        case .vacant: options.isNewConnection
        case .connecting, .tunnelling, .busy: false
        }
    }

    private mutating func checkTimeouts() {
        for slot in 0..<table.count {
            switch table[slot].state {
            case .vacant, .idle: break
            case .connecting, .tunnelling, .busy:
                if now - table[slot].begun > timeout { fail(slot, .timeout) }
            }
        }
    }
}

/// - Parameter seconds: at most some days.
func nanoseconds(_ seconds: Double) -> Int64 { Int64(seconds * 1e9) }
