/// What became of an operation.
struct Completion: BitwiseCopyable {
    var token: OperationToken
    /// Bytes, a descriptor (accept), 0 (connect, end of stream), or `-errno`.
    var result: Int32
    /// The slice that was received into, leased to whoever gets the completion; `.none` otherwise.
    var slice = SliceID.none
    /// The operation goes on and will complete again: a multishot accept or receive, or a zero-copy send whose
    /// memory the kernel still reads.
    var more = false
    /// The end of a zero-copy send: the kernel no longer reads the memory. `result` is 1 if it copied after all.
    var isNotification = false
}

/// Where received bytes go.
enum ReceiveTarget: BitwiseCopyable {
    /// Slices that the driver takes from the arena when bytes arrive, again and again until cancelled: no memory
    /// while nothing arrives.
    case stream
    /// The same, once.
    case once
    /// A slice that the caller leased, once; at most `size` bytes.
    case slice(SliceID, size: UInt32)
    /// A leased pipe, which has to be empty, once; at most `size` bytes and what the pipe holds. No byte is copied.
    ///
    /// 0 is not the end of the stream but of this way to receive: what there is to be had, be it the end, a plain receive
    /// tells. So it is with `-EINVAL` and its like (`Errno.refusesSplice`).
    case pipe(PipeID, size: UInt32)
}

/// What one worker asks of the kernel, and how it hears the results.
///
/// The contract of all drivers:
/// - An operation is asked for with a token and completes exactly once with `more` false, and any number of times
///   before that with `more` true. It owns its memory until then.
/// - At most one receive, one send and one connect are under way per descriptor, and one accept per listener.
/// - Nothing completes within the call that asks for it: `next()` hands completions out, and the driver never calls
///   its user.
/// - A short send is an answer, not an error: the user sends the rest.
/// - `-ENOBUFS` on a receive is flow control: no slice was left. Nothing was lost; the user asks again later.
/// - A descriptor is closed once nothing is under way on it.
protocol Driver: ~Copyable {
    /// The name users choose it by.
    static var name: StaticString { get }

    var statistics: DriverStatistics { get }

    /// The clock as read at the end of the last `turn`, in nanoseconds (monotonic).
    var now: Int64 { get }

    /// A new stream socket, or `-errno`.
    mutating func makeSocket(for address: SocketAddress) -> Int32

    /// Accepts connections until cancelled: each completion's result is a descriptor.
    mutating func accept(_ listener: Int32, token: OperationToken)

    /// Takes one connection that already waits in the backlog, without waiting: a descriptor, or `-errno`.
    mutating func acceptNow(_ listener: Int32) -> Int32

    mutating func connect(_ descriptor: Int32, to address: SocketAddress, token: OperationToken)

    mutating func receive(_ descriptor: Int32, into target: ReceiveTarget, token: OperationToken)

    /// Sends from the front of a queue as much as fits one call, and nothing that is appended after it. The queue's front may not be
    /// consumed until then.
    ///
    /// - Parameter promptly: false if nothing depends on hearing of it soon: if the socket takes all at once, the
    ///   completion may then come together with the next one of any other kind (which saves a wake-up per message).
    mutating func send(_ descriptor: Int32, _ queue: SegmentQueue, promptly: Bool, token: OperationToken)

    /// Sends one segment without copying it, where the driver can: completes like `send`, and if `more` is set a
    /// notification follows when the memory is free again.
    mutating func sendZeroCopy(_ descriptor: Int32, _ segment: Segment, token: OperationToken)

    /// Whether `sendZeroCopy` would avoid the copy for this slice.
    func canSendZeroCopy(_ slice: SliceID) -> Bool

    /// An empty pipe for one direction of a stream; nil if there is none to be had.
    mutating func leasePipe() -> PipeID?

    /// Gives a pipe back, whatever is left in it, and whatever is under way on it: that completes with `-ECANCELED` or as
    /// it would have.
    mutating func returnPipe(_ pipe: PipeID)

    /// Sends up to `size` bytes out of a pipe, which holds as many: completes like `send`.
    mutating func send(_ descriptor: Int32, from pipe: PipeID, size: UInt32, token: OperationToken)

    /// Takes bytes out of a pipe, at once, when they cannot be sent out of it: how many, or `-errno`.
    mutating func read(_ pipe: PipeID, into slice: SliceID) -> Int32

    /// Asks for an early end of an operation. It completes with `-ECANCELED`, or as it would have.
    mutating func cancel(_ descriptor: Int32, token: OperationToken)

    /// `shutdown(2)`, at once: operations under way on the descriptor complete.
    mutating func shutdown(_ descriptor: Int32, _ direction: ShutdownDirection)

    /// Sends what the kernel takes at once, with no send under way: a last word, which nothing depends on.
    mutating func sendAtOnce(_ descriptor: Int32, _ bytes: ByteView)

    /// Has the kernel encrypt what is sent on a descriptor on which no send is under way: 0, or `-errno`, and then it is sent as
    /// before.
    ///
    /// From then on no send is `sendZeroCopy`, whatever came of it, and where it encrypts they are asked for `promptly`.
    ///
    /// - Parameter keys: one of the structs of linux/tls.h.
    mutating func encrypt(_ descriptor: Int32, with keys: ByteView) -> Int32

    /// Sends a close_notify on a descriptor for which the kernel encrypts, once the socket has room for more than that: completes like
    /// `send`. All that was sent before is in the kernel's queue by then, for what is not when our side is shut down never leaves.
    mutating func sendEnd(_ descriptor: Int32, token: OperationToken)

    /// Sends an alert (RFC 8446 §6) on such a descriptor, like `sendAtOnce`.
    mutating func sendAlertAtOnce(_ descriptor: Int32, _ alert: TLSAlert)

    /// Closes a descriptor on which nothing is under way. With `reset` the peer sees RST instead of FIN.
    mutating func close(_ descriptor: Int32, reset: Bool)

    /// Gives a descriptor on which nothing is under way out of this driver's hands, open, for another thread to use.
    mutating func detach(_ descriptor: Int32)

    /// Bytes that were sent and that the peer has not acknowledged yet.
    mutating func unsentBytes(_ descriptor: Int32) -> Int32

    /// The address of the peer; nil where the socket has none.
    mutating func peerAddress(_ descriptor: Int32) -> SocketAddress?

    /// The address that a connection came to; nil where the socket has none.
    mutating func localAddress(_ descriptor: Int32) -> SocketAddress?

    /// Whether an idle connection that another worker published is still usable: open and without a byte to read.
    mutating func isQuiet(_ descriptor: Int32) -> Bool

    /// How many receives can be served before `-ENOBUFS`: what a starved connection waits for.
    var receivableSlices: Int { get }

    /// Once a second or so: lets go of what only a burst needed.
    mutating func trim()

    /// Starts everything asked for, then waits until something completes, `deadline` (nanoseconds, `.max` for none)
    /// has come, or another thread woke this one.
    mutating func turn(until deadline: Int64)

    /// The next completion of this turn.
    mutating func next() -> Completion?
}

enum ShutdownDirection: Int32, BitwiseCopyable {
    case receiving = 0
    case sending = 1
    case both = 2
}
