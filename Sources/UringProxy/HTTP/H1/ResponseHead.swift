/// A response's status line and what its fields mean for this hop. All ranges count from the first byte given to the
/// parser.
struct ResponseHead: BitwiseCopyable {
    /// Bytes of the head, the empty line included.
    var size = 0
    var version = HTTPVersion.http11
    /// 100 to 599.
    var status: UInt16 = 0
    /// May be empty.
    var reason = ByteRange.empty
    /// Of the bytes that follow on this connection: `none` for an answer to HEAD, 1xx, 204, 304 and what opens a tunnel.
    var framing = BodyFraming.none
    /// Of Content-Length, also where no body follows, as in an answer to HEAD.
    var contentLength: UInt64?
    /// Whether the upstream lets the connection persist after this response; false for `untilClose`.
    var keepAlive = true
    /// Connection: close was received.
    var wantsClose = false
    /// Index of the first Upgrade line; nil unless Connection names it, the version is 1.1 and it is
    /// more than h2c.
    var upgrade: Int?
    var hasVia = false

    /// Another response to the same request follows (RFC 9110 §15.2).
    var isInterim: Bool { status < 200 && status != 101 }
    /// 101 that does not say what it switches to (RFC 9110 §15.2.2): nobody can know what follows.
    var isSwitchWithoutUpgrade: Bool { status == 101 && upgrade == nil }
}
