/// How the resolution of a name ended.
enum ResolverStatus: BitwiseCopyable, Equatable, Sendable {
    case ok
    /// There is no such name, or it has no address.
    case notFound
    /// No server answered in time.
    case timedOut
    /// - Parameter code: an `ARES_E…` number of ares.h, or `overloaded` or `stopped`.
    case failed(code: Int32)

    /// Too many names or askers at a time.
    static var overloaded: ResolverStatus { .failed(code: -1) }
    /// The resolver was stopped before the answer came.
    static var stopped: ResolverStatus { .failed(code: -2) }
}
