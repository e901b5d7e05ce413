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
    /// Of hashed policies.
    let hashTable: HashTable?
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

    static let defaultLoadBound = 1.25

    init(
        name: String, endpoints: [FixedUpstream], policy: BalancingPolicy = .roundRobin,
        hashKey: HashKey? = nil, loadBound: Double = defaultLoadBound, health: ClusterHealth? = nil,
        retries: RetryPlan = RetryPlan(), limits: LimitPlan? = nil, discovery: DiscoveryPlan? = nil,
        sticky: StickyPlan? = nil, zones: ZonePlans? = nil
    ) {
        precondition(endpoints.count <= HashTable.endpointLimit)
        precondition(policy.isHashed == (hashKey != nil))
        self.name = name
        self.endpoints = endpoints
        self.policy = policy
        self.hashKey = hashKey
        self.loadBound = LoadBound(loadBound)
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
        priorities = PriorityPlan(endpoints)
        guard !endpoints.isEmpty else {
            hashTable = nil
            return
        }
        let hashed = endpoints.map { endpoint in
            var identity = endpoint.identity
            let hash = identity.withUTF8 { KeyHash.hash(unsafe ByteView(UnsafeRawBufferPointer($0))) }
            return HashedEndpoint(identity: hash, weight: endpoint.weight)
        }
        switch policy {
        case .ringHash: hashTable = .ring(hashed)
        case .maglev: hashTable = .maglev(hashed)
        case .roundRobin, .leastRequests, .peakEWMA, .random: hashTable = nil
        }
    }

    /// Whether an endpoint's number means the same in both, with the same weight.
    func hasSameEndpoints(as other: ClusterPlan) -> Bool {
        endpoints.elementsEqual(other.endpoints) { $0.isSame(as: $1) }
    }
}
