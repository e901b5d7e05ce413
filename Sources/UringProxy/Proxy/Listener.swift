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
    let role: Role
    /// The cluster that requests of a reverse listener go to, or that those of a forward listener go through (-1 for none); or
    let cluster: Int
    /// the routes that say so; -1 for none.
    let routes: Int
    /// Another process goes on listening when this one ends: the service manager, whose socket it is, or a successor.
    var isInherited: Bool
    /// An accept is under way.
    var isArmed = false
    /// After a failure (EMFILE…): how long to wait before accepting again, in nanoseconds; doubles each time.
    var backoff: Int64 = 0

    /// - Parameter cluster: nil: the first; of a forward listener none.
    init(descriptor: Int32, role: Role, cluster: Int? = nil, routes: Int = -1, isInherited: Bool = false) {
        self.descriptor = descriptor
        self.role = role
        self.cluster = cluster ?? (role == .forward ? -1 : 0)
        self.routes = routes
        self.isInherited = isInherited
    }
}
