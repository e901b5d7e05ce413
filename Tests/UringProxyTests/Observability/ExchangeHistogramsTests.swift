import Synchronization
import TestSupport
import Testing

@testable import UringProxy

@Suite struct ExchangeHistogramsTests {
    private let registry = HistogramRegistry()
    private let histograms = ExchangeHistograms()

    private func rows() -> ExchangeRows {
        ExchangeRows(
            listener: registry.row(.listener, "edge"), route: registry.row(.route, "site/0"),
            cluster: registry.row(.cluster, "web"),
            endpoint: registry.row(.endpoint, "10.0.0.1:80", of: "web"))
    }

    private func counts(
        _ kind: HistogramRegistry.Kind, _ number: HistogramRegistry.RowNumber
    ) -> ExchangeCounts {
        var counts = ExchangeCounts(kind)
        histograms.read(number, into: &counts)
        return counts
    }

    private func times(_ stages: KeyValuePairs<Ledger.Stage, Int64>) -> Ledger.Times {
        var times = Ledger.Times()
        for (stage, nanoseconds) in stages { times[stage] = nanoseconds }
        return times
    }

    @Test func anExchangeCountsForEachOfItsRows() {
        let rows = rows()
        let first = times([.read: 1000, .connect: 300_000, .wait: 2_000_000, .drain: 50_000])
        histograms.observe(rows, status: 204, times: first, requestBytes: 10, responseBytes: 20)
        histograms.observe(
            rows, status: 503, times: times([.queue: 70_000_000]), requestBytes: 1, responseBytes: 2)
        let all: [(HistogramRegistry.Kind, HistogramRegistry.RowNumber)] = [
            (.listener, rows.listener), (.route, rows.route), (.cluster, rows.cluster),
            (.endpoint, rows.endpoint),
        ]
        for (kind, number) in all {
            let counts = counts(kind, number)
            #expect(counts.statuses == [0, 0, 1, 0, 0, 1])
            #expect(counts.requestBytes == 11)
            #expect(counts.responseBytes == 22)
            let total = counts.total
            #expect((total == nil) == (kind == .endpoint))
            if let total {
                #expect(total.count == 2)
                #expect(total.sum == UInt64(first.total) + 70_000_000)
                #expect(total.cumulative[2...].starts(with: [0, 0, 1, 1, 1, 1, 1, 2]))
            }
            if let added = counts.added {
                #expect(added.isFine == (kind != .route))
                #expect(added.count == 2)
                #expect(added.sum == 70_300_000)
                #expect(added.cumulative.starts(with: [0, 0, 1, 1, 1, 1, 1, 1, 1, 2]))
            }
            #expect((counts.wait == nil) == (kind == .listener || kind == .route))
            if let wait = counts.wait {
                #expect(wait.count == 2)
                #expect(wait.sum == 2_000_000)
                #expect(wait.cumulative.starts(with: [1, 1, 1, 1, 2]))
            }
            #expect(counts.stages.count == (kind == .cluster ? 11 : 0))
        }
        let stages = counts(.cluster, rows.cluster)
        #expect(stages[.connect].count == 1)
        #expect(stages[.connect].sum == 300_000)
        #expect(stages[.queue].sum == 70_000_000)
        #expect(stages[.wait].cumulative[3...4] == [0, 1])
        #expect(stages[.tls].count == 0)
    }

    @Test func whatIsNobodysCountsNowhere() {
        histograms.observe(
            ExchangeRows(), status: 200, times: Ledger.Times(), requestBytes: 1, responseBytes: 1)
        #expect(histograms.sizeBytes == 0)
        let listener = registry.row(.listener, "edge")
        #expect(counts(.listener, listener).count == 0)
        histograms.observe(
            ExchangeRows(listener: listener), status: 0, times: Ledger.Times(), requestBytes: 0,
            responseBytes: 0)
        let counts = counts(.listener, listener)
        #expect(counts.statuses == [1, 0, 0, 0, 0, 0])
        #expect(counts.total!.quantile(1)! < 1000)
        #expect(counts.added!.count == 1)
    }

    @Test(arguments: [(0, 0), (99, 0), (101, 1), (299, 2), (599, 5), (999, 5), (65_535, 5)])
    func statusesHaveClasses(status: UInt16, index: Int) {
        let cluster = registry.row(.cluster, "web")
        histograms.observe(
            ExchangeRows(cluster: cluster), status: status, times: Ledger.Times(), requestBytes: 0,
            responseBytes: 0)
        #expect(counts(.cluster, cluster).statuses.firstIndex(of: 1) == index)
    }

    @Test func memoryOfARowIsAsStated() {
        let sizes: [(ExchangeRows, Int)] = [
            (ExchangeRows(listener: registry.row(.listener, "l")), 14_272),
            (ExchangeRows(route: registry.row(.route, "r")), 7_360),
            (ExchangeRows(cluster: registry.row(.cluster, "c")), 23_040),
            (ExchangeRows(endpoint: registry.row(.endpoint, "e", of: "c")), 256),
        ]
        var sum = 0
        for (rows, size) in sizes {
            for _ in 0..<3 {
                histograms.observe(
                    rows, status: 200, times: Ledger.Times(), requestBytes: 0, responseBytes: 0)
            }
            #expect(histograms.sizeBytes - sum == size)
            sum = histograms.sizeBytes
        }
    }

