internal import CPosix

/// Options and questions about sockets that both kernel drivers and the listeners share.
enum SocketOptions {
    /// No Nagle: whole messages are sent at once, waiting for more would only delay them.
    static func setNoDelay(_ descriptor: Int32) {
        _ = cposix_setsockopt_int(descriptor, Int32(CPOSIX_IPPROTO_TCP), TCP_NODELAY, 1)
    }

    /// Whether an idle connection is still open and has nothing to read: what a borrower checks before use.
    static func isQuiet(_ descriptor: Int32) -> Bool {
        var byte: UInt8 = 0
        let flags = Int32(CPOSIX_MSG_PEEK | CPOSIX_MSG_DONTWAIT)
        return unsafe cposix_recv(descriptor, &byte, 1, flags) == -Int(EAGAIN)
    }
}
