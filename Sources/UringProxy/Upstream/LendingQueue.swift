internal import Synchronization

/// Idle connections to one endpoint that their workers have no use for, open to every worker.
///
/// What is in here has nothing in flight and belongs to nobody: a borrower checks it, arms it on its own ring, and
/// owns it. While each worker is busy enough to use its own connections nothing comes here, and no atomic is
/// touched.
final class LendingQueue: Sendable {
    struct Offer: BitwiseCopyable, Sendable {
        var descriptor: Int32
        /// When it was last used (nanoseconds).
        var idleSince: Int64
    }

    let offers: BoundedQueue<Offer>
    /// When a worker last found no connection of its own (nanoseconds), which one that was, and when before that it
    /// was another one. Three words without a lock: a torn picture lends one connection too many or too few.
    private let wantedAt = Atomic<Int64>(.min / 2)
    private let wantedBy = Atomic<Int>(-1)
    private let wantedByAnotherAt = Atomic<Int64>(.min / 2)

    /// How long a worker's want counts.
    private static let memory: Int64 = 1_000_000_000

    init(capacity: Int) { offers = BoundedQueue(minimumCapacity: capacity) }

    /// A worker found none of its own.
    func noteDemand(worker: Int, now: Int64) {
        if wantedBy.load(ordering: .relaxed) != worker {
            wantedByAnotherAt.store(wantedAt.load(ordering: .relaxed), ordering: .relaxed)
            wantedBy.store(worker, ordering: .relaxed)
        }
        wantedAt.store(now, ordering: .relaxed)
    }

    /// Whether another worker than this one wanted a connection within the last second.
    func isWantedElsewhere(than worker: Int, now: Int64) -> Bool {
        let own = wantedBy.load(ordering: .relaxed) == worker
        let last = own ? wantedByAnotherAt.load(ordering: .relaxed) : wantedAt.load(ordering: .relaxed)
        return now - last < Self.memory
    }
}
