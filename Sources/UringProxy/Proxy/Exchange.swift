/// One request and its response.
struct Exchange: BitwiseCopyable {
    enum State: UInt8, BitwiseCopyable, CaseIterable {
        /// Waits for its turn at its cluster's gate.
        case queued
        /// Waits for its turn to connect, as its cluster has as many connections as it may.
        case awaitingPlace
        /// Waits for the addresses of its endpoint.
        case resolving
        /// Waits for a stream of a connection that is being opened.
        case awaitingStream
        /// Waits for a connection that another worker is about to lend.
        case awaitingOffer
        /// Waits for its credentials to be checked; its head is still in the input.
        case authenticating
        /// Waits for a connection.
        case connecting
        /// The request is on its way or sent; no byte of the final response has been passed on.
        case forwarding
        /// The response's head has been passed on, its body follows.
        case responding
        /// The connections have become a tunnel.
        case tunnelling

        // Each one comparison, as the states are numbered in their order.
        /// Waits in a line of the `GateTable`.
        @inline(__always)
        var isInLine: Bool { rawValue <= State.awaitingPlace.rawValue }
        /// Waits for what it connects with.
        @inline(__always)
        var isBeforeConnecting: Bool {
            rawValue &- State.awaitingPlace.rawValue
                <= State.awaitingOffer.rawValue - State.awaitingPlace.rawValue
        }
    }

    enum Kind: UInt8, BitwiseCopyable {
        /// Downstream is answered.
        case ordinary
        /// A copy of another one's request, for another cluster: its answer is read and dropped.
        case mirror
        /// A second one for another's request, which is slow to be answered.
        case hedge
    }

    /// Who changes something of the request, or of an answer of our own.
    struct Changers: OptionSet, BitwiseCopyable {
        var rawValue: UInt8
        /// The route: the engine's `changesWritten` has what, while the request is not written.
        static var route: Changers { Changers(rawValue: 1 << 0) }
        /// It tells its endpoint which trace it belongs to: the engine's `traces` has that.
        static var trace: Changers { Changers(rawValue: 1 << 1) }
        /// Answers tell what took how long.
        static var timing: Changers { Changers(rawValue: 1 << 2) }
    }

    /// What is added to an answer beside what its route adds.
    struct Additions: OptionSet, BitwiseCopyable {
        var rawValue: UInt8
        /// Its cluster keeps clients with their endpoints: the engine's `stickyNames` has what its cookie said.
        static var cookie: Additions { Additions(rawValue: 1 << 0) }
        static var timing: Additions { Additions(rawValue: 1 << 1) }
    }

    static var noCluster: UInt16 { .max }

    var state = State.connecting
    /// Its answer has begun, which its cluster's gate knows. Here, as there is room.
    var isAnswered = false
    var kind = Kind.ordinary
    var additions = Additions()
    var downstream: UInt32
    var upstream = Slot.none
    /// Connection attempts under way (RFC 8305): the first to succeed is used.
    var attempts = (Slot.none, Slot.none)
    var endpoint = Slot.none
    /// The endpoint as the clusters number it; `Slot.none` if no cluster's policy chose it, or it counts no longer there.
    var clusterEndpoint = Slot.none
    /// The cluster, by its index; `noCluster` if none of the snapshot's.
    var cluster = Self.noCluster
    /// Endpoints of the cluster that could not be connected.
    var endpointsFailed: UInt16 = 0
    /// The gate of its cluster, which it is in or waits at; 0: it has none.
    var gate: UInt16 = 0
    /// Of the endpoints that failed, those that did not answer at all.
    var connectTimeouts: UInt8 = 0
    /// Which zone of its cluster comes first for its client, by its number.
    var zone: UInt8 = 0
    /// The hedge of the exchange, or the exchange whose hedge this is.
    var partner = Slot.none
    /// What a hashed policy chose by; 0: nothing.
    var balancingKey: UInt64 = 0
    /// When its request is sent again.
    var retry = RetryRules()
    /// The next exchange that waits for the same endpoint's addresses, or for a stream.
    var nextWaiting = Slot.none

    // The request.
    var method: Method
    var version: HTTPVersion
    /// It opens a connection to its endpoint which may have streams for others. Here, as there is room.
    var isOpening = false
    /// Rewritten for the upstream, with a small body behind it; kept until the response begins, to be sent again on
    /// another connection if this one turns out to be dead.
    var request = Segment.none
    var requestBody = BodyReader()
    var requestBodyBytes: UInt64 = 0
    /// Every byte of the request is in the upstream's output.
    var requestDone = false
    /// Body bytes have left `request`'s shelter: the request cannot be repeated.
    var bodyForwarded = false
    /// Its route has timeouts and limits of its own: they are in the engine's `policies`.
    var hasPolicy = false
    var changers = Changers()
    /// The names of fields that are dropped from the response, and lines that are added: in `request`'s slice, behind it.
    var responseChanges = ByteRange.empty
    /// Of these bytes those of the names.
    var responseNamesSize: UInt16 = 0
    /// Of `request`, the PROXY protocol's header that it begins with; 0: none. It names one client, so that its connection takes that
    /// client's request, one, and neither comes from the pool nor goes to it (section 2 of the specification).
    var proxyHeaderSize: UInt16 = 0
    /// What Host says in `request`, if that is the endpoint's name.
    var hostRange = ByteRange.empty
    var isConnect = false
    /// The endpoint is a proxy, who is asked for the whole target.
    var usesParent = false
    /// A connection of a layer-4 listener: a CONNECT that nobody sent and nobody is answered.
    var isRelay = false
    var wantsUpgrade = false
    var expectsContinue = false
    var continueForwarded = false
    /// Downstream sends no request after this one: it said "close", or is of version 1.0 and did not say "keep-alive".
    var saidClose = false
    /// Whether downstream persists after this exchange.
    var keepAlive: Bool

    // The response.
    var responseBody = BodyReader()
    var responseEncoding = BodyEncoding.verbatim
    var upstreamKeepAlive = false
    var chunksSent = false

    // Attempts.
    var requestsSent: UInt16 = 0
    /// Of them, those sent again because their connection had been used before and turned out to be dead.
    var repeats: UInt8 = 0
    /// `requestsSent`, when every endpoint had failed and all were tried anew.
    var begunAnewAt: UInt16 = 0
    var nextAddress: UInt8 = 0
    /// Why the last attempt failed, for the answer.
    var failure = ProxyError.none
    /// Addresses that the destination policy refused.
    var addressesDenied: UInt8 = 0

    var isSticky: Bool { additions.contains(.cookie) }
    /// Something of it is changed, or of its answer.
    @inline(__always)
    var isChanged: Bool { !changers.isEmpty }

    // The ledger (nanoseconds).
    var startedAt: Int64
    var totalDeadline: Int64
    var requestSentAt: Int64 = 0

    init(
        downstream: UInt32, method: Method, version: HTTPVersion, keepAlive: Bool, startedAt: Int64,
        totalDeadline: Int64
    ) {
        self.downstream = downstream
        self.method = method
        self.version = version
        self.keepAlive = keepAlive
        self.startedAt = startedAt
        self.totalDeadline = totalDeadline
    }
}

/// What becomes of a body's framing on its way through.
enum BodyEncoding: UInt8, BitwiseCopyable {
    /// As received: a length, or the chunks themselves with their sizes.
    case verbatim
    /// Chunks are taken off: the peer speaks HTTP/1.0.
    case dechunk
    /// Chunks are put on: the upstream ends the body by closing, and downstream can be told its end.
    case chunk
}
