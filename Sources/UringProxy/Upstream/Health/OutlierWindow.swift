internal import Synchronization

/// What the requests of a stretch of time have met at an endpoint: added to by all workers, for clusters that ask for rates.
///
/// A window begins with the first request after the last one's end. Workers may add while another one ends it: what is
/// lost by that is a request or two.
final class OutlierWindow: Sendable {
    private let startedAt = Atomic<Int64>(0)
    private let requests = Atomic<UInt32>(0)
    private let failures = Atomic<UInt32>(0)
    private let answers = Atomic<UInt32>(0)
    /// Nanoseconds of all answers together.
    private let latencies = Atomic<Int64>(0)
    /// The mean of the last window that had enough answers, in nanoseconds; 0: none.
    private let mean = Atomic<Int64>(0)

    /// Nanoseconds; 0: unknown.
    var meanLatency: Int64 { mean.load(ordering: .relaxed) }

    /// - Parameter latency: nanoseconds to the answer; 0: there was none, or nobody knows.
    /// - Returns: whether this ended a window with enough answers, so that `meanLatency` is new.
    func add(isFailure: Bool, latency: Int64, _ settings: OutlierSettings, now: Int64) -> Bool {
        var hasEnded = false
        let start = startedAt.load(ordering: .relaxed)
        if now - start >= settings.window,
            startedAt.compareExchange(expected: start, desired: now, ordering: .relaxed).exchanged
        {
            hasEnded = end(settings)
        }
        requests.wrappingAdd(1, ordering: .relaxed)
        if isFailure { failures.wrappingAdd(1, ordering: .relaxed) }
        if latency > 0 {
            answers.wrappingAdd(1, ordering: .relaxed)
            latencies.wrappingAdd(latency, ordering: .relaxed)
        }
        return hasEnded
    }

    private func end(_ settings: OutlierSettings) -> Bool {
        let count = answers.exchange(0, ordering: .relaxed)
        let sum = latencies.exchange(0, ordering: .relaxed)
        requests.store(0, ordering: .relaxed)
        failures.store(0, ordering: .relaxed)
        let isEnough = count >= max(1, settings.minimumRequests)
        mean.store(isEnough ? sum / Int64(count) : 0, ordering: .relaxed)
        return isEnough
    }

    /// Whether this window has enough requests, and too many of them failed.
    func exceeds(_ settings: OutlierSettings) -> Bool {
        let count = requests.load(ordering: .relaxed)
        guard settings.errorPercent > 0, count >= max(1, settings.minimumRequests) else { return false }
        return UInt64(failures.load(ordering: .relaxed)) * 100 >= UInt64(count)
            * UInt64(settings.errorPercent)
    }

    /// What was before the endpoint was ejected speaks no more against it.
    func restart(now: Int64) {
        startedAt.store(now, ordering: .relaxed)
        requests.store(0, ordering: .relaxed)
        failures.store(0, ordering: .relaxed)
        answers.store(0, ordering: .relaxed)
        latencies.store(0, ordering: .relaxed)
        mean.store(0, ordering: .relaxed)
    }
}
