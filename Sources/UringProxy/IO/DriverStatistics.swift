/// What a driver counted, for metrics and benchmarks.
struct DriverStatistics: BitwiseCopyable {
    /// Waits: `io_uring_enter` or `epoll_wait`. A spin is part of the wait that it comes before, or replaces.
    var entries: UInt64 = 0
    /// Those of them after which the kernel had taken all that had been asked for before.
    var wholeEntries: UInt64 = 0
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
    /// Calls of `splice(2)`.
    var splices: UInt64 = 0
    /// Waits that began with a spin (`--busy-poll`), those of them that needed no sleep, and the nanoseconds spun.
    var spins: UInt64 = 0
    var spinsPaid: UInt64 = 0
    var spinNanoseconds: UInt64 = 0

    /// - Parameter duration: of the spin, in nanoseconds.
    mutating func noteSpin(_ duration: Int64, paid: Bool) {
        spins += 1
        if paid { spinsPaid += 1 }
        spinNanoseconds += UInt64(duration)
    }
}
