internal import CPosix
internal import Synchronization

/// What a worker's exchanges came to, a row for each name: written by it alone, read by anybody.
///
/// Memory: a row is made when its first exchange ends, of a listener 21 KB, of a cluster 23 KB, of a route 7.5 KB, of an endpoint
/// 0.6 KB; what of it no exchange has touched is address space alone.
@safe final class ExchangeHistograms: @unchecked Sendable {
    typealias Kind = HistogramRegistry.Kind
    typealias RowNumber = HistogramRegistry.RowNumber
    private typealias Cells = UnsafeMutablePointer<Atomic<UInt64>>

    /// What a row of a kind holds, and where, in cells.
    struct Shape {
        /// How fine its histograms are: 883 cells or 19.
        let hasFineTotal: Bool
        let hasFineParts: Bool
        let hasStages: Bool

        @inline(__always)
        init(_ kind: Kind) {
            hasFineTotal = kind != .endpoint
            hasFineParts = kind == .listener || kind == .cluster
            hasStages = kind == .cluster
        }

        /// The number of the name that it belongs to; 0: being made.
        static var number: Int { 0 }
        /// By class; the first one is for no answer at all.
        static var statuses: Int { 1 }
        static var statusCount: Int { 6 }
        static var requestBytes: Int { 7 }
        static var responseBytes: Int { 8 }
        static var totalSum: Int { 9 }
        static var addedSum: Int { 10 }
        static var waitSum: Int { 11 }
        static var total: Int { 12 }
        @inline(__always)
        var added: Int { Self.total &+ Self.cells(isFine: hasFineTotal) }
        @inline(__always)
        var wait: Int { added &+ Self.cells(isFine: hasFineParts) }
        /// The sum of each stage, and then the buckets of each.
        @inline(__always)
        var stages: Int { wait &+ Self.cells(isFine: hasFineParts) }
        static var stageCount: Int { 11 }
        var size: Int {
            stages + (hasStages ? Self.stageCount * (1 + HistogramScale.bucketCount) : 0)
        }

        @inline(__always)
        static func cells(isFine: Bool) -> Int {
            isFine ? HistogramScale.cellCount : HistogramScale.bucketCount
        }
    }

    /// What one exchange adds to each of its rows.
    private struct Amounts {
        var status: Int
        var requestBytes: UInt64
        var responseBytes: UInt64
        var total: (nanoseconds: UInt64, place: HistogramScale.Place)
        var added: (nanoseconds: UInt64, place: HistogramScale.Place)
        var wait: (nanoseconds: UInt64, place: HistogramScale.Place)
    }

    /// Rows are cut from pieces of address space this large.
    private static var pieceSize: Int { 1 << 20 }

    /// By place.
    private let rows: UnsafeMutablePointer<Atomic<UnsafeMutableRawPointer?>>
    private let finder = HistogramScale.Finder()
    // The worker's alone.
    /// The last one, at whose beginning stands where the one before it is.
    private var piece: UnsafeMutableRawPointer?
    private var pieceUsed = ExchangeHistograms.pieceSize
    /// Of rows.
    private let usedBytes = Atomic<Int>(0)

    init() {
        guard let memory = unsafe cposix_map(Self.tableSize) else {
            preconditionFailure("no address space for \(HistogramRegistry.placeCount) rows")
        }
        // All zeros: no row.
        unsafe rows = memory.assumingMemoryBound(to: Atomic<UnsafeMutableRawPointer?>.self)
        unsafe piece = nil
    }

    deinit {
        unsafe _ = cposix_unmap(rows, Self.tableSize)
        while let last = unsafe piece {
            unsafe piece = last.load(as: UnsafeMutableRawPointer?.self)
            unsafe _ = cposix_unmap(last, Self.pieceSize)
        }
    }

    private static var tableSize: Int { HistogramRegistry.placeCount * MemoryLayout<UInt>.stride }

    /// Bytes of all rows that there are.
    var sizeBytes: Int { usedBytes.load(ordering: .relaxed) }

    // MARK: - On the worker's own thread

    /// An exchange has ended.
    ///
    /// - Parameters:
    ///   - status: 0: nothing was answered.
    ///   - times: of its ledger.
    ///   - requestBytes: of the request's content.
    ///   - responseBytes: likewise.
    func observe(
        _ rows: ExchangeRows, status: UInt16, times: Ledger.Times, requestBytes: UInt64,
        responseBytes: UInt64
    ) {
        let amounts = Amounts(
            status: min(Int(status) / 100, Shape.statusCount &- 1), requestBytes: requestBytes,
            responseBytes: responseBytes, total: measured(times.total), added: measured(times.added),
            wait: measured(times[.wait]))
        if let cells = unsafe cells(rows.listener, .listener) { unsafe add(amounts, to: cells, .listener) }
        if let cells = unsafe cells(rows.route, .route) { unsafe add(amounts, to: cells, .route) }
        if let cells = unsafe cells(rows.cluster, .cluster) {
            unsafe add(amounts, to: cells, .cluster)
            unsafe add(times, to: cells)
        }
        if let cells = unsafe cells(rows.endpoint, .endpoint) { unsafe add(amounts, to: cells, .endpoint) }
    }

    @inline(__always)
    private func measured(_ nanoseconds: Int64) -> (UInt64, HistogramScale.Place) {
        (UInt64(bitPattern: max(nanoseconds, 0)), finder.place(nanoseconds))
    }

