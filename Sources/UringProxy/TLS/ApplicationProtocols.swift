/// What a client offers to speak over TLS (RFC 7301).
enum ApplicationProtocols: BitwiseCopyable {
    case none, http1, http2
    /// The newer one first.
    case any

    /// As the extension lists them: each behind its size.
    var list: StaticString {
        switch self {
        case .none: ""
        case .http1: "\u{8}http/1.1"
        case .http2: "\u{2}h2"
        case .any: "\u{2}h2\u{8}http/1.1"
        }
    }
}
