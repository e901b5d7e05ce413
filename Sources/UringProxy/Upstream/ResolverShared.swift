internal import Synchronization

/// What the resolver's thread and those who ask it have in common.
final class ResolverShared: Sendable {
    let queries: BoundedQueue<ResolverQuery>
    let wakeup: Wakeup
    let counters = ResolverCounters()
    let isStopping = Atomic<Bool>(false)
    /// Asked, and not yet seen by the thread; `hasSurveys` says that there are some.
    let surveys = Mutex<[ResolverSurvey]>([])
    let hasSurveys = Atomic<Bool>(false)
    /// Only grows. Locked when a worker registers, and when the thread meets an index it does not know.
    let inboxes = Mutex<[ResolverInbox]>([])

    init(queueCapacity: Int) throws(ResolverError) {
        queries = BoundedQueue(minimumCapacity: queueCapacity)
        do { wakeup = try Wakeup() } catch { throw .system(error) }
    }
}
