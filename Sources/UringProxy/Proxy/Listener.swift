/// A place where a worker accepts connections.
struct Listener: BitwiseCopyable {
    enum Role: UInt8, BitwiseCopyable {
        /// Requests go to a cluster.
        case reverse
        /// Requests go where they say.
        case forward
        /// Every connection is a tunnel to a cluster.
        case tcp
    }

    let descriptor: Int32
    /// What it is recognised by when a snapshot is adopted.
    let id: Int
    var role: Role
    /// The cluster that requests of a reverse listener go to if no routes say so, or that those of a forward listener go through;
    /// -1 for none. That of a tcp listener's connections, or of those that no name sends elsewhere; then perhaps -1.
    var cluster: Int
    /// The route table that says where requests of a reverse listener go; -1 for none.
    var routes: Int
    /// The socket belongs to somebody else as well, the service manager or a successor, who goes on listening when this one ends.
    var isInherited: Bool
    /// Its access plan, by index; -1 for none.
    var access: Int32
    /// Connections at most, those of all workers together; 0: any number.
    var connectionLimit: Int32
    /// What its TLS begins with, by index, or one of the two below.
    var tls: Int32
    /// The table that says where its connections go by the names that clients ask for, by index; -1 for none.
    var serverNames: Int32
    /// What logs and metrics call it, as `ExchangeNames` has it; -1: nothing.
    var name: Int32 = -1
    /// Connections may begin with the preface of HTTP/2 (RFC 9113 §3.4).
    var speaksHTTP2: Bool
    /// An accept is under way.
    var isArmed = false
    /// The snapshot has it no more: it takes no connection, and those that it has taken end with their exchange.
    var isGone = false
    /// It has gone, and with it where its requests would be served.
    var refuses = false
    /// The descriptor is closed, which was the last thing to be done with it.
    var isClosed = false
    /// Downstream connections that came by it.
    var connectionCount = 0
    /// After a failure (EMFILE…): how long to wait before accepting again, in nanoseconds; doubles each time.
    var backoff: Int64 = 0

    static var speaksNoTLS: Int32 { -1 }
    /// It has gone, and with it its certificates.
    static var tlsGone: Int32 { -2 }

    /// Its connections begin with a ClientHello, for us to answer or to look at.
    var beginsWithTLS: Bool { tls != Self.speaksNoTLS || serverNames >= 0 }

    /// - Parameter cluster: nil: the first; of a forward listener none.
    init(
        descriptor: Int32, id: Int = 0, role: Role, cluster: Int? = nil, routes: Int = -1,
        isInherited: Bool = false, access: Int32 = -1, connectionLimit: Int32 = 0,
        tls: Int32 = Listener.speaksNoTLS, serverNames: Int32 = -1, speaksHTTP2: Bool = true
    ) {
        self.descriptor = descriptor
        self.id = id
        self.role = role
        self.cluster = cluster ?? (role == .forward ? -1 : 0)
        self.routes = routes
        self.isInherited = isInherited
        self.access = access
        self.connectionLimit = connectionLimit
        self.tls = tls
        self.serverNames = serverNames
        self.speaksHTTP2 = speaksHTTP2
    }
}
