internal import Synchronization

/// What a worker is asked about itself, and what it says, from its own thread and between turns: how its connections, exchanges and
/// pools stand. It looks at a few slots in each turn, so that no exchange waits for who only looks.
final class Inspection: Sendable {
    /// What is to be told beside the counts.
    struct Question: Sendable {
        /// So many exchanges at most: those that have been under way longest.
        var exchanges = 0
        /// Exchanges that have become tunnels are told of as well.
        var includesTunnels = false
        /// The one exchange of this id; nil: any.
        var exchangeID: UInt64?
        /// So many connections at most.
        var connections = 0
        /// Connections of this side; nil: of both.
        var side: Connection.Side?
        /// Connections in this phase; nil: in any.
        var phase: Connection.Phase?
    }

    struct Answer: Sendable {
        /// The oldest first.
        var exchanges: [ExchangeView] = []
        var connections: [ConnectionView] = []
        /// How many there are of those that were asked for, told of or not.
        var connectionCount = 0
        /// By their phase's raw value.
        var downstreamPhases = [Int](repeating: 0, count: Connection.Phase.allCases.count)
        var upstreamPhases = [Int](repeating: 0, count: Connection.Phase.allCases.count)
        /// By their state's raw value.
        var exchangeStates = [Int](repeating: 0, count: Exchange.State.allCases.count)
        /// In the order of the worker's clusters and their endpoints, those that are found in requests last.
        var pools: [PoolView] = []
        var memory = WorkerMemory()
    }

    /// How far a worker is with the answer.
    struct Progress: Sendable {
        enum Part { case exchanges, views, connections, endpoints, done }

        var answer = Answer()
        var part = Part.exchanges
        /// The next slot, or the next of the oldest.
        var next: UInt32 = 0
        /// The oldest exchanges first, no more than are asked for, with their slots' generations.
        var oldest: [(startedAt: Int64, index: UInt32, generation: UInt32)] = []
        /// Of all endpoints that requests named themselves.
        var found = PoolView()
    }

    let question: Question
    /// The worker's own.
    let progress = Mutex(Progress())
    private let answer = Mutex<Answer?>(nil)
    private let acknowledgement: Acknowledging

    /// Told when the answer is there.
    typealias Acknowledging = @Sendable () -> Void

    init(_ question: Question, whenAnswered acknowledge: @escaping Acknowledging) {
        self.question = question
        acknowledgement = acknowledge
    }

    /// What the worker said; nil: nothing yet.
    var said: Answer? { answer.withLock { $0 } }

    func say(_ new: Answer) {
        answer.withLock { $0 = new }
        acknowledgement()
    }
}

/// An exchange under way, for people to read.
struct ExchangeView: Sendable {
    /// As the access log has it; 0: nobody keeps notes of it.
    var id: UInt64 = 0
    var worker = 0
    var state: StaticString = ""
    /// What it waits for, and of whom.
    var waitsFor = ""
    /// Of the ledger, and since when; empty: nobody keeps notes of it.
    var stage: StaticString = ""
    var stageAge: Int64 = 0
    /// Nanoseconds since its request's first byte.
    var age: Int64 = 0
    var kind: StaticString = ""
    var version: StaticString = ""
    /// Empty: it is not known any more, or there never was one.
    var method = ""
    var host = ""
    /// Without the query, which may hold secrets.
    var path = ""
    var client = ""
    var listener = ""
    var route = ""
    var cluster = ""
    var endpoint = ""
    var attempts = 0
    /// Bytes of content that have been passed on.
    var requestBytes: UInt64 = 0
    /// Of the request bytes have still to come.
    var isRequestDone = false
    /// Its connections, by their slots.
    var downstream: UInt32 = 0
    var upstream: UInt32?
}

