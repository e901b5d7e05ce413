/// What happened between two samples of one process.
struct TopInterval: Sendable {
    let seconds: Double
    /// Of one CPU.
    let cpu: Double
    /// What was counted, by name.
    let counters: [String: Double]
    let failures: [String: Double]
    let total: TopCounts
    private let listeners: [String: TopCounts]
    private let clusters: [String: TopCounts]
    private let endpoints: [String: TopCounts]
    private let workers: [Int: [String: Double]]

    /// - Parameter elapsed: seconds between the answers, by the clock here.
    /// - Returns: nil if the later one is of another process, or no time has passed.
    init?(from earlier: TopSample, to later: TopSample, elapsed: Double) {
        guard !later.hasRestarted(since: earlier) else { return nil }
        // The process knows best when it looked, unless its clock was set meanwhile.
        let told = later.process.now - earlier.process.now
        seconds = abs(told - elapsed) < 1 + elapsed / 2 && told > 0 ? told : elapsed
        guard seconds > 0.001 else { return nil }
        cpu = max(0, later.process.cpuSeconds - earlier.process.cpuSeconds) / seconds
        counters = Self.differences(earlier.counters, later.counters)
        failures = Self.differences(earlier.failures, later.failures)
        let before = Dictionary(earlier.listeners.map { ($0.address, $0.counts) }) { first, _ in first }
        listeners = Dictionary(
            later.listeners.map { ($0.address, $0.counts.since(before[$0.address] ?? TopCounts())) }
        ) { first, _ in first }
        total = later.listeners.reduce(into: TopCounts()) {
            $0.add($1.counts.since(before[$1.address] ?? TopCounts()))
        }
        let clustersBefore = Dictionary(earlier.clusters.map { ($0.name, $0.counts) }) { first, _ in first }
        clusters = Dictionary(
            later.clusters.map { ($0.name, $0.counts.since(clustersBefore[$0.name] ?? TopCounts())) }
        ) { first, _ in first }
        let endpointsBefore = Self.endpoints(of: earlier)
        endpoints = Self.endpoints(of: later).reduce(into: [:]) {
            $0[$1.key] = $1.value.since(endpointsBefore[$1.key] ?? TopCounts())
        }
        let workersBefore = Dictionary(earlier.workers.map { ($0.number, $0.numbers) }) { first, _ in first }
        workers = Dictionary(
            later.workers.map { ($0.number, Self.differences(workersBefore[$0.number] ?? [:], $0.numbers)) }
        ) { first, _ in first }
    }

    private static func differences(_ earlier: [String: Double], _ later: [String: Double]) -> [String:
        Double]
    {
        later.reduce(into: [:]) { $0[$1.key] = max(0, $1.value - (earlier[$1.key] ?? 0)) }
    }

    private static func endpoints(of sample: TopSample) -> [String: TopCounts] {
        sample.clusters.reduce(into: [:]) { found, cluster in
            for endpoint in cluster.endpoints { found["\(cluster.name)\n\(endpoint.name)"] = endpoint.counts }
        }
    }

    // MARK: - Per second

    /// - Parameter counter: as the overview names it.
    func rate(_ counter: String) -> Double { (counters[counter] ?? 0) / seconds }
    func perSecond(_ count: Double) -> Double { count / seconds }

    func counts(listener: String) -> TopCounts { listeners[listener] ?? TopCounts() }
    func counts(cluster: String) -> TopCounts { clusters[cluster] ?? TopCounts() }
    func counts(endpoint: String, of cluster: String) -> TopCounts {
        endpoints["\(cluster)\n\(endpoint)"] ?? TopCounts()
    }
    /// What a worker has counted.
    func count(_ name: String, worker: Int) -> Double { workers[worker]?[name] ?? 0 }
    func sum(_ name: String) -> Double { workers.values.reduce(0) { $0 + ($1[name] ?? 0) } }
}

extension TopSample {
    /// Whether another process answers than did before, one in its place included.
    func hasRestarted(since earlier: TopSample) -> Bool {
        if process.pid != earlier.process.pid { return true }
        // In a container a new process has the number of the one before.
        return ["requests_total", "exchanges_started_total", "downstream_connections_accepted_total"].contains
        {
            (counters[$0] ?? 0) < (earlier.counters[$0] ?? 0)
        }
    }
}
