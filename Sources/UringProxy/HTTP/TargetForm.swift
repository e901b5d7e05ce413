/// The four forms of a request target (RFC 9112 §3.2).
enum TargetForm: UInt8, BitwiseCopyable {
    /// `/path?query`
    case origin
    /// `http://host/path?query`, to a proxy.
    case absolute
    /// `host:port`, with CONNECT alone.
    case authority
    /// `*`, with OPTIONS alone.
    case asterisk
}
