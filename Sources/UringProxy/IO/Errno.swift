internal import CPosix

/// The error numbers the engine tells apart, so that no other room needs the C library for their names.
enum Errno {
    static var noBuffers: Int32 { ENOBUFS }
    static var noMemory: Int32 { ENOMEM }
    static var canceled: Int32 { ECANCELED }
    static var connectionReset: Int32 { ECONNRESET }
    static var connectionRefused: Int32 { ECONNREFUSED }
    static var timedOut: Int32 { ETIMEDOUT }
    static var tooManyFiles: Int32 { EMFILE }
    static var tooManyFilesInSystem: Int32 { ENFILE }
    static var notFound: Int32 { ENOENT }

    /// Whether this error says that bytes cannot be spliced here, though they may be copied: a socket of another kind, a
    /// filter of system calls, or no memory for it.
    static func refusesSplice(_ errno: Int32) -> Bool {
        errno == EINVAL || errno == ENOSYS || errno == EPERM || errno == ENOMEM || errno == ENOBUFS
            || errno == EOPNOTSUPP
    }
}
