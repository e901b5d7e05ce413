import TestSupport
import Testing

@testable import UringProxy

@Suite final class HistogramTests {
    private let finder = HistogramScale.Finder()

    private func histogram(of values: [Int64]) -> Histogram {
        var histogram = Histogram()
        for value in values {
            histogram.add(cell: finder.place(value).cell, 1)
            histogram.add(sum: UInt64(value))
        }
        return histogram
    }

    /// Durations of all orders of magnitude, those about the edges of cells and bounds among them.
    private func values(_ count: Int, _ random: inout SplitMix) -> [Int64] {
        (0..<count).map { _ in
            let edge = Int64.random(in: -2...2, using: &random)
            return switch Int.random(in: 0..<4, using: &random) {
            case 0: HistogramScale.bounds.randomElement(using: &random)! + edge
            case 1: max(0, Int64(1) << Int64.random(in: 0...40, using: &random) + edge)
            default:
                Int64.random(in: 0..<(1 << Int64.random(in: 1...37, using: &random)), using: &random)
            }
        }
    }

    @Test func cellsFollowOneAnotherWithoutGaps() {
        #expect(HistogramScale.start(ofWholeCell: 0) == 0)
        for cell in 0..<HistogramScale.wholeCells {
            let start = HistogramScale.start(ofWholeCell: cell)
            #expect(HistogramScale.wholeCell(start) == cell)
            if cell > 0 { #expect(HistogramScale.wholeCell(start - 1) == cell - 1) }
            if start >= 1024, cell < HistogramScale.wholeCells - 1 {
                let width = HistogramScale.start(ofWholeCell: cell + 1) - start
                #expect(width * 32 <= start)
            }
        }
        #expect(HistogramScale.wholeCell(.max) == HistogramScale.wholeCells - 1)
        #expect(HistogramScale.wholeCell(-1) == 0)
    }

    @Test func noCellHasTwoBounds() {
        let cells = HistogramScale.bounds.map { HistogramScale.wholeCell($0) }
        #expect(Set(cells).count == HistogramScale.boundCount)
        #expect(HistogramScale.bounds.count == HistogramScale.boundCount)
        #expect(HistogramScale.bounds.last! < HistogramScale.limit)
    }

    @Test(arguments: [1, 2, 3, 4, 5])
    func quantilesAreOffByLessThanTwoPercent(seed: UInt64) {
        var random = SplitMix(seed: seed)
        for count in [1, 2, 10, 1000, 20_000] {
            let values = values(count, &random).map { min($0, HistogramScale.limit) }
            let histogram = histogram(of: values)
            let sorted = values.sorted()
            #expect(histogram.count == UInt64(count))
            #expect(histogram.sum == values.reduce(0) { $0 + UInt64($1) })
            for part in [0, 0.001, 0.1, 0.5, 0.9, 0.99, 0.999, 1] {
                let rank = min(max(Int((part * Double(count)).rounded(.up)), 1), count)
                let exact = sorted[rank - 1]
                let found = histogram.quantile(part)!
                // 16 ns where cells are of one width.
                let error = max(Double(exact) * 0.02, 16)
                #expect(abs(Double(found - exact)) <= error, "\(part) of \(count): \(found), not \(exact)")
            }
        }
    }

    @Test(arguments: [6, 7, 8])
    func countsUpToBoundsAreExact(seed: UInt64) {
        var random = SplitMix(seed: seed)
        let values = values(5000, &random)
        let exact = HistogramScale.bounds.map { bound in UInt64(values.count { $0 <= bound }) } + [5000]
        #expect(histogram(of: values).cumulative == exact)
        var rough = Histogram(isFine: false)
        for value in values { rough.add(cell: finder.place(value).bucket, 1) }
        #expect(rough.cumulative == exact)
    }

    @Test func roughQuantilesAreWithinTheirBounds() {
        var rough = Histogram(isFine: false)
        for value in stride(from: Int64(100_001), through: 250_000, by: 1) {
            rough.add(cell: finder.place(value).bucket, 1)
        }
        let median = rough.quantile(0.5)!
        #expect(abs(median - 175_000) < 10)
        rough.add(cell: finder.place(.max).bucket, 1)
        #expect(rough.quantile(1) == HistogramScale.bounds.last)
    }

    @Test func sumsOfHistogramsAreHistogramsOfAll() {
        var random = SplitMix(seed: 9)
        let (one, other) = (values(500, &random), values(300, &random))
        var sum = histogram(of: one)
        sum += histogram(of: other)
        #expect(sum == histogram(of: one + other))
        #expect(Histogram().quantile(0.5) == nil)
    }
}
