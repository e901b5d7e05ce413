/// What is known beyond one configuration, by names that the next one may have as well.
struct Registries: Sendable {
    let limiters = LimiterRegistry()
    let health: HealthRegistry
    let discovery = DiscoveryRegistry()
    let tickets = TLSTicketRegistry()
    let tlsReloads = TLSReloadCounters()
    let upstreamTLS = UpstreamTLSRegistry()

    /// Forgets what a configuration, and the clusters made of it, do not name.
    func keep(_ configuration: Configuration, _ clusters: [ClusterPlan]) {
        limiters.keep(configuration.rateLimits)
        health.keep(clusters)
        discovery.keep(clusters)
        tickets.keep(configuration)
        upstreamTLS.keep(clusters)
    }
}
