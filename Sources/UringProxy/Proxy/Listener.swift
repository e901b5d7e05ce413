/// A place where a worker accepts connections.
struct Listener: BitwiseCopyable {
    enum Role: UInt8, BitwiseCopyable {
        /// Requests go to the configured upstreams.
        case reverse
        /// Requests go where they say.
        case forward
    }

    let descriptor: Int32
    let role: Role
    /// An accept is under way.
    var isArmed = false
    /// After a failure (EMFILE…): how long to wait before accepting again, in nanoseconds; doubles each time.
    var backoff: Int64 = 0

    init(descriptor: Int32, role: Role) {
        self.descriptor = descriptor
        self.role = role
    }
}
