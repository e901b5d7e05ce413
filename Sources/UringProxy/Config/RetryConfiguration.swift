/// When a request to a cluster is sent again, and how much that may add to its load.
public struct RetryConfiguration: Sendable, Equatable {
    /// What of an attempt makes another one worth it.
    public enum Condition: String, Sendable, CaseIterable {
        /// The endpoint could not be connected, or its name not resolved: nothing of the request has left.
        case connectFailure = "connect-failure"
        /// The connection ended, or was reset, before the response's head.
        case reset
        /// The response's head did not come in time.
        case timeout
        case tooManyRequests = "429"
        case internalError = "500"
        case badGateway = "502"
        case unavailable = "503"
        case gatewayTimeout = "504"
        /// 500 to 599.
        case server = "5xx"
        /// Stands alone: a request is never sent again.
        case never
    }

    public var on = [Condition.connectFailure]
    /// How often a request is sent in all. Connections that fail are not counted: nothing was sent.
    public var attempts = 3
    /// From the end of the request to the response's head, for each attempt; beside `timeouts.upstream`. 0: none.
    public var tryTimeout = Nanoseconds.zero
    /// Without an answer for so long an idempotent request is sent to another endpoint as well, once. 0: it is not.
    public var hedgeAfter = Nanoseconds.zero
    /// Whether requests that are not idempotent (RFC 9110 §9.2.2) are sent again although an endpoint may have acted on them.
    public var nonIdempotent = false
    /// Percent of the cluster's requests that may be sent again, beyond `minimum`.
    public var budget = 20
    /// Retries a second that are allowed whatever the load.
    public var minimum = 3

    static let attemptsRange = 1...10
    static let minimumRange = 0...1_000_000

    public init() {}
}