    @inline(__always)
    private func add(_ amounts: Amounts, to cells: Cells, _ kind: Kind) {
        let shape = Shape(kind)
        func place(_ place: HistogramScale.Place, isFine: Bool) -> Int { isFine ? place.cell : place.bucket }
        unsafe Self.add(1, to: cells + Shape.statuses + amounts.status)
        unsafe Self.add(amounts.requestBytes, to: cells + Shape.requestBytes)
        unsafe Self.add(amounts.responseBytes, to: cells + Shape.responseBytes)
        unsafe Self.add(amounts.total.nanoseconds, to: cells + Shape.totalSum)
        unsafe Self.add(amounts.added.nanoseconds, to: cells + Shape.addedSum)
        unsafe Self.add(amounts.wait.nanoseconds, to: cells + Shape.waitSum)
        unsafe Self.add(
            1, to: cells + Shape.total + place(amounts.total.place, isFine: shape.hasFineTotal))
        unsafe Self.add(
            1, to: cells + shape.added + place(amounts.added.place, isFine: shape.hasFineParts))
        unsafe Self.add(
            1, to: cells + shape.wait + place(amounts.wait.place, isFine: shape.hasFineParts))
    }

    /// Stages that took no time are left out: they are as many as the exchanges that are missing.
    @inline(__always)
    private func add(_ times: Ledger.Times, to cells: Cells) {
        let sums = unsafe cells + Shape(.cluster).stages
        unsafe withUnsafeBytes(of: times) { times in
            for stage in 0..<Shape.stageCount {
                let nanoseconds = unsafe times.loadUnaligned(fromByteOffset: stage &* 8, as: Int64.self)
                guard nanoseconds > 0 else { continue }
                unsafe Self.add(UInt64(bitPattern: nanoseconds), to: sums + stage)
                let bucket = finder.place(nanoseconds).bucket
                unsafe Self.add(
                    1, to: sums + Shape.stageCount + stage &* HistogramScale.bucketCount + bucket)
            }
        }
    }

    /// A load and a store: there is one writer.
    @inline(__always)
    private static func add(_ amount: UInt64, to cell: Cells) {
        let value = unsafe cell.pointee.load(ordering: .relaxed)
        unsafe cell.pointee.store(value &+ amount, ordering: .relaxed)
    }

    /// The row of a number; nil if it is none.
    @inline(__always)
    private func cells(_ number: RowNumber, _ kind: Kind) -> Cells? {
        if number == .none { return nil }
        // Rows of other kinds are shorter.
        precondition(number.kind == kind.rawValue)
        assert(number.place < HistogramRegistry.placeCount)
        if let row = unsafe rows[number.place].load(ordering: .relaxed) {
            let cells = unsafe row.assumingMemoryBound(to: Atomic<UInt64>.self)
            let owner = unsafe cells[Shape.number].load(ordering: .relaxed)
            if owner == UInt64(number.rawValue) { return unsafe cells }
        }
        return unsafe begin(number, kind)
    }

    /// The row of a number that has none yet, or whose place was another name's.
    @inline(never)
    private func begin(_ number: RowNumber, _ kind: Kind) -> Cells? {
        guard let row = unsafe rows[number.place].load(ordering: .relaxed) else {
            guard let cells = unsafe makeRow(Shape(kind).size) else { return nil }
            unsafe cells[Shape.number].store(UInt64(number.rawValue), ordering: .relaxed)
            unsafe rows[number.place].store(UnsafeMutableRawPointer(cells), ordering: .releasing)
            return unsafe cells
        }
        let cells = unsafe row.assumingMemoryBound(to: Atomic<UInt64>.self)
        let owner = unsafe RowNumber(rawValue: UInt32(cells[Shape.number].load(ordering: .relaxed)))
        // An exchange of before the reload at which its name went, and whose place another one has.
        if owner.generation > number.generation {
            return unsafe self.cells(HistogramRegistry.other(kind), kind)
        }
        // Whoever reads it meanwhile sees that it is being made.
        unsafe cells[Shape.number].store(0, ordering: .relaxed)
        atomicMemoryFence(ordering: .releasing)
        for index in 1..<Shape(kind).size { unsafe cells[index].store(0, ordering: .relaxed) }
        unsafe cells[Shape.number].store(UInt64(number.rawValue), ordering: .releasing)
        return unsafe cells
    }

    /// - Parameter count: of its cells.
    private func makeRow(_ count: Int) -> Cells? {
        // Rows begin on cache lines of their own.
        let size = (count * 8 + 63) & ~63
        if pieceUsed + size > Self.pieceSize {
            guard let new = unsafe cposix_map(Self.pieceSize) else { return nil }
            unsafe new.storeBytes(of: piece, as: UnsafeMutableRawPointer?.self)
            unsafe piece = new
            pieceUsed = 64
        }
        guard let piece = unsafe piece else { return nil }
        let row = unsafe piece + pieceUsed
        pieceUsed += size
        usedBytes.store(usedBytes.load(ordering: .relaxed) + size, ordering: .relaxed)
        return unsafe row.assumingMemoryBound(to: Atomic<UInt64>.self)
    }

    // MARK: - Any thread

    /// Adds what was counted for a name to `counts`.
    func read(_ number: RowNumber, into counts: inout ExchangeCounts) {
        guard let row = unsafe rows[number.place].load(ordering: .acquiring) else { return }
        let cells = unsafe row.assumingMemoryBound(to: Atomic<UInt64>.self)
        var all = [UInt64](repeating: 0, count: Shape(counts.kind).size)
        guard unsafe cells[Shape.number].load(ordering: .acquiring) == UInt64(number.rawValue) else { return }
        for index in all.indices { all[index] = unsafe cells[index].load(ordering: .relaxed) }
        atomicMemoryFence(ordering: .acquiring)
        // Another name has it since.
        guard unsafe cells[Shape.number].load(ordering: .relaxed) == UInt64(number.rawValue) else { return }
        counts.add(all)
    }
}
