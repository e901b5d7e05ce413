/// How one configuration of a cluster finds its endpoints.
struct DiscoveryPlan: Sendable {
    let source: DiscoverySource
    /// Nanoseconds: between two questions to DNS.
    let refreshMin: Int64
    let refreshMax: Int64
    /// How long who brings the cluster waits for its first endpoints.
    let wait: Nanoseconds

    init(_ configuration: DiscoveryConfiguration, source: DiscoverySource) {
        self.source = source
        refreshMin = configuration.refreshMin.rawValue
        refreshMax = configuration.refreshMax.rawValue
        wait = configuration.wait
    }
}
