internal import CPosix

/// What the system says of a file.
struct AccessLogFileFacts {
    var size: Int64 = 0
    /// Seconds since 1970.
    var modified: Int64 = 0
    private var device: UInt64 = 0
    private var inode: UInt64 = 0

    /// - Returns: its kind, CPOSIX_SINK_…, or -errno.
    mutating func read(_ descriptor: Int32) -> Int32 {
        unsafe cposix_describe_log(descriptor, &size, &modified, &device, &inode)
    }

    mutating func read(_ path: String) -> Int32 {
        unsafe cposix_describe_log_at(path, &size, &modified, &device, &inode)
    }

    func isSameFile(as other: AccessLogFileFacts) -> Bool { device == other.device && inode == other.inode }
}
