internal import CPosix

/// A file of the user's that is read as a whole. Blocks: for starts, reloads and commands alone.
enum WholeFile {
    /// - Parameter limitBytes: a larger file fails with EFBIG.
    static func read(_ path: String, limitBytes: Int) throws(SystemCallError) -> [UInt8] {
        var capacity = 64 << 10
        while true {
            var size = 0
            let bytes = unsafe [UInt8](unsafeUninitializedCapacity: capacity) { buffer, count in
                size = unsafe cposix_read_file(path, buffer.baseAddress, buffer.count)
                count = max(size, 0)
            }
            if size < 0 { throw SystemCallError(call: "read", errno: Int32(-size)) }
            if size < capacity { return bytes }
            if capacity > limitBytes { throw SystemCallError(call: "read", errno: EFBIG) }
            capacity *= 4
        }
    }

    /// A number that changes when a file is written or replaced; 0 if there is none.
    static func stamp(of path: String) -> UInt64 {
        unsafe path.withCString { unsafe cposix_file_stamp($0) }
    }
}

extension SystemCallError {
    /// Why a file could not be read, behind its name.
    func reasonOfFile(limitBytes: Int) -> String {
        switch errno {
        case ENOENT: "does not exist"
        case EACCES: "may not be read"
        case EISDIR: "is a directory"
        case EFBIG: "is larger than \(limitBytes >> 20) MiB"
        default: "cannot be read (errno \(errno))"
        }
    }
}
