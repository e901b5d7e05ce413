/// A request's start line and what its fields mean for this hop. All ranges count from the first byte given to the
/// parser.
struct RequestHead: BitwiseCopyable {
    /// Bytes of the head, the empty line included; also an empty line before it (RFC 9112 §2.2).
    var size = 0
    var method = Method.other
    var methodRange = ByteRange.empty
    /// The target as received.
    var target = ByteRange.empty
    var form = TargetForm.origin
    var version = HTTPVersion.http11
    /// Of requests never `untilClose`.
    var framing = BodyFraming.none
    /// From the target in absolute and authority form, else from Host; nil if Host is empty, or absent in HTTP/1.0.
    var authority: Authority?
    /// Of a target in absolute form; otherwise the connection tells.
    var scheme = Scheme.http
    /// What the upstream is asked for. In absolute form the path may be missing: where this is empty or begins
    /// with "?", "/" goes before it, or "*" in its place for OPTIONS without query (RFC 9112 §3.2.4). Empty in
    /// authority form.
    var pathAndQuery = ByteRange.empty
    /// Whether downstream wants the connection to persist (RFC 9112 §9.3).
    var keepAlive = true
    /// Connection: close was received.
    var wantsClose = false
    /// Downstream waits for 100 (Continue) before it sends the body (RFC 9110 §10.1.1).
    var expectsContinue = false
    /// Index of the first Upgrade line; nil unless Connection names it, the version is 1.1 and it offers more than h2c.
    var upgrade: Int?
    /// TE: trailers, named by Connection.
    var teTrailers = false
    /// Of OPTIONS and TRACE alone (RFC 9110 §7.6.2); 0 means: answer yourself.
    var maxForwards: UInt32?
    var hasVia = false
}
