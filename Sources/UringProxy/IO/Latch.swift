internal import CPosix

/// Lets one thread wait until another has come to a point. An eventfd: open until it is closed.
final class Latch: Sendable {
    /// Readable once open.
    let descriptor: Int32

    init() throws(SystemCallError) {
        descriptor = cposix_eventfd()
        if descriptor < 0 { throw SystemCallError(call: "eventfd", errno: -descriptor) }
    }

    deinit { _ = cposix_close(descriptor) }

    func open() {
        var one: UInt64 = 1
        unsafe _ = cposix_write(descriptor, &one, 8)
    }

    func close() {
        var count: UInt64 = 0
        unsafe _ = cposix_read(descriptor, &count, 8)
    }

    func wait() { cposix_wait_readable(descriptor) }
}
