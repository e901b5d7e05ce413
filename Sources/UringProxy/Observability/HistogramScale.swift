/// The cells in which durations are counted: 32 of the same width for each power of two, so that one is off by no more than 1.6 % if
/// it is taken for the middle of its cell. From 0.5 µs to 68.7 s; what is shorter is in one cell, and so is what is longer.
///
/// A cell with one of the bounds that are exported in it is split there: how many durations are within a bound is exact.
enum HistogramScale {
    /// Where a duration is counted.
    struct Place: BitwiseCopyable, Equatable {
        /// Among all cells.
        var cell: Int
        /// Among those between two bounds.
        var bucket: Int
    }

    /// What is exported, in nanoseconds.
    static let bounds: [Int64] = [
        100_000, 250_000, 500_000, 1_000_000, 2_500_000, 5_000_000, 10_000_000, 25_000_000, 50_000_000,
        100_000_000, 250_000_000, 500_000_000, 1_000_000_000, 2_500_000_000, 5_000_000_000, 10_000_000_000,
        30_000_000_000, 60_000_000_000,
    ]
    static var boundCount: Int { 18 }
    /// Those between two bounds, before the first one and behind the last one.
    static var bucketCount: Int { boundCount + 1 }

    /// What is shorter is in the first cell.
    private static var unit: Int64 { 1 << 9 }
    /// What is this long, or longer, is in the last one.
    static var limit: Int64 { 1 << 36 }
    static var wholeCells: Int { 27 * 32 + 1 }
    /// Behind the others: what is above a bound, of the cell that it is in.
    static var cellCount: Int { wholeCells + boundCount }

    /// The upper bits of a double: its exponent and the five bits of its fraction that tell steps from one another.
    private static var dropped: UInt64 { 47 }
    private static var firstBits: UInt64 { Double(unit).bitPattern >> dropped }

    /// The cell of a duration, whether it is split or not. A double has its logarithm at hand: no loop, no division, no branch.
    @inline(__always)
    static func wholeCell(_ nanoseconds: Int64) -> Int {
        let value = Double(nanoseconds)
        let least = value > Double(unit) ? value : Double(unit)
        let bounded = least < Double(limit) ? least : Double(limit)
        return Int(truncatingIfNeeded: bounded.bitPattern &>> dropped &- firstBits)
    }

    /// The shortest duration of a cell, in nanoseconds.
    static func start(ofWholeCell cell: Int) -> Int64 {
        cell == 0 ? 0 : Int64(Double(bitPattern: (firstBits + UInt64(cell)) << dropped))
    }

    /// Of each cell, the bucket of its shortest duration.
    static let buckets: [UInt8] = (0..<wholeCells).map { cell in
        let start = start(ofWholeCell: cell)
        return UInt8(bounds.count { $0 < start })
    }

    /// What finds places quickly: each worker has one, as tables that all have are looked for anew at each use.
    @safe struct Finder: ~Copyable {
        private let buckets: UnsafeMutablePointer<UInt8>
        /// With one behind the last.
        private let bounds: UnsafeMutablePointer<Int64>

        init() {
            unsafe bounds = .allocate(capacity: bucketCount)
            for (index, bound) in (HistogramScale.bounds + [.max]).enumerated() {
                unsafe (bounds + index).initialize(to: bound)
            }
            unsafe buckets = .allocate(capacity: wholeCells)
            for (cell, bucket) in HistogramScale.buckets.enumerated() {
                unsafe (buckets + cell).initialize(to: bucket)
            }
        }

        deinit {
            unsafe buckets.deallocate()
            unsafe bounds.deallocate()
        }

        @inline(__always)
        func place(_ nanoseconds: Int64) -> Place {
            // No longer than there are cells, whatever is measured.
            let cell = wholeCell(nanoseconds)
            let bucket = unsafe Int(buckets[cell])
            guard unsafe nanoseconds > bounds[bucket] else { return Place(cell: cell, bucket: bucket) }
            return Place(cell: wholeCells &+ bucket, bucket: bucket &+ 1)
        }
    }
}
