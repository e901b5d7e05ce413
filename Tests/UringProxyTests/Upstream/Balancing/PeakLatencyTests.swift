import Testing

@testable import UringProxy

@Suite("Peak EWMA")
struct PeakLatencyTests {
    private static let millisecond: Int64 = 1_000_000
    private static let second: Int64 = 1_000_000_000

    @Test("A peak counts at once, and is forgotten with time")
    func peak() {
        var latency = PeakLatency()
        latency.note(Self.millisecond, now: 0)
        latency.note(100 * Self.millisecond, now: Self.second)
        #expect(latency.estimate(now: Self.second) == 1e8)
        latency.note(Self.millisecond, now: 2 * Self.second)
        let soon = latency.estimate(now: 2 * Self.second)
        #expect(soon > 8e7 && soon < 1e8)
        // After one decay a third is left, give or take what the approximation of e^-x does.
        let later = latency.estimate(now: 12 * Self.second) / soon
        #expect(later > 0.36 && later < 0.40)
        #expect(latency.estimate(now: 100 * Self.second) < soon / 20)
    }

    @Test("What nothing is known of gets one exchange at a time")
    func careful() {
        let unknown = PeakLatency()
        #expect(unknown.cost(inFlight: 0, weight: 1, now: 0) == 0)
        #expect(unknown.cost(inFlight: 1, weight: 1, now: 0) >= Double(PeakLatency.penalty))
        var known = PeakLatency()
        known.note(Self.millisecond, now: 0)
        #expect(known.cost(inFlight: 3, weight: 2, now: 0) == 2e6)
    }

    /// One exchange every 100 µs for a while; each endpoint answers after its own time.
    private func share(_ latencies: [Int64], weights: [UInt32], failing: Int? = nil) -> [Double] {
        let choices = Choices(.peakEWMA, weights: weights)
        var counts = [Int](repeating: 0, count: weights.count)
        var underWay: [(end: Int64, begin: Int64, index: Int)] = []
        var now: Int64 = 0
        for _ in 0..<20_000 {
            now += Self.millisecond / 10
            for exchange in underWay where exchange.end <= now {
                choices.table.release(exchange.index)
                choices.table.noteLatency(
                    exchange.index,
                    exchange.index == failing ? PeakLatency.penalty : exchange.end - exchange.begin, now: now)
            }
            underWay.removeAll { $0.end <= now }
            let index = choices.begin(now: now)
            counts[index] += 1
            underWay.append((now + latencies[index], now, index))
        }
        return counts.map { Double($0) / 20_000 }
    }

    @Test("A slow endpoint gets far less than its share, and equals share evenly")
    func avoidsSlow() {
        let ms = Self.millisecond
        let shares = share([ms, ms, 20 * ms, ms], weights: [1, 1, 1, 1])
        #expect(shares[2] < 0.05)
        for index in [0, 1, 3] { #expect(shares[index] > 0.25) }
        for one in share([ms, ms, ms, ms], weights: [1, 1, 1, 1]) { #expect(abs(one - 0.25) < 0.05) }
    }

    @Test("An endpoint that fails fast attracts nobody")
    func avoidsFailing() {
        let ms = Self.millisecond
        let shares = share([ms, ms / 100, ms], weights: [1, 1, 1], failing: 1)
        #expect(shares[1] < 0.02)
    }

    @Test("A heavier endpoint gets more")
    func weights() {
        let ms = Self.millisecond
        let shares = share([2 * ms, 2 * ms], weights: [1, 4])
        #expect(shares[1] > 0.65 && shares[0] > 0.05)
    }
}
