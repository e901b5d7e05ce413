/// One transport connection, on either side: its descriptor, what is under way on it, and the bytes that wait.
///
/// It holds no memory while nothing moves: an idle connection is this struct and an armed receive. So the struct is what
/// 10,000 idle ones cost: two cache lines, as `ConnectionTests` asserts. The first has what every completion reads; the
/// second times, counts and what only one side has. What spliced streams alone need is in `SpliceState`.
struct Connection: BitwiseCopyable {
    enum Side: UInt8, BitwiseCopyable { case downstream, upstream }

    enum Phase: UInt8, BitwiseCopyable, CaseIterable {
        // Downstream.
        /// Before its first byte a PROXY protocol header has to come.
        case readingProxyHeader
        /// TLS is about to begin, or its handshake is under way; or whom its ClientHello asks for is waited for.
        case handshaking
        /// It speaks HTTP/2: its bytes are frames, and its streams have slots of their own.
        case multiplexing
        /// Between requests; the last response may still be on its way out.
        case waiting
        /// Some bytes of a head have come.
        case readingHead
        /// A request is being answered.
        case exchanging
        /// The last answer is on its way out, or gone; what still comes is read and dropped, for closing a socket
        /// with unread bytes resets it, and the reset would destroy the answer (RFC 9112 §9.6).
        case discarding
        /// Stands for downstream in an exchange that nobody is answered by: it has no descriptor, and its output is dropped.
        case detached
        // Upstream.
        case connecting
        /// Connected; its TLS handshake is under way.
        case securing
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
        /// Into the pipe of the connection that the bytes go to.
        case pipe
        /// The same, told to end.
        case pipeCancelling
        /// A stream that was told to end.
        case cancelling
    }

    /// What is either so or not, a bit for each.
    private struct Flags: OptionSet, BitwiseCopyable {
        var rawValue: UInt16

        static var sending: Flags { Flags(rawValue: 1 << 0) }
        static var inputEnded: Flags { Flags(rawValue: 1 << 1) }
        static var starved: Flags { Flags(rawValue: 1 << 2) }
        static var flushQueued: Flags { Flags(rawValue: 1 << 3) }
        static var readQueued: Flags { Flags(rawValue: 1 << 4) }
        static var closesAfterFlush: Flags { Flags(rawValue: 1 << 5) }
        static var outputEnded: Flags { Flags(rawValue: 1 << 6) }
        static var congested: Flags { Flags(rawValue: 1 << 7) }
        static var bulk: Flags { Flags(rawValue: 1 << 8) }
        static var resetsOnClose: Flags { Flags(rawValue: 1 << 9) }
        static var reused: Flags { Flags(rawValue: 1 << 10) }
        static var requestHeld: Flags { Flags(rawValue: 1 << 11) }
        static var peerKnown: Flags { Flags(rawValue: 1 << 12) }
        static var countedPerClient: Flags { Flags(rawValue: 1 << 13) }
        static var paused: Flags { Flags(rawValue: 1 << 14) }
        static var saidClose: Flags { Flags(rawValue: 1 << 15) }
    }

    /// What a stream of HTTP/2 has for a descriptor.
    static var streamDescriptor: Int32 { -2 }

    // MARK: - First cache line

    var descriptor: Int32
    let side: Side
    var phase: Phase
    var receiving = Receiving.none
    /// What the kernel still holds, and our buffers with it.
    var operationsInFlight: UInt8 = 0
    private var flags: Flags = []
    /// Downstream's; upstream has `gate` in it.
    private var listenerAndFlags: UInt16 = 0
    /// The exchange under way, or none.
    var exchange = Slot.none
    /// Received, not yet consumed.
    var input = SegmentQueue()
    /// To be sent; its front may be in the kernel's hands.
    var output = SegmentQueue()
    var scanner = HeadEndScanner()
    var receiveSlice = SliceID.none
    var requestCount: UInt32 = 0
    private var streamBytesClamped: UInt32 = 0
    /// Bytes the kernel had still to deliver when the sending side was last looked at.
    var unsentBytes: Int32 = 0

    // MARK: - Second cache line

    // Times in nanoseconds.
    /// When the phase began.
    var phaseStartedAt: Int64
    var lastReceivedAt: Int64
    var lastSentAt: Int64
    // The windows in which the peer's pace is measured, as a sender and as a reader.
    /// While nothing is received no pace is measured: `pausedAt` stands here.
    var receiveWindowStartedAt: Int64
    var sendWindowStartedAt: Int64
    private var receiveWindowBytesClamped: UInt32 = 0
    private var sendWindowBytesClamped: UInt32 = 0

    // Upstream's alone; downstream has `peer` in the four words.
    /// Where it goes.
    var endpoint = Slot.none
    /// Neighbours in the pool's list.
    var next = Slot.none
    var previous = Slot.none
    /// When it was borrowed: `DriverStatistics.wholeEntries`.
    var borrowedAt: UInt32 = 0

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

// What is packed.
extension Connection {
    @inline(__always)
    private subscript(flag: Flags) -> Bool {
        get { flags.contains(flag) }
        set { if newValue { flags.formUnion(flag) } else { flags.subtract(flag) } }
    }

    /// By its index. Downstream's.
    @inline(__always)
    var listener: Int {
        get { Int(listenerAndFlags & 0x1FFF) }
        set { listenerAndFlags = listenerAndFlags & 0xE000 | UInt16(newValue) & 0x1FFF }
    }

    /// The gate that it is counted at, in the `GateTable`; 0: at none. Upstream's.
    @inline(__always)
    var gate: UInt16 {
        get {
            assert(side == .upstream)
            return listenerAndFlags
        }
        set {
            assert(side == .upstream)
            listenerAndFlags = newValue
        }
    }

