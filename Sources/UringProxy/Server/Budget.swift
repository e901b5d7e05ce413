internal import CPosix

/// How much of the machine the proxy takes: threads, buffer memory, connections; each as configured, or derived.
struct Budget: Sendable {
    let threads: Int
    /// Bytes that buffers may use, all workers together.
    let memoryBytes: UInt64
    /// Downstream connections, all workers together.
    let connections: Int
    let connectionsPerWorker: Int
    /// Pipes for long streams, two descriptors each.
    let pipesPerWorker: Int
    /// What became of the wish for TLS by the kernel.
    let kernelTLS: KernelTLS
    var memoryPerWorker: Int { max(Int(memoryBytes) / threads, Self.leastPerWorker) }

    /// Below this a worker could not serve a handful of streams.
    private static let leastPerWorker = 8 << 20
    /// Kept free of connections: rings, listeners, standard streams, the resolver's sockets.
    private static let reservedDescriptors = 64

    /// Beyond so many long streams at once a worker copies. With 1 MiB each, 64 pipes are all that a user without
    /// privileges has by default (fs.pipe-user-pages-soft).
    static let mostPipesPerWorker = 64

    init(_ configuration: Configuration) {
        threads = configuration.threads ?? ProcessorCount.available()
        let available = Self.availableMemory()
        // A quarter: the page cache, the kernel's socket memory and other processes need the rest.
        let asked = configuration.memoryBytes ?? 0
        memoryBytes = asked > 0 ? asked : max(available / 4, UInt64(Self.leastPerWorker))
        var descriptors: UInt64 = 1024
        unsafe _ = cposix_raise_nofile(&descriptors)
        // An eighth of the descriptors at most.
        pipesPerWorker =
            configuration.splice == .off
            ? 0 : min(Self.mostPipesPerWorker, Int(clamping: descriptors) / 16 / threads)
        kernelTLS = configuration.kernelTLS == .off ? .unwanted : .probe()
        let checks = configuration.allClusters.contains { $0.health != nil } ? HealthLoop.mostUnderWay : 0
        let mirrors = configuration.routes.contains { $0.routes.contains { $0.mirror != nil } }
        let copies = mirrors ? configuration.limitMirrored * threads : 0
        let reserved = Self.reservedDescriptors + checks + copies + 2 * pipesPerWorker * threads
        // Most connections are idle and need no upstream connection beside them; a quarter of the descriptors is kept
        // for those that do.
        let byDescriptors = max(16, (Int(clamping: descriptors) - reserved) / 4 * 3)
        let byMemory = Int(clamping: memoryBytes / 8192)
        let derived = max(16, min(byDescriptors, byMemory, 4 << 20))
        if let limit = configuration.limitConnections, limit > 0 {
            connections = limit
            connectionsPerWorker = (limit + threads - 1) / threads
        } else {
            connections = derived
            // The kernel spreads connections by hash, never quite evenly.
            connectionsPerWorker = threads == 1 ? derived : max(16, derived / threads * 3 / 2)
        }
    }

    /// The machine's memory, or the cgroup's limit if that is lower.
    private static func availableMemory() -> UInt64 {
        let machine = cposix_physical_memory()
        guard let limit = Cgroup(files: .system).memoryLimitBytes else { return machine }
        return min(machine, limit)
    }

    var summary: String {
        "\(memoryBytes >> 20) MiB for buffers, up to \(connections) connections\(kernelTLS.note)"
    }
}
