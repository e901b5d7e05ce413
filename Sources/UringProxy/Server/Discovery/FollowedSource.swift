/// One source, as the thread that follows it knows it.
final class FollowedSource {
    /// Between two questions that come to nothing, at most (nanoseconds).
    private static let longestPause: Int64 = 30_000_000_000

    let source: DiscoverySource
    var plan: DiscoveryPlan
    /// When it is looked at again (nanoseconds); `.max` while an answer is awaited.
    var dueAt = Int64.min
    /// Questions in a row that came to nothing.
    var failuresInRow = 0
    /// What was told last of why nothing is found; empty: something is.
    var trouble = ""

    // Of a file.
    /// At the last look. A stamp that is new may be that of a file that is still being written.
    var latestStamp: UInt64 = 0
    /// What was read.
    var readStamp: UInt64?

    init(_ plan: DiscoveryPlan) {
        source = plan.source
        self.plan = plan
    }

    /// An answer may be used for so long.
    func answered(ttlSeconds: UInt32, now: Int64) {
        failuresInRow = 0
        dueAt = now + min(plan.refreshMax, max(plan.refreshMin, Int64(ttlSeconds) * 1_000_000_000))
    }

    /// Asks again soon, and less often the longer it lasts.
    func failed(now: Int64) {
        let longest = min(plan.refreshMax, max(plan.refreshMin, Self.longestPause))
        let shift = Int64(min(failuresInRow, 10))
        dueAt = now + (plan.refreshMin > longest >> shift ? longest : plan.refreshMin << shift)
        failuresInRow += 1
    }
}
