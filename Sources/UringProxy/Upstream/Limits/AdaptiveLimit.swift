/// How many requests may be without an answer at a time, found by how long answers take: as many as take hardly longer than few do.
///
/// The gradient algorithm of Netflix's concurrency-limits and Envoy's adaptive concurrency. In each window the latency is compared with
/// what it is without a queue (`floor`), and the limit follows the quotient; the square root of it is added, so that there is always
/// something to find out by. The floor is measured anew from time to time with a quarter of the requests. It knows no clock and no
/// atomics: it is told what a window brought.
struct AdaptiveLimit: BitwiseCopyable, Sendable {
    struct Settings: BitwiseCopyable, Equatable, Sendable {
        /// What the limit never falls below, at least 1, and what it never exceeds.
        var lowest: UInt32 = 5
        var highest: UInt32 = 1000
        /// How many times the floor the latency may be before the limit falls; at least 1.
        var tolerance = 1.25
        /// Nanoseconds.
        var window: Int64 = 100_000_000
        /// From one measurement of the floor to the next, once it has settled (nanoseconds).
        var remeasure: Int64 = 60_000_000_000
    }

    /// Of a window, at least: fewer answers say little.
    static let samples: UInt32 = 20
    /// Where it begins, if its bounds allow that.
    private static let beginning = 20.0
    /// Windows at the lowest limit after which the floor is in doubt.
    private static let patience = 5

    private var limit: Double
    /// Latency without a queue (nanoseconds); 0: nothing is known.
    private(set) var floor = 0.0
    /// The floor is being measured, with fewer requests.
    private(set) var isMeasuring = false
    private var measureAt = Int64.min
    private var interval: Int64
    private var windowsAtLowest = 0

    init(_ settings: Settings) {
        limit = min(max(Self.beginning, Double(settings.lowest)), Double(settings.highest))
        // What the first requests find may be a crowd: soon, then ever later.
        interval = min(10 * settings.window, settings.remeasure)
    }

    /// Requests without an answer at a time.
    func current(_ settings: Settings) -> UInt32 {
        let bounded = UInt32(min(max(limit, Double(settings.lowest)), Double(settings.highest)))
        return isMeasuring ? max(settings.lowest, bounded / 4) : bounded
    }

    /// A window has ended. While the floor is measured it is of requests that began since.
    ///
    /// - Parameters:
    ///   - latency: the median of its answers (nanoseconds).
    ///   - peak: the most requests without an answer at a time.
    mutating func windowEnded(latency: Int64, peak: UInt32, now: Int64, _ settings: Settings) {
        let latency = Double(max(1, latency))
        if isMeasuring || floor == 0 {
            floor = latency
            isMeasuring = false
            windowsAtLowest = 0
            measureAt = now + interval
            interval = min(2 * interval, settings.remeasure)
            return
        }
        // Less than the floor: it was none.
        if latency < floor { floor -= (floor - latency) / 4 }
        let gradient = min(1, max(0.5, settings.tolerance * floor / latency))
        // A limit that nobody comes near is not the reason for anything.
        if 2 * Double(peak) >= limit {
            limit = limit * gradient + limit.squareRoot()
            limit = min(max(limit, Double(settings.lowest)), Double(settings.highest))
        }
        let isLowest = gradient < 1 && limit <= Double(settings.lowest) + limit.squareRoot()
        windowsAtLowest = isLowest ? windowsAtLowest + 1 : 0
        // Few requests, and slow all the same: they have become so.
        if now >= measureAt || windowsAtLowest >= Self.patience { isMeasuring = true }
    }
}
