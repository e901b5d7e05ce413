/// Endpoints that answer the same requests.
public struct ClusterConfiguration: Sendable, Equatable {
    public var name: String
    /// `HOST:PORT` or `unix:PATH`, and `,weight=N` after it.
    public var endpoints: [String]
    /// How requests are spread over them.
    public var balance: BalancingPolicy
    /// What `ringHash` and `maglev` choose by; nil with the others.
    public var hashKey: HashKey?

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
