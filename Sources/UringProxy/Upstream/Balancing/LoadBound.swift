/// Consistent hashing with bounded loads (Mirrokni, Thorup, Zadimoghaddam 2016): no endpoint has more than `factor` times
/// its share of what is under way; what is too much for it goes to the next place.
struct LoadBound: BitwiseCopyable, Sendable {
    /// In 1/1024; at least 1024.
    private let factor: UInt64

    /// - Parameter factor: at least 1.
    init(_ factor: Double) {
        precondition(factor >= 1)
        self.factor = UInt64(min(factor, 1000) * 1024)
    }

    /// What one choice compares with: sums over the endpoints that may be chosen.
    struct Share: BitwiseCopyable {
        /// factor × (all that is under way + 1).
        fileprivate let scaledTotal: UInt64
        fileprivate let scaledWeights: UInt64

        /// The most that an endpoint of this weight may have under way, the new exchange included: rounded up, so that
        /// there is always room somewhere.
        func limit(weight: UInt32) -> UInt64 {
            (scaledTotal * UInt64(weight) + scaledWeights - 1) / scaledWeights
        }

        @inline(__always)
        func hasRoom(_ load: EndpointLoad) -> Bool { UInt64(load.inFlight) < limit(weight: load.weight) }
    }

    func share(_ loads: EndpointLoads, excluding excluded: EndpointMask) -> Share? {
        var total: UInt64 = 1
        var weights: UInt64 = 0
        for index in 0..<loads.count where !excluded.contains(index) {
            total += UInt64(loads[index].inFlight)
            weights += UInt64(loads[index].weight)
        }
        return weights == 0 ? nil : Share(scaledTotal: factor * total, scaledWeights: weights * 1024)
    }
}
