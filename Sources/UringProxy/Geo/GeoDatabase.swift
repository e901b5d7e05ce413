internal import CMaxMindDB
internal import CPosix

/// One database in MaxMind's format. It is a copy of its file in memory: a file that is written over, or cut, while it is in use
/// would otherwise end the process (SIGBUS).
@safe final class GeoDatabase: @unchecked Sendable {
    /// Larger files are none.
    private static let sizeLimitBytes = 2 << 30

    let path: String
    /// Of the file when it was opened (`cposix_file_stamp`).
    let stamp: UInt64
    let kinds: GeoKinds
    /// Nothing is written to it once it is open.
    let pointer: OpaquePointer

    /// Reads the file and goes through its whole tree. Blocks.
    init(_ path: String) throws(OptionSyntaxError) {
        self.path = path
        stamp = Self.stamp(of: path)
        var error: Int32 = 0
        guard let opened = unsafe cmaxminddb_open(path, UInt64(Self.sizeLimitBytes), &error) else {
            throw OptionSyntaxError("\(quoted(path)) \(Self.reason(error)): check the path")
        }
        unsafe pointer = opened
        kinds = unsafe GeoKinds(rawValue: cmaxminddb_kinds(opened))
    }

    deinit { unsafe cmaxminddb_close(pointer) }

    /// A number that changes when a file is written or replaced; 0 if there is none.
    static func stamp(of path: String) -> UInt64 {
        unsafe path.withCString { unsafe cposix_file_stamp($0) }
    }

    private static func reason(_ error: Int32) -> String {
        switch -error {
        case ENOENT: return "does not exist"
        case EACCES: return "may not be read"
        case EISDIR: return "is a directory"
        case ENXIO: return "is no regular file"
        case EFBIG: return "is larger than \(sizeLimitBytes >> 30) GiB"
        case 1...: return "cannot be read (errno \(-error))"
        default:
            let text = unsafe String(cString: cmaxminddb_error_text(error))
            return "is no database in MaxMind's format, or a broken one (\(text))"
        }
    }
}
