internal import CPosix

/// An epoll descriptor, shared by those who register with it: it closes when the last of them is gone, so
/// that nobody takes a descriptor out of whatever got its number next.
final class Epoll: Sendable {
    let descriptor: Int32

    init() throws(SystemCallError) {
        descriptor = cposix_epoll_create()
        if descriptor < 0 { throw SystemCallError(call: "epoll_create1", errno: -descriptor) }
    }

    deinit { _ = cposix_close(descriptor) }
}
