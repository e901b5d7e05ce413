/// One exchange as access logs keep it: what is of fixed size. Its texts stand behind it (`AccessText`).
///
/// The layout is that of binary log files: little-endian, in this order, without gaps. Another layout has another schema number.
struct AccessRecord: BitwiseCopyable {
    struct Flags: OptionSet, BitwiseCopyable {
        var rawValue: UInt16
        /// The client spoke TLS.
        static var isSecure: Flags { Flags(rawValue: 1 << 0) }
        /// The upstream did.
        static var isUpstreamSecure: Flags { Flags(rawValue: 1 << 1) }
        /// The upstream connection had been used before.
        static var isReused: Flags { Flags(rawValue: 1 << 2) }
        /// It became a tunnel: CONNECT, an upgrade, or a connection of layer 4.
        static var isTunnel: Flags { Flags(rawValue: 1 << 3) }
        /// A connection of a layer-4 listener: there was no request.
        static var isRelay: Flags { Flags(rawValue: 1 << 4) }
        /// The client went away before it had its answer.
        static var isAborted: Flags { Flags(rawValue: 1 << 5) }
        /// The answer is cut: part of it had left when the rest failed.
        static var isCut: Flags { Flags(rawValue: 1 << 6) }
        /// A text did not fit and was shortened, or left out.
        static var isTruncated: Flags { Flags(rawValue: 1 << 7) }
        /// Kept for what it is (failed, slow), whatever the sampling says.
        static var isKept: Flags { Flags(rawValue: 1 << 8) }
        /// The answer is the proxy's own.
        static var isLocal: Flags { Flags(rawValue: 1 << 9) }
    }

    static var schema: UInt16 { 1 }
    /// A record with its texts is no larger.
    static var sizeLimit: Int { 16_384 }

    /// Of the whole record with its texts in bytes: a multiple of 8.
    var size: UInt32 = 0
    var schema = Self.schema
    var flags: Flags = []
    /// Of the first byte of the head, in nanoseconds since 1970 (UTC).
    var startedAt: Int64 = 0
    /// Unlike any other of this process: the flight recorder knows the exchange by it.
    var id: UInt64 = 0
    var times = Ledger.Times()
    /// Nanoseconds of attempts that failed, and were followed by another one. In `times` as well.
    var retries: Int64 = 0
    /// Of the request's content.
    var requestBytes: UInt64 = 0
    /// Of the response's content, or what a tunnel sent to the client.
    var responseBytes: UInt64 = 0
    var client = IPAddress.unspecified
    /// The endpoint's; unspecified: none was asked, or it is a unix socket.
    var upstream = IPAddress.unspecified
    /// How many exchanges this one stands for, itself included: the sum over a sampled log estimates their number.
    var weight: UInt32 = 1
    /// 0: none was sent.
    var status: UInt16 = 0
    /// 0: no response came.
    var upstreamStatus: UInt16 = 0
    var upstreamPort: UInt16 = 0
    /// Requests that were sent upstream for it.
    var attempts: UInt16 = 0
    var worker: UInt16 = 0
    /// 10, 11 or 20; 0: it was none of HTTP.
    var version: UInt8 = 0
    private var reserved: UInt8 = 0
}

/// A text of an access record.
enum AccessText: UInt8, BitwiseCopyable, CaseIterable {
    // In binary files: numbers are never used anew.
    case method = 1
    /// As it was received, or as its rules of redaction leave it.
    case target = 2
    case host = 3
    case referer = 4
    case userAgent = 5
    /// Names of the configuration's.
    case listener = 6
    case route = 7
    case cluster = 8
    /// HOST:PORT or unix:PATH.
    case endpoint = 9
    /// Whose credentials were right.
    case user = 10
    /// Why it failed: a cause as `uproxy_failures_total` names it.
    case failure = 11
    case country = 12
    case region = 13
    /// The trace's of W3C Trace Context, in hexadecimal.
    case trace = 14
    /// The number of the autonomous system that announces the client's address, in decimal.
    case autonomousSystem = 15
    /// The exchange's own span in its trace, in hexadecimal.
    case span = 16
    /// What the client sent as `tracestate`; for spans alone.
    case traceState = 17
    /// A field of the request: its name, a colon and its value.
    case requestField = 32
    case responseField = 33
}