    @Test func anotherNameInThePlaceBeginsAnew() {
        let old = registry.row(.cluster, "old")
        for index in 1..<HistogramRegistry.nameLimit { _ = registry.row(.cluster, "c\(index)") }
        func observe(_ number: HistogramRegistry.RowNumber) {
            histograms.observe(
                ExchangeRows(cluster: number), status: 200, times: times([.wait: 5]), requestBytes: 7,
                responseBytes: 0)
        }
        observe(old)
        observe(old)
        registry.keep(Set(registry.rows.map(\.number)).subtracting([old]))
        let heir = registry.row(.cluster, "heir")
        #expect(heir.place == old.place)
        #expect(counts(.cluster, heir).count == 0)
        observe(heir)
        #expect(counts(.cluster, heir).count == 1)
        #expect(counts(.cluster, heir).requestBytes == 7)
        #expect(counts(.cluster, heir)[.wait].sum == 5)
        // One that began before the reload.
        observe(old)
        #expect(counts(.cluster, heir).count == 1)
        #expect(counts(.cluster, old).count == 0)
        #expect(counts(.cluster, HistogramRegistry.other(.cluster)).count == 1)
    }

    @Test func exchangesOfManyNamesAreKeptApart() {
        var random = SplitMix(seed: 11)
        var wanted: [HistogramRegistry.RowNumber: UInt64] = [:]
        for _ in 0..<20_000 {
            let rows = ExchangeRows(
                listener: registry.row(.listener, "\(Int.random(in: 0..<5, using: &random))"),
                route: registry.row(.route, "\(Int.random(in: 0..<50, using: &random))"),
                cluster: Bool.random(using: &random)
                    ? .none : registry.row(.cluster, "\(Int.random(in: 0..<9, using: &random))"),
                endpoint: registry.row(.endpoint, "\(Int.random(in: 0..<99, using: &random))", of: "c"))
            let bytes = UInt64.random(in: 0..<1000, using: &random)
            histograms.observe(
                rows, status: 200, times: times([.wait: 1, .connect: 2, .tls: 3]), requestBytes: bytes,
                responseBytes: 1)
            for number in [rows.listener, rows.route, rows.cluster, rows.endpoint] {
                wanted[number, default: 0] += bytes
            }
        }
        wanted[.none] = nil
        for row in registry.rows where row.name != "other" {
            let counts = counts(row.kind, row.number)
            #expect(counts.requestBytes == wanted[row.number])
            if row.kind == .cluster {
                #expect(counts.total!.sum == counts.count * 6)
                #expect(counts[.tls].sum == counts.count * 3)
                #expect(counts[.connect].count == counts.count)
            }
        }
        #expect(wanted.count == 5 + 50 + 9 + 99)
    }

    @Test func readersSeeCountsThatGrowAlone() async {
        let names = (0..<3).map { registry.row(.cluster, "\($0)") }
        let histograms = histograms
        let isDone = Atomic(false)
        async let writing: Void = {
            var random = SplitMix(seed: 12)
            for index in 0..<60_000 {
                // Now and then a name takes another one's place, which begins anew.
                let number =
                    index % 1000 == 0
                    ? HistogramRegistry.RowNumber(
                        .cluster, place: names[0].place, generation: UInt16(index / 1000 + 1))
                    : names[index % 2 + 1]
                var times = Ledger.Times()
                times[.wait] = Int64.random(in: 0..<1_000_000_000, using: &random)
                times[.queue] = Int64.random(in: 0..<2, using: &random)
                histograms.observe(
                    ExchangeRows(cluster: number), status: 200, times: times, requestBytes: 1,
                    responseBytes: 1)
            }
            isDone.store(true, ordering: .releasing)
        }()
        var before = names.map { _ in [UInt64](repeating: 0, count: HistogramScale.bucketCount) }
        while !isDone.load(ordering: .acquiring) {
            for (index, name) in names.enumerated().dropFirst() {
                var counts = ExchangeCounts(.cluster)
                histograms.read(name, into: &counts)
                for histogram in [counts.total!, counts.added!, counts.wait!] {
                    let cumulative = histogram.cumulative
                    #expect(zip(cumulative, cumulative.dropFirst()).allSatisfy { $0 <= $1 })
                }
                let now = counts.wait!.cumulative
                #expect(zip(before[index], now).allSatisfy { $0 <= $1 })
                before[index] = now
            }
            await Task.yield()
        }
        await writing
        #expect(counts(.cluster, names[1]).total!.count == 29_940)
        #expect(counts(.cluster, names[2]).total!.count == 30_000)
    }

    @Test func allPlacesMayBeUsed() {
        for index in 0..<HistogramRegistry.endpointLimit {
            let number = registry.row(.endpoint, "\(index)", of: "c")
            histograms.observe(
                ExchangeRows(endpoint: number), status: 200, times: Ledger.Times(),
                requestBytes: UInt64(index),
                responseBytes: 0)
        }
        let rows = registry.rows.filter { $0.cluster == "c" }
        #expect(rows.count == HistogramRegistry.endpointLimit)
        for row in rows { #expect(counts(.endpoint, row.number).requestBytes == UInt64(row.name)) }
    }
}
