internal import Synchronization

/// What has become of spans, told by the thread that exports them.
final class TraceCounters: Sendable {
    /// The collector has taken them.
    let exported = Atomic<UInt64>(0)
    /// It does not want them: its answer says so, of some of them or of all.
    let rejected = Atomic<UInt64>(0)
    /// It could not be reached, or was too busy, as often as it was asked.
    let failed = Atomic<UInt64>(0)
    /// There was no room for them in `tracing.otlp.queue`, or no time at the end.
    let dropped = Atomic<UInt64>(0)
    /// Those that wait.
    let waiting = Atomic<UInt64>(0)
    /// Requests to the collector.
    let requests = Atomic<UInt64>(0)
    /// Of them, those that brought nothing but another attempt, or none.
    let failures = Atomic<UInt64>(0)
}
