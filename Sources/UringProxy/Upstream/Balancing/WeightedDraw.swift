/// Draws endpoints, by weight or evenly. A worker's own sequence of numbers (SplitMix64): which one comes is of no use
/// to anybody, that two workers draw differently is.
struct WeightedDraw: BitwiseCopyable {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    private mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ word >> 30) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ word >> 27) &* 0x94D0_49BB_1331_11EB
        return word ^ word >> 31
    }

    /// One of 0..<`bound`; the bias of a 64-bit product is far below what anybody could count.
    @inline(__always)
    private mutating func below(_ bound: UInt64) -> UInt64 { next().multipliedFullWidth(by: bound).high }

    /// True in this part of all cases.
    mutating func chance(_ part: Double) -> Bool { Double(next() >> 11) * 0x1p-53 < part }

    /// One by weight; nil if all are excluded.
    mutating func choose(_ loads: EndpointLoads, excluding excluded: EndpointMask) -> Int? {
        var total: UInt64 = 0
        for index in 0..<loads.count where !excluded.contains(index) { total += UInt64(loads[index].weight) }
        guard total > 0 else { return nil }
        var left = below(total)
        for index in 0..<loads.count where !excluded.contains(index) {
            let weight = UInt64(loads[index].weight)
            if left < weight { return index }
            left -= weight
        }
        return nil
    }

    /// The cheaper of two (Mitzenmacher 2001): close to looking at all of them, and no herd follows the one that was
    /// cheapest a moment ago. nil if all are excluded.
    mutating func chooseCheaper(_ loads: EndpointLoads, excluding excluded: EndpointMask, now: Int64) -> Int?
    {
        guard let first = drawEvenly(loads, excluding: excluded, butNot: -1),
            let second = drawEvenly(loads, excluding: excluded, butNot: first)
        else { return drawEvenly(loads, excluding: excluded, butNot: -1) }
        let (a, b) = (loads[first], loads[second])
        let costOfFirst = a.latency.cost(inFlight: a.inFlight, weight: a.weight, now: now)
        let costOfSecond = b.latency.cost(inFlight: b.inFlight, weight: b.weight, now: now)
        return costOfSecond < costOfFirst ? second : first
    }

    private mutating func drawEvenly(
        _ loads: EndpointLoads, excluding excluded: EndpointMask, butNot other: Int
    ) -> Int? {
        var index = Int(below(UInt64(loads.count)))
        // Some draws in vain keep it even; past them few are left, and the next one will do.
        for _ in 0..<8 {
            if index != other && !excluded.contains(index) { return index }
            index = Int(below(UInt64(loads.count)))
        }
        for _ in 0..<loads.count {
            if index != other && !excluded.contains(index) { return index }
            index = index + 1 < loads.count ? index + 1 : 0
        }
        return nil
    }
}
