internal import COpenSSL

/// What the kernel needs to make a session's next records in its place (TLS_TX): secret, and of no use to anybody else once it was
/// given away.
@safe struct TLSKernelKeys: ~Copyable {
    /// Why there are none.
    enum Lack: BitwiseCopyable, Error, Equatable {
        /// The session is not of TLS 1.3, or nothing of it was kept.
        case version
        /// The kernel has no such cipher.
        case cipher
        /// They have been renewed since the handshake, or are about to be (RFC 8446 §4.6.3).
        case renewed
    }

    private var bytes = InlineArray<56, UInt8>(repeating: 0)
    private let size: Int

    /// - Throws: why the session goes on by itself.
    init(_ session: OpaquePointer) throws(Lack) {
        precondition(COPENSSL_KERNEL_KEYS == 56)
        let result = unsafe withUnsafeMutableBytes(of: &bytes) { bytes in
            unsafe copenssl_kernel_keys(session, bytes.baseAddress!.assumingMemoryBound(to: UInt8.self))
        }
        switch Int(result) {
        case COPENSSL_OTHER_CIPHER: throw .cipher
        case COPENSSL_RENEWED_KEYS: throw .renewed
        case ..<1: throw .version
        default: size = Int(result)
        }
    }

    deinit {
        var bytes = bytes
        unsafe withUnsafeMutableBytes(of: &bytes) { unsafe copenssl_cleanse($0.baseAddress, $0.count) }
    }

    /// One of the structs of linux/tls.h.
    borrowing func withBytes<Result>(_ body: (ByteView) -> Result) -> Result {
        unsafe withUnsafeBytes(of: bytes) { bytes in
            body(unsafe ByteView(UnsafeRawBufferPointer(rebasing: bytes[..<size])))
        }
    }

    /// Contexts that are made from now on let their sessions be handed over.
    static func keepSecrets() { copenssl_keep_secrets() }
}
