/// Where the time of an exchange goes: each nanosecond from the first byte of the request's head on belongs to one stage.
///
/// An exchange is in one stage at a time, and what passes until it enters the next one counts for that: so the stages' times add up to
/// the whole, whatever happens. Instants are those of turns (DESIGN, section 9): what a worker does within one turn takes no time here.
struct Ledger: BitwiseCopyable {
    /// In the order in which a request comes by them; a retry goes back.
    enum Stage: UInt8, BitwiseCopyable, CaseIterable {
        /// Until the head has come whole, and then while its body is waited for.
        case read
        /// At the gate of the cluster, or in line for one of its connections.
        case queue
        /// Until it is known where it goes: access, credentials, routes.
        case route
        /// Waits for a connection that others have, or are about to open or to lend.
        case pool
        /// Until the endpoint's addresses are known.
        case resolve
        case connect
        /// The handshake with the endpoint.
        case tls
        /// The endpoint has not taken all of the request that has come.
        case send
        /// Until the head of the response has come.
        case wait
        /// While more of the response is waited for.
        case receive
        /// The client has not taken all of the response that has come.
        case drain

        /// As logs and metrics name it.
        var label: StaticString {
            switch self {
            case .read: "read"
            case .queue: "queue"
            case .route: "route"
            case .pool: "pool"
            case .resolve: "resolve"
            case .connect: "connect"
            case .tls: "tls"
            case .send: "send"
            case .wait: "wait"
            case .receive: "receive"
            case .drain: "drain"
            }
        }

        /// Whether it is the proxy that takes the time, and not the client, the network or the endpoint: the sum of these is what the
        /// proxy adds. Connecting is what a request pays for want of a pooled connection.
        var isAdded: Bool {
            switch self {
            case .queue, .route, .pool, .resolve, .connect, .tls: true
            case .read, .send, .wait, .receive, .drain: false
            }
        }
    }

    /// Nanoseconds of each stage, by its number.
    struct Times: BitwiseCopyable, Equatable {
        private var read: Int64 = 0
        private var queue: Int64 = 0
        private var route: Int64 = 0
        private var pool: Int64 = 0
        private var resolve: Int64 = 0
        private var connect: Int64 = 0
        private var tls: Int64 = 0
        private var send: Int64 = 0
        private var wait: Int64 = 0
        private var receive: Int64 = 0
        private var drain: Int64 = 0

        @inline(__always)
        subscript(stage: Stage) -> Int64 {
            get {
                unsafe withUnsafeBytes(of: self) {
                    unsafe $0.loadUnaligned(fromByteOffset: Int(stage.rawValue) &* 8, as: Int64.self)
                }
            }
            set {
                unsafe withUnsafeMutableBytes(of: &self) {
                    unsafe $0.storeBytes(of: newValue, toByteOffset: Int(stage.rawValue) &* 8, as: Int64.self)
                }
            }
        }

        var total: Int64 {
            read &+ queue &+ route &+ pool &+ resolve &+ connect &+ tls &+ send &+ wait &+ receive &+ drain
        }

        /// What the proxy added.
        var added: Int64 { queue &+ route &+ pool &+ resolve &+ connect &+ tls }
    }

    private(set) var times = Times()
    private(set) var stage = Stage.read
    /// When it was entered.
    private(set) var enteredAt: Int64
    /// Time up to the last attempt's beginning, of those attempts that failed. In `times` as well.
    private(set) var retries: Int64 = 0
    /// When the attempt under way began; 0: none has.
    private var attemptedAt: Int64 = 0

    /// - Parameter start: when the first byte of the head came.
    @inline(__always)
    init(start: Int64) { enteredAt = start }

    /// What has passed since the last call is the stage's that was under way.
    @inline(__always)
    mutating func enter(_ next: Stage, at now: Int64) {
        times[stage] &+= now &- enteredAt
        enteredAt = now
        stage = next
    }

    /// What has passed since the last call is another stage's than was thought, and what follows likewise.
    @inline(__always)
    mutating func charge(_ stage: Stage, at now: Int64) {
        self.stage = stage
        enter(stage, at: now)
    }

    /// The exchange looks for a connection: for the first time, or as what it had has failed.
    @inline(__always)
    mutating func attempt(at now: Int64) {
        if attemptedAt != 0 { retries &+= now &- attemptedAt }
        attemptedAt = now
    }
}
