/// What logs and metrics call the listeners, routes, clusters and endpoints of a snapshot: as bytes in one place, and as the rows that
/// exchanges are counted in.
final class ExchangeNames: Sendable {
    typealias Row = HistogramRegistry.RowNumber

    /// A route as exchanges know it.
    struct Route: Sendable {
        let name: String
        var log = RouteLogConfiguration()
        /// Whether its answers tell what took how long; nil: as all others.
        var timesAnswers: Bool?
    }

    /// The same, as an entry has it.
    enum Timing: UInt8, BitwiseCopyable { case common, on, off }

    private struct Entry: BitwiseCopyable, Sendable {
        var name: ByteRange
        var row: Row
        /// Of routes.
        var sampler: UInt16 = 0
        var timing = Timing.common
    }

    /// What says how exchanges are logged that no route says otherwise of, and what says that they are not.
    static var commonSampler: UInt16 { 0 }
    static var noSampler: UInt16 { .max }

    private let bytes: FixedBytes
    private let clusters: FixedArray<Entry>
    private let listeners: FixedArray<Entry>
    private let routes: FixedArray<Entry>
    /// Of each list of routes, the first of its entries.
    private let firstRoutes: FixedArray<Int>
    /// Of all clusters' endpoints, in their order.
    private let endpoints: FixedArray<Row>
    /// All endpoints that requests name themselves share it.
    let dynamicEndpoint: Row
    /// All that are counted in; empty: none is.
    let rows: Set<Row>
    private let listenerNames: [(id: Int, name: String)]
    private let routeNames: [[Route]]
    /// How routes want their requests logged that want it otherwise; the first of them has the number 1.
    let samplers: [RouteLogConfiguration]
    /// Whether there is a route whose answers tell what took how long.
    let timesAnswers: Bool
    private let registry: HistogramRegistry?

    /// - Parameters:
    ///   - clusters: in their order.
    ///   - listeners: by the id that workers know them by.
    ///   - routes: of each list its routes, in their order.
    ///   - registry: which rows there are; nil: nothing is counted.
    init(
        clusters: [ClusterPlan], listeners: [(id: Int, name: String)] = [], routes: [[Route]] = [],
        countedIn registry: HistogramRegistry? = nil
    ) {
        var gathered: [UInt8] = []
        var rows: Set<Row> = []
        func row(_ kind: HistogramRegistry.Kind, _ name: String, of cluster: String = "") -> Row {
            guard let registry else { return .none }
            let row = registry.row(kind, name, of: cluster)
            rows.insert(row)
            return row
        }
        func entry(_ kind: HistogramRegistry.Kind, _ name: String) -> Entry {
            let start = gathered.count
            gathered += Array(name.utf8)
            return Entry(name: ByteRange(start..<gathered.count), row: row(kind, name))
        }
        let clusterEntries = clusters.map { entry(.cluster, $0.name) }
        let listenerEntries = listeners.map { entry(.listener, $0.name) }
        var samplers: [RouteLogConfiguration] = []
        var routeEntries: [Entry] = []
        for route in routes.joined() {
            var own = entry(.route, route.name)
            if !route.log.isOn {
                own.sampler = Self.noSampler
            } else if route.log != RouteLogConfiguration() && samplers.count + 1 < Int(Self.noSampler) {
                // Routes that want the same still have a rate each.
                samplers.append(route.log)
                own.sampler = UInt16(samplers.count)
            }
            if let timesAnswers = route.timesAnswers { own.timing = timesAnswers ? .on : .off }
            routeEntries.append(own)
        }
        let endpointRows = clusters.flatMap { cluster in
            cluster.endpoints.map { row(.endpoint, $0.name, of: cluster.name) }
        }
        dynamicEndpoint = row(.endpoint, "dynamic")
        var firstRoutes: [Int] = []
        var count = 0
        for list in routes {
            firstRoutes.append(count)
            count += list.count
        }
        self.clusters = FixedArray(clusterEntries)
        self.listeners = FixedArray(listenerEntries)
        self.routes = FixedArray(routeEntries)
        self.firstRoutes = FixedArray(firstRoutes)
        endpoints = FixedArray(endpointRows)
        bytes = FixedBytes(gathered)
        self.rows = rows
        listenerNames = listeners
        routeNames = routes
        self.samplers = samplers
        timesAnswers = routeEntries.contains { $0.timing == .on }
        self.registry = registry
    }

    /// The same with other endpoints.
    func with(_ clusters: [ClusterPlan]) -> ExchangeNames {
        ExchangeNames(clusters: clusters, listeners: listenerNames, routes: routeNames, countedIn: registry)
    }

    /// What they are, in the order of their numbers.
    var listenerList: [String] { listenerNames.map(\.name) }
    var routeLists: [[String]] { routeNames.map { $0.map(\.name) } }

    /// What `listener` takes; -1 if it has no name.
    func index(ofListener id: Int) -> Int32 {
        listenerNames.firstIndex { $0.id == id }.map { Int32(truncatingIfNeeded: $0) } ?? -1
    }

    func listener(_ index: Int32) -> ByteView { index < 0 ? .empty : bytes.view[listeners[Int(index)].name] }
    func listenerRow(_ index: Int32) -> Row { index < 0 ? .none : listeners[Int(index)].row }
    func cluster(_ index: Int) -> ByteView { bytes.view[clusters[index].name] }
    func clusterRow(_ index: Int) -> Row { clusters[index].row }
    func endpointRow(_ index: Int) -> Row { endpoints[index] }

    /// Empty if its list has no names.
    func route(_ rule: Int, ofSet set: Int) -> ByteView {
        set < firstRoutes.count ? bytes.view[routes[firstRoutes[set] + rule].name] : .empty
    }
    func routeSampler(_ rule: Int, ofSet set: Int) -> UInt16 {
        set < firstRoutes.count ? routes[firstRoutes[set] + rule].sampler : Self.commonSampler
    }
    func routeTiming(_ rule: Int, ofSet set: Int) -> Timing {
        set < firstRoutes.count ? routes[firstRoutes[set] + rule].timing : .common
    }
    func routeRow(_ rule: Int, ofSet set: Int) -> Row {
        set < firstRoutes.count ? routes[firstRoutes[set] + rule].row : .none
    }
}
