/// What an explanation looks things up in: the tables of a running process, or such as it would make.
struct ExplanationTables: Sendable {
    let stickyKeys: StickyKeys
    let sets: AddressSets
    let databases: GeoDatabases
    let routes: [(name: String, set: RouteSet)]
    /// With the endpoints that are known, and of a running process how they do and what finds them.
    let clusters: [ClusterPlan]
    /// Of each listener, in the order of the configuration's; nil where it speaks no TLS.
    let tls: [TLSContext?]
    /// Likewise; nil where no server name is asked.
    let serverNames: [ServerNameTable?]
}

extension ExplanationTables {
    /// Of a configuration that can work. Blocks: reads the files that it names.
    init(_ configuration: Configuration) {
        let sets = AddressSets(configuration)
        let zoneRules = ZoneCompiler(configuration, sets: sets).rules
        self.init(
            stickyKeys: StickyKeys(configuration), sets: sets,
            databases: GeoCompiler(configuration).databases,
            routes: configuration.routes.compactMap { list in
                var problems: [ConfigurationProblem] = []
                return RouteCompiler.compile(list, configuration, sets: sets, seed: 0, &problems).map {
                    (list.name, $0)
                }
            },
            clusters: configuration.allClusters.map { cluster in
                let endpoints = Explanation.endpoints(of: cluster, []) ?? []
                return ClusterPlan(
                    name: cluster.name, endpoints: endpoints, policy: cluster.balance,
                    hashKey: cluster.hashKey,
                    zones: ZonePlans(
                        own: configuration.zone, rules: zoneRules[cluster.name], endpoints,
                        thresholdPercent: cluster.zoneThreshold))
            }, tls: TLSCompiler(configuration, tickets: TLSTicketRegistry()).contexts,
            serverNames: ServerNameCompiler(configuration, seed: 0).tables)
    }
}
