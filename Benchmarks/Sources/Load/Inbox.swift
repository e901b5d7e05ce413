internal import CLoad
internal import CPosix

/// The bytes of the receive that was made last, of whichever connection: one buffer, warm in the cache. It lives as
/// long as the process.
@safe struct Inbox {
    static var size: Int { 64 << 10 }
    private let bytes: UnsafeMutableRawBufferPointer

    init() { unsafe bytes = .allocate(byteCount: Self.size, alignment: 4096) }

    /// Bytes received; 0 at the end of the stream, or -errno.
    func receive(_ socket: Int32) -> Int {
        unsafe cposix_recv(socket, bytes.baseAddress!, Self.size, Int32(CPOSIX_MSG_DONTWAIT))
    }

    /// The first `count` bytes.
    @_lifetime(borrow self)
    func received(_ count: Int) -> Span<UInt8> {
        let part = unsafe UnsafeRawBufferPointer(rebasing: bytes[0..<count])
        return unsafe _overrideLifetime(part.assumingMemoryBound(to: UInt8.self).span, borrowing: self)
    }
}
