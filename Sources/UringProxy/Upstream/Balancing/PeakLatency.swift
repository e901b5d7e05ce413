/// How long an endpoint takes to answer, as a worker sees it: a moving average that jumps up to each peak at once and
/// forgets with time. So one slow answer is enough to be careful, and silence makes an endpoint worth another try.
struct PeakLatency: BitwiseCopyable {
    /// Nanoseconds; 0: nothing is known.
    private var average: Double = 0
    private var measuredAt: Int64 = 0

    /// After so long without an answer a third of the average is left (nanoseconds).
    static let decay: Double = 10_000_000_000
    /// What a failure counts as (nanoseconds): longer than what a service that works takes, and forgotten soon enough.
    static let penalty: Int64 = 1_000_000_000

    /// An answer took `latency` nanoseconds.
    mutating func note(_ latency: Int64, now: Int64) {
        let sample = Double(max(latency, 1))
        let kept = remaining(now)
        average = sample >= average ? sample : average * kept + sample * (1 - kept)
        measuredAt = now
    }

    /// The average in nanoseconds, less what was forgotten meanwhile.
    func estimate(now: Int64) -> Double { average * remaining(now) }

    /// What one more exchange would cost here. What nothing is known of costs nothing while nothing is under way, and
    /// much as soon as one is: one exchange finds out, and the others do not wait for it.
    func cost(inFlight: UInt32, weight: UInt32, now: Int64) -> Double {
        let known = average > 0 || inFlight == 0 ? estimate(now: now) : Double(Self.penalty)
        return known * Double(inFlight + 1) / Double(weight)
    }

    /// (1 + x/8)^-8, which is close to e^-x and needs no library.
    private func remaining(_ now: Int64) -> Double {
        let base = 1 + Double(max(0, now - measuredAt)) / Self.decay / 8
        let square = base * base
        let fourth = square * square
        return 1 / (fourth * fourth)
    }
}
