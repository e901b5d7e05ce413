internal import CMaxMindDB
internal import CPosix

/// Why a database could not be opened.
enum GeoDatabaseError: Error {
    /// The system did not give the file (`errno`).
    case system(errno: Int32)
    /// It is no database, by libmaxminddb's code.
    case format(code: Int32)

    /// Behind the name of the file.
    var reason: String {
        switch self {
        case .system(ENOENT): return "does not exist"
        case .system(EACCES): return "may not be read"
        case .system(EISDIR): return "is a directory"
        case .system(ENXIO): return "is no regular file"
        case .system(EFBIG): return "is larger than \(GeoDatabase.sizeLimitBytes >> 30) GiB"
        case .system(let errno): return "cannot be read (errno \(errno))"
        case .format(let code):
            let text = unsafe String(cString: cmaxminddb_error_text(code))
            return "is no database in MaxMind's format, or a broken one (\(text))"
        }
    }
}
