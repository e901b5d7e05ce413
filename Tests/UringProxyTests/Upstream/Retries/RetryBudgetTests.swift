import Synchronization
import TestSupport
import Testing

@testable import UringProxy

@Suite("Budgets of retries")
struct RetryBudgetTests {
    private static let second: Int64 = 1_000_000_000

    @Test("What was spent is known after a reload, of a cluster too whose endpoint's health nobody asks for")
    func outlivesReloads() {
        let registry = HealthRegistry()
        let cluster = ClusterConfiguration(name: "a", endpoints: ["127.0.0.1:9"])
        let budget = registry.retries(cluster).budget
        #expect(budget != nil && registry.retries(cluster).budget === budget)
        let gate = registry.gate("a")
        #expect(registry.retries(cluster).budget === budget && registry.gate("a") === gate)
    }

    @Test(
        "However the load comes and goes, retries are no more than their share of it",
        arguments: [0, 1, 20, 100])
    func share(_ percent: UInt64) {
        let budget = RetryBudget()
        let settings = RetryBudget.Settings(percent: percent, minimum: 0)
        var random = SplitMix(seed: percent + 1)
        var requests: UInt64 = 0
        var retries: UInt64 = 0
        var now = 100 * Self.second
        for _ in 0..<20_000 {
            // At times hundreds a second, at times nothing for a minute.
            now +=
                Int.random(in: 0..<500, using: &random) == 0
                ? 60 * Self.second : Int64.random(in: 0..<20_000_000, using: &random)
            budget.noteRequests(1, now: now)
            requests += 1
            // Every attempt fails.
            for _ in 0..<2 where budget.takeRetry(settings, now: now) { retries += 1 }
            #expect(retries * 100 <= requests * percent)
        }
        // It is a limit, and not less than it says: but for what the end of a window forgets.
        #expect(retries * 100 >= requests * percent * 8 / 10)
    }

    @Test("What was not used in ten seconds is lost")
    func forgets() {
        let budget = RetryBudget()
        let settings = RetryBudget.Settings(percent: 20, minimum: 0)
        budget.noteRequests(1000, now: 100 * Self.second)
        #expect(budget.takeRetry(settings, now: 109 * Self.second))
        #expect(!budget.takeRetry(settings, now: 110 * Self.second))
    }

    @Test("The minimum is allowed in each second, and no more")
    func minimum() {
        let budget = RetryBudget()
        let settings = RetryBudget.Settings(percent: 20, minimum: 3)
        for second in 100..<120 as Range<Int64> {
            let allowed = (0..<50).filter {
                budget.takeRetry(settings, now: second * Self.second + Int64($0) * 19_000_000)
            }
            #expect(allowed == [0, 1, 2])
        }
    }

    @Test("Threads that take at once, while windows turn, take no more than their share")
    func threads() {
        let budget = RetryBudget()
        let settings = RetryBudget.Settings(percent: 20, minimum: 0)
        let requests = Atomic<UInt64>(0)
        let retries = Atomic<UInt64>(0)
        let takers = (0..<4).map { number in
            { @Sendable () -> Void in
                for step in 0..<50_000 as Range<Int64> {
                    // A window lasts a hundred steps; now and then one is passed over.
                    let now = (step + step / 1000 * 200) * 50_000_000
                    if number == 0 {
                        requests.wrappingAdd(1, ordering: .relaxed)
                        budget.noteRequests(1, now: now)
                    }
                    if budget.takeRetry(settings, now: now) { retries.wrappingAdd(1, ordering: .relaxed) }
                }
            }
        }
        runThreads(takers)
        let spent = retries.load(ordering: .relaxed)
        #expect(spent > 0 && spent * 100 <= requests.load(ordering: .relaxed) * 20)
    }
}
