internal import Synchronization

/// How one endpoint of one cluster does: shared by all workers and by its checks, and kept across reloads.
///
/// Workers read `streak` with each answer, and the rest only when the cluster's generation has moved.
@safe final class EndpointHealth: @unchecked Sendable {
    /// What checks have found.
    enum Checked: UInt8 { case nothing, healthy, unhealthy }

    enum EjectionReason: UInt8 {
        case none, consecutive, errorRate, latency, trial

        var text: String {
            switch self {
            case .none, .consecutive: "too many failures in a row"
            case .errorRate: "too many of its requests failed"
            case .latency: "it is much slower than the others"
            case .trial: "the request that tried it failed"
            }
        }
    }

    /// The endpoint, as `FixedUpstream.identity` has it.
    let identity: String
    /// Failures in a row; not 0 as long as the endpoint is ejected, so that the next success is looked at.
    let streak: UnsafeMutablePointer<Atomic<UInt32>>
    /// 0: not ejected. Above: until then. Below: a request is finding out whether it works, and has until the negated time.
    private let ejection = Atomic<Int64>(0)
    /// Ejections in a row, for how long the next one takes.
    private let ejectionsInARow = Atomic<UInt32>(0)
    private let reason = Atomic<UInt8>(0)
    /// When it was last found to work again; 0: it always was.
    private let returned = Atomic<Int64>(0)
    private let checked = Atomic<UInt8>(0)
    let window = OutlierWindow()

    // Counted for metrics.
    let ejections = Atomic<UInt64>(0)
    let checks = Atomic<UInt64>(0)
    let failedChecks = Atomic<UInt64>(0)

    init(identity: String, returnedAt: Int64) {
        self.identity = identity
        unsafe streak = .allocate(capacity: 1)
        unsafe streak.initialize(to: Atomic(0))
        returned.store(returnedAt, ordering: .relaxed)
    }

    deinit { unsafe streak.deallocate() }

    // MARK: - How things stand

    var isAvailable: Bool { checkedState != .unhealthy && !isEjected }
    var isEjected: Bool { ejection.load(ordering: .relaxed) != 0 }
    /// A request is finding out whether it works.
    var isOnTrial: Bool { ejection.load(ordering: .relaxed) < 0 }
    /// When a request may find out whether it works; 0: it is not ejected.
    var trialDueAt: Int64 { abs(ejection.load(ordering: .relaxed)) }
    /// Whether a request may find out now.
    func isTrialDue(_ now: Int64) -> Bool {
        let due = trialDueAt
        return due != 0 && due <= now && checkedState != .unhealthy
    }
    var returnedAt: Int64 { returned.load(ordering: .relaxed) }
    var checkedState: Checked { Checked(rawValue: checked.load(ordering: .relaxed)) ?? .nothing }
    var ejectionReason: EjectionReason { EjectionReason(rawValue: reason.load(ordering: .relaxed)) ?? .none }

    // MARK: - Changes

    /// Whether the caller's next request is the one that finds out.
    ///
    /// - Parameter patience: how long it has for that, in nanoseconds; then another one may.
    func claimTrial(now: Int64, patience: Int64) -> Bool {
        let due = ejection.load(ordering: .relaxed)
        guard due != 0, abs(due) <= now else { return false }
        return ejection.compareExchange(expected: due, desired: -(now + patience), ordering: .relaxed)
            .exchanged
    }

    /// To be called by one thread at a time.
    func eject(_ settings: OutlierSettings, _ reason: EjectionReason, now: Int64) {
        // What has worked for longer than any ejection takes begins anew.
        let last = returned.load(ordering: .relaxed)
        let isOld = !isEjected && now - last > settings.longestEjection
        let number = isOld ? 0 : ejectionsInARow.load(ordering: .relaxed)
        let (doubled, overflow) = settings.ejection.multipliedReportingOverflow(
            by: 1 << Int64(min(number, 40)))
        let time = overflow ? settings.longestEjection : min(doubled, settings.longestEjection)
        ejectionsInARow.store(number &+ 1, ordering: .relaxed)
        self.reason.store(reason.rawValue, ordering: .relaxed)
        ejections.wrappingAdd(1, ordering: .relaxed)
        _ = unsafe streak.pointee.compareExchange(expected: 0, desired: 1, ordering: .relaxed)
        ejection.store(now + time, ordering: .relaxed)
    }

    /// Ends an ejection; false if there is none.
    func reinstate(now: Int64) -> Bool {
        guard ejection.exchange(0, ordering: .relaxed) != 0 else { return false }
        returned.store(now, ordering: .relaxed)
        unsafe streak.pointee.store(0, ordering: .relaxed)
        window.restart(now: now)
        return true
    }

    /// Nobody checks it any more; false if no check ever found it bad.
    func forgetChecks(now: Int64) -> Bool {
        let before = checked.exchange(Checked.nothing.rawValue, ordering: .relaxed)
        guard before == Checked.unhealthy.rawValue else { return false }
        returned.store(now, ordering: .relaxed)
        return true
    }

    /// The word of its checks; what they find to work is not ejected either. False if that is nothing new.
    func noteChecked(_ state: Checked, now: Int64) -> Bool {
        let before = Checked(rawValue: checked.exchange(state.rawValue, ordering: .relaxed)) ?? .nothing
        guard state != before else { return false }
        if before == .unhealthy && !reinstate(now: now) { returned.store(now, ordering: .relaxed) }
        // The first word of a check, if it is a good one, changes nothing.
        return before == .unhealthy || state == .unhealthy
    }
}
