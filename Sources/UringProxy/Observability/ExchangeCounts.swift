/// What the exchanges of one name came to: what workers counted, added up.
struct ExchangeCounts: Sendable {
    private typealias Shape = ExchangeHistograms.Shape

    let kind: HistogramRegistry.Kind
    /// By the first digit of the status; the first one is of exchanges without an answer.
    private(set) var statuses = [UInt64](repeating: 0, count: Shape.statusCount)
    private(set) var requestBytes: UInt64 = 0
    private(set) var responseBytes: UInt64 = 0
    /// From beginning to end; of an endpoint nil.
    private(set) var total: Histogram?
    /// What the proxy added; of an endpoint nil.
    private(set) var added: Histogram?
    /// For the upstream's answer, of clusters and endpoints.
    private(set) var wait: Histogram?
    /// By stage, of clusters alone: exchanges that spent time there.
    private(set) var stages: [Histogram]

    init(_ kind: HistogramRegistry.Kind) {
        self.kind = kind
        if kind != .endpoint {
            total = Histogram()
            added = Histogram(isFine: kind != .route)
        }
        if kind == .cluster || kind == .endpoint { wait = Histogram(isFine: kind == .cluster) }
        stages = [Histogram](
            repeating: Histogram(isFine: false), count: kind == .cluster ? Shape.stageCount : 0)
    }

    var count: UInt64 { statuses.reduce(0, &+) }

    subscript(stage: Ledger.Stage) -> Histogram { stages[Int(stage.rawValue)] }

    /// - Parameter row: the cells of a worker's row.
    mutating func add(_ row: [UInt64]) {
        for index in statuses.indices { statuses[index] &+= row[Shape.statuses + index] }
        requestBytes &+= row[Shape.requestBytes]
        responseBytes &+= row[Shape.responseBytes]
        if kind == .endpoint {
            wait?.add(row, sum: Shape.endpointWaitSum, cells: Shape.endpointWait)
            return
        }
        total?.add(row, sum: Shape.totalSum, cells: Shape.total)
        added?.add(row, sum: Shape.addedSum, cells: Shape.added)
        if kind != .cluster { return }
        wait?.add(row, sum: Shape.stageSums + Int(Ledger.Stage.wait.rawValue), cells: Shape.wait)
        for stage in stages.indices {
            stages[stage].add(
                row, sum: Shape.stageSums + stage,
                cells: Shape.stageBuckets + stage * HistogramScale.bucketCount)
        }
    }
}
