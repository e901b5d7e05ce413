internal import Synchronization

/// What became of dumps and stalls.
final class FlightCounters: Sendable {
    /// Asked for at the admin listener.
    let demanded = Atomic<UInt64>(0)
    /// Files of slow exchanges, and of stalls.
    let slow = Atomic<UInt64>(0)
    let stalls = Atomic<UInt64>(0)
    /// Dumps that came too soon after another one, or while others waited to be written.
    let suppressed = Atomic<UInt64>(0)
    /// Files that could not be written.
    let failed = Atomic<UInt64>(0)

    struct Stalls {
        /// By cause.
        var counts = [UInt64](repeating: 0, count: StallCause.allCases.count)
        /// Nanoseconds of those that have ended.
        var total: Int64 = 0
        var longest: Int64 = 0
    }
    /// By worker.
    private let ofWorkers: Mutex<[Stalls]>

    init(workers: Int) { ofWorkers = Mutex([Stalls](repeating: Stalls(), count: workers)) }

    var workers: [Stalls] { ofWorkers.withLock { $0 } }

    func stallBegan(_ worker: Int, _ cause: StallCause) {
        ofWorkers.withLock { $0[worker].counts[Int(cause.rawValue)] += 1 }
    }

    func stallEnded(_ worker: Int, _ duration: Int64) {
        ofWorkers.withLock { workers in
            workers[worker].total += duration
            workers[worker].longest = max(workers[worker].longest, duration)
        }
    }

    func written(_ reason: FlightDump.Reason) {
        switch reason {
        case .slow: slow.wrappingAdd(1, ordering: .relaxed)
        case .stall: stalls.wrappingAdd(1, ordering: .relaxed)
        case .demand, .crash: break
        }
    }
}
