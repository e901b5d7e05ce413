/// What a configuration asks of the machine, as far as it can be said before it runs.
struct DoctorNeeds: Sendable, Equatable {
    /// The sizes that the io_uring driver asks for on each worker; completions grow with the connections.
    static let submissionEntries = RingSizes.submissionEntries
    static let arenaBytes = RingSizes.registeredBytes

    var threads: Int
    /// Descriptors with all connections in use; nil where the number of connections follows from memory.
    var descriptors: Int?
    /// Locked memory of all rings, then of all arenas: what RLIMIT_MEMLOCK is held against.
    var ringBytes: Int
    var registeredBytes: Int

    init(_ configuration: Configuration, available: Int) {
        threads = configuration.threads ?? available
        if let connections = configuration.limitConnections, connections > 0 {
            let listeners = configuration.allListeners.count
            let endpoints = configuration.allClusters.reduce(0) { $0 + Self.endpoints(of: $1) }
            // Each exchange has a descriptor on either side; each worker a ring, a wake-up and its own listeners.
            let needed = 2 * connections + threads * (endpoints * configuration.poolIdle + listeners + 4) + 32
            // Pipes take an eighth of all descriptors at most, so a seventh of what everything else needs.
            let pipes = configuration.splice == .off ? 0 : 2 * threads * Budget.mostPipesPerWorker
            descriptors = needed + min(pipes, (needed + 6) / 7)
        }
        let connections = (configuration.limitConnections ?? 0) / threads
        ringBytes = threads * Self.ringBytes(connections: connections)
        registeredBytes = threads * Self.arenaBytes
    }

    /// Endpoints to prepare for.
    private static func endpoints(of cluster: ClusterConfiguration) -> Int {
        guard let discovery = cluster.discovery else { return cluster.endpoints.count }
        return discovery.file.map { EndpointFile(reading: $0).endpoints.count }
            ?? ClusterConfiguration.endpointsOfName
    }

    /// 64 bytes for each submission, 16 for each completion, 4 for each index, and a head, in whole pages.
    static func ringBytes(connections: Int) -> Int {
        let completionEntries = RingSizes.completionEntries(connections: connections)
        return pages(submissionEntries * 64) + pages(completionEntries * 16 + submissionEntries * 4 + 512)
    }

    private static func pages(_ bytes: Int) -> Int { (bytes + 4095) / 4096 * 4096 }
}
