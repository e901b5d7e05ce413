/// Endpoints in turn. With weights the smooth way: after each choice every endpoint is owed its weight, and the chosen
/// one has paid what all are owed, so that 5:1:1 becomes a a b a c a a and not five of a kind.
struct RoundRobin: BitwiseCopyable {
    /// The last one chosen.
    private var last: Int
    private let isUniform: Bool

    /// - Parameter worker: workers begin at different places, so that they do not march in step.
    init(_ loads: EndpointLoads, worker: Int) {
        var isUniform = true
        var total = 0
        for index in 0..<loads.count {
            isUniform = isUniform && loads[index].weight == loads[0].weight
            total += Int(loads[index].weight)
        }
        self.isUniform = isUniform
        last = isUniform ? worker % max(1, loads.count) : 0
        guard !isUniform else { return }
        for _ in 0..<worker % total { _ = chooseByWeight(loads, excluding: .none) }
    }

    /// nil if all are excluded.
    @inline(__always)
    mutating func choose(_ loads: EndpointLoads, excluding excluded: EndpointMask) -> Int? {
        isUniform ? chooseNext(loads, excluding: excluded) : chooseByWeight(loads, excluding: excluded)
    }

    @inline(__always)
    private mutating func chooseNext(_ loads: EndpointLoads, excluding excluded: EndpointMask) -> Int? {
        var index = last
        for _ in 0..<loads.count {
            index = index &+ 1 < loads.count ? index &+ 1 : 0
            if excluded.contains(index) { continue }
            last = index
            return index
        }
        return nil
    }

    private mutating func chooseByWeight(_ loads: EndpointLoads, excluding excluded: EndpointMask) -> Int? {
        var best: Int?
        var bestCredit = Int32.min
        var total: Int32 = 0
        for index in 0..<loads.count where !excluded.contains(index) {
            let weight = Int32(loads[index].weight)
            let credit = loads[index].credit + weight
            loads[index].credit = credit
            total += weight
            if credit > bestCredit {
                best = index
                bestCredit = credit
            }
        }
        if let best { loads[best].credit -= total }
        return best
    }
}
