internal import Synchronization

/// What others see of a worker's progress. It stores nothing for that which it would not store anyway.
final class WorkerPulse: Sendable {
    let index: Int
    private let wakeup: Wakeup
    private let gauges: Gauges
    /// The thread's number for the kernel; 0: it does not run.
    let thread = Atomic<Int32>(0)

    init(index: Int, wakeup: Wakeup, gauges: Gauges) {
        self.index = index
        self.wakeup = wakeup
        self.gauges = gauges
    }

    /// Whether it waits for something to do.
    var sleeps: Bool { wakeup.sleeps }
    /// How many turns it has done.
    var turns: UInt64 { gauges.turns.load(ordering: .relaxed) }
}

/// Tells from looks at a worker whether it does one thing for too long.
///
/// A worker that is awake at each of several looks, and has ended no turn between them, has been in one turn since the first of them at
/// least. So a stall of the budget and one interval between looks is found, and one that is shorter than the budget less an interval is not.
struct StallWatch {
    enum Finding: Equatable {
        case nothing
        /// It is in one turn since then, longer than it may.
        case began(since: Int64)
        case goesOn(since: Int64)
        /// It has ended, after so many nanoseconds, give or take an interval.
        case ended(duration: Int64)
    }

    /// How long it may be (nanoseconds).
    var budget: Int64
    /// Between two looks.
    var interval: Int64
    private var turns: UInt64 = 0
    private var awakeSince: Int64?
    private(set) var isStalled = false
    /// CPU time of the thread at that look.
    private var cpuBefore: Int64 = 0

    init(budget: Int64, interval: Int64) {
        self.budget = budget
        self.interval = interval
    }

    /// - Parameter cpu: what CPU time its thread has had, asked when it is awake.
    mutating func look(sleeps: Bool, turns: UInt64, now: Int64, cpu: () -> Int64) -> Finding {
        if sleeps || turns != self.turns || awakeSince == nil {
            let began = awakeSince
            self.turns = turns
            awakeSince = sleeps ? nil : now
            if !sleeps { cpuBefore = cpu() }
            guard isStalled, let began else { return .nothing }
            isStalled = false
            return .ended(duration: now - began)
        }
        guard let awakeSince else { return .nothing }
        if isStalled { return .goesOn(since: awakeSince) }
        guard now - awakeSince >= budget - interval else { return .nothing }
        isStalled = true
        return .began(since: awakeSince)
    }

    /// CPU time since the stall began.
    func cpuUsed(_ cpu: Int64) -> Int64 { max(0, cpu - cpuBefore) }
}

/// What kept a worker.
enum StallCause: UInt8, CaseIterable, Sendable {
    /// It computes.
    case running
    /// It waits in the kernel.
    case blocked
    /// It would go on, and gets no CPU: the machine has more to do than it can.
    case preempted

    var label: String {
        switch self {
        case .running: "running"
        case .blocked: "blocked"
        case .preempted: "preempted"
        }
    }

    /// - Parameters:
    ///   - elapsed: nanoseconds, and `cpu` those of them on a CPU.
    ///   - state: as the kernel has it: R, S, D…
    init(elapsed: Int64, cpu: Int64, state: UInt8) {
        if cpu * 2 >= elapsed {
            self = .running
        } else {
            self = state == UInt8(ascii: "R") ? .preempted : .blocked
        }
    }
}
