import Testing

@testable import Load

@Suite("Histogram")
struct HistogramTests {
    @Test("A percentile is within one percent of the exact one, from nanoseconds to minutes")
    func percentilesAreClose() {
        var generator = SystemRandomNumberGenerator()
        var histogram = Histogram()
        var values: [Int64] = []
        for _ in 0..<20_000 {
            let value = Int64.random(
                in: 0...(1 << Int64.random(in: 0...38, using: &generator)), using: &generator)
            values.append(value)
            histogram.record(value)
        }
        values.sort()
        // In hundredths of a percent: 99.9 % of 20,000 in floating point are a little more than 19,980.
        for hundredths in [1, 100, 1_000, 5_000, 7_500, 9_000, 9_900, 9_990, 9_999] {
            let rank = (hundredths * values.count + 9_999) / 10_000
            let exact = Double(values[rank - 1])
            let found = Double(histogram.percentile(Double(hundredths) / 100))
            #expect(abs(found - exact) <= exact * 0.01, "p\(hundredths)/100: \(found) instead of \(exact)")
        }
        #expect(histogram.percentile(100) == values.last)
        #expect(histogram.max == values.last)
        #expect(histogram.count == values.count)
    }

    @Test("Mean and deviation are exact")
    func moments() {
        var histogram = Histogram()
        for value: Int64 in [2, 4, 4, 4, 5, 5, 7, 9] { histogram.record(value * 1_000_000) }
        #expect(histogram.mean == 5_000_000)
        #expect(histogram.standardDeviation == 2_000_000)
    }

    @Test("Small, negative and huge values have a place")
    func extremes() {
        var histogram = Histogram()
        #expect(histogram.percentile(50) == 0)
        histogram.record(-5)
        #expect(histogram.percentile(100) == 0)
        histogram.record(.max)
        #expect(histogram.percentile(100) == .max)
        #expect(histogram.percentile(50) == 0)
    }

    @Test("One slow request of a thousand stands just above p99.9")
    func tail() {
        var histogram = Histogram()
        for _ in 0..<999 { histogram.record(100_000) }
        histogram.record(200_000_000)
        #expect(abs(histogram.percentile(99.9) - 100_000) <= 1000)
        #expect(histogram.percentile(99.99) == 200_000_000)
    }
}
