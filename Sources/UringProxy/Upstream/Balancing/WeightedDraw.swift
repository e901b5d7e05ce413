/// Draws endpoints, by weight or evenly. Which one comes is of no use to anybody, that two workers
/// draw differently is.
struct WeightedDraw: BitwiseCopyable {
    private var words: RandomWords

    init(seed: UInt64) { words = RandomWords(seed: seed) }

    /// True in this part of all cases.
    mutating func chance(_ part: Double) -> Bool { Double(words.next() >> 11) * 0x1p-53 < part }

    /// Any number of 32 bits.
    mutating func point() -> UInt64 { words.next() >> 32 }

    /// One by weight; nil if all are excluded.
    mutating func choose(_ loads: EndpointLoads, excluding excluded: EndpointMask) -> Int? {
        var total: UInt64 = 0
        for index in 0..<loads.count where !excluded.contains(index) { total += UInt64(loads[index].weight) }
        guard total > 0 else { return nil }
        var left = words.below(total)
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
        var index = Int(words.below(UInt64(loads.count)))
        // Past some draws in vain few are left, such as those of one zone.
        for _ in 0..<8 {
            if index != other && !excluded.contains(index) { return index }
            index = Int(words.below(UInt64(loads.count)))
        }
        var count: UInt64 = 0
        for index in 0..<loads.count where index != other && !excluded.contains(index) { count += 1 }
        if count == 0 { return nil }
        var left = words.below(count)
        for index in 0..<loads.count where index != other && !excluded.contains(index) {
            if left == 0 { return index }
            left -= 1
        }
        preconditionFailure("so many were counted")
    }
}
