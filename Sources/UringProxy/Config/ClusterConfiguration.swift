/// Endpoints that answer the same requests.
public struct ClusterConfiguration: Sendable, Equatable {
    public var name: String
    /// `HOST:PORT` or `unix:PATH`, and `,weight=N`, `,zone=NAME` and `,priority=N` after it.
    public var endpoints: [String]
    /// Where endpoints are found; nil: they are listed.
    public var discovery: DiscoveryConfiguration?
    /// How they are spoken to over TLS; nil: in clear.
    public var tls: UpstreamTLSConfiguration?
    /// Whether they are spoken to in HTTP/2.
    public var http2 = UpstreamHTTP2.off
    /// How requests are spread over them.
    public var balance: BalancingPolicy
    /// What `ringHash` and `maglev` choose by; nil with the others.
    public var hashKey: HashKey?
    /// How clients are kept with their endpoints; nil: they are not.
    public var sticky: StickyConfiguration?
    /// When requests are sent again.
    public var retries = RetryConfiguration()
    /// How much it is asked to do at once.
    public var limits = LimitConfiguration()
    /// How endpoints are asked whether they work; nil: they are not.
    public var health: HealthCheckConfiguration?
    /// Which endpoints are ejected for what requests meet there.
    public var outliers = OutlierConfiguration()
    /// Percent: with a smaller share of healthy endpoints all are used. 0: never.
    public var panic = 10
    /// Percent: with a smaller share of the first zone's endpoints healthy, by weight, the others get some of the load.
    public var zoneThreshold = 70
    /// For whom another zone comes first than the proxy's own; the first that holds for a client counts.
    public var preferredZones: [PreferredZone] = []
    /// How long an endpoint that returns gets less than its share. 0: it gets all of it at once.
    public var slowStart = Nanoseconds.zero

    /// Endpoints at most: what the places of a hash table are enough for.
    static let endpointLimit = 4096

    /// Endpoints of all clusters at most.
    static let totalEndpointLimit = 32_768

    public init(
        name: String, endpoints: [String] = [], balance: BalancingPolicy = .roundRobin,
        hashKey: HashKey? = nil
    ) {
        self.name = name
        self.endpoints = endpoints
        self.balance = balance
        self.hashKey = hashKey
    }
}
