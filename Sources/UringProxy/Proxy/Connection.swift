/// One transport connection, on either side: its descriptor, what is under way on it, and the bytes that wait.
///
/// It holds no memory while nothing moves: an idle connection is this struct and an armed receive.
struct Connection: BitwiseCopyable {
    enum Side: UInt8, BitwiseCopyable { case downstream, upstream }

    enum Phase: UInt8, BitwiseCopyable {
        // Downstream.
        /// Between requests; the last response may still be on its way out.
        case waiting
        /// Some bytes of a head have come.
        case readingHead
        /// A request is being answered.
        case exchanging
        /// The last answer is on its way out, or gone; what still comes is read and dropped, for closing a socket
        /// with unread bytes resets it, and the reset would destroy the answer (RFC 9112 §9.6).
        case discarding
        // Upstream.
        case connecting
        /// An exchange has the use of it.
        case leased
        /// Idle, and the pool's.
        case pooled
        /// Taken from another worker, for an exchange that uses it if it stays quiet for a turn.
        case borrowed
        /// Being taken out of the pool to be lent to another worker: its receive is being cancelled.
        case retiring
        // Both.
        /// Bytes pass blind.
        case tunnelling
        /// Shut down; waits for the kernel to return what it holds.
        case closing
    }

    /// The receive that is under way.
    enum Receiving: UInt8, BitwiseCopyable {
        case none
        /// Goes on by itself.
        case stream
        case once
        /// Into `receiveSlice`.
        case slice
        /// A stream that was told to end.
        case cancelling
    }

    var descriptor: Int32
    var side: Side
    var phase: Phase
    var receiving = Receiving.none
    var isSending = false
    /// The peer has ended its side of the stream.
    var inputEnded = false
    /// The receive found no slice and waits its turn.
    var isStarved = false
    var flushQueued = false
    var readQueued = false
    /// To be ended (`discarding`) as soon as the output has left.
    var closesAfterFlush = false
    /// Downstream announced that the last request, which has come whole, is its last one.
    var saidClose = false
    /// Our side of the stream was ended with `shutdown(2)`.
    var outputEnded = false
    /// The last send left bytes over: the peer, not the proxy, sets the pace.
    var isCongested = false
    /// A stream long enough for large slices flows here.
    var isBulk = false
    /// Close with RST, so that a body cut short is not mistaken for a whole one.
    var resetsOnClose = false
    /// Served at least one request before (upstream), so that the peer may have closed it in the meantime.
    var isReused = false
    /// Given to an exchange (upstream), of which nothing has been handed to the kernel yet.
    var requestHeld = false
    var peerKnown = false
    /// Was counted for `--limit-connections-per-client`.
    var countedPerClient = false
    var listener: UInt16 = 0

    /// What the kernel still holds, and our buffers with it.
    var operationsInFlight: UInt16 = 0
    var requestCount: UInt32 = 0
    /// The engine's turn in which it was borrowed.
    var borrowedInTurn: UInt32 = 0

    /// Received, not yet consumed.
    var input = SegmentQueue()
    /// To be sent; its front may be in the kernel's hands.
    var output = SegmentQueue()
    var scanner = HeadEndScanner()
    var receiveSlice = SliceID.none

    /// The exchange under way, or none.
    var exchange = Slot.none
    /// Of an upstream connection: where it goes.
    var endpoint = Slot.none
    /// Neighbours in the pool's list.
    var next = Slot.none
    var previous = Slot.none

    /// When the phase began (nanoseconds).
    var phaseStartedAt: Int64
    var lastReceivedAt: Int64
    var lastSentAt: Int64
    /// Since when nothing is received because nothing more can be used (the peer waits for us); 0: it is not so.
    var pausedAt: Int64 = 0
    /// Bytes received in this phase's exchange or tunnel: what tells a long stream.
    var streamBytes: UInt64 = 0
    // The windows in which the peer's pace is measured, as a sender and as a reader.
    var receiveWindowStartedAt: Int64
    var receiveWindowBytes: Int64 = 0
    var sendWindowStartedAt: Int64
    var sendWindowBytes: Int64 = 0
    /// Bytes the kernel had still to deliver when the sending side was last looked at.
    var unsentBytes: Int32 = 0

    /// The peer's address, once `peerKnown`.
    var peer = IPAddress.unspecified

    init(descriptor: Int32, side: Side, phase: Phase, now: Int64) {
        self.descriptor = descriptor
        self.side = side
        self.phase = phase
        phaseStartedAt = now
        lastReceivedAt = now
        lastSentAt = now
        receiveWindowStartedAt = now
        sendWindowStartedAt = now
    }
}