/// A connection, for people to read.
struct ConnectionView: Sendable {
    var worker = 0
    var slot: UInt32 = 0
    var descriptor: Int32 = 0
    var side = Connection.Side.downstream
    var phase = Connection.Phase.waiting
    /// Nanoseconds in the phase.
    var phaseAge: Int64 = 0
    /// Nanoseconds since bytes last came or went.
    var idle: Int64 = 0
    /// The client's address, or the endpoint's name.
    var peer = ""
    var listener = ""
    var requests: UInt32 = 0
    /// Received and not consumed; to be sent and not sent.
    var inputBytes = 0
    var outputBytes = 0
    var isSecure = false
    var isStream = false
    /// Streams of HTTP/2 on it.
    var streams = 0
    var isReused = false
}

/// What a worker has of connections to one endpoint.
struct PoolView: Sendable {
    /// Empty: requests named it themselves, and all of these are told of together.
    var cluster = ""
    /// As `FixedUpstream.identity` has it.
    var endpoint = ""
    var idle = 0
    /// Used by exchanges, connecting ones included.
    var inUse = 0
    /// Exchanges that wait for a connection's streams.
    var waiting = 0
    /// Exchanges whose choice it is.
    var underWay = 0
}

/// Memory of a worker by what it is for, in bytes: what was touched, not what could be.
struct WorkerMemory: Sendable {
    var connections = 0
    var exchanges = 0
    var endpoints = 0
    /// Buffers on lease.
    var buffers = 0
    /// Texts for the access log.
    var texts = 0
    var histograms = 0

    static func + (a: WorkerMemory, b: WorkerMemory) -> WorkerMemory {
        WorkerMemory(
            connections: a.connections + b.connections, exchanges: a.exchanges + b.exchanges,
            endpoints: a.endpoints + b.endpoints, buffers: a.buffers + b.buffers, texts: a.texts + b.texts,
            histograms: a.histograms + b.histograms)
    }
}

extension Connection.Side {
    var label: StaticString {
        switch self {
        case .downstream: "downstream"
        case .upstream: "upstream"
        }
    }
}

extension Connection.Phase {
    /// As the admin API and metrics name it.
    var label: StaticString {
        switch self {
        case .readingProxyHeader: "reading_proxy_header"
        case .handshaking: "handshaking"
        case .multiplexing: "multiplexing"
        case .waiting: "waiting"
        case .readingHead: "reading_head"
        case .exchanging: "exchanging"
        case .discarding: "discarding"
        case .detached: "detached"
        case .connecting: "connecting"
        case .securing: "securing"
        case .leased: "leased"
        case .pooled: "pooled"
        case .borrowed: "borrowed"
        case .retiring: "retiring"
        case .tunnelling: "tunnelling"
        case .closing: "closing"
        }
    }

    /// Whether connections of clients can be in it.
    var isDownstream: Bool {
        switch self {
        case .readingProxyHeader, .handshaking, .multiplexing, .waiting, .readingHead, .exchanging,
            .discarding,
            .detached, .tunnelling, .closing:
            true
        case .connecting, .securing, .leased, .pooled, .borrowed, .retiring: false
        }
    }

    /// Whether connections to endpoints can be in it; `waiting` are streams of HTTP/2 that have ended.
    var isUpstream: Bool {
        switch self {
        case .multiplexing, .waiting, .connecting, .securing, .leased, .pooled, .borrowed, .retiring,
            .tunnelling, .closing:
            true
        case .readingProxyHeader, .handshaking, .readingHead, .exchanging, .discarding, .detached: false
        }
    }

    init?(label: some StringProtocol) {
        guard let phase = Self.allCases.first(where: { "\($0.label)" == label }) else { return nil }
        self = phase
    }
}

extension Exchange.State {
    /// As the admin API and metrics name it.
    var label: StaticString {
        switch self {
        case .queued: "queued"
        case .awaitingPlace: "awaiting_place"
        case .resolving: "resolving"
        case .awaitingStream: "awaiting_stream"
        case .awaitingOffer: "awaiting_offer"
        case .authenticating: "authenticating"
        case .connecting: "connecting"
        case .forwarding: "forwarding"
        case .responding: "responding"
        case .tunnelling: "tunnelling"
        }
    }
}

extension Exchange.Kind {
    var label: StaticString {
        switch self {
        case .ordinary: "ordinary"
        case .mirror: "mirror"
        case .hedge: "hedge"
        }
    }
}
