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
    /// It takes no streams behind `lastStream`.
    var isEnding = false
    var lastStream: Int32 = 0

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

/// What a stream has beside `Connection`, which stands for it among downstream's connections and has no descriptor.
struct StreamState: BitwiseCopyable {
    /// The connection that it is one of the streams of.
    let carrier: UInt32
    let id: Int32
    // Neighbours in the carrier's list.
    var next = Slot.none
    var previous = Slot.none
    /// The next one in the carrier's list of those that have moved bytes into its output.
    var nextDrained = Slot.none
    var isDrained = false
    let method: Method
    /// What its request's body is told by.
    let framing: HTTP2RequestHead.Framing
    /// Bytes of its body that have come, and that the client has not been told to have gone on.
    var unconsumed: UInt32 = 0
    /// Fields behind the response's body, until they leave.
    var trailers = Segment.none
    /// An entry of an earlier stream with this slot is in the queue of those to be flushed.
    var isFlushQueued = false
    /// The client has ended its side.
    var requestEnded = false
    /// The response's head has been given to the session.
    var headSent = false
    /// All of the response is in the output.
    var responseEnded = false
    /// All of it, and its end, has been given to the session.
    var endGiven = false
    /// And has left.
    var endSent = false
    /// The session knows of it no more.
    var isClosed = false

    init(carrier: UInt32, id: Int32, method: Method, framing: HTTP2RequestHead.Framing) {
        self.carrier = carrier
        self.id = id
        self.method = method
        self.framing = framing
    }
}
