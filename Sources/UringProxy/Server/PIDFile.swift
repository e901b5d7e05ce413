internal import CPosix

/// The file in which a service manager, or a person, finds the number of the process that serves.
public final class PIDFile: Sendable {
    private let path: String
    private let descriptor: Int32

    /// Opens it, and changes nothing yet: a process that does not come to serve leaves another one's number alone.
    ///
    /// - Parameter user: who the process is about to become; the file is given to them, so that their successor can write it.
    public init(path: String, user: String?) throws(StartError) {
        self.path = path
        descriptor = unsafe cposix_open_for_writing(path)
        guard descriptor >= 0 else {
            let why =
                switch -descriptor {
                case ENOENT: "its directory does not exist"
                case EACCES, EPERM, EROFS: "not permitted; use a directory that this user may write to"
                default: "errno \(-descriptor)"
                }
            throw StartError(message: "--pid-file \(path): \(why)")
        }
        var owner: UInt32 = 0
        var group: UInt32 = 0
        // A user that does not exist is told about where it is to be become.
        if let user, getuid() == 0, unsafe cposix_find_user(user, &owner, &group) == 0 {
            _ = fchown(descriptor, owner, group)
        }
    }

    deinit { _ = cposix_close(descriptor) }

    /// This process serves.
    public func write() {
        let bytes = Array("\(getpid())\n".utf8)
        _ = ftruncate(descriptor, 0)
        unsafe _ = bytes.withUnsafeBytes { unsafe pwrite(descriptor, $0.baseAddress, $0.count, 0) }
    }

    /// This process has ended. The number of another one, who has taken its place, stays.
    public func remove() {
        var bytes = [UInt8](repeating: 0, count: 32)
        let size = unsafe bytes.withUnsafeMutableBytes {
            unsafe cposix_read_file(path, $0.baseAddress, $0.count)
        }
        guard size > 0, String(decoding: bytes[..<size], as: UTF8.self) == "\(getpid())\n" else { return }
        // Who is no longer root may not take a name out of root's directory; an empty file says as much.
        if unsafe unlink(path) != 0 { _ = ftruncate(descriptor, 0) }
    }
}
