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

    /// The part of the load that stays in the zone, in 1/2^32.
    ///
    /// - Parameters:
    ///   - counts: by the index of an endpoint: whether any of the load is for it.
    ///   - isAvailable: likewise.
    func localShare(among counts: (Int) -> Bool = { _ in true }, _ isAvailable: (Int) -> Bool) -> UInt64 {
        var (all, local, others): (UInt64, UInt64, UInt64) = (0, 0, 0)
        for index in weights.indices where counts(index) {
            let isAvailable = isAvailable(index)
            if isLocal[index] {
                all += weights[index]
                if isAvailable { local += weights[index] }
            } else if isAvailable {
                others += weights[index]
            }
        }
        if local == 0 { return 0 }
        let enough = all * thresholdPercent
        if others == 0 || local * 100 >= enough { return Self.whole }
        return Self.whole * (local * 100) / enough
    }
}
