/// A limit on a cluster's unanswered requests that follows how long answers take.
public struct AdaptiveLimitConfiguration: Sendable, Equatable {
    /// Its bounds.
    public var lowest = 5
    public var highest = 1000
    /// Percent: how much longer answers may take than they do under little load.
    public var buffer = 25
    /// How long answers are timed together.
    public var window = Nanoseconds.milliseconds(100)
    /// How often the latency under little load is measured.
    public var remeasure = Nanoseconds.minutes(1)

    /// What the bounds may be.
    static let range = 1...1_000_000

    public init() {}
}
