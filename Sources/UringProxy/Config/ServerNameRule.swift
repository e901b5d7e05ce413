/// Where a tcp listener sends connections whose clients ask for certain hosts (SNI, RFC 6066 §3).
public struct ServerNameRule: Sendable, Equatable {
    /// `example.org`, `*.example.org`; not empty.
    public var names: [String]
    /// The cluster that they go to.
    public var cluster: String

    public init(names: [String] = [], cluster: String) {
        self.names = names
        self.cluster = cluster
    }
}
