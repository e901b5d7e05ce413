/// The endpoint with the fewest exchanges under way for its weight. Equals take turns: with little to do nearly all are
/// equal, and the first would get everything.
struct LeastRequests: BitwiseCopyable {
    /// Where the next look begins.
    private var start: Int

    init(count: Int, worker: Int) { start = worker % max(1, count) }

    /// nil if all are excluded.
    mutating func choose(_ loads: EndpointLoads, excluding excluded: EndpointMask) -> Int? {
        var best: Int?
        var index = start
        for _ in 0..<loads.count {
            if !excluded.contains(index) && best.map({ isLess(loads[index], loads[$0]) }) ?? true {
                best = index
            }
            index = index + 1 < loads.count ? index + 1 : 0
        }
        if let best { start = best + 1 < loads.count ? best + 1 : 0 }
        return best
    }

    /// Compares (under way + 1) / weight, without the division. The one that is going to be added counts, or an idle
    /// endpoint of weight 1 would come as soon as an idle one of weight 10.
    @inline(__always)
    private func isLess(_ a: EndpointLoad, _ b: EndpointLoad) -> Bool {
        (UInt64(a.inFlight) + 1) * UInt64(b.weight) < (UInt64(b.inFlight) + 1) * UInt64(a.weight)
    }
}
