/// Decides, before each wait, whether to look out for events for a while instead of sleeping at once.
///
/// Spinning pays where the next event is closer than a sleep and a wake-up cost; where it is not, it burns the CPU for
/// nothing, or even keeps those from it who would make the event. What decides is the share of the last spins that
/// found something, weighted towards the latest, and not the mean time to the next event: a proxy waits briefly for
/// upstream and then long for downstream, and the mean of the two says nothing about either. While that share is too low only
/// rare waits are tried, at intervals that double as long as they fail.
///
/// Knows neither clock nor kernel: the driver spins, and tells what came of it.
struct BusyPoll: BitwiseCopyable {
    /// The longest spin, in nanoseconds; 0: never.
    let limit: Int64

    private static let whole = 256
    /// Spinning goes on above: one spin in five that pays still ends a wait sooner at the price of the other four, which
    /// is what who asks for it wants; with none that pays a dozen are the end.
    private static let leastShare = 48
    /// After a lucky try: enough for half a dozen spins to show whether it was more than luck.
    private static let shareAfterTry = 112
    private static let shortestInterval = 16
    /// At 50 µs a spin a fifth of a microsecond for each wait: what a proxy without use for it pays.
    private static let longestInterval = 256

    /// The share of spins that paid, of `whole`.
    private var share = BusyPoll.whole
    /// Waits to let pass before the next try, of `interval`.
    private var untilTry = 0
    private var interval = BusyPoll.shortestInterval

    static let off = BusyPoll(limit: 0)

    init(limit: Int64) { self.limit = limit }

    /// Whether it is ever worth asking.
    var isOn: Bool { limit > 0 }

    /// Whether spins are the rule, for now, and not rare tries.
    private var pays: Bool { share >= Self.leastShare }

    /// To be called when there is nothing to do but wait: whether to spin first. `ended` is to follow if it came to that, and
    /// there was not something to do after all.
    @inline(__always)
    mutating func begins() -> Bool {
        guard isOn else { return false }
        if pays { return true }
        untilTry -= 1
        return untilTry <= 0
    }

    /// - Parameter paid: whether what was waited for came within `limit`.
    mutating func ended(paid: Bool) {
        guard pays else {
            if paid {
                share = Self.shareAfterTry
                interval = Self.shortestInterval
            } else {
                interval = min(interval * 2, Self.longestInterval)
                untilTry = interval
            }
            return
        }
        share += ((paid ? Self.whole : 0) - share) / 8
        if !pays { untilTry = interval }
    }
}
