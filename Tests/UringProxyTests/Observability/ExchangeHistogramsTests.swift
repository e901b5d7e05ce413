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
            #expect(counts.total.count == 2)
            #expect(counts.total.sum == UInt64(first.total) + 70_000_000)
            #expect(counts.added.count == 2)
            #expect(counts.added.sum == 70_300_000)
            #expect(counts.wait.count == 2)
            #expect(counts.wait.sum == 2_000_000)
            #expect(counts.total.cumulative[2...].starts(with: [0, 0, 1, 1, 1, 1, 1, 2]))
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
        #expect(counts.total.quantile(1)! < 1000)
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
            (ExchangeRows(listener: registry.row(.listener, "l")), 21_312),
            (ExchangeRows(route: registry.row(.route, "r")), 7_488),
            (ExchangeRows(cluster: registry.row(.cluster, "c")), 23_104),
            (ExchangeRows(endpoint: registry.row(.endpoint, "e", of: "c")), 576),
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
