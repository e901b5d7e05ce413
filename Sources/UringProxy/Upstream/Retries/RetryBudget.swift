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
    /// Of the current window, and in the upper half of the last one: so both are read, and turn, at once.
    private let requests = Atomic<UInt64>(0)
    private let retries = Atomic<UInt64>(0)
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
        // Retries turn last and are read first: a turn in between makes the load less, and never what was spent.
        var seen = retries.load(ordering: .acquiring)
        while (Self.both(seen) + 1) * 100 <= Self.both(requests.load(ordering: .acquiring)) * settings.percent
        {
            let (exchanged, original) = retries.compareExchange(
                expected: seen, desired: seen + 1, ordering: .acquiring)
            if exchanged { return true }
            seen = original
        }
        guard takeMinimum(settings, now) else { return false }
        retries.wrappingAdd(1, ordering: .relaxed)
        return true
    }

    private static func both(_ windows: UInt64) -> UInt64 { windows >> 32 + windows & 0xFFFF_FFFF }

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
        Self.shift(requests, keeps: isNext)
        Self.shift(retries, keeps: isNext)
    }

    private static func shift(_ windows: borrowing Atomic<UInt64>, keeps: Bool) {
        var seen = windows.load(ordering: .relaxed)
        while true {
            let (exchanged, original) = windows.compareExchange(
                expected: seen, desired: keeps ? seen << 32 : 0, ordering: .acquiringAndReleasing)
            if exchanged { return }
            seen = original
        }
    }
}
