/// What the certificate that a client has shown says, or is.
enum TLSPeerText: Int32, BitwiseCopyable, Sendable {
    /// Distinguished names, as RFC 2253 writes them.
    case subject, issuer
    /// Hexadecimal, in capitals.
    case serial
    /// SHA-256, hexadecimal, in small letters.
    case fingerprint
    /// All of it, as the field Client-Cert has it (RFC 9440 §2.2).
    case field
    /// The subject's, in UTF-8.
    case commonName
}
