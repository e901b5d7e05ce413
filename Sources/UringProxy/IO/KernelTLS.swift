internal import CPosix

/// Whether the kernel encrypts what sockets are sent (`CONFIG_TLS`, 4.13; TLS 1.3 from 5.1), where that is wanted.
enum KernelTLS: Sendable, Equatable {
    case unwanted, works
    case lacking(errno: Int32)

    /// Found out by trying. It may load the kernel's module, where this user may.
    static func probe() -> KernelTLS {
        let result = cposix_tls_probe()
        return result == 0 ? .works : .lacking(errno: -result)
    }

    /// For the line that says how the engine runs.
    var note: String {
        switch self {
        case .unwanted: ""
        case .works: ", long bodies over TLS by the kernel"
        case .lacking(let errno): ", no TLS by the kernel (\(Self.describe(errno: errno)))"
        }
    }

    /// What keeps the kernel from it.
    static func describe(errno: Int32) -> String {
        switch errno {
        case ENOENT: "its module tls, or one for AES-GCM, is not loaded, or there is none"
        case ENOPROTOOPT, EINVAL, EOPNOTSUPP: "it has no TLS 1.3 for sockets"
        default: "trying it failed with errno \(errno)"
        }
    }
}
