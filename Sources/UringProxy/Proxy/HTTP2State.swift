/// What a connection has of HTTP/2, beside `Connection`: all zeros mean that it speaks another version.
struct HTTP2State: BitwiseCopyable {
    var session: HTTP2Session
    /// The first of its streams, which know the next ones.
    var firstStream = Slot.none
    var streamCount: UInt32 = 0
    /// Streams have moved bytes into the output and have not been told yet.
    var firstDrained = Slot.none
    /// How many frames that carry nothing of a message it may still send: each that does allows for some more.
    var credit: Int32 = HTTP2State.firstCredit
    /// When the credit was last topped up, in nanoseconds.
    var creditedAt: Int64
    /// Nothing more is read.
    var isTerminated = false
    /// Downstream: it takes no streams behind `lastStream`; upstream: it is given no further ones.
    var isEnding = false
    var lastStream: Int32 = 0
    /// Upstream: the peer's settings have come, and how many streams they allow at a time. Until then it is 100.
    var hasSettings = false
    var peerStreams: UInt32 = 100

    init(_ session: HTTP2Session, now: Int64) {
        self.session = session
        creditedAt = now
    }

    private static var firstCredit: Int32 { 5000 }
    private static var mostCredit: Int32 { 20_000 }

    @inline(__always)
    mutating func earn(_ frames: Int32) { credit = min(credit &+ frames, Self.mostCredit) }

    /// Pays for frames that have come; false if the client sends more of them than any reason could be found for.
    mutating func pay(for frames: Int, now: Int64) -> Bool {
        if frames == 0 { return true }
        let seconds = (now - creditedAt) / 1_000_000_000
        if seconds > 0 {
            earn(Int32(clamping: seconds * 100))
            creditedAt += seconds * 1_000_000_000
        }
        credit -= Int32(clamping: frames)
        return credit >= 0
    }
}

/// What a stream has beside `Connection`, which stands for it among the connections of its side and has no descriptor.
struct StreamState: BitwiseCopyable {
    /// The connection that it is one of the streams of; `Slot.none` when that has gone, and the response is here whole.
    var carrier: UInt32
    /// 0: upstream has not been asked yet.
    var id: Int32
    // Neighbours in the carrier's list.
    var next = Slot.none
    var previous = Slot.none
    /// The next one in the carrier's list of those that have moved bytes into its output.
    var nextDrained = Slot.none
    var isDrained = false
    /// Of its request.
    let method: Method
    /// What the body that is received is told by.
    var framing: HTTP2Framing
    /// Bytes of that body that have come, and that the peer has not been told to have gone on.
    var unconsumed: UInt32 = 0
    /// Fields behind the body that is sent, until they leave.
    var trailers = Segment.none
    /// An entry of an earlier stream with this slot is in the queue of those to be flushed.
    var isFlushQueued = false
    /// The peer has ended its side.
    var receivedEnd = false
    /// The head has been given to the session.
    var headSent = false
    /// All that is to be sent is in the output. Upstream: nobody waits for what still comes, either.
    var outputIsWhole = false
    /// Upstream: bytes follow the request, and no END_STREAM (RFC 8441).
    var isTunnel = false
    /// All of it, and its end, has been given to the session.
    var endGiven = false
    /// And has left.
    var endSent = false
    /// The session knows of it no more.
    var isClosed = false

    init(carrier: UInt32, id: Int32, method: Method, framing: HTTP2Framing) {
        self.carrier = carrier
        self.id = id
        self.method = method
        self.framing = framing
    }
}
