/// What a driver counted, for metrics and benchmarks.
struct DriverStatistics: BitwiseCopyable {
    /// Waits: `io_uring_enter` or `epoll_wait`.
    var entries: UInt64 = 0
    var completions: UInt64 = 0
    /// Waits that failed for another reason than time or a signal.
    var entryFailures: UInt64 = 0
    /// Completions did not fit the ring and were kept by the kernel.
    var completionOverflows: UInt64 = 0
    /// More was asked for in one turn than the submission queue holds.
    var submissionQueueFull: UInt64 = 0
    /// A receive found no slice (`-ENOBUFS`).
    var slicesExhausted: UInt64 = 0
    /// Sends that left bytes over.
    var shortSends: UInt64 = 0
}
