internal import Synchronization

/// What keeps retries from being a load of their own: they are a share of the requests of the last five to ten seconds,
/// all workers together, or a few a second. One for each cluster, kept across reloads.
///
/// Windows of five seconds, the current and the last one. In any two in a row there are no more retries than their share, so
/// there are not more in all.
final class RetryBudget: Sendable {
    struct Settings: BitwiseCopyable, Sendable {
        /// Of the requests.
        var percent: UInt64 = 20
        /// A second, whatever the load.
        var minimum: UInt64 = 3
    }

    private static let window: Int64 = 5_000_000_000
    private static let second: Int64 = 1_000_000_000

    private let number = Atomic<Int64>(0)
    private let requests = Atomic<UInt64>(0)
    private let retries = Atomic<UInt64>(0)
    private let requestsBefore = Atomic<UInt64>(0)
    private let retriesBefore = Atomic<UInt64>(0)
    /// A second's number, and in the lower half what was allowed in it as the minimum.
    private let minimumUsed = Atomic<UInt64>(0)

    /// So many requests have begun: those that a worker counted since it told last.
    func noteRequests(_ count: UInt64, now: Int64) {
        turn(now)
        requests.wrappingAdd(count, ordering: .relaxed)
    }

    /// Whether one more request may be sent again; if so, it is counted.
    func takeRetry(_ settings: Settings, now: Int64) -> Bool {
        turn(now)
        let load = requests.load(ordering: .relaxed) + requestsBefore.load(ordering: .relaxed)
        let spent =
            retries.wrappingAdd(1, ordering: .relaxed).newValue + retriesBefore.load(ordering: .relaxed)
        if spent * 100 <= load * settings.percent || takeMinimum(settings, now) { return true }
        retries.wrappingSubtract(1, ordering: .relaxed)
        return false
    }

    private func takeMinimum(_ settings: Settings, _ now: Int64) -> Bool {
        let second = UInt64(now / Self.second) << 32
        var seen = minimumUsed.load(ordering: .relaxed)
        while true {
            let used = seen >> 32 == second >> 32 ? seen & 0xFFFF_FFFF : 0
            guard used < settings.minimum else { return false }
            let (exchanged, original) = minimumUsed.compareExchange(
                expected: seen, desired: second | (used + 1), ordering: .relaxed)
            if exchanged { return true }
            seen = original
        }
    }

    /// Begins another window when the time has come.
    private func turn(_ now: Int64) {
        let current = now / Self.window
        let last = number.load(ordering: .relaxed)
        guard current > last,
            number.compareExchange(expected: last, desired: current, ordering: .relaxed).exchanged
        else { return }
        let isNext = current == last + 1
        let count = requests.exchange(0, ordering: .relaxed)
        let spent = retries.exchange(0, ordering: .relaxed)
        requestsBefore.store(isNext ? count : 0, ordering: .relaxed)
        retriesBefore.store(isNext ? spent : 0, ordering: .relaxed)
    }
}

/// When requests of a cluster are sent again.
struct RetryPlan: Sendable {
    var rules = RetryRules()
    var settings = RetryBudget.Settings()
    /// nil: nothing may be sent again that an endpoint may have seen.
    var budget: RetryBudget?
}
