/// A question for the checker's thread: trivial, so that it travels through a queue by copying.
@safe struct CredentialQuery: BitwiseCopyable, Sendable {
    /// Longer credentials are nobody's.
    static let sizeLimit = 512

    /// Of the authenticator.
    let identity: UInt64
    /// Where the answer goes, from `CredentialChecker.register`.
    let inbox: Int
    /// What the answer is for.
    let exchange: UInt32
    let generation: UInt32
    let digest: Digest
    private let size: UInt16
    private var bytes = InlineArray<512, UInt8>(repeating: 0)

    /// - Parameter credentials: as the Basic scheme has them, in Base64; at most `sizeLimit` bytes.
    init(
        _ credentials: ByteView, digest: Digest, identity: UInt64, inbox: Int, exchange: UInt32,
        generation: UInt32
    ) {
        precondition(credentials.count <= Self.sizeLimit)
        self.identity = identity
        self.inbox = inbox
        self.exchange = exchange
        self.generation = generation
        self.digest = digest
        size = UInt16(credentials.count)
        unsafe withUnsafeMutableBytes(of: &bytes) { bytes in
            unsafe credentials.copy(to: bytes.baseAddress!.assumingMemoryBound(to: UInt8.self))
        }
    }

    var credentials: [UInt8] { (0..<Int(size)).map { bytes[$0] } }
}

/// The answer.
struct CredentialVerdict: BitwiseCopyable, Sendable {
    var identity: UInt64
    var exchange: UInt32
    var generation: UInt32
    var digest: Digest
    /// -1: nobody's.
    var user: Int32
}

/// Where one worker receives them.
final class CredentialInbox: Sendable {
    /// As many questions of the worker may be without an answer.
    static let capacity = 128

    let queue = BoundedQueue<CredentialVerdict>(minimumCapacity: capacity)
    /// Called on the checker's thread; must not block.
    let wake: @Sendable () -> Void

    init(wake: @escaping @Sendable () -> Void) { self.wake = wake }
}
