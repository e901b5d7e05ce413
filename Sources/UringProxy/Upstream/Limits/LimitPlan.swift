/// How much a cluster is asked to do at once.
struct LimitPlan: Sendable {
    struct Settings: BitwiseCopyable, Sendable {
        /// Exchanges under way.
        var requests: UInt32
        /// Exchanges that wait for one of them to end.
        var queue: UInt32 = 0
        /// How long they wait at most (nanoseconds).
        var queueTimeout: Int64 = 1_000_000_000
    }

    let settings: Settings
    let gate: ClusterGate
}

extension HealthRegistry {
    /// How much a configured cluster is asked to do at once; nil: there is no limit.
    func limits(_ configuration: ClusterConfiguration) -> LimitPlan? {
        let limits = configuration.limits
        guard limits.requests > 0 else { return nil }
        return LimitPlan(
            settings: LimitPlan.Settings(
                requests: UInt32(clamping: limits.requests), queue: UInt32(clamping: limits.queue),
                queueTimeout: limits.queueTimeout.rawValue),
            gate: gate(configuration.name))
    }
}
