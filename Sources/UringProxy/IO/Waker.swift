internal import CPosix
internal import Synchronization

/// Wakes a worker that waits in the kernel, from any thread; free of charge while it does not wait.
///
/// An eventfd that the driver keeps a read or poll on: 7 µs for a round trip, against 20 µs with `IORING_OP_MSG_RING`
/// (measured on 6.18).
final class Waker: Sendable {
    /// The eventfd.
    let descriptor: Int32
    private let sleeping = Atomic<Bool>(false)

    init() throws(DriverError) {
        descriptor = cposix_eventfd()
        if descriptor < 0 { throw .descriptor(errno: -descriptor) }
    }

    deinit { _ = cposix_close(descriptor) }

    /// To be called before the last look at what other threads may have sent; that look comes before the wait.
    ///
    /// Sequentially consistent: the store may not move behind the look, or a message sent in between goes unseen.
    @inline(__always)
    func willSleep() { sleeping.store(true, ordering: .sequentiallyConsistent) }

    @inline(__always)
    func didWake() { sleeping.store(false, ordering: .relaxed) }

    /// To be called after sending.
    func wake() {
        if sleeping.exchange(false, ordering: .sequentiallyConsistent) {
            var one: UInt64 = 1
            unsafe _ = cposix_write(descriptor, &one, 8)
        }
    }
}
