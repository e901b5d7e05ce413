/// What a listener or a route asks of a request before it lets it in. Immutable, and shared by all workers.
///
/// Listeners and routes have the index of their plan in the list of all of them, or -1.
final class AccessPlan: Sendable {
    /// In the place of an authenticator: the listener's, if it has one.
    static var inherited: Int32 { -1 }
    /// None, whatever the listener's is.
    static var none: Int32 { -2 }

    let addresses: AddressRules
    /// In the order in which they are asked.
    let limits: FixedArray<RateLimit>
    /// Stands for the listener or the route in the keys of limits; the same after a reload.
    let place: UInt64
    /// The index of the authenticator; or `inherited`, or `none`.
    let authenticator: Int32
    /// What `limits` point into.
    private let limiters: [RateLimiter]

    /// - Parameter path: of the key of the listener or the route.
    init(
        path: String, addresses: consuming AddressRules,
        limits: [(limiter: RateLimiter, mode: RateLimitConfiguration.Mode)], authenticator: Int32
    ) {
        self.addresses = addresses
        self.limits = FixedArray(limits.map { $0.limiter.limit($0.mode) })
        self.authenticator = authenticator
        limiters = limits.map(\.limiter)
        place = unsafe Array(path.utf8).withUnsafeBytes {
            ByteHash.hash(unsafe ByteView($0), seed: 0, foldingCase: false)
        }
    }
}
