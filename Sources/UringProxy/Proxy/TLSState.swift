/// What a connection has of TLS, beside `Connection`, which most of the time has nothing of it: that is what all zeros mean.
struct TLSState: BitwiseCopyable {
    var session: TLSSession
    /// Ciphertext that came and has not been decrypted yet.
    var received = SegmentQueue()
    /// What the session wrote by itself while bytes waited to be encrypted: it goes before them.
    var written = SegmentQueue()
    /// How many bytes at the front of the connection's output are encrypted.
    var sealedBytes: UInt32 = 0
    /// Of them, what the session wrote by itself, at most.
    var answerBytes: UInt32 = 0
    /// Records since the last one with bytes for anybody.
    var idleRecords: UInt8 = 0
    /// The handshake is over.
    var isOpen = false
    /// Nothing is encrypted until the peer has sent the rest of what it began (RFC 8446 §5.1).
    var sealWaits = false
    /// The kernel encrypts what is sent: the session writes nothing any more.
    var kernelSends = false
    /// The kernel will not do so.
    var kernelRefuses = false
    /// The socket does not send without a copy.
    var lacksZeroCopy = false
    /// The send under way is a close_notify that the kernel makes a record of.
    var sendsEnd = false
    /// Our close_notify is in the output, or gone.
    var isEnded = false
    /// Nothing more comes of the session, nor goes through it.
    var isBroken = false
    /// The peer has ended the stream below.
    var streamEnded = false
    /// It did without a close_notify: what came need not be all.
    var isTruncated = false
    /// Its handshake is under way, and counted in all,
    var isCounted = false
    /// and for its client.
    var isCountedPerClient = false
    /// It is in the queue of those that may go on decrypting.
    var isQueued = false
    /// It stands in the line for handshakes, or whoever had the slot before does.
    var isInLine = false

    init(_ session: TLSSession = .none) { self.session = session }
}
