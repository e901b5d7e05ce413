internal import COpenSSL
internal import CPosix

/// What the sessions of a worker read from and write to instead of a socket: bytes of the caller's, for the length of a call.
///
/// It has memory of its own for what nobody has a place for yet: handshakes, alerts, and a record.
@safe struct TLSWire: ~Copyable {
    /// `struct copenssl_io`: sessions know its address.
    let io: UnsafeMutablePointer<copenssl_io>
    /// Room for `memorySize` bytes, for whoever has no use for it as what is written to.
    let memory: UnsafeMutablePointer<UInt8>
    /// Room for `receivedSize` bytes: of a record that came in pieces.
    let record: UnsafeMutablePointer<UInt8>

    /// A record with all that belongs to it, and more than most handshakes send at once.
    static let memorySize = recordSize + overhead
    /// The content of a record at most (RFC 8446 §5.1).
    static let recordSize = 16_384
    /// Type, version and length (RFC 8446 §5.1).
    static let headerSize = 5
    /// A record with its header, as no version allows a larger one (RFC 5246 §6.2.3).
    static let receivedSize = headerSize + recordSize + 2048
    /// What a record has beside its content at most.
    static let overhead = COPENSSL_OVERHEAD

    init() {
        guard let mapped = unsafe cposix_map(Self.memorySize + Self.receivedSize) else {
            preconditionFailure("no address space for TLS records")
        }
        unsafe memory = mapped.assumingMemoryBound(to: UInt8.self)
        unsafe record = memory + Self.memorySize
        unsafe io = .allocate(capacity: 1)
        unsafe io.initialize(to: copenssl_io())
        collect()
    }

    deinit {
        while let ticket = takeTicket() { ticket.free() }
        unsafe io.deallocate()
        unsafe _ = cposix_unmap(memory, Self.memorySize + Self.receivedSize)
    }

    /// What is read from now on; what was left of other bytes is not.
    @inline(__always)
    func offer(_ bytes: ByteView) {
        unsafe io.pointee.in = bytes.pointer
        unsafe io.pointee.in_size = bytes.count
    }

    /// Bytes that were offered and not read.
    var unreadCount: Int { unsafe io.pointee.in_size }

    /// What is written from now on goes into its own memory.
    @inline(__always)
    func collect() {
        unsafe io.pointee.out = memory
        unsafe io.pointee.out_size = Self.memorySize
        unsafe io.pointee.out_used = 0
    }

    /// What is written from now on goes there, where there is room for `size` bytes.
    @inline(__always) @unsafe
    func collect(into base: UnsafeMutablePointer<UInt8>, size: Int) {
        unsafe io.pointee.out = base
        unsafe io.pointee.out_size = size
        unsafe io.pointee.out_used = 0
    }

    /// Whether a client's session was given tickets that nobody has taken yet.
    @inline(__always)
    var hasTickets: Bool { unsafe io.pointee.ticket_count > 0 }

    /// The oldest of them, from now on the caller's.
    func takeTicket() -> TLSTicket? {
        let count = unsafe io.pointee.ticket_count
        if count == 0 { return nil }
        return unsafe withUnsafeMutableBytes(of: &io.pointee.tickets) { bytes in
            let tickets = unsafe bytes.assumingMemoryBound(to: OpaquePointer?.self)
            let first = unsafe tickets[0]
            for index in 1..<max(1, count) { unsafe tickets[index - 1] = tickets[index] }
            unsafe io.pointee.ticket_count = count - 1
            return unsafe first.map { unsafe TLSTicket($0) }
        }
    }

    var writtenCount: Int { unsafe io.pointee.out_used }

    /// What was written since `collect`.
    var written: ByteView { unsafe ByteView(base: io.pointee.out, count: io.pointee.out_used) }
}
