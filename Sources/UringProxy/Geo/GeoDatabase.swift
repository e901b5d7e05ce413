internal import CMaxMindDB
internal import CPosix

/// One database in MaxMind's format. It is a copy of its file in memory: a file that is written over, or cut, while it is in use
/// would otherwise end the process (SIGBUS).
@safe final class GeoDatabase: @unchecked Sendable {
    /// Larger files are none.
    static let sizeLimitBytes = 2 << 30

    let path: String
    /// Of the file when it was opened (`WholeFile.stamp`).
    let stamp: UInt64
    let kinds: GeoKinds
    /// Nothing is written to it once it is open.
    let pointer: OpaquePointer

    /// Reads the file and goes through its whole tree. Blocks.
    init(_ path: String) throws(GeoDatabaseError) {
        self.path = path
        stamp = WholeFile.stamp(of: path)
        var error: Int32 = 0
        guard let opened = unsafe cmaxminddb_open(path, UInt64(Self.sizeLimitBytes), &error) else {
            throw error < 0 ? .system(errno: -error) : .format(code: error)
        }
        unsafe pointer = opened
        kinds = unsafe GeoKinds(rawValue: cmaxminddb_kinds(opened))
    }

    deinit { unsafe cmaxminddb_close(pointer) }
}
