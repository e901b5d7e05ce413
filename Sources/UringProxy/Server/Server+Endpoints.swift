internal import Synchronization

// Endpoints that an operator takes out of service, and lets back in, while the process runs.
extension Server {
    /// Why an endpoint was not taken out of service, or let back in.
    enum EndpointError: Error {
        case noCluster(String)
        case noEndpoint(String, remedy: String)
        /// The process ends, or is being replaced.
        case isEnding
        case failed(String)
    }

    /// The endpoint as a cluster lists it, or discovery has found it.
    struct ListedEndpoint: Sendable {
        var upstream: FixedUpstream
        var isDrained: Bool
        /// Its number in the cluster's plan; nil: it is drained.
        var place: Int?
    }

    /// All endpoints of a cluster, those out of service as well.
    func listedEndpoints(of plan: ClusterPlan, _ configuration: ClusterConfiguration?) -> [ListedEndpoint] {
        let drained = registries.drained.drained(in: plan.name)
        var listed = plan.endpoints.enumerated().map {
            ListedEndpoint(upstream: $1, isDrained: drained.contains($1.identity), place: $0)
        }
        if drained.isEmpty { return listed }
        let all =
            plan.discovery?.source.endpoints
            ?? (try? ClusterCompiler.endpoints(configuration?.endpoints ?? [])) ?? []
        for upstream in all
        where drained.contains(upstream.identity)
            && !plan.endpoints.contains(where: { $0.identity == upstream.identity })
        {
            listed.append(ListedEndpoint(upstream: upstream, isDrained: true, place: nil))
        }
        return listed
    }

    /// Takes an endpoint out of service: no request goes there any more, and what is under way there ends in its time. Or lets it back in.
    /// It stays so through reloads, until the process ends.
    ///
    /// - Parameter name: as it is listed, HOST:PORT or unix:PATH.
    /// - Returns: whether it was not so already.
    func setDrained(_ isDrained: Bool, endpoint name: String, of cluster: String) throws(EndpointError)
        -> Bool
    {
        try reloading.withLock { _ throws(EndpointError) in
            let (isEnding, isHandingOver, snapshot) = state.withLock {
                ($0.isEnding, $0.isHandingOver, $0.snapshot)
            }
            guard let snapshot, !isEnding, !isHandingOver else { throw .isEnding }
            let configuration = configuration
            guard let plan = snapshot.clusters.first(where: { $0.name == cluster }) else {
                throw .noCluster(
                    NearestName.remedy(for: cluster, among: snapshot.clusters.map(\.name), of: "clusters"))
            }
            let listed = listedEndpoints(of: plan, configuration.allClusters.first { $0.name == cluster })
            guard let endpoint = listed.first(where: { $0.upstream.identity == name }) else {
                let names = listed.map(\.upstream.identity)
                throw .noEndpoint(
                    cluster, remedy: NearestName.remedy(for: name, among: names, of: "endpoints"))
            }
            let isNews = registries.drained.set(isDrained, endpoint.upstream.identity, of: cluster)
            if !isNews { return false }
            do throws(StartError) {
                guard try takeUpEndpoints(after: snapshot) else {
                    throw StartError(message: "no descriptor is free")
                }
            } catch {
                _ = registries.drained.set(!isDrained, endpoint.upstream.identity, of: cluster)
                throw .failed(error.message)
            }
            log.write(
                "endpoint \(name) of cluster \(cluster) is \(isDrained ? "out of" : "back in") service: somebody asked for that"
            )
            return true
        }
    }
}
