/// Makes plans of the clusters of a configuration that can work.
struct ClusterCompiler {
    private let configuration: Configuration
    private let registries: Registries
    private let stickyKeys: StickyKeys
    private let zoneRules: [String: ZoneRules]
    private let tls: [String: UpstreamTLS]
    private let proxyHeader: ProxyHeader.Version?

    /// - Parameters:
    ///   - registries: what there is, and gets what is new.
    ///   - zoneRules: by the name of a cluster.
    ///   - tls: likewise; plans that are `updated` have theirs.
    init(
        _ configuration: Configuration, _ registries: Registries, _ stickyKeys: StickyKeys,
        zoneRules: [String: ZoneRules], tls: [String: UpstreamTLS] = [:]
    ) {
        self.configuration = configuration
        self.registries = registries
        self.stickyKeys = stickyKeys
        self.zoneRules = zoneRules
        self.tls = tls
        proxyHeader = ProxyHeader.Version(configuration.upstreamProxyProtocol)
    }

    /// All clusters, in their order; those that are discovered with the endpoints that were found last. Blocks: reads files of
    /// endpoints.
    func plans() throws(StartError) -> [ClusterPlan] {
        var plans: [ClusterPlan] = []
        for cluster in configuration.allClusters {
            let discovery = cluster.discovery.map { found in
                DiscoveryPlan(
                    found, source: registries.discovery.source(of: cluster.name, DiscoveryPlace(found)))
            }
            let endpoints: [FixedUpstream]
            if let discovery {
                if case .file(let path) = discovery.source.place { try read(path, discovery.source) }
                endpoints = discovery.source.endpoints
            } else {
                endpoints = try Self.endpoints(cluster.endpoints)
            }
            let remaining = registries.drained.remaining(of: endpoints, in: cluster.name)
            plans.append(plan(cluster, remaining, discovery, tls[cluster.name]))
        }
        try Self.checkCount(plans)
        return plans
    }

    /// Of texts that were checked; what this machine has to do with them may be wrong nevertheless, such as the zone of an address.
    static func endpoints(_ texts: [String]) throws(StartError) -> [FixedUpstream] {
        var endpoints: [FixedUpstream] = []
        for text in texts { endpoints.append(try FixedUpstream(parsing: text)) }
        return endpoints
    }

    /// A file that became bad since it was looked at is left to the thread that follows it.
    private func read(_ path: String, _ source: DiscoverySource) throws(StartError) {
        let texts = EndpointFile(reading: path).endpoints
        if !texts.isEmpty { source.found(try Self.endpoints(texts)) }
    }

    /// Plans of the same configuration with the endpoints that were found last, less those that are out of service; nil if these have
    /// them already.
    ///
    /// - Parameter plans: all clusters, in their order.
    func updated(_ plans: [ClusterPlan]) throws(StartError) -> [ClusterPlan]? {
        var updated = plans
        var hasChanged = false
        for (index, cluster) in configuration.allClusters.enumerated() {
            let discovery = plans[index].discovery
            var listed = discovery?.source.endpoints ?? []
            if discovery == nil { listed = try Self.endpoints(cluster.endpoints) }
            let endpoints = registries.drained.remaining(of: listed, in: cluster.name)
            if plans[index].hasEndpoints(endpoints) { continue }
            updated[index] = plan(cluster, endpoints, discovery, plans[index].tls)
            hasChanged = true
        }
        guard hasChanged else { return nil }
        try Self.checkCount(updated)
        return updated
    }

    private func plan(
        _ cluster: ClusterConfiguration, _ endpoints: [FixedUpstream], _ discovery: DiscoveryPlan?,
        _ tls: UpstreamTLS?
    ) -> ClusterPlan {
        ClusterPlan(
            name: cluster.name, endpoints: endpoints, policy: cluster.balance, hashKey: cluster.hashKey,
            health: endpoints.isEmpty
                ? nil
                : registries.health.cluster(cluster, endpoints: endpoints, proxyHeader: proxyHeader),
            retries: registries.health.retries(cluster),
            limits: registries.health.limits(cluster, endpoints: endpoints.map(\.identity)),
            discovery: discovery,
            sticky: cluster.sticky.map {
                StickyPlan(
                    $0, names: stickyKeys.names(cluster.name, of: endpoints.map(\.identity)),
                    key: stickyKeys.key(cluster.name))
            },
            zones: ZonePlans(
                own: configuration.zone, rules: zoneRules[cluster.name], endpoints,
                thresholdPercent: cluster.zoneThreshold),
            tls: tls, http2: HTTP2Plan(cluster))
    }

    /// What is found comes on top of what the configuration lists.
    private static func checkCount(_ plans: [ClusterPlan]) throws(StartError) {
        let count = plans.reduce(0) { $0 + $1.endpoints.count }
        let limit = ClusterConfiguration.totalEndpointLimit
        if count > limit {
            throw StartError(message: "\(count) endpoints, found ones among them, are more than \(limit)")
        }
    }
}
