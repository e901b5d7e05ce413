/// What makes a cluster leave endpoints out, and how they return.
struct HealthSettings: BitwiseCopyable, Sendable {
    /// With a smaller share of available endpoints than this (percent), all are used; 0: never.
    var panicPercent = 10
    /// How long an endpoint that returns gets less than its share (nanoseconds); 0: it gets all of it at once.
    var slowStart: Int64 = 0
    var outliers = OutlierSettings()

    /// A returning endpoint begins with this part of its share: with nothing it would learn nothing.
    static let firstShare = 0.1
}

/// Which endpoints are ejected for what requests have met there, and for how long. Times in nanoseconds.
struct OutlierSettings: BitwiseCopyable, Sendable {
    /// So many failures in a row; 0: never.
    var consecutive: UInt32 = 5
    /// Which answers count as failures, beside what is none.
    var statuses = FailureStatuses.none
    /// This share of a window's requests (percent); 0: never.
    var errorPercent = 0
    /// So many times the latency of the others; 0: never.
    var latencyFactor = 0.0
    /// Windows with fewer requests prove nothing.
    var minimumRequests: UInt32 = 20
    var window: Int64 = 10_000_000_000
    /// The first ejection; each further one is twice as long.
    var ejection: Int64 = 10_000_000_000
    var longestEjection: Int64 = 300_000_000_000
    /// Of the cluster's endpoints, rounded up; one always may be, the last one never.
    var mostEjectedPercent = 50

    /// Whether requests are counted and timed.
    var measures: Bool { errorPercent > 0 || latencyFactor > 0 }
    var isOn: Bool { mostEjectedPercent > 0 && (consecutive > 0 || measures) }
}
