/// Endpoints that do the same work, and how requests are spread over them. Never changes; every worker has its own state
/// of it (`ClusterTable`).
struct ClusterPlan: Sendable {
    let name: String
    /// Empty: none was found yet, and every request is refused.
    let endpoints: [FixedUpstream]
    let policy: BalancingPolicy
    /// What hashed policies choose by.
    let hashKey: HashKey?
    /// Hashed policies give an endpoint no more than so many times its share of what is under way.
    let loadBound: LoadBound
    /// Of hashed policies: one for each level of priorities, which shares all keys among its endpoints.
    let hashTables: [HashTable]
    /// How its endpoints do; nil: nobody watches, and all are taken for healthy.
    let health: ClusterHealth?
    /// When requests are sent again.
    let retries: RetryPlan
    /// How much it is asked to do at once; nil: there is no limit.
    let limits: LimitPlan?
    /// How its endpoints are found; nil: the configuration lists them.
    let discovery: DiscoveryPlan?

    /// In which order endpoints are used; nil: all have one priority.
    let priorities: PriorityPlan?
    /// Which zones come first; nil: all endpoints are alike.
    let zones: ZonePlans?
    /// How clients are kept with their endpoints; nil: they are not.
    let sticky: StickyPlan?
    /// How endpoints are spoken to over TLS; nil: in clear.
    let tls: UpstreamTLS?
    let http2: HTTP2Plan

    static let defaultLoadBound = 1.25

    init(
        name: String, endpoints: [FixedUpstream], policy: BalancingPolicy = .roundRobin,
        hashKey: HashKey? = nil, loadBound: LoadBound = LoadBound(defaultLoadBound),
        health: ClusterHealth? = nil,
        retries: RetryPlan = RetryPlan(), limits: LimitPlan? = nil, discovery: DiscoveryPlan? = nil,
        sticky: StickyPlan? = nil, zones: ZonePlans? = nil, tls: UpstreamTLS? = nil,
        http2: HTTP2Plan = .off
    ) {
        precondition(endpoints.count <= HashTable.endpointLimit)
        precondition(policy.isHashed == (hashKey != nil))
        self.name = name
        self.endpoints = endpoints
        self.policy = policy
        self.hashKey = hashKey
        self.loadBound = loadBound
        // Without endpoints there is nothing to watch.
        precondition(!endpoints.isEmpty || health == nil)
        precondition(health.map { $0.endpoints.count == endpoints.count } ?? true)
        self.health = health
        self.retries = retries
        precondition(limits.map { $0.endpoints.isEmpty || $0.endpoints.count == endpoints.count } ?? true)
        self.limits = limits
        self.sticky = sticky
        precondition(
            zones?.plans.allSatisfy { ($0?.isLocal.count ?? endpoints.count) == endpoints.count } ?? true)
        self.zones = zones
        self.discovery = discovery
        precondition(http2.use != .auto || tls != nil)
        self.tls = tls
        self.http2 = http2
        priorities = PriorityPlan(endpoints)
        hashTables = Self.hashTables(endpoints, policy, priorities)
    }

    private static func hashTables(
        _ endpoints: [FixedUpstream], _ policy: BalancingPolicy, _ priorities: PriorityPlan?
    ) -> [HashTable] {
        guard policy.isHashed, !endpoints.isEmpty else { return [] }
        let hashed = endpoints.map { endpoint in
            var identity = endpoint.identity
            let hash = identity.withUTF8 { KeyHash.hash(unsafe ByteView(UnsafeRawBufferPointer($0))) }
            return HashedEndpoint(identity: hash, weight: endpoint.weight)
        }
        return (0..<(priorities?.counts.count ?? 1)).map { level in
            var present = hashed
            for (index, other) in (priorities?.levels ?? []).enumerated() where other != level {
                present[index].weight = 0
            }
            return policy == .maglev ? .maglev(present) : .ring(present)
        }
    }

    /// Whether an endpoint's number means the same in both, with the same weight.
    func hasSameEndpoints(as other: ClusterPlan) -> Bool { hasEndpoints(other.endpoints) }

    /// Whether these are its endpoints, in this order and with the same weights.
    func hasEndpoints(_ others: [FixedUpstream]) -> Bool {
        endpoints.elementsEqual(others) { $0.isSame(as: $1) }
    }
}
