/// Which endpoints of a cluster are ejected for what requests meet there.
public struct OutlierConfiguration: Sendable, Equatable {
    /// Failures in a row. 0: their number ejects nobody.
    public var consecutive = 5
    /// Which answers count as failures.
    public var statuses = FailureStatuses.none
    /// Percent of a window's requests. 0: the rate ejects nobody.
    public var errorRate = 0
    /// So many times the others' latency, in the mean of a window. 0: latency ejects nobody.
    public var latencyFactor = 0
    /// Requests of a window that rate and latency need.
    public var minimumRequests = 20
    public var window = Nanoseconds.seconds(10)
    /// The first ejection; each further one is twice as long, up to `longestEjection`.
    public var ejection = Nanoseconds.seconds(10)
    public var longestEjection = Nanoseconds.seconds(300)
    /// Percent of the endpoints, rounded up. 0: none is ejected.
    public var mostEjected = 50

    static let consecutiveRange = 0...1_000_000
    static let latencyFactorRange = 0...1000
    static let minimumRequestsRange = 1...1_000_000

    public init() {}
}
