/// One address that is listened on, and what becomes of the requests that come there.
public struct ListenerConfiguration: Sendable, Equatable {
    public enum Role: String, Sendable, CaseIterable {
        case reverse, forward
        /// Layer 4: every connection is relayed to a cluster.
        case tcp
    }

    /// `127.0.0.1:8081`, `[::1]:8081`, `unix:PATH`.
    public var address: String
    public var role: Role
    /// The cluster that requests, or connections, go to; or
    public var cluster: String?
    /// the list of routes that tells.
    public var routes: String?
    /// Connections at a time, those of all threads together; those beyond it are refused. 0: any number.
    public var maxConnections = 0
    /// Whether it speaks HTTP/2 with who asks for it, beside HTTP/1.
    public var speaksHTTP2 = true
    /// How it speaks TLS; nil: it does not.
    public var tls: TLSConfiguration?
    /// Where a tcp listener's connections go by the server name that their clients ask for, before `cluster`, which is for the
    /// rest then; nil: the rest is closed. Empty: nobody looks.
    public var serverNames: [ServerNameRule] = []
    /// Whom it lets in.
    public var access = AccessConfiguration()

    /// Listeners at most.
    static let limit = 512

    /// What `maxConnections` may be.
    static let connectionRange = 0...10_000_000

    /// The cluster of proxies that a forward listener's requests go through; nil: what `forward.parent` says.
    public var parent: String?

    /// Those that its connections or requests may go to without a route.
    var clusters: [String] { (cluster.map { [$0] } ?? []) + serverNames.map(\.cluster) }

    public init(
        address: String, role: Role = .reverse, cluster: String? = nil, routes: String? = nil,
        parent: String? = nil
    ) {
        self.address = address
        self.role = role
        self.cluster = cluster
        self.routes = routes
        self.parent = parent
    }
}
