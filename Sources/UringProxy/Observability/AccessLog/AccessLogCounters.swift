internal import Synchronization

/// What has become of records, told by the thread that writes them.
final class AccessLogCounters: Sendable {
    /// Records that their destination has taken.
    let records = Atomic<UInt64>(0)
    let bytes = Atomic<UInt64>(0)
    /// Records that never got there: those that a ring had no room for, of rings that are gone, and those that a destination refused or
    /// did not take before the end.
    let lost = Atomic<UInt64>(0)
    let writeFailures = Atomic<UInt64>(0)
    let rotations = Atomic<UInt64>(0)
    let reopens = Atomic<UInt64>(0)
}
