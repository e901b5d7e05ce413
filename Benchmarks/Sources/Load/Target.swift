internal import CLoad

/// Where connections go, and from where.
struct Target {
    private var address = cload_target()
    private let sourceCount: Int
    private var connected = 0

    init(_ target: HostPort, sourceCount: Int) throws(UsageError) {
        guard unsafe cload_parse_target(target.host, target.port, &address) == 1 else {
            throw UsageError("--target is a numeric address: '\(target.host)' is none")
        }
        self.sourceCount = sourceCount
    }

    /// Starts a connection, from each source address in turn. Its descriptor, or -errno.
    mutating func connect() -> Int32 {
        connected += 1
        return unsafe cload_connect(&address, UInt32(connected % sourceCount))
    }
}
