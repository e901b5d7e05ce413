/// Which endpoints of a cluster stand in a zone that comes first, and how much of the load stays with them. Never changes.
///
/// As long as enough of them are available all of it stays. With fewer what is left of them gets its part of what enough would,
/// and the rest goes to the endpoints of other zones (Envoy has the same rule for its localities, with an overprovisioning factor of 1.4, which is
/// a threshold of 71 %).
struct ZonePlan: Sendable {
    static let whole: UInt64 = 1 << 32

    /// By the index of an endpoint.
    let isLocal: [Bool]
    private let weights: [UInt64]
    private let thresholdPercent: UInt64

    /// nil if there is nothing to prefer: all of the endpoints stand in the zone, or none.
    ///
    /// - Parameters:
    ///   - zone: nil: none comes first.
    ///   - thresholdPercent: the share of the zone's weight that is enough.
    init?(zone: String?, _ endpoints: [FixedUpstream], thresholdPercent: Int) {
        guard let zone else { return nil }
        isLocal = endpoints.map { $0.zone == zone }
        guard isLocal.contains(true), isLocal.contains(false) else { return nil }
        weights = endpoints.map { UInt64($0.weight) }
        self.thresholdPercent = UInt64(thresholdPercent)
    }

    /// The part of the load of each level of priorities that stays in the zone, in 1/2^32.
    ///
    /// - Parameters:
    ///   - level: by the index of an endpoint: at which it stands.
    ///   - isAvailable: likewise.
    func localShares(
        level: (Int) -> Int = { _ in 0 }, _ isAvailable: (Int) -> Bool
    ) -> InlineArray<16, UInt64> {
        var weighed = InlineArray<16, (all: UInt64, local: UInt64, others: UInt64)>(repeating: (0, 0, 0))
        for index in weights.indices {
            let level = level(index)
            let isAvailable = isAvailable(index)
            if isLocal[index] {
                weighed[level].all += weights[index]
                if isAvailable { weighed[level].local += weights[index] }
            } else if isAvailable {
                weighed[level].others += weights[index]
            }
        }
        return InlineArray { share(of: weighed[$0].all, weighed[$0].local, weighed[$0].others) }
    }

    private func share(of all: UInt64, _ local: UInt64, _ others: UInt64) -> UInt64 {
        if local == 0 { return 0 }
        let enough = all * thresholdPercent
        if others == 0 || local * 100 >= enough { return Self.whole }
        return Self.whole * (local * 100) / enough
    }
}
