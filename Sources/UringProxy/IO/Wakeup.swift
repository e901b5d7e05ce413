internal import CPosix
internal import Synchronization

/// Wakes a thread that waits for a queue to fill, and costs a system call only when it sleeps.
///
/// The sleeper calls `prepareToSleep`, looks at its queues once more, sleeps on `descriptor` if they are
/// empty, and calls `didWake` afterwards. Others push first and `signal` afterwards. One of the two fences
/// comes first: either the sleeper sees the element, or the pusher sees that it sleeps; a wake-up is never
/// lost (Dekker's argument; it needs a full fence on both sides, for x86 too lets a load overtake an earlier
/// store).
final class Wakeup: Sendable {
    /// An eventfd for the sleeper to poll.
    let descriptor: Int32
    private let isSleeping = Atomic<Bool>(false)
    /// What is asked is in no queue that the sleeper looks at.
    private let asked = Atomic<Bool>(false)

    init() throws(SystemCallError) {
        descriptor = cposix_eventfd()
        if descriptor < 0 { throw SystemCallError(call: "eventfd", errno: -descriptor) }
    }

    deinit { _ = cposix_close(descriptor) }

    func prepareToSleep() {
        isSleeping.store(true, ordering: .relaxed)
        atomicMemoryFence(ordering: .sequentiallyConsistent)
    }

    /// After the sleep, or instead of one.
    func didWake() { isSleeping.store(false, ordering: .relaxed) }

    /// Whether it sleeps, or is about to. Anybody.
    var sleeps: Bool { isSleeping.load(ordering: .relaxed) }

    /// When `descriptor` was found readable; not with each `didWake`, for it is a system call.
    func empty() {
        var count: UInt64 = 0
        _ = unsafe cposix_read(descriptor, &count, MemoryLayout<UInt64>.size)
    }

    /// From any thread: something is asked that the sleeper knows where to find.
    func ask() {
        asked.store(true, ordering: .sequentiallyConsistent)
        signal()
    }

    /// Whether something has been asked since `takeAsked`. For the sleeper, before it sleeps too.
    var isAsked: Bool { asked.load(ordering: .relaxed) }
    func takeAsked() -> Bool { isAsked && asked.exchange(false, ordering: .sequentiallyConsistent) }

    /// After a push, from any thread.
    func signal() {
        atomicMemoryFence(ordering: .sequentiallyConsistent)
        guard isSleeping.load(ordering: .relaxed) else { return }
        // Of many producers one pays for the system call.
        guard isSleeping.exchange(false, ordering: .relaxed) else { return }
        var one: UInt64 = 1
        _ = unsafe cposix_write(descriptor, &one, MemoryLayout<UInt64>.size)
    }
}
