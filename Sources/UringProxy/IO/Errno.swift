internal import CPosix

/// The error numbers the engine tells apart, so that no other room needs the C library for their names.
enum Errno {
    static var noBuffers: Int32 { ENOBUFS }
    static var canceled: Int32 { ECANCELED }
    static var connectionRefused: Int32 { ECONNREFUSED }
    static var timedOut: Int32 { ETIMEDOUT }
    static var tooManyFiles: Int32 { EMFILE }
    static var tooManyFilesInSystem: Int32 { ENFILE }
    static var notFound: Int32 { ENOENT }
}
