/// One connection and what is under way on it.
struct Connection: BitwiseCopyable {
    enum State: UInt8, BitwiseCopyable {
        case vacant
        case connecting
        /// CONNECT is under way.
        case tunnelling
        /// Open, and nothing is under way.
        case idle
        /// Requests are under way.
        case busy
    }

    var state = State.vacant
    /// Whether a request waits for the connection to be ready.
    var isPending = false
    /// Whether it stands in the queue of free connections.
    var isQueued = false
    var descriptor: Int32 = -1
    /// Counts the descriptors the slot has had, so that an event of an earlier one is recognised.
    var generation: UInt32 = 0
    /// Requests sent and not answered.
    var outstanding = 0
    /// Bytes of the request (or of CONNECT) that were sent.
    var sent = 0
    /// When what is under way began, which is what latency and timeout count from: in nanoseconds.
    var begun: Int64 = 0
    /// Since when nothing is under way.
    var idleSince: Int64 = 0
    var reader = ResponseReader()
}
