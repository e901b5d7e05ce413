/// What is known beyond one configuration, by names that the next one may have as well.
struct Registries: Sendable {
    let limiters = LimiterRegistry()
    let health: HealthRegistry
    let discovery = DiscoveryRegistry()
    let drained = DrainedEndpoints()
    let tickets = TLSTicketRegistry()
    let tlsReloads = TLSReloadCounters()
    let upstreamTLS = UpstreamTLSRegistry()
    let histograms = HistogramRegistry()

    /// Forgets what a configuration, and the snapshot made of it, do not name.
    func keep(_ configuration: Configuration, _ snapshot: Snapshot) {
        let clusters = snapshot.clusters
        limiters.keep(configuration.rateLimits)
        health.keep(clusters)
        discovery.keep(clusters)
        drained.keep(Set(clusters.map(\.name)))
        tickets.keep(configuration)
        upstreamTLS.keep(clusters)
        histograms.keep(snapshot.names.rows)
    }
}
