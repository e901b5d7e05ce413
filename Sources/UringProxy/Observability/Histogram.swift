/// How long something took, of many: what workers counted, added up.
struct Histogram: Sendable, Equatable {
    /// Of each cell of the scale, or of each bucket alone.
    private var counts: [UInt64]
    /// Of all durations, in nanoseconds.
    private(set) var sum: UInt64 = 0

    /// - Parameter isFine: by cells; else quantiles are as rough as the bounds.
    init(isFine: Bool = true) {
        counts = [UInt64](
            repeating: 0, count: isFine ? HistogramScale.cellCount : HistogramScale.bucketCount)
    }

    var isFine: Bool { counts.count == HistogramScale.cellCount }
    var count: UInt64 { counts.reduce(0, &+) }

    /// What one worker counted.
    ///
    /// - Parameters:
    ///   - row: its numbers, of other things too.
    ///   - sum: where the sum stands.
    ///   - cells: where the first cell does.
    mutating func add(_ row: [UInt64], sum place: Int, cells: Int) {
        sum &+= row[place]
        for cell in counts.indices { counts[cell] &+= row[cells + cell] }
    }

    /// How many there are up to each bound of the scale, and after them how many there are.
    var cumulative: [UInt64] {
        var total: UInt64 = 0
        return buckets.map { count in
            total &+= count
            return total
        }
    }

    /// How many there are between the bounds.
    private var buckets: [UInt64] {
        guard isFine else { return counts }
        var buckets = [UInt64](repeating: 0, count: HistogramScale.bucketCount)
        for (cell, bucket) in HistogramScale.buckets.enumerated() {
            // The part of a split cell that is within the bound.
            buckets[Int(bucket)] &+= counts[cell]
        }
        for bound in 0..<HistogramScale.boundCount {
            buckets[bound + 1] &+= counts[HistogramScale.wholeCells + bound]
        }
        return buckets
    }

    /// The duration, in nanoseconds, that a part of all does not exceed; nil if there is none.
    ///
    /// - Parameter part: 0 to 1.
    func quantile(_ part: Double) -> Int64? {
        let count = count
        guard count > 0 else { return nil }
        let rank = min(max(UInt64((part * Double(count)).rounded(.up)), 1), count)
        return isFine ? fineQuantile(rank) : roughQuantile(rank)
    }

    private func fineQuantile(_ rank: UInt64) -> Int64 {
        var whole = Array(counts[..<HistogramScale.wholeCells])
        for (bound, nanoseconds) in HistogramScale.bounds.enumerated() {
            whole[HistogramScale.wholeCell(nanoseconds)] &+= counts[HistogramScale.wholeCells + bound]
        }
        var left = rank
        for (cell, count) in whole.enumerated() {
            if left > count {
                left -= count
                continue
            }
            let start = HistogramScale.start(ofWholeCell: cell)
            if cell == HistogramScale.wholeCells - 1 { return start }
            return (start + HistogramScale.start(ofWholeCell: cell + 1)) / 2
        }
        return HistogramScale.limit
    }

    /// As if they were spread evenly between two bounds.
    private func roughQuantile(_ rank: UInt64) -> Int64 {
        var left = rank
        var start: Int64 = 0
        for (bucket, end) in HistogramScale.bounds.enumerated() {
            if left <= counts[bucket] {
                return start + Int64(Double(end - start) * (Double(left) - 0.5) / Double(counts[bucket]))
            }
            left -= counts[bucket]
            start = end
        }
        return start
    }
}
