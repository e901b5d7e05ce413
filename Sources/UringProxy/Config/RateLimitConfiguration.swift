/// How often requests may come, under a name that listeners and routes use.
public struct RateLimitConfiguration: Sendable, Hashable {
    public enum Mode: String, Sendable, CaseIterable {
        case enforce
        /// What exceeds it is counted, and let in.
        case observe
    }

    public var name: String
    public var rate: RequestRate
    /// So many may come at once after a time of quiet. nil: as many as the rate has in its unit.
    public var burst: Int?
    public var key: RateLimitKey
    /// Keys that are remembered at once.
    public var size: Int
    public var mode: Mode

    static let sizeRange = 64...(1 << 24)
    static let burstRange = 1...RequestRate.countLimit

    public init(
        name: String, rate: RequestRate = RequestRate(1), burst: Int? = nil, key: RateLimitKey = .address,
        size: Int = 100_000, mode: Mode = .enforce
    ) {
        self.name = name
        self.rate = rate
        self.burst = burst
        self.key = key
        self.size = size
        self.mode = mode
    }

    var burstInEffect: Int { burst ?? rate.count }
}
