/// Makes the tables of listeners that send connections where their server names lead.
struct ServerNameCompiler {
    /// Of each listener, in the order of the configuration's; nil where no name is asked.
    private(set) var tables: [ServerNameTable?] = []
    /// Each by the path of its key.
    private(set) var problems: [ConfigurationProblem] = []

    /// - Parameter seed: of the tables' hashes.
    init(_ configuration: Configuration, seed: UInt64) {
        let all = configuration.allListeners
        // Those of options come first, and ask for none.
        let ofOptions = all.count - configuration.listeners.count
        let clusters = configuration.allClusters.map(\.name)
        for (place, listener) in all.enumerated() {
            tables.append(
                listener.serverNames.isEmpty
                    ? nil : table(listener, "listeners[\(place - ofOptions)].sni", clusters, seed))
        }
    }

    /// nil if it cannot be made; where a cluster is not there the checks of the configuration say so.
    private mutating func table(
        _ listener: ListenerConfiguration, _ path: String, _ clusters: [String], _ seed: UInt64
    ) -> ServerNameTable? {
        var list = ProblemList()
        var seen: [ServerNamePattern: String] = [:]
        var names: [(pattern: ServerNamePattern, rule: Int)] = []
        for (rule, entry) in listener.serverNames.enumerated() {
            if entry.names.isEmpty {
                list.add("\(path)[\(rule)].names", "there is no name", "write at least one")
            }
            for (index, text) in entry.names.enumerated() {
                let option = "\(path)[\(rule)].names[\(index)]"
                do throws(OptionSyntaxError) {
                    let pattern = try ServerNamePattern(parsing: text)
                    if let other = seen[pattern] {
                        list.add(option, "\(quoted(text)) stands in \(other) as well", "keep one of them")
                    } else {
                        seen[pattern] = option
                        names.append((pattern, rule))
                    }
                } catch {
                    list.add(option, error)
                }
            }
        }
        problems += list.all
        let targets = listener.serverNames.compactMap { clusters.firstIndex(of: $0.cluster) }
        guard list.all.isEmpty, targets.count == listener.serverNames.count else { return nil }
        return ServerNameTable(names, clusters: targets, seed: seed)
    }
}
