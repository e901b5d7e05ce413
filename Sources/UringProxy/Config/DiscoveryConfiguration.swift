/// Where a cluster's endpoints are found, in place of being listed. One of `dns`, `srv` and `file`.
public struct DiscoveryConfiguration: Sendable, Equatable {
    /// `HOST:PORT`: each address of the host is an endpoint.
    public var dns: String?
    /// The name of SRV records: each is an endpoint.
    public var srv: String?
    /// The path of a file that lists endpoints.
    public var file: String?
    /// DNS is asked again when an answer's time to live is over, but never earlier after it than this, and never later than
    /// `refreshMax`.
    public var refreshMin = defaultRefreshMin
    public var refreshMax = defaultRefreshMax
    /// How long a start, or the reload that brings the cluster, waits for the first answer of DNS. 0: not at all.
    public var wait = defaultWait

    static let defaultRefreshMin = Nanoseconds.seconds(1)
    static let defaultRefreshMax = Nanoseconds.hours(1)
    static let defaultWait = Nanoseconds.seconds(5)
    /// As long as anybody waits for a start.
    static let longestWait = Nanoseconds.minutes(5)

    public init(dns: String? = nil, srv: String? = nil, file: String? = nil) {
        self.dns = dns
        self.srv = srv
        self.file = file
    }
}

extension DiscoveryConfiguration: CustomStringConvertible {
    /// Whose endpoints they are, in words.
    public var description: String {
        if let dns { return "the addresses of \(dns)" }
        if let srv { return "the SRV records of \(srv)" }
        return "the lines of \(file ?? "a file")"
    }
}
