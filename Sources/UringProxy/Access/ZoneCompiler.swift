/// Reads which zones clusters prefer for which clients, and finds what is wrong with that.
struct ZoneCompiler {
    /// By the name of a cluster that has any.
    private(set) var rules: [String: ZoneRules] = [:]
    /// Each by the path of its key.
    private(set) var problems: [ConfigurationProblem] = []

    /// - Parameter sets: the configuration's.
    init(_ configuration: Configuration, sets: AddressSets) {
        for cluster in configuration.clusters where !cluster.preferredZones.isEmpty {
            let before = problems.count
            check(cluster)
            let read = read(cluster, sets)
            guard problems.count == before else { continue }
            checkReach(read, "clusters.\(cluster.name).preferred_zones")
            rules[cluster.name] = ZoneRules(read)
        }
    }

    private mutating func note(_ option: String, _ message: String, _ remedy: String) {
        problems.append(ConfigurationProblem(option: option, message: message, remedy: remedy))
    }

    private mutating func check(_ cluster: ClusterConfiguration) {
        let path = "clusters.\(cluster.name).preferred_zones"
        let count = cluster.preferredZones.count
        if count > PreferredZone.limit {
            note(
                path, "\(count) are more than \(PreferredZone.limit)",
                "let one zone be for several countries, or for an address set")
        }
        if let discovery = cluster.discovery {
            // What a file of endpoints says may change.
            if discovery.file == nil {
                note(
                    path, "endpoints that DNS names stand in no zone",
                    "find them in a file, or leave it out")
            }
        } else if !cluster.endpoints.contains(where: { (try? UpstreamText(parsing: $0))?.zone != nil }) {
            note(
                path, "no endpoint of the cluster says which zone it stands in",
                "write endpoints as {address: HOST:PORT, zone: NAME}, or leave it out")
        }
    }

    private mutating func read(_ cluster: ClusterConfiguration, _ sets: AddressSets)
        -> [(zone: String, clients: ClientRule)]
    {
        var read: [(zone: String, clients: ClientRule)] = []
        for (index, preferred) in cluster.preferredZones.enumerated() {
            let path = "clusters.\(cluster.name).preferred_zones[\(index)]"
            let clients = ClientRule(preferred, of: "zone", sets: sets) { note("\(path).\($0)", $1, $2) }
            read.append((preferred.zone, clients))
        }
        return read
    }

    /// Rules that never hold, because one before them always does then.
    private mutating func checkReach(_ rules: [(zone: String, clients: ClientRule)], _ path: String) {
        for (index, rule) in rules.enumerated() {
            let earlier = rules[..<index].firstIndex { before in
                before.clients.isEmpty
                    || before.clients.geo == rule.clients.geo
                        && Set(before.clients.sources) == Set(rule.clients.sources)
            }
            guard let earlier else { continue }
            note(
                "\(path)[\(index)]",
                "it is for nobody, for \(path)[\(earlier)] is for the same clients, or all",
                "take it out, or put it first")
        }
    }

    /// All that is wrong with the zones that clusters prefer.
    static func problems(of configuration: Configuration) -> [ConfigurationProblem] {
        // Sets are read together with the files that they name.
        guard configuration.clusters.contains(where: { !$0.preferredZones.isEmpty }) else { return [] }
        return ZoneCompiler(configuration, sets: AddressSets(configuration)).problems
    }
}
