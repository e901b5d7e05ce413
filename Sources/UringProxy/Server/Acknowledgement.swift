internal import CPosix
internal import Synchronization

/// Lets one thread wait until each of several others has done something.
final class Acknowledgement: Sendable {
    private let missing: Atomic<Int>
    private let latch: Latch

    /// - Parameter count: of those that are to do it; at least one.
    init(count: Int) throws(SystemCallError) {
        precondition(count > 0)
        missing = Atomic(count)
        latch = try Latch()
    }

    /// One more has done it.
    func count() {
        if missing.wrappingSubtract(1, ordering: .acquiringAndReleasing).newValue == 0 { latch.open() }
    }

    /// Whether all have.
    var isDone: Bool { missing.load(ordering: .acquiring) <= 0 }

    /// Waits until all have; false if that took longer.
    ///
    /// - Parameter patience: how long to wait at most.
    func wait(patience: Nanoseconds) -> Bool {
        let deadline = cposix_monotonic_nanoseconds() + patience.rawValue
        return cposix_await_until(latch.descriptor, Int16(POLLIN), deadline) == 1
    }
}
