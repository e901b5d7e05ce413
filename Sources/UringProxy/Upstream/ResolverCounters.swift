internal import Synchronization

/// What the resolver did, for the metrics. Written by its thread alone, but `rejected`.
final class ResolverCounters: Sendable {
    let queries = Atomic<UInt64>(0)
    let cacheHits = Atomic<UInt64>(0)
    /// Queries that joined a lookup under way.
    let joined = Atomic<UInt64>(0)
    /// Names asked of the servers: two DNS queries each, A and AAAA.
    let lookups = Atomic<UInt64>(0)
    let notFound = Atomic<UInt64>(0)
    let failures = Atomic<UInt64>(0)
    let timeouts = Atomic<UInt64>(0)
    /// Answers given without the second family, which took too long.
    let partialAnswers = Atomic<UInt64>(0)
    /// Queries refused because the queue was full; counted by the askers.
    let rejected = Atomic<UInt64>(0)

    /// One writer: a load and a store, no locked instruction.
    static func increment(_ counter: borrowing Atomic<UInt64>) {
        counter.store(counter.load(ordering: .relaxed) &+ 1, ordering: .relaxed)
    }
}
