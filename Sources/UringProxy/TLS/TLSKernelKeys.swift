internal import COpenSSL

/// What the kernel needs to make a session's next records in its place (TLS_TX): secret, and of no use to anybody else once it was
/// given away.
enum TLSKernelKeys {
    /// Why there are none.
    enum Lack: BitwiseCopyable, Error, Equatable {
        /// The session is not of TLS 1.3, or nothing of it was kept.
        case version
        /// The kernel has no such cipher.
        case cipher
        /// They have been renewed since the handshake, or are about to be (RFC 8446 §4.6.3).
        case renewed
    }

    /// Hands one of the structs of linux/tls.h out, and leaves nothing of it in memory.
    ///
    /// - Throws: why the session goes on by itself.
    static func with<Result>(_ session: TLSSession, _ body: (ByteView) -> Result) throws(Lack) -> Result {
        let room = COPENSSL_KERNEL_KEYS
        return try unsafe withUnsafeTemporaryAllocation(of: UInt8.self, capacity: room) {
            bytes throws(Lack) in
            let base = bytes.baseAddress!
            defer { unsafe copenssl_cleanse(base, room) }
            let result = Int(unsafe session.writeKernelKeys(to: base))
            switch result {
            case COPENSSL_OTHER_CIPHER: throw .cipher
            case COPENSSL_RENEWED_KEYS: throw .renewed
            case ..<1: throw .version
            default: return body(unsafe ByteView(base: base, count: result))
            }
        }
    }

    /// Contexts that are made from now on let their sessions be handed over.
    static func keepSecrets() { copenssl_keep_secrets() }
}
