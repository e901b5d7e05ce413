/// What a session says of itself.
enum TLSSessionText: Int32, BitwiseCopyable, Sendable {
    /// Which host the client has asked for (SNI).
    case host
    /// What was agreed on by ALPN.
    case `protocol`
    /// As in "TLSv1.3".
    case version
    /// As OpenSSL calls it.
    case cipher
}
