/// Something that happened on a worker, as the flight recorder keeps it: four words of eight bytes, in this order in memory and in dumps.
///
/// What `detail`, `value`, `index`, `a` and `b` mean is with the kinds. A connection is named by its slot and the slot's generation, an
/// exchange by the id that the access log shows.
struct FlightEvent: BitwiseCopyable, Equatable {
    enum Kind: UInt8, BitwiseCopyable, CaseIterable {
        // Of an exchange: `a` is its id.
        /// `index`: the client's connection; `b`: its generation, the method (8 bits from 24 on) and how many requests have come by it
        /// (from 32 on); `detail`: the version; `value`: the listener.
        case exchangeBegan = 1
        /// `value`: the list of routes; `index`: which of them.
        case routed
        /// `detail`: the stage; `value`: the cluster; `index`: the endpoint.
        case stageEntered
        /// Another connection is looked for: `detail`: why the last attempt failed; `value`: the cluster; `index`: the endpoint.
        case retried
        /// `index`: the connection; `b`: its generation, and its descriptor from 32 on; `value`: the cluster.
        case connectBegan
        /// `index`: the connection; `detail`: why; `b`: its generation.
        case connectFailed
        /// The request is on its way. `index`: the connection; `detail`: `Sent`; `value`: the cluster; `b`: the connection's generation, and
        /// the endpoint from 32 on.
        case requestSent
        /// The answer's head has come. `index`: the connection; `value`: the status.
        case responseBegan
        /// The answer is our own. `value`: the status.
        case answeredLocally
        /// `value`: the status, 0 if there was no request.
        case tunnelBegan
        /// `detail`: why.
        case failed
        /// What of the answer has not left will not come. `detail`: why.
        case cut
        /// The client went away.
        case aborted
        /// `index`: the client's connection; `value`: the status; `detail`: why it failed, if it did; `b`: its nanoseconds.
        case exchangeEnded
        // Of an exchange that was slow, behind its end: what may have been overwritten since it began.
        /// `detail`: the stage; `b`: its nanoseconds in all.
        case stageTotal
        /// `value`: the cluster; `index`: the endpoint; `detail`: how often it was sent; `b`: bytes of the answer's content.
        case total

        // Of a connection: `index`: its slot; `b`: the slot's generation.
        /// `value`: the listener; `b`: and its descriptor from 32 on.
        case accepted = 32
        /// The client's handshake is done.
        case handshakeDone
        /// A request was answered without becoming an exchange. `value`: the status.
        case refused
        /// `detail`: the phase that it was in; `value`: `Closed`; `b`: and how many requests came by it from 32 on.
        case closed

        // Of a worker.
        /// A turn that took long, told at its end. `a`: its nanoseconds; `b`: completions since the start.
        case longTurn = 64
        /// Names are those of another snapshot from here on. `a`: its number; `b`: the last one's.
        case adopted
        /// Of the thread that looks after workers. `index`: the worker; `detail`: `Stall`; `a`: nanoseconds until now; `b`: those of them on a
        /// CPU.
        case stalled
        case stallEnded
    }

    /// What is known of the connection that a request was sent by.
    struct Sent: OptionSet {
        let rawValue: UInt8
        static var isReused: Sent { Sent(rawValue: 1) }
        static var isSecure: Sent { Sent(rawValue: 2) }
        static var isStream: Sent { Sent(rawValue: 4) }
    }

    /// How a connection ended.
    struct Closed: OptionSet {
        let rawValue: UInt16
        static var isUpstream: Closed { Closed(rawValue: 1) }
        static var peerEnded: Closed { Closed(rawValue: 2) }
        static var weEnded: Closed { Closed(rawValue: 4) }
        static var isReset: Closed { Closed(rawValue: 8) }
        static var isStream: Closed { Closed(rawValue: 16) }
    }

    static var size: Int { 32 }
    static var noName: UInt16 { .max }

    /// Of the turn that it happened in: nanoseconds, CLOCK_MONOTONIC.
    var time: Int64
    /// Kind, detail, value and index, from the lowest bits on.
    var word: UInt64
    var a: UInt64
    var b: UInt64

    @inline(__always)
    init(
        _ kind: Kind, at time: Int64, detail: UInt8 = 0, value: UInt16 = 0, index: UInt32 = 0, a: UInt64 = 0,
        b: UInt64 = 0
    ) {
        self.time = time
        word = UInt64(kind.rawValue) | UInt64(detail) << 8 | UInt64(value) << 16 | UInt64(index) << 32
        self.a = a
        self.b = b
    }

    /// As it was kept.
    @inline(__always)
    init(time: Int64, word: UInt64, a: UInt64, b: UInt64) {
        self.time = time
        self.word = word
        self.a = a
        self.b = b
    }

    /// nil: none that this version knows.
    var kind: Kind? { Kind(rawValue: UInt8(truncatingIfNeeded: word)) }
    var detail: UInt8 { UInt8(truncatingIfNeeded: word >> 8) }
    var value: UInt16 { UInt16(truncatingIfNeeded: word >> 16) }
    var index: UInt32 { UInt32(truncatingIfNeeded: word >> 32) }
    /// Of the connection in `index`.
    var generation: UInt32 { UInt32(truncatingIfNeeded: b) & Slot.generationMask }
    /// What is packed behind it.
    var upper: UInt32 { UInt32(truncatingIfNeeded: b >> 32) }

    /// The exchange that it is of; nil: of none.
    var exchange: UInt64? {
        let kind = UInt8(truncatingIfNeeded: word)
        return kind >= Kind.exchangeBegan.rawValue && kind < Kind.accepted.rawValue ? a : nil
    }
}
