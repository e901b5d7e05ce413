internal import Synchronization

/// Idle connections to one endpoint that their workers have no use for, open to every worker.
///
/// What is in here has nothing in flight and belongs to nobody: a borrower checks it, arms it on its own ring, and
/// owns it. While each worker is busy enough to use its own connections nothing comes here, and no atomic is
/// touched.
final class LendingQueue: Sendable {
    struct Offer: BitwiseCopyable, Sendable {
        var descriptor: Int32
        // Here, as there is room.
        /// The kernel encrypts what is sent on it.
        var kernelSends = false
        /// It does not send without a copy.
        var lacksZeroCopy = false
        /// When it was last used (nanoseconds).
        var idleSince: Int64
        /// Its TLS, if it speaks any.
        var session = TLSSession.none
    }

    let offers: BoundedQueue<Offer>
    /// When a worker last found no connection of its own (nanoseconds), which one that was, and when before that it
    /// was another one. Three words without a lock: a torn picture lends one connection too many or too few.
    private let wantedAt = Atomic<Int64>(.min / 2)
    private let wantedBy = Atomic<Int>(-1)
    private let wantedByAnotherAt = Atomic<Int64>(.min / 2)

    /// How long a worker's want counts.
    private static let memory: Int64 = 1_000_000_000

    /// Connections that are being readied for the queue.
    private let onTheWay = Atomic<Int>(0)
    /// One bit per worker that waits for one of them. Workers from 64 on connect instead.
    private let waiting = Atomic<UInt64>(0)
    private let wakeups: [Wakeup]
    /// What every connection in it is counted at, which belongs to no worker meanwhile; nil: none is counted.
    let gate: ClusterGate?

    /// - Parameters:
    ///   - wakeups: of the workers, by their index.
    ///   - gate: of the cluster's connections, if it limits them.
    init(capacity: Int, wakeups: [Wakeup], gate: ClusterGate? = nil) {
        self.gate = gate
        offers = BoundedQueue(minimumCapacity: capacity)
        self.wakeups = wakeups
    }

    /// A worker begins to ready a connection; `offer` or `withdraw` follows.
    func announce() { onTheWay.wrappingAdd(1, ordering: .relaxed) }

    /// The announced connection will not come.
    func withdraw() {
        onTheWay.wrappingSubtract(1, ordering: .relaxed)
        wakeWaiting()
    }

    /// Puts an announced connection into the queue; false if it is full.
    func offer(_ offer: Offer) -> Bool {
        let isTaken = offers.push(offer)
        withdraw()
        return isTaken
    }

    /// Whether it is worth waiting a moment instead of connecting: a connection is on its way. If so, the worker will be
    /// woken when it has come, and looks into the queue once more before it sleeps.
    func waitForOffer(worker: Int) -> Bool {
        guard worker < 64, onTheWay.load(ordering: .relaxed) > 0 else { return false }
        waiting.bitwiseOr(1 << UInt64(worker), ordering: .sequentiallyConsistent)
        return true
    }

    var isOnTheWay: Bool { onTheWay.load(ordering: .relaxed) > 0 }

    private func wakeWaiting() {
        // Against the waiter's "set the bit, then look": the push comes before this look at the bits.
        atomicMemoryFence(ordering: .sequentiallyConsistent)
        guard waiting.load(ordering: .relaxed) != 0 else { return }
        var workers = waiting.exchange(0, ordering: .sequentiallyConsistent)
        while workers != 0 {
            wakeups[workers.trailingZeroBitCount].signal()
            workers &= workers - 1
        }
    }

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
