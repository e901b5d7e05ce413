internal import CPosix
internal import Synchronization

/// What a worker's exchanges came to, a row for each name: written by it alone, read by anybody.
///
/// Memory: a row is made when its first exchange ends, of a cluster 23 KB, of a listener 14 KB, of a route 7.4 KB, of an endpoint
/// 0.3 KB; what of it no exchange has touched is address space alone.
@safe final class ExchangeHistograms: @unchecked Sendable {
    typealias Kind = HistogramRegistry.Kind
    typealias RowNumber = HistogramRegistry.RowNumber
    private typealias Cells = UnsafeMutablePointer<Atomic<UInt64>>

    /// What a row holds, and where, in cells: that of a cluster all of it, those of others less from some place on.
    enum Shape {
        /// The number of the name that it belongs to; 0: being made.
        static var number: Int { 0 }
        /// By class; the first one is for no answer at all.
        static var statuses: Int { 1 }
        static var statusCount: Int { 6 }
        static var requestBytes: Int { 7 }
        static var responseBytes: Int { 8 }
        /// Of an endpoint, waits.
        static var endpointWaitSum: Int { 9 }
        static var endpointWait: Int { 10 }
        // Of others.
        static var totalSum: Int { 9 }
        static var addedSum: Int { 10 }
        static var total: Int { 11 }
        static var added: Int { total + HistogramScale.cellCount }
        // Of clusters.
        static var wait: Int { added + HistogramScale.cellCount }
        static var stageSums: Int { wait + HistogramScale.cellCount }
        static var stageCount: Int { 11 }
        static var stageBuckets: Int { stageSums + stageCount }

        static func size(_ kind: Kind) -> Int {
            switch kind {
            case .endpoint: endpointWait + HistogramScale.bucketCount
            // Added in buckets alone: there may be many of them.
            case .route: added + HistogramScale.bucketCount
            case .listener: added + HistogramScale.cellCount
            case .cluster: stageBuckets + stageCount * HistogramScale.bucketCount
            }
        }
    }

    /// Rows that were counted in together, found without a look at each of them.
    @safe private struct Known: BitwiseCopyable {
        var words: (UInt64, UInt64)
        var listener: Cells
        var route: Cells
        var cluster: Cells
        var endpoint: Cells
        // To 64 bytes.
        private var padding: (UInt64, UInt64) = (0, 0)

        init(
            words: (UInt64, UInt64), listener: Cells, route: Cells, cluster: Cells, endpoint: Cells
        ) {
            self.words = words
            unsafe self.listener = listener
            unsafe self.route = route
            unsafe self.cluster = cluster
            unsafe self.endpoint = endpoint
        }
    }
    private static var knownCount: Int { 256 }

    /// Rows are cut from pieces of address space this large.
    private static var pieceSize: Int { 1 << 20 }

    /// By place.
    private let rows: UnsafeMutablePointer<Atomic<UnsafeMutableRawPointer?>>
    private let finder = HistogramScale.Finder()
    // The worker's alone.
    private let known: UnsafeMutablePointer<Known>
    /// A row that nobody reads.
    private let nobody: Cells
    /// The last one, at whose beginning stands where the one before it is.
    private var piece: UnsafeMutableRawPointer?
    private var pieceUsed = ExchangeHistograms.pieceSize
    /// Of rows.
    private let usedBytes = Atomic<Int>(0)

    init() {
        guard let memory = unsafe cposix_map(Self.nobodyOffset + Self.rowSize(.cluster)) else {
            preconditionFailure("no address space for \(HistogramRegistry.placeCount) rows")
        }
        // All zeros: no row.
        unsafe rows = memory.assumingMemoryBound(to: Atomic<UnsafeMutableRawPointer?>.self)
        unsafe known = (memory + Self.knownOffset).assumingMemoryBound(to: Known.self)
        unsafe nobody = (memory + Self.nobodyOffset).assumingMemoryBound(to: Atomic<UInt64>.self)
        unsafe piece = nil
        forgetKnown()
    }

    deinit {
        unsafe _ = cposix_unmap(rows, Self.nobodyOffset + Self.rowSize(.cluster))
        while let last = unsafe piece {
            unsafe piece = last.load(as: UnsafeMutableRawPointer?.self)
            unsafe _ = cposix_unmap(last, Self.pieceSize)
        }
    }

