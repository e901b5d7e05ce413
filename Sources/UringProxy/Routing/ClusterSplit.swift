/// Clusters that share the requests of a route.
///
/// Which one a request goes to is a point of 0..<2^32: the hash of its key, or drawn. The first cluster is the one that the
/// others take their shares from. Each other one has a stretch of the points to itself, which its share fills from the start; the first has what
/// is left. So a share that grows takes points from the first alone, and one that shrinks gives them back to it: a
/// key moves only from the cluster that shrinks to the one that grows. Only a share that does not fit its stretch (of two clusters: never; of
/// three: more than half) takes the rest from the ends of the others.
struct ClusterSplit: Sendable, Equatable {
    struct Share: Sendable, Equatable {
        /// By its index.
        var cluster: Int
        var name: String
        var weight: UInt64
    }

    /// Points up to `last`, from where the one before ends.
    struct Span: BitwiseCopyable, Sendable, Equatable {
        var last: UInt32
        /// The place of the share.
        var share: Int
    }

    static var shareLimit: Int { 64 }
    static var weightLimit: Int { 1_000_000 }

    var shares: [Share]
    var key: HashKey?

    /// All points, in order.
    var spans: [Span] {
        let whole: UInt64 = 1 << 32
        let sizes = sizes(of: whole)
        let stretches = UInt64(max(1, shares.count - 1))
        var pieces: [(points: Range<UInt64>, share: Int)] = []
        var free: [Range<UInt64>] = []
        var left: [(size: UInt64, share: Int)] = []
        for stretch in 0..<stretches {
            let (start, end) = (whole * stretch / stretches, whole * (stretch + 1) / stretches)
            let share = Int(stretch) + 1
            let wanted = share < sizes.count ? sizes[share] : 0
            let own = min(wanted, end - start)
            pieces.append((start..<start + own, share))
            free.append(start + own..<end)
            left.append((wanted - own, share))
        }
        for (size, share) in left {
            var size = size
            for stretch in free.indices.reversed() {
                let taken = min(size, UInt64(free[stretch].count))
                let end = free[stretch].upperBound
                pieces.append((end - taken..<end, share))
                free[stretch] = free[stretch].lowerBound..<end - taken
                size -= taken
            }
        }
        pieces += free.map { ($0, 0) }
        return pieces.filter { !$0.points.isEmpty }.sorted { $0.points.lowerBound < $1.points.lowerBound }
            .map { Span(last: UInt32($0.points.upperBound - 1), share: $0.share) }
    }

    /// How many of the points each share has; together all of them.
    private func sizes(of whole: UInt64) -> [UInt64] {
        let total = shares.reduce(0) { $0 + $1.weight }
        precondition(total > 0)
        var sum: UInt64 = 0
        var before: UInt64 = 0
        return shares.map { share in
            sum += share.weight
            let end = whole * sum / total
            defer { before = end }
            return end - before
        }
    }
}
