internal import CPosix

/// A listener on loopback, any free port: the other end of what is tested, played by the test.
public final class RawListener {
    private let descriptor: Int32
    public let address: String

    public init() throws(RawError) {
        let loopback = try RawAddress("127.0.0.1:0")
        let descriptor = cposix_socket(AF_INET, Int32(CPOSIX_SOCK_STREAM | CPOSIX_SOCK_CLOEXEC), 0)
        guard descriptor >= 0 else { throw .system(call: "socket", errno: -descriptor) }
        let bound = unsafe loopback.withSockaddr { unsafe cposix_bind(descriptor, $0, $1) }
        let listening = cposix_listen(descriptor, 128)
        var name = [UInt8](repeating: 0, count: 16)
        var size: UInt32 = 16
        let named = unsafe cposix_getsockname(descriptor, &name, &size)
        self.descriptor = descriptor
        address = "127.0.0.1:\(UInt16(name[2]) << 8 | UInt16(name[3]))"
        for (call, result) in [("bind", bound), ("listen", listening), ("getsockname", named)]
        where result < 0 {
            throw .system(call: call, errno: -result)
        }
    }

    deinit { _ = cposix_close(descriptor) }

    public func accept(timeoutSeconds: Double = 10) throws(RawError) -> RawConnection {
        let deadline = cposix_monotonic_nanoseconds() + Int64(timeoutSeconds * 1e9)
        guard cposix_await_until(descriptor, Int16(POLLIN), deadline) != 0 else {
            throw .timedOut(received: [])
        }
        let accepted = cposix_accept(descriptor, Int32(CPOSIX_SOCK_CLOEXEC | CPOSIX_SOCK_NONBLOCK))
        guard accepted >= 0 else { throw .system(call: "accept", errno: -accepted) }
        return RawConnection(taking: accepted, timeoutSeconds: timeoutSeconds)
    }
}
