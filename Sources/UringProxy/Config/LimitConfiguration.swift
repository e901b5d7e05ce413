/// How much a cluster is asked to do at once, by all workers together, and what becomes of requests beyond it.
public struct LimitConfiguration: Sendable, Equatable {
    /// Exchanges under way at the cluster, tunnels among them. 0: any number.
    public var requests = 0
    /// Connections to its endpoints, idle ones and tunnels among them. 0: any number.
    public var connections = 0
    /// Streams at a time of each connection in HTTP/2; fewer if the endpoint allows fewer.
    public var streams = 100
    /// Those under way at each endpoint. 0: any number.
    public var endpointRequests = 0
    /// Requests that wait for one of them to end. 0: those beyond the limits are answered with 503 at once.
    public var queue = 0
    /// How long they wait at most.
    public var queueTimeout = Nanoseconds.seconds(1)
    /// Those without an answer; nil: any number.
    public var adaptive: AdaptiveLimitConfiguration?

    /// What numbers of requests may be.
    static let range = 0...1_000_000
    static let streamRange = 1...65_536

    public init() {}

    /// Whether anything is limited.
    var isOn: Bool { requests > 0 || connections > 0 || endpointRequests > 0 || adaptive != nil }
}
