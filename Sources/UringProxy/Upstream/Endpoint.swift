/// One place to connect to, as a worker knows it: its addresses, and its idle connections.
struct Endpoint: BitwiseCopyable {
    enum Kind: UInt8, BitwiseCopyable {
        /// Named by the configuration; goes when that names it no more.
        case fixed
        /// Named by a forward request; goes when it is no longer used.
        case dynamic
    }

    enum Addresses: UInt8, BitwiseCopyable {
        case unknown
        /// The resolver was asked.
        case asked
        case known
    }

    static let addressCapacity = 16
    static let nameCapacity = 256

    let kind: Kind
    var addressState = Addresses.unknown
    var addressCount: UInt8 = 0
    /// What is connected to is a socket's path, in `path`.
    var isUnix = false
    /// Its one address is one of its name's (`FixedUpstream.isOfName`).
    var isOfName = false
    /// It is spoken to over TLS.
    var isSecure = false
    let port: UInt16
    /// In lower case.
    var nameSize: UInt16 = 0
    var name = InlineArray<256, UInt8>(repeating: 0)
    var addresses = InlineArray<16, IPAddress>(repeating: .unspecified)
    /// Until when they may be used (nanoseconds); `.max` for literals.
    var addressesExpireAt: Int64 = 0
    /// Which endpoint of the snapshot's it is, and so which lending queue is its; -1 for dynamic and retired ones.
    var fixedIndex: Int32 = -1
    /// The snapshot has it no more, or would not let it be reached: what is under way ends, and nothing begins.
    private(set) var isRetired = false
    /// Neither retired nor with a gate: what comes back to its pool needs no second look.
    private(set) var isPlain = true
    /// The gate, in the `GateTable`, that its connections go through; 0: its cluster may have any number.
    private(set) var gate: UInt16 = 0

    /// Whether it is spoken to in HTTP/2.
    private(set) var http2 = UpstreamHTTP2.off
    /// Streams at a time of one connection that does.
    private(set) var streamLimit: UInt32 = 0
    /// The last connection did.
    var speaksHTTP2 = false
    /// It is in the engine's list of those whose exchanges that wait for a stream are to be looked after.
    var isAwaited = false
    /// Exchanges that open a connection which may have streams for others.
    var openings: UInt32 = 0
    /// Connections with streams, the newest first.
    var firstCarrier = Slot.none
    /// Exchanges that wait for a stream, in their order.
    var firstAwaiting = Slot.none
    var lastAwaiting = Slot.none
    var awaitingCount: UInt32 = 0

    /// Exchanges that wait for addresses.
    var firstWaiting = Slot.none
    /// Idle connections, the last used first.
    var firstIdle = Slot.none
    var lastIdle = Slot.none
    var idleCount: UInt32 = 0
    /// Connections in use by exchanges of this worker, connecting ones included.
    var inUse: UInt32 = 0
    /// The most of them within the last second or two.
    var peakInUse: UInt32 = 0

    // The table's chain, and its list of dynamic endpoints by last use.
    var hash: UInt64 = 0
    var nextInBucket = Slot.none
    var lastUsedAt: Int64 = 0

    init(kind: Kind, port: UInt16) {
        self.kind = kind
        self.port = port
    }

    mutating func retire() {
        isRetired = true
        isPlain = false
    }

    mutating func setHTTP2(_ plan: HTTP2Plan) {
        http2 = plan.use
        streamLimit = plan.streams
        // Of the others the first connection will tell.
        if plan.use == .on { speaksHTTP2 = true }
    }

    mutating func setGate(_ gate: UInt16) {
        self.gate = gate
        isPlain = !isRetired && gate == 0
    }

    /// Whether nothing refers to it any more.
    var isUnused: Bool {
        inUse == 0 && idleCount == 0 && firstWaiting == Slot.none && firstAwaiting == Slot.none && !isAwaited
    }
}
