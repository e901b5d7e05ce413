import TestSupport
import Testing

@testable import UringProxy

@Suite final class HistogramTests {
    private let finder = HistogramScale.Finder()

    /// What one worker counts of them: their sum, and its cells.
    private func row(of values: [Int64], isFine: Bool = true) -> [UInt64] {
        var row = [UInt64](
            repeating: 0, count: 1 + (isFine ? HistogramScale.cellCount : HistogramScale.bucketCount))
        for value in values {
            let place = finder.place(value)
            row[0] += UInt64(value)
            row[1 + (isFine ? place.cell : place.bucket)] += 1
        }
        return row
    }

    private func histogram(of values: [Int64], isFine: Bool = true) -> Histogram {
        var histogram = Histogram(isFine: isFine)
        histogram.add(row(of: values, isFine: isFine), sum: 0, cells: 1)
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
            if cell > 0, cell < HistogramScale.wholeCells - 1 {
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
                // Half of the first cell.
                let error = exact < 528 ? 264 : Double(exact) * 0.02
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
        #expect(histogram(of: values, isFine: false).cumulative == exact)
    }

    @Test func roughQuantilesAreWithinTheirBounds() {
        var rough = histogram(of: Array(100_001...250_000), isFine: false)
        let median = rough.quantile(0.5)!
        #expect(abs(median - 175_000) < 10)
        rough.add(row(of: [HistogramScale.limit], isFine: false), sum: 0, cells: 1)
        #expect(rough.quantile(1) == HistogramScale.bounds.last)
    }

    @Test func whatWorkersCountAddsUp() {
        var random = SplitMix(seed: 9)
        let (one, other) = (values(500, &random), values(300, &random))
        var sum = histogram(of: one)
        sum.add(row(of: other), sum: 0, cells: 1)
        #expect(sum == histogram(of: one + other))
        #expect(Histogram().quantile(0.5) == nil)
    }
}
