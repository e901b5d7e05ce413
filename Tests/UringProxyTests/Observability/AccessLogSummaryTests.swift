import TestSupport
import Testing

@testable import UringProxy

@Suite struct AccessLogSummaryTests {
    @Test func weightsMakeTheWhole() {
        var summary = AccessLogSummary()
        let second: Int64 = 1_000_000_000
        func add(_ count: Int, weight: UInt32, _ status: UInt16, _ milliseconds: Int64, kept: Bool = false) {
            for index in 0..<count {
                let record = LogSupport.record([
                    LogSupport.text(.target, "/a?\(index)"), LogSupport.text(.cluster, kept ? "slow" : "app"),
                ]) {
                    $0.weight = weight
                    $0.status = status
                    $0.startedAt = 1_796_063_904 * second + Int64(index) * second
                    $0.times[.connect] = milliseconds * 1_000_000
                    $0.times[.wait] = 3 * milliseconds * 1_000_000
                    $0.responseBytes = 100
                    if kept { $0.flags.insert(.isKept) }
                }
                LogSupport.withRecord(record) { summary.add($0) }
            }
        }
        add(11, weight: 100, 200, 1)
        add(5, weight: 1, 503, 25, kept: true)
        let lines = summary.text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        #expect(lines.contains("requests    1,105 ± 330 (one standard error), 110.5/s"))
        #expect(lines.contains("records     16, of which 5 kept for what they are (failed or slow)"))
        #expect(lines.contains("            kept ones stand for 5, sampled ones for 1,100"))
        #expect(lines.contains("from        2026-11-30T18:38:24.000000Z"))
        #expect(lines.contains("to          2026-11-30T18:38:34.000000Z"))
        #expect(lines.contains("2xx         1,100   99.5%"))
        #expect(lines.contains("5xx         5    0.5%"))
        #expect(lines.contains("sent        110,500 bytes, 11,050.0 bytes/s"))
        #expect(lines.contains("connect       25.0% 1.109 ms a request  added"))
        #expect(lines.contains("wait          75.0% 3.326 ms a request"))
        #expect(lines.contains("top targets"))
        #expect(lines.contains("         1,105  100.0%  /a"))
        #expect(lines.contains("         1,100   99.5%  app"))
        #expect(lines.contains("             5    0.5%  slow"))
        let duration = lines.first { $0.hasPrefix("duration") }
        #expect(duration?.hasSuffix("  100.000 ms") == true, "\(duration ?? "")")
    }

    /// Whatever a file says: it has been written by somebody else.
    @Test func extremesAreNoTrap() {
        var summary = AccessLogSummary()
        for time in [Int64.min, .max] {
            let record = LogSupport.record {
                $0.startedAt = time
                $0.times[.wait] = time
                $0.weight = time < 0 ? 0 : .max
                $0.requestBytes = .max
                $0.status = .max
            }
            LogSupport.withRecord(record) { summary.add($0) }
        }
        #expect(summary.text.hasPrefix("requests    4,294,967,296 ± "))
    }

    @Test func noRecords() { #expect(AccessLogSummary().text == "no records") }

    @Test func percentilesAreNear() {
        var histogram = WeightedHistogram()
        var random = SplitMix(seed: 9)
        var values: [Int64] = []
        for _ in 0..<5000 {
            let value = Int64(random.next() >> (20 + random.next() % 30))
            let weight = 1 + random.next() % 3
            histogram.add(value, weight)
            values += [Int64](repeating: value, count: Int(weight))
        }
        values.sort()
        for share in [0.001, 0.5, 0.9, 0.99, 0.999, 1] {
            let exact = Double(values[max(0, Int((Double(values.count) * share).rounded(.up)) - 1)])
            let found = Double(histogram.percentile(share))
            #expect(abs(found - exact) <= exact * 0.016 + 1, "\(share): \(found) for \(exact)")
        }
        #expect(histogram.greatest == values.last)
        var edges = WeightedHistogram()
        for value in [0, Int64.max, -5] { edges.add(value, 1) }
        #expect(edges.percentile(0.5) == 0 && edges.percentile(1) > Int64.max / 64 * 63)
    }

    /// The frequent ones are there however many others come, with counts that hold the right one between their bounds.
    @Test func theFrequentOnesAreFound() {
        var texts = FrequentTexts()
        var random = SplitMix(seed: 4)
        var exact: [UInt64] = [0, 0, 0]
        for round in 0..<30_000 {
            let which = Int(random.next() % 10)
            let text = which < 3 ? "/top/\(which)" : "/\(round)"
            if which < 3 { exact[which] += 2 }
            HTTPSupport.withView(Array(text.utf8)) { texts.add($0, 2) }
        }
        #expect(!texts.isExact)
        let most = texts.most(3)
        #expect(Set(most.map(\.text)) == ["/top/0", "/top/1", "/top/2"])
        for entry in most {
            let count = exact[entry.text.utf8.last.map { Int($0) - 0x30 } ?? 0]
            #expect(entry.count >= count && entry.count - entry.error <= count)
        }
    }
}
