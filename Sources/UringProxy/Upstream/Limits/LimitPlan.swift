/// How much a cluster is asked to do at once.
struct LimitPlan: Sendable {
    struct Settings: BitwiseCopyable, Sendable {
        /// Exchanges under way.
        var requests: UInt32
        /// Exchanges that wait for one of them to end.
        var queue: UInt32 = 0
        /// How long they wait at most (nanoseconds).
        var queueTimeout: Int64 = 1_000_000_000
        /// Exchanges under way at each endpoint; 0: any number.
        var endpointRequests: UInt32 = 0
        /// Connections, idle ones too; 0: any number. There is a gate for them, and no more `requests` than they have streams.
        var connections: UInt32 = 0
        /// Exchanges of one connection at a time.
        var streams: UInt32 = 1
    }

    let settings: Settings
    let gate: ClusterGate
    /// Of each endpoint, in their order, if there is a limit for it.
    let endpoints: [EndpointCap]
    /// Tells how many may be without an answer; nil: any number.
    let adaptive: AdaptiveGate?
    /// What connections go through, if there is a limit for them.
    let connectionGate: ClusterGate?

    init(
        settings: Settings, gate: ClusterGate, endpoints: [EndpointCap] = [], adaptive: AdaptiveGate? = nil,
        connectionGate: ClusterGate? = nil
    ) {
        precondition((settings.connections > 0) == (connectionGate != nil))
        // An exchange has one, or a stream of one, and so all that go in can have one.
        precondition(
            settings.connections == 0
                || UInt64(settings.requests) <= UInt64(settings.connections) * UInt64(settings.streams))
        self.settings = settings
        self.gate = gate
        self.endpoints = endpoints
        self.adaptive = adaptive
        self.connectionGate = connectionGate
    }

    var isCapped: Bool { cap > 0 }
    /// How many exchanges may be under way at an endpoint; 0: any number.
    var cap: UInt32 { endpoints.isEmpty ? 0 : settings.endpointRequests }
    func cap(_ endpoint: Int) -> EndpointCap.View? { isCapped ? endpoints[endpoint].view : nil }
}

extension HealthRegistry {
    /// How much a configured cluster is asked to do at once; nil: there is no limit.
    ///
    /// - Parameter endpoints: their identities.
    func limits(_ configuration: ClusterConfiguration, endpoints: [String]) -> LimitPlan? {
        let limits = configuration.limits
        guard limits.isOn else { return nil }
        let streams = configuration.http2 == .on ? limits.streams : 1
        let most = [limits.requests, limits.connections * streams].filter { $0 > 0 }.min()
        return LimitPlan(
            settings: LimitPlan.Settings(
                requests: most.map { UInt32(clamping: $0) } ?? .max,
                queue: UInt32(clamping: limits.queue), queueTimeout: limits.queueTimeout.rawValue,
                endpointRequests: UInt32(clamping: limits.endpointRequests),
                connections: UInt32(clamping: limits.connections), streams: UInt32(streams)),
            gate: gate(configuration.name),
            endpoints: limits.endpointRequests > 0 ? caps(configuration.name, endpoints: endpoints) : [],
            adaptive: limits.adaptive.map { adaptive(configuration.name, AdaptiveLimit.Settings($0)) },
            connectionGate: limits.connections > 0 ? connectionGate(configuration.name) : nil)
    }
}
