internal import COpenSSL

/// One end of a TLS connection: a handle, like an index, that whoever has it gives back with `free`. It reads from and writes to the
/// wire that it was made with; after each call what was written has to be taken from there.
///
/// All zeros is none.
@safe struct TLSSession: BitwiseCopyable, @unchecked Sendable {
    /// What became of a call.
    enum Outcome: BitwiseCopyable, Equatable {
        /// So many bytes have gone through; of a handshake: it is over.
        case done(Int)
        /// More has to come.
        case wantsInput
        /// What was written has to be taken first.
        case wantsRoom
        /// The peer's close_notify has come (RFC 8446 §6.1).
        case ended
        /// Nothing more comes of it. What was written is an alert that says so.
        case failed(TLSFailure)

        @inline(__always)
        fileprivate init(_ result: Int32) {
            if result > 0 {
                self = .done(Int(result))
                return
            }
            self =
                switch Int(result) {
                case COPENSSL_WANTS_INPUT: .wantsInput
                case COPENSSL_WANTS_ROOM: .wantsRoom
                case COPENSSL_ENDED: .ended
                case COPENSSL_ALERTED: .failed(.alerted)
                case COPENSSL_INCOMPATIBLE: .failed(.incompatible)
                case COPENSSL_NO_PEER: .failed(.certificateMissing)
                case COPENSSL_OLD_PEER: .failed(.certificateExpired)
                case COPENSSL_REVOKED_PEER: .failed(.certificateRevoked)
                case COPENSSL_UNKNOWN_PEER: .failed(.certificateUnknown)
                case COPENSSL_OTHER_PEER: .failed(.certificateOfAnother)
                default: .failed(.malformed)
                }
        }
    }

    /// Bytes of the heap that one takes in its handshake, and afterwards: a little more than was measured with OpenSSL 3.0, RSA and ECDSA
    /// (44,246 and 13,938).
    static let handshakeBytes = 48 * 1024
    static let openBytes = 16 * 1024

    /// `SSL`.
    private let pointer: OpaquePointer?

    @unsafe
    init(_ pointer: OpaquePointer) { unsafe self.pointer = pointer }

    private init() { unsafe pointer = nil }

    static var none: TLSSession { TLSSession() }

    @inline(__always)
    var isNone: Bool { unsafe pointer == nil }

    func free() { unsafe copenssl_session_free(pointer) }

    /// Goes on with the handshake.
    func shakeHands() -> Outcome { unsafe Outcome(copenssl_handshake(pointer)) }

    /// Decrypts what is on the wire, at most one record.
    ///
    /// - Parameter target: has room for `size` bytes. Nothing is written there before the record has been read from the wire, and never
    ///   more than was read for it: where no part of it was read in an earlier call, it may be where it comes from.
    @inline(__always) @unsafe
    func read(into target: UnsafeMutablePointer<UInt8>, size: Int) -> Outcome {
        unsafe Outcome(copenssl_read(pointer, target, size))
    }

    /// Encrypts up to `TLSWire.recordSize` bytes as one record, for which there has to be room, the overhead included.
    @inline(__always)
    func write(_ bytes: ByteView) -> Outcome {
        unsafe Outcome(copenssl_write(pointer, bytes.pointer, bytes.count))
    }

    /// Writes a close_notify: nothing is written after it.
    func end() -> Outcome { unsafe Outcome(copenssl_close(pointer)) }

    /// Bytes that are decrypted and not read yet.
    @inline(__always)
    var pendingCount: Int { unsafe copenssl_pending(pointer) }

    /// Writes what the kernel goes on with in its place: from then on this session writes nothing.
    ///
    /// - Returns: the size; negative: why there are none.
    @unsafe
    func writeKernelKeys(to keys: UnsafeMutablePointer<UInt8>) -> Int32 {
        guard let pointer = unsafe pointer else { return Int32(COPENSSL_NO_SECRET) }
        return unsafe copenssl_kernel_keys(pointer, keys)
    }

    /// Whether the peer has asked for new keys, and the answer waits for the next bytes that are written.
    var owesNewKeys: Bool { unsafe copenssl_owes_new_keys(pointer) == 1 }

    /// What the last alert that it wrote says (RFC 8446 §6); nil if it wrote none, or secrets are not kept.
    var lastAlert: UInt8? {
        let alert = unsafe copenssl_last_alert(pointer)
        return alert < 0 ? nil : UInt8(truncatingIfNeeded: alert)
    }

    /// Whether HTTP/2 is what both sides have agreed on.
    var choseHTTP2: Bool { unsafe copenssl_chose_http2(pointer) == 1 }

    /// From now on it reads from and writes to another wire, perhaps another thread's.
    func move(to wire: borrowing TLSWire) { unsafe copenssl_session_move(pointer, wire.io) }

    /// Whether the handshake went on with an earlier session.
    var isResumed: Bool { unsafe copenssl_is_resumed(pointer) == 1 }

    /// What it says of itself after its handshake, good as long as it is; empty if there is no such.
    func text(_ text: TLSSessionText) -> ByteView {
        var size = 0
        let bytes = unsafe copenssl_session_text(pointer, text.rawValue, &size)
        return unsafe ByteView(base: bytes, count: size)
    }

    /// Whether the peer has shown a certificate, which is right then.
    var hasPeerCertificate: Bool { unsafe pointer != nil && copenssl_has_peer(pointer) == 1 }

    /// A text about that certificate, good as long as the session; empty if there is none. It is made when it is first asked for.
    func peerText(_ text: TLSPeerText) -> ByteView {
        guard let pointer = unsafe pointer else { return .empty }
        var size = 0
        let bytes = unsafe copenssl_peer_text(pointer, text.rawValue, &size)
        return unsafe ByteView(base: bytes, count: size)
    }
}
