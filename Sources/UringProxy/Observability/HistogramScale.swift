/// The cells in which durations are counted: 32 of the same width for each power of two, so that one is off by no more than 1.6 % if
/// it is taken for the middle of its cell. From 1 µs to 60 s; what is shorter is off by 16 ns, what is longer is in one cell.
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

    private static var stepBits: Int { 5 }
    /// Cells below this are as wide as the first one above it.
    private static var unit: Int64 { 1 << 10 }
    /// What is this long, 68.7 s, or longer is in the last cell.
    static var limit: Int64 { 1 << 36 }
    static var wholeCells: Int { 27 << stepBits + 1 }
    /// Behind the others: what is above a bound, of the cell that it is in.
    static var cellCount: Int { wholeCells + boundCount }

    /// The cell of a duration, whether it is split or not. No loop, no division, no branch.
    @inline(__always)
    static func wholeCell(_ nanoseconds: Int64) -> Int {
        let value = UInt64(bitPattern: min(max(nanoseconds, 0), limit))
        let shift = 63 &- stepBits &- (value | UInt64(unit)).leadingZeroBitCount
        return (shift &- stepBits) << stepBits &+ Int(truncatingIfNeeded: value &>> UInt64(shift))
    }

    /// The shortest duration of a cell, in nanoseconds.
    static func start(ofWholeCell cell: Int) -> Int64 {
        let shift = max(cell >> stepBits, 1) - 1
        return Int64(cell - shift << stepBits) << Int64(shift + stepBits)
    }

    /// What finds places quickly: each worker has one, as tables that all have are looked for anew at each use.
    struct Finder: ~Copyable {
        /// Of each cell, the bucket of its shortest duration.
        private let buckets: FixedArray<UInt8>
        /// With one behind the last.
        private let bounds: FixedArray<Int64>

        init() {
            bounds = FixedArray(HistogramScale.bounds + [.max])
            buckets = FixedArray(
                (0..<wholeCells).map { cell in
                    let start = HistogramScale.start(ofWholeCell: cell)
                    return UInt8(HistogramScale.bounds.count { $0 < start })
                })
        }

        @inline(__always)
        func place(_ nanoseconds: Int64) -> Place {
            let cell = wholeCell(nanoseconds)
            let bucket = Int(buckets[cell])
            guard nanoseconds > bounds[bucket] else { return Place(cell: cell, bucket: bucket) }
            return Place(cell: wholeCells &+ bucket, bucket: bucket &+ 1)
        }
    }
}
