internal import CPosix

/// Options and questions about sockets that both kernel drivers and the listeners share.
enum SocketOptions {
    /// No Nagle: whole messages are sent at once, waiting for more would only delay them.
    static func setNoDelay(_ descriptor: Int32) {
        _ = cposix_setsockopt_int(descriptor, Int32(CPOSIX_IPPROTO_TCP), TCP_NODELAY, 1)
    }

    /// A stream socket to connect with, or `-errno`.
    ///
    /// - Parameter flags: beside close-on-exec.
    static func makeSocket(_ address: SocketAddress, flags: Int32) -> Int32 {
        let type = Int32(CPOSIX_SOCK_STREAM | CPOSIX_SOCK_CLOEXEC) | flags
        let descriptor = cposix_socket(address.family, type, 0)
        // Accepted sockets have it from their listener.
        if descriptor >= 0 && !address.isUnix { setNoDelay(descriptor) }
        return descriptor
    }

    /// Whether an idle connection is still open and has nothing to read: what a borrower checks before use.
    static func isQuiet(_ descriptor: Int32) -> Bool {
        var byte: UInt8 = 0
        let flags = Int32(CPOSIX_MSG_PEEK | CPOSIX_MSG_DONTWAIT)
        return unsafe cposix_recv(descriptor, &byte, 1, flags) == -Int(EAGAIN)
    }

    /// Sends what the kernel takes at once.
    static func sendAtOnce(_ descriptor: Int32, _ bytes: ByteView) {
        let flags = Int32(CPOSIX_MSG_NOSIGNAL | CPOSIX_MSG_DONTWAIT)
        unsafe _ = cposix_send(descriptor, bytes.pointer, bytes.count, flags)
    }

    /// Has the kernel encrypt what is sent; 0, or `-errno`.
    static func encrypt(_ descriptor: Int32, with keys: ByteView) -> Int32 {
        unsafe cposix_tls_encrypt(descriptor, keys.pointer, keys.count)
    }

    /// Sends an alert, where the kernel encrypts and takes it at once.
    static func sendAlertAtOnce(_ descriptor: Int32, _ alert: TLSAlert) {
        _ = cposix_tls_alert(descriptor, alert.level, alert.description)
    }

    /// Bytes in the send queue: not sent yet, or sent and not acknowledged.
    static func unsentBytes(_ descriptor: Int32) -> Int32 { cposix_unsent_bytes(descriptor) }
}

extension SocketAddress {
    /// The address of the peer a descriptor is connected to; nil where the kernel knows none.
    init?(peerOf descriptor: Int32) {
        unsafe self.init(asking: descriptor) { unsafe cposix_getpeername($0, $1, $2) }
    }

    /// The address a descriptor is bound to; nil where the kernel knows none.
    init?(boundBy descriptor: Int32) {
        unsafe self.init(asking: descriptor) { unsafe cposix_getsockname($0, $1, $2) }
    }

    private init?(
        asking descriptor: Int32,
        _ call: (Int32, UnsafeMutableRawPointer, UnsafeMutablePointer<UInt32>) -> Int32
    ) {
        var storage = InlineArray<16, UInt64>(repeating: 0)
        var size: UInt32 = 128
        let address: SocketAddress? = unsafe withUnsafeMutableBytes(of: &storage) { bytes in
            let base = bytes.baseAddress!
            guard unsafe call(descriptor, base, &size) == 0 else { return nil }
            return unsafe SocketAddress(fromSockaddr: base, size: Int(size))
        }
        guard let address else { return nil }
        self = address
    }
}
