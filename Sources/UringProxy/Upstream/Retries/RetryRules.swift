/// When the request of an exchange is sent again: small, so that each exchange keeps those it began with.
struct RetryRules: BitwiseCopyable, Sendable {
    /// What may happen to an attempt; a bit each.
    struct Conditions: OptionSet, BitwiseCopyable, Sendable {
        var rawValue: UInt16

        static var connectFailure: Conditions { Conditions(rawValue: 1 << 0) }
        static var reset: Conditions { Conditions(rawValue: 1 << 1) }
        static var timeout: Conditions { Conditions(rawValue: 1 << 2) }
        static var status429: Conditions { Conditions(rawValue: 1 << 3) }
        static var status500: Conditions { Conditions(rawValue: 1 << 4) }
        static var status502: Conditions { Conditions(rawValue: 1 << 5) }
        static var status503: Conditions { Conditions(rawValue: 1 << 6) }
        static var status504: Conditions { Conditions(rawValue: 1 << 7) }
        /// Of class 5xx, and none of the others.
        static var otherServerError: Conditions { Conditions(rawValue: 1 << 8) }
        static var serverErrors: Conditions {
            [.status500, .status502, .status503, .status504, .otherServerError]
        }
        static var statuses: Conditions { [.status429, .serverErrors] }

        /// Empty for a status that is never a reason.
        init(status: UInt16) {
            switch status {
            case 429: self = .status429
            case 500: self = .status500
            case 502: self = .status502
            case 503: self = .status503
            case 504: self = .status504
            case 501, 505...599: self = .otherServerError
            default: self = []
            }
        }

        init(rawValue: UInt16) { self.rawValue = rawValue }
    }

    var conditions: Conditions = .connectFailure
    /// How often the request is sent at most.
    var attempts: UInt8 = 3
    var allowsNonIdempotent = false
    /// Milliseconds from the request's end to the response's head; 0: no limit of its own.
    var tryTimeoutMilliseconds: UInt32 = 0
    /// Milliseconds without an answer until another endpoint is asked as well; 0: it is not.
    var hedgeMilliseconds: UInt32 = 0

    /// Whether requests are counted, so that retries can be a share of them.
    @inline(__always)
    var usesBudget: Bool {
        conditions.rawValue > Conditions.connectFailure.rawValue || hedgeMilliseconds > 0
    }

    @inline(__always)
    var looksAtStatuses: Bool { !conditions.isDisjoint(with: .statuses) }

    /// Nanoseconds; `.max`: no limit.
    @inline(__always)
    var tryTimeout: Int64 {
        tryTimeoutMilliseconds == 0 ? .max : Int64(tryTimeoutMilliseconds) * 1_000_000
    }
}

extension RetryRules {
    init(_ configuration: RetryConfiguration) {
        conditions = configuration.on.reduce(into: []) { $0.formUnion(Conditions($1)) }
        attempts = UInt8(clamping: configuration.attempts)
        allowsNonIdempotent = configuration.nonIdempotent
        tryTimeoutMilliseconds = UInt32(clamping: configuration.tryTimeout.rawValue / 1_000_000)
        hedgeMilliseconds = UInt32(clamping: configuration.hedgeAfter.rawValue / 1_000_000)
    }
}

extension RetryRules.Conditions {
    fileprivate init(_ condition: RetryConfiguration.Condition) {
        switch condition {
        case .connectFailure: self = .connectFailure
        case .reset: self = .reset
        case .timeout: self = .timeout
        case .tooManyRequests: self = .status429
        case .internalError: self = .status500
        case .badGateway: self = .status502
        case .unavailable: self = .status503
        case .gatewayTimeout: self = .status504
        case .server: self = .serverErrors
        case .never: self = []
        }
    }
}
