internal import Synchronization

/// Tells whoever is concerned that an endpoint of a cluster has changed: workers compare a number with each choice, the thread
/// that writes it down is woken. One for each cluster, kept across reloads.
@safe final class HealthSignal: @unchecked Sendable {
    let generation: UnsafeMutablePointer<Atomic<UInt64>>
    private let isEjecting = Atomic(false)
    private let news: HealthNews

    init(_ news: HealthNews) {
        self.news = news
        unsafe generation = .allocate(capacity: 1)
        unsafe generation.initialize(to: Atomic(0))
    }

    deinit { unsafe generation.deallocate() }

    /// Any thread, after the change.
    func raise() {
        unsafe _ = generation.pointee.wrappingAdd(1, ordering: .releasing)
        news.raise()
    }

    /// False if another thread is at it.
    func beginEjecting() -> Bool { !isEjecting.exchange(true, ordering: .acquiring) }
    func endEjecting() { isEjecting.store(false, ordering: .releasing) }
}

/// Counts the changes of all clusters, and wakes the thread that waits for them.
final class HealthNews: Sendable {
    private let count = Atomic<UInt64>(0)
    private let wakeup: Wakeup?

    /// - Parameter wakeup: nil if nobody waits.
    init(wakeup: Wakeup?) { self.wakeup = wakeup }

    var changes: UInt64 { count.load(ordering: .acquiring) }

    func raise() {
        count.wrappingAdd(1, ordering: .releasing)
        wakeup?.signal()
    }
}
