/// Which zones of a cluster come first: for clients that a rule is about the one that it names, for all others that of the
/// proxy. Never changes.
struct ZonePlans: Sendable {
    /// By the number of a zone, as the rules count them; 0 is for clients that no rule is about. nil: all endpoints are alike.
    let plans: [ZonePlan?]
    let rules: ZoneRules?
    /// Percent.
    let threshold: Int

    /// nil if there is nothing to prefer, whoever asks.
    ///
    /// - Parameters:
    ///   - own: the zone of the proxy; nil: nobody said.
    ///   - thresholdPercent: the share of a zone's weight that is enough.
    init?(own: String?, rules: ZoneRules? = nil, _ endpoints: [FixedUpstream], thresholdPercent: Int) {
        let zones = [own] + (rules?.zones ?? [])
        plans = zones.map { ZonePlan(zone: $0, endpoints, thresholdPercent: thresholdPercent) }
        self.rules = rules
        threshold = thresholdPercent
        if rules == nil && plans[0] == nil { return nil }
    }

    /// The number that a zone has in others; 0 if their rules do not name it.
    ///
    /// - Parameter number: as it is here.
    func number(_ number: UInt8, in others: ZonePlans?) -> UInt8 {
        guard number > 0, let rules else { return 0 }
        return others?.rules?.number(of: rules.zones[Int(number) - 1]) ?? 0
    }
}
