/// One connection of the built-in origin: its descriptor, what is under way on it, and the request that is answered.
struct OriginConnection: BitwiseCopyable {
    enum Phase: UInt8, BitwiseCopyable {
        /// Between requests, or reading a head.
        case waiting
        /// The answer comes after the request's body.
        case readingBody
        /// The answer comes at `dueAt`.
        case delaying
        /// The answer's head is queued, its body not yet all.
        case responding
        /// Bytes go back as they come.
        case tunnelling
        /// The last answer is on its way out.
        case ending
        /// It is gone, our side has ended; what still comes is dropped (RFC 9112 §9.6).
        case discarding
        /// Waits for the kernel to return what it holds.
        case closing
    }

    enum Receiving: UInt8, BitwiseCopyable { case none, stream, cancelling }

    var descriptor: Int32
    var phase = Phase.waiting
    var receiving = Receiving.none
    var isSending = false
    var inputEnded = false
    /// The receive found no slice and waits its turn.
    var isStarved = false
    var flushQueued = false
    /// Close with RST.
    var resetsOnClose = false
    /// What the kernel still holds.
    var operationsInFlight: UInt16 = 0
    var hasRequested = false

    var input = SegmentQueue()
    var output = SegmentQueue()
    /// Received bytes that the answer will show: a head, or trailers.
    var held = SegmentQueue()
    var scanner = HeadEndScanner()

    // The request under way.
    var route = OriginRoute(.empty, method: .get)
    var body = BodyReader()
    var bodyFraming = BodyFraming.none
    var isHead = false
    var isHTTP10 = false
    var keepAlive = true
    var offersUpgrade = false
    /// Bytes of the request's body, and what they sum up to.
    var receivedSize: UInt64 = 0

    // The answer under way.
    var isChunked = false
    /// Bytes of the pattern sent, and still to be sent.
    var position: UInt64 = 0
    var remaining: UInt64 = 0
    /// Of the body received, or of the body sent.
    var checksum = BodyChecksum()
    /// When a delayed answer, or the next part of a slow one, is due (nanoseconds).
    var dueAt = Int64.max
    var respondedAt: Int64 = 0

    /// When bytes last moved.
    var activeAt: Int64

    init(descriptor: Int32, now: Int64) {
        self.descriptor = descriptor
        activeAt = now
    }
}