    private static var knownOffset: Int { (HistogramRegistry.placeCount * 8 + 4095) & ~4095 }
    private static var nobodyOffset: Int { knownOffset + knownCount * 64 }
    /// In bytes; rows begin on cache lines of their own.
    private static func rowSize(_ kind: Kind) -> Int { (Shape.size(kind) * 8 + 63) & ~63 }

    /// Bytes of all rows that there are.
    var sizeBytes: Int { usedBytes.load(ordering: .relaxed) }

    // MARK: - On the worker's own thread

    /// An exchange has ended. About 160 instructions where it waited for its upstream alone, 20 more for each other stage (callgrind).
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
        let words = rows.words
        let mixed = words.0 ^ words.1
        let place = Int(truncatingIfNeeded: (mixed ^ mixed >> 32) & UInt64(Self.knownCount &- 1))
        let known = unsafe known + place
        if unsafe known.pointee.words != words { unsafe find(rows, known) }
        let amounts = Amounts(
            // A hundredth, of what has three digits.
            status: min((Int(status) &* 5243) >> 19, Shape.statusCount &- 1),
            requestBytes: requestBytes, responseBytes: responseBytes, total: times.total,
            added: times.added, totalPlace: finder.place(times.total), addedPlace: addedPlace(times.added))
        unsafe add(amounts, to: known.pointee.listener, isRoute: false)
        unsafe add(amounts, to: known.pointee.route, isRoute: true)
        let cluster = unsafe known.pointee.cluster
        unsafe add(amounts, to: cluster, isRoute: false)
        let wait = times[.wait]
        let waitPlace = finder.place(wait)
        unsafe Self.add(1, to: cluster + Shape.wait + waitPlace.cell)
        if wait != 0 { unsafe add(wait, waitPlace.bucket, of: .wait, to: cluster) }
        if amounts.added != 0 { unsafe addAdded(times, to: cluster) }
        unsafe add(times[.read], of: .read, to: cluster)
        unsafe add(times[.send], of: .send, to: cluster)
        unsafe add(times[.receive], of: .receive, to: cluster)
        unsafe add(times[.drain], of: .drain, to: cluster)
        let endpoint = unsafe known.pointee.endpoint
        unsafe addCounts(amounts, to: endpoint)
        unsafe Self.add(UInt64(bitPattern: wait), to: endpoint + Shape.endpointWaitSum)
        unsafe Self.add(1, to: endpoint + Shape.endpointWait + waitPlace.bucket)
    }

    /// What one exchange adds to its rows.
    private struct Amounts {
        /// Its class.
        var status: Int
        var requestBytes: UInt64
        var responseBytes: UInt64
        var total: Int64
        var added: Int64
        var totalPlace: HistogramScale.Place
        var addedPlace: HistogramScale.Place
    }

    /// That of most exchanges is nothing at all.
    @inline(__always)
    private func addedPlace(_ added: Int64) -> HistogramScale.Place {
        added == 0 ? HistogramScale.Place(cell: 0, bucket: 0) : finder.place(added)
    }

    @inline(__always)
    private func addCounts(_ amounts: Amounts, to cells: Cells) {
        unsafe Self.add(1, to: cells + Shape.statuses + amounts.status)
        unsafe Self.add(amounts.requestBytes, to: cells + Shape.requestBytes)
        unsafe Self.add(amounts.responseBytes, to: cells + Shape.responseBytes)
    }

    @inline(__always)
    private func add(_ amounts: Amounts, to cells: Cells, isRoute: Bool) {
        unsafe addCounts(amounts, to: cells)
        unsafe Self.add(UInt64(bitPattern: amounts.total), to: cells + Shape.totalSum)
        unsafe Self.add(UInt64(bitPattern: amounts.added), to: cells + Shape.addedSum)
        unsafe Self.add(1, to: cells + Shape.total + amounts.totalPlace.cell)
        let added = isRoute ? amounts.addedPlace.bucket : amounts.addedPlace.cell
        unsafe Self.add(1, to: cells + Shape.added + added)
    }

    /// Stages that took no time are left out.
    @inline(__always)
    private func add(_ nanoseconds: Int64, of stage: Ledger.Stage, to cells: Cells) {
        if nanoseconds == 0 { return }
        unsafe add(nanoseconds, finder.place(nanoseconds).bucket, of: stage, to: cells)
    }

    @inline(__always)
    private func add(_ nanoseconds: Int64, _ bucket: Int, of stage: Ledger.Stage, to cells: Cells) {
        let stage = Int(stage.rawValue)
        unsafe Self.add(UInt64(bitPattern: nanoseconds), to: cells + Shape.stageSums + stage)
        unsafe Self.add(1, to: cells + Shape.stageBuckets + stage &* HistogramScale.bucketCount + bucket)
    }

    @inline(never)
    private func addAdded(_ times: Ledger.Times, to cells: Cells) {
        unsafe add(times[.queue], of: .queue, to: cells)
        unsafe add(times[.route], of: .route, to: cells)
        unsafe add(times[.pool], of: .pool, to: cells)
        unsafe add(times[.resolve], of: .resolve, to: cells)
        unsafe add(times[.connect], of: .connect, to: cells)
        unsafe add(times[.tls], of: .tls, to: cells)
    }

    /// A load and a store: there is one writer.
    @inline(__always)
    private static func add(_ amount: UInt64, to cell: Cells) {
        let value = unsafe cell.pointee.load(ordering: .relaxed)
        unsafe cell.pointee.store(value &+ amount, ordering: .relaxed)
    }

    // MARK: - Rows

    @inline(never)
    private func find(_ rows: ExchangeRows, _ place: UnsafeMutablePointer<Known>) {
        let listener = unsafe cells(rows.listener, .listener)
        let route = unsafe cells(rows.route, .route)
        let cluster = unsafe cells(rows.cluster, .cluster)
        let endpoint = unsafe cells(rows.endpoint, .endpoint)
        // At the end: to make one may forget what is known.
        unsafe place.pointee = Known(
            words: rows.words, listener: listener, route: route, cluster: cluster, endpoint: endpoint)
    }

    private func forgetKnown() {
        for index in 0..<Self.knownCount {
            unsafe known[index] = Known(
                words: (.max, .max), listener: nobody, route: nobody, cluster: nobody, endpoint: nobody)
        }
    }

    /// The row of a number.
    private func cells(_ number: RowNumber, _ kind: Kind) -> Cells {
        if number == .none { return unsafe nobody }
        // Rows of other kinds are shorter.
        precondition(number.kind == kind.rawValue && number.place < HistogramRegistry.placeCount)
        guard let row = unsafe rows[number.place].load(ordering: .relaxed) else {
            guard let cells = unsafe makeRow(kind) else { return unsafe nobody }
            unsafe cells[Shape.number].store(UInt64(number.rawValue), ordering: .relaxed)
            unsafe rows[number.place].store(UnsafeMutableRawPointer(cells), ordering: .releasing)
            return unsafe cells
        }
        let cells = unsafe row.assumingMemoryBound(to: Atomic<UInt64>.self)
        let owner = unsafe RowNumber(rawValue: UInt32(cells[Shape.number].load(ordering: .relaxed)))
        if owner == number { return unsafe cells }
        // An exchange of before the reload at which its name went, and whose place another one has.
        if owner.generation > number.generation {
            return unsafe self.cells(HistogramRegistry.other(kind), kind)
        }
        forgetKnown()
        // Whoever reads it meanwhile sees that it is being made.
        unsafe cells[Shape.number].store(0, ordering: .relaxed)
        atomicMemoryFence(ordering: .releasing)
        for index in 1..<Shape.size(kind) { unsafe cells[index].store(0, ordering: .relaxed) }
        unsafe cells[Shape.number].store(UInt64(number.rawValue), ordering: .releasing)
        return unsafe cells
    }

    private func makeRow(_ kind: Kind) -> Cells? {
        let size = Self.rowSize(kind)
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
        var all = [UInt64](repeating: 0, count: Shape.size(counts.kind))
        guard unsafe cells[Shape.number].load(ordering: .acquiring) == UInt64(number.rawValue) else { return }
        for index in all.indices { all[index] = unsafe cells[index].load(ordering: .relaxed) }
        atomicMemoryFence(ordering: .acquiring)
        // Another name has it since.
        guard unsafe cells[Shape.number].load(ordering: .relaxed) == UInt64(number.rawValue) else { return }
        counts.add(all)
    }
}
