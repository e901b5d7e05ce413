/// What the numbers in events mean: the listeners, routes, clusters and endpoints of one snapshot.
struct FlightNames: Sendable, Equatable {
    var listeners: [String] = []
    /// By list.
    var routes: [[String]] = []
    var clusters: [String] = []
    /// Of all clusters, in their order.
    var endpoints: [String] = []

    init() {}

    init(_ names: ExchangeNames, _ clusters: [ClusterPlan]) {
        listeners = names.listenerList
        routes = names.routeLists
        self.clusters = clusters.map(\.name)
        endpoints = clusters.flatMap { $0.endpoints.map(\.name) }
    }

    func listener(_ number: UInt16) -> String? { Self.name(Int(number), listeners) }
    func cluster(_ number: UInt16) -> String? { Self.name(Int(number), clusters) }
    func endpoint(_ number: UInt32) -> String? { Self.name(Int(number), endpoints) }
    func route(_ number: UInt32, of list: UInt16) -> String? {
        Int(list) < routes.count ? Self.name(Int(number), routes[Int(list)]) : nil
    }

    private static func name(_ number: Int, _ names: [String]) -> String? {
        number < names.count ? names[number] : nil
    }

    // MARK: - In dumps

    /// A line for each, that of its snapshot before them.
    func lines(number: UInt64) -> String {
        // A socket's path may hold anything.
        func line(_ what: String, _ name: String) -> String {
            "\(what) \(name.replacing("\n", with: " "))\n"
        }
        var text = "snapshot \(number)\n"
        for name in listeners { text += line("listener", name) }
        for list in routes {
            text += "list\n"
            for name in list { text += line("route", name) }
        }
        for name in clusters { text += line("cluster", name) }
        for name in endpoints { text += line("endpoint", name) }
        return text
    }

    /// Lines of several snapshots, by their numbers; lines of other kinds are left out.
    static func parse(_ text: String) -> [UInt64: FlightNames] {
        var all: [UInt64: FlightNames] = [:]
        var number: UInt64 = 0
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: " ", maxSplits: 1).map(String.init)
            let name = parts.count > 1 ? parts[1] : ""
            switch parts.first {
            case "snapshot":
                number = UInt64(name) ?? 0
                all[number] = FlightNames()
            case "listener": all[number]?.listeners.append(name)
            case "list": all[number]?.routes.append([])
            case "route":
                if let last = all[number]?.routes.indices.last { all[number]?.routes[last].append(name) }
            case "cluster": all[number]?.clusters.append(name)
            case "endpoint": all[number]?.endpoints.append(name)
            default: break
            }
        }
        return all
    }
}