    /// The exchange under way, or the next one, is the last: the listener has gone.
    @inline(__always)
    var endsSoon: Bool {
        get { listenerAndFlags & 0x8000 != 0 }
        set { listenerAndFlags = newValue ? listenerAndFlags | 0x8000 : listenerAndFlags & 0x7FFF }
    }

    /// Was counted for its listener's `max_connections`.
    var countedAtListener: Bool {
        get { listenerAndFlags & 0x4000 != 0 }
        set { listenerAndFlags = newValue ? listenerAndFlags | 0x4000 : listenerAndFlags & 0xBFFF }
    }

    /// One more than that: all it gets is an answer that says so.
    var isSurplus: Bool {
        get { listenerAndFlags & 0x2000 != 0 }
        set { listenerAndFlags = newValue ? listenerAndFlags | 0x2000 : listenerAndFlags & 0xDFFF }
    }

    var isSending: Bool {
        get { self[.sending] }
        set { self[.sending] = newValue }
    }
    /// The peer has ended its side of the stream.
    var inputEnded: Bool {
        get { self[.inputEnded] }
        set { self[.inputEnded] = newValue }
    }
    /// The receive found no slice and waits its turn.
    var isStarved: Bool {
        get { self[.starved] }
        set { self[.starved] = newValue }
    }
    var flushQueued: Bool {
        get { self[.flushQueued] }
        set { self[.flushQueued] = newValue }
    }
    var readQueued: Bool {
        get { self[.readQueued] }
        set { self[.readQueued] = newValue }
    }
    /// To be ended (`discarding`) as soon as the output has left.
    var closesAfterFlush: Bool {
        get { self[.closesAfterFlush] }
        set { self[.closesAfterFlush] = newValue }
    }
    /// Downstream announced that the last request, which has come whole, is its last one.
    var saidClose: Bool {
        get { self[.saidClose] }
        set { self[.saidClose] = newValue }
    }
    /// Our side of the stream was ended with `shutdown(2)`.
    var outputEnded: Bool {
        get { self[.outputEnded] }
        set { self[.outputEnded] = newValue }
    }
    /// The last send left bytes over: the peer, not the proxy, sets the pace.
    var isCongested: Bool {
        get { self[.congested] }
        set { self[.congested] = newValue }
    }
    /// A stream long enough for large slices flows here.
    var isBulk: Bool {
        get { self[.bulk] }
        set { self[.bulk] = newValue }
    }
    /// Close with RST, so that a body cut short is not mistaken for a whole one.
    var resetsOnClose: Bool {
        get { self[.resetsOnClose] }
        set { self[.resetsOnClose] = newValue }
    }
    /// Served at least one request before (upstream), so that the peer may have closed it in the meantime.
    var isReused: Bool {
        get { self[.reused] }
        set { self[.reused] = newValue }
    }
    /// Given to an exchange (upstream), of which nothing has been handed to the kernel yet.
    var requestHeld: Bool {
        get { self[.requestHeld] }
        set { self[.requestHeld] = newValue }
    }
    var peerKnown: Bool {
        get { self[.peerKnown] }
        set { self[.peerKnown] = newValue }
    }
    /// Was counted for `--limit-connections-per-client`.
    var countedPerClient: Bool {
        get { self[.countedPerClient] }
        set { self[.countedPerClient] = newValue }
    }

    /// Since when nothing is received because nothing more can be used (the peer waits for us); 0: it is not so.
    var pausedAt: Int64 {
        get { self[.paused] ? receiveWindowStartedAt : 0 }
        set {
            self[.paused] = newValue != 0
            if newValue != 0 { receiveWindowStartedAt = newValue }
        }
    }

    /// Bytes that were received: they count for the stream and for its pace.
    @inline(__always)
    mutating func countReceived(_ size: UInt32) {
        streamBytesClamped = Self.add(size, to: streamBytesClamped)
        receiveWindowBytesClamped = Self.add(size, to: receiveWindowBytesClamped)
    }

    @inline(__always)
    mutating func countSent(_ size: UInt32) {
        sendWindowBytesClamped = Self.add(size, to: sendWindowBytesClamped)
    }

    // Counts stop at 4 GiB, for they are compared with no more than half of it.

    @inline(__always)
    private static func add(_ size: UInt32, to count: UInt32) -> UInt32 {
        let (sum, overflow) = count.addingReportingOverflow(size)
        return overflow ? .max : sum
    }

    /// Bytes received in this phase's exchange or tunnel: what tells a long stream.
    var streamBytes: UInt64 {
        get { UInt64(streamBytesClamped) }
        set { streamBytesClamped = UInt32(clamping: newValue) }
    }
    var receiveWindowBytes: Int64 {
        get { Int64(receiveWindowBytesClamped) }
        set { receiveWindowBytesClamped = UInt32(clamping: newValue) }
    }
    var sendWindowBytes: Int64 {
        get { Int64(sendWindowBytesClamped) }
        set { sendWindowBytesClamped = UInt32(clamping: newValue) }
    }

    /// Downstream: the address of its client, once `peerKnown`: the socket's peer, or whom a PROXY protocol header named.
    var peer: IPAddress {
        get {
            assert(side == .downstream)
            return IPAddress(
                high: UInt64(endpoint) << 32 | UInt64(next),
                low: UInt64(previous) << 32 | UInt64(borrowedAt))
        }
        set {
            assert(side == .downstream)
            endpoint = UInt32(truncatingIfNeeded: newValue.high >> 32)
            next = UInt32(truncatingIfNeeded: newValue.high)
            previous = UInt32(truncatingIfNeeded: newValue.low >> 32)
            borrowedAt = UInt32(truncatingIfNeeded: newValue.low)
        }
    }
}
