/// How the endpoints of a cluster are asked whether they work, beside the requests they get.
public struct HealthCheckConfiguration: Sendable, Equatable {
    public enum Kind: String, Sendable, CaseIterable {
        /// A request is answered as it should be.
        case http
        /// A connection can be made.
        case tcp
    }

    public var kind = Kind.http
    /// What is asked for; of http checks alone, as the three that follow.
    public var path = "/"
    /// The Host of the request; nil: the endpoint's own name and port.
    public var host: String?
    public var statuses = [StatusRange(200...399)]
    /// A text that the beginning of the body holds; nil: any body will do.
    public var body: String?
    public var interval = Nanoseconds.seconds(5)
    /// Percent of the interval by which checks are earlier or later.
    public var jitter = 10
    /// For a whole check.
    public var timeout = Nanoseconds.seconds(2)
    /// Checks in a row that have to succeed for an unhealthy endpoint to become healthy.
    public var rise = 2
    /// Checks in a row that have to fail for a healthy endpoint to become unhealthy. The first check of all decides alone.
    public var fall = 3

    /// What `rise` and `fall` may be.
    static let countRange = 1...1000

    public init() {}
}
