import TestSupport
import Testing

@testable import UringProxy

@Suite("Splits")
struct ClusterSplitTests {
    private func split(_ weights: [UInt64]) -> [ClusterSplit.Span] {
        ClusterSplit(
            shares: weights.enumerated().map { .init(cluster: $0, name: "\($0)", weight: $1) }, key: nil
        ).spans
    }

    private func share(_ spans: [ClusterSplit.Span], _ point: UInt32) -> Int {
        spans.first { point <= $0.last }?.share ?? -1
    }

    /// How many points each share has.
    private func sizes(_ spans: [ClusterSplit.Span], _ count: Int) -> [Double] {
        var sizes = [Double](repeating: 0, count: count)
        var start = 0.0
        for span in spans {
            sizes[span.share] += Double(span.last) + 1 - start
            start = Double(span.last) + 1
        }
        return sizes
    }

    @Test("Each has the share that its weight says, and a weight of 0 has none")
    func shares() {
        var random = SplitMix(seed: 11)
        for _ in 0..<2000 {
            let count = Int.random(in: 1...8, using: &random)
            var weights = (0..<count).map { _ in UInt64.random(in: 0...100, using: &random) }
            if Bool.random(using: &random) { weights[0] = 0 }
            let total = weights.reduce(0, +)
            if total == 0 { continue }
            let spans = split(weights)
            #expect(spans.last?.last == .max)
            for (size, weight) in zip(sizes(spans, count), weights) {
                let wanted = Double(weight) / Double(total) * 0x1p32
                #expect(abs(size - wanted) <= 1 && (weight > 0 || size == 0), "\(weights): \(size)")
            }
        }
    }

    @Test(
        "When one share grows, keys move to it from the first alone; when it shrinks, from it to the first alone"
    )
    func movement() {
        var random = SplitMix(seed: 12)
        let keys = (0..<2000).map { KeyHash.splitPoint(UInt64($0) &* 0x9E37_79B9_7F4A_7C15 | 1) }
        for count in 2...5 {
            for _ in 0..<40 {
                var weights = [UInt64](repeating: 0, count: count)
                // Each within its stretch, before and after.
                for other in 1..<count {
                    weights[other] = UInt64.random(in: 0...UInt64(1000 / (count - 1)), using: &random)
                }
                weights[0] = 1000 - weights[1...].reduce(0, +)
                let before = split(weights)
                let moving = Int.random(in: 1..<count, using: &random)
                let most = min(UInt64(1000 / (count - 1)), weights[moving] + weights[0])
                let weight = UInt64.random(in: 0...most, using: &random)
                let grows = weight > weights[moving]
                let moved = Double(max(weight, weights[moving]) - min(weight, weights[moving])) / 1000
                weights[0] = weights[0] + weights[moving] - weight
                weights[moving] = weight
                let after = split(weights)
                var count = 0
                for key in keys {
                    let (old, new) = (share(before, key), share(after, key))
                    if old == new { continue }
                    count += 1
                    #expect(grows ? (old, new) == (0, moving) : (old, new) == (moving, 0))
                }
                // No more than have to: five standard deviations.
                let expected = moved * Double(keys.count)
                #expect(abs(Double(count) - expected) <= 5 * (expected * (1 - moved)).squareRoot() + 1)
            }
        }
    }
}
