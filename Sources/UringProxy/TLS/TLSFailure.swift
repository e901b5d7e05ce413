/// Why a session came to nothing.
enum TLSFailure: UInt8, BitwiseCopyable {
    /// The peer has said so: a fatal alert.
    case alerted
    /// No version, cipher, group or protocol is both sides'.
    case incompatible
    /// What the peer sent is not TLS, or was changed on its way.
    case malformed
    /// The peer has shown no certificate, though it has to,
    case certificateMissing
    /// or one that is not valid now,
    case certificateExpired
    /// that was revoked,
    case certificateRevoked
    /// that nobody who is trusted has signed for this,
    case certificateUnknown
    /// or that is for another host.
    case certificateOfAnother
}
