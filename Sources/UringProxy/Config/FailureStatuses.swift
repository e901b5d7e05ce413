/// Which answers of an endpoint count as its failures.
public enum FailureStatuses: String, Sendable, CaseIterable, BitwiseCopyable {
    /// Every answer is a success.
    case none
    /// 502, 503 and 504: what stands behind the endpoint does not work.
    case gateway
    /// 500 to 599.
    case server

    @inline(__always)
    func contains(_ status: UInt16) -> Bool {
        switch self {
        case .none: false
        case .gateway: (502...504).contains(status)
        case .server: status >= 500
        }
    }
}
