/// What ends a message's body (RFC 9112 §6.3).
enum BodyFraming: Equatable, BitwiseCopyable {
    /// There is no body: the message ends with its head.
    case none
    /// So many bytes follow. 0 is a body of no bytes that was announced as such, by `Content-Length: 0`.
    case length(UInt64)
    case chunked
    /// Responses alone: the body ends when the upstream closes.
    case untilClose
}
