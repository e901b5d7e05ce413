/// What the exchanges of one name came to: what workers counted, added up.
struct ExchangeCounts: Sendable {
    private typealias Shape = ExchangeHistograms.Shape

    let kind: HistogramRegistry.Kind
    /// By the first digit of the status; the first one is of exchanges without an answer.
    private(set) var statuses = [UInt64](repeating: 0, count: Shape.statusCount)
    private(set) var requestBytes: UInt64 = 0
    private(set) var responseBytes: UInt64 = 0
    private(set) var total: Histogram
    /// What the proxy added.
    private(set) var added: Histogram
    /// For the upstream's answer.
    private(set) var wait: Histogram
    /// By stage, of clusters alone: exchanges that spent time there.
    private(set) var stages: [Histogram]

    init(_ kind: HistogramRegistry.Kind) {
        self.kind = kind
        let shape = Shape(kind)
        total = Histogram(isFine: shape.hasFineTotal)
        added = Histogram(isFine: shape.hasFineParts)
        wait = Histogram(isFine: shape.hasFineParts)
        stages = [Histogram](
            repeating: Histogram(isFine: false), count: shape.hasStages ? Shape.stageCount : 0)
    }

    var count: UInt64 { statuses.reduce(0, &+) }

    subscript(stage: Ledger.Stage) -> Histogram { stages[Int(stage.rawValue)] }

    /// - Parameter row: the cells of a worker's row.
    mutating func add(_ row: [UInt64]) {
        let shape = Shape(kind)
        for index in statuses.indices { statuses[index] &+= row[Shape.statuses + index] }
        requestBytes &+= row[Shape.requestBytes]
        responseBytes &+= row[Shape.responseBytes]
        Self.add(row, to: &total, sum: Shape.totalSum, cells: Shape.total)
        Self.add(row, to: &added, sum: Shape.addedSum, cells: shape.added)
        Self.add(row, to: &wait, sum: Shape.waitSum, cells: shape.wait)
        for stage in stages.indices {
            Self.add(
                row, to: &stages[stage], sum: shape.stages + stage,
                cells: shape.stages + Shape.stageCount + stage * HistogramScale.bucketCount)
        }
    }

    private static func add(_ row: [UInt64], to histogram: inout Histogram, sum: Int, cells: Int) {
        histogram.add(sum: row[sum])
        for cell in 0..<Shape.cells(isFine: histogram.isFine) {
            histogram.add(cell: cell, row[cells + cell])
        }
    }
}
