internal import CPosix
internal import Synchronization

/// Wakes the thread that writes the access log. While that is awake, or naps to let records gather, workers pay one load for it.
///
/// No fence stands between a worker's record and its look at the state, as one would have to (see `Wakeup`): instead the writer, once it
/// has said that it sleeps, looks again after a nap before it sleeps without a timer. By then the store of whoever missed that word has
/// long been visible.
final class AccessLogBell: Sendable {
    enum State: UInt8, BitwiseCopyable, AtomicRepresentable {
        /// It will look at all rings before it does anything else.
        case awake
        /// It will look in some milliseconds; to be woken for what cannot wait.
        case napping
        /// It will not look unless it is woken.
        case asleep
    }

    /// Long enough to gather what a busy proxy logs into few writes, and too short to be seen.
    static var napNanoseconds: Int64 { 10_000_000 }

    /// An eventfd for the writer to poll.
    let descriptor: Int32
    private let current = Atomic(State.awake)
    private let closed = Atomic(false)

    init() throws(SystemCallError) {
        descriptor = cposix_eventfd()
        if descriptor < 0 { throw SystemCallError(call: "eventfd", errno: -descriptor) }
    }

    deinit { _ = cposix_close(descriptor) }

    // MARK: - Anybody

    @inline(__always)
    var state: State { current.load(ordering: .relaxed) }

    /// Of many who find it in the same state one pays for the system call.
    @inline(never)
    func wake(from state: State) {
        let result = current.compareExchange(
            expected: state, desired: .awake, ordering: .acquiringAndReleasing)
        if result.exchanged { signal() }
    }

    /// Whatever it does: there is something beside records to attend to.
    func signal() {
        var one: UInt64 = 1
        _ = unsafe cposix_write(descriptor, &one, MemoryLayout<UInt64>.size)
    }

    /// Nothing will be taken out of rings any more: nobody is to wait for that.
    var isClosed: Bool { closed.load(ordering: .acquiring) }

    /// For who has found a ring full: a moment.
    func waitForRoom() { usleep(200) }

    // MARK: - The writer

    func close() { closed.store(true, ordering: .releasing) }

    func set(_ state: State) { current.store(state, ordering: .sequentiallyConsistent) }

    /// When `descriptor` was found readable.
    func empty() {
        var count: UInt64 = 0
        _ = unsafe cposix_read(descriptor, &count, MemoryLayout<UInt64>.size)
    }
}
