/// Why a driver could not be set up.
enum DriverError: Error, Equatable {
    /// `io_uring_setup` answered this.
    case ringRefused(errno: Int32)
    /// A feature that the io_uring driver is built on is missing.
    case featureMissing(StaticString)
    /// No descriptor for an eventfd or epoll.
    case descriptor(errno: Int32)
    /// A worker's thread could not be started.
    case thread(errno: Int32)

    static func == (left: DriverError, right: DriverError) -> Bool { left.message == right.message }

    /// A sentence for the log: what is wrong, and what to do about it.
    var message: String {
        switch self {
        case .ringRefused(1): "io_uring is not permitted (seccomp profile or sysctl kernel.io_uring_disabled)"
        case .ringRefused(38): "this kernel has no io_uring"
        case .ringRefused(12): "not enough lockable memory for a ring (raise ulimit -l, LimitMEMLOCK=)"
        case .ringRefused(let errno): "io_uring_setup failed with errno \(errno)"
        case .featureMissing(let name):
            "this kernel's io_uring lacks \(name) (Linux 6.1 has all that is needed)"
        case .descriptor(let errno): "no descriptor for the event loop, errno \(errno) (raise ulimit -n)"
        case .thread(let errno): "a thread could not be started, errno \(errno) (raise ulimit -u)"
        }
    }
}
