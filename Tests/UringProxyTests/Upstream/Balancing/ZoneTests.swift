import TestSupport
import Testing

@testable import UringProxy

@Suite("Zones")
struct ZoneTests {
    /// Two endpoints in the zone of the proxy, and four elsewhere, in an order that no policy gains by.
    private static let zones = ["b", "own", "b", "c", "own", "c"]
    private static let local = [1, 4]
    private static let others = [0, 2, 3, 5]
    private static let second: Int64 = 1_000_000_000
    private static let count = 7000

    private func health(_ count: Int = 6, panic: Int = 0) -> ClusterHealth {
        var settings = HealthSettings()
        settings.panicPercent = panic
        return HealthRegistry().cluster(
            "c", endpoints: (0..<count).map { "endpoint-\($0):80" }, settings: settings, now: Self.second)
    }

    private func choices(
        _ policy: BalancingPolicy, _ health: ClusterHealth?, weights: [UInt32]? = nil, threshold: Int = 70,
        worker: Int = 0
    ) -> Choices {
        Choices(
            policy, weights: weights ?? Self.zones.map { _ in 1 }, worker: worker, loadBound: 1000,
            health: health, zones: Self.zones, threshold: threshold)
    }

    /// How often each endpoint is chosen, of all choices.
    private func shares(_ choices: Choices) -> [Double] {
        choices.spread(Self.count, now: 2 * Self.second) { key($0) }.map { Double($0) / Double(Self.count) }
    }

    /// Whether each of some endpoints has its share; a ring's stray by their nature.
    private func hasShares(
        _ shares: [Double], _ indices: [Int], _ wanted: Double, _ policy: BalancingPolicy
    ) -> Bool {
        let sum = indices.reduce(0) { $0 + shares[$1] }
        let all = wanted * Double(indices.count)
        // Tables are uneven by their nature, and are so still when some of their endpoints are left out.
        let unevenness = policy == .ringHash ? 0.35 : policy == .maglev ? 0.1 : 0
        return abs(sum - all) <= deviation(all) + (policy.isHashed ? 0.03 : 1e-9)
            && indices.allSatisfy {
                abs(shares[$0] - wanted) <= max(deviation(wanted), wanted * unevenness) + 1e-9
            }
    }

    /// Five standard deviations of a share, if all is drawn.
    private func deviation(_ share: Double) -> Double {
        5 * (share * (1 - min(share, 1)) / Double(Self.count)).squareRoot()
    }

    @Test(
        "While enough of its zone's endpoints are healthy nothing leaves it; then what they cannot take is spread over the others; without any all of it; and back",
        arguments: BalancingPolicy.allCases)
    func spills(_ policy: BalancingPolicy) {
        let health = health()
        let choices = choices(policy, health)
        func set(_ index: Int, _ isHealthy: Bool) {
            health.noteChecked(index, isHealthy: isHealthy, now: Self.second)
        }
        func check(_ local: [Int], _ localShare: Double, _ others: [Int], _ otherShare: Double) {
            let shares = shares(choices)
            #expect(hasShares(shares, local, localShare, policy), "\(shares)")
            #expect(hasShares(shares, others, otherShare, policy), "\(shares)")
            let all = (local + others).reduce(0) { $0 + shares[$1] }
            #expect(abs(all - 1) < 1e-9)
        }
        check(Self.local, 0.5, [], 0)
        // An endpoint elsewhere is nothing to the zone.
        set(0, false)
        check(Self.local, 0.5, [], 0)
        set(0, true)
        // A half is 50/70 of enough.
        set(4, false)
        check([1], 5 / 7, Self.others, 2 / 7 / 4)
        set(2, false)
        check([1], 5 / 7, [0, 3, 5], 2 / 7 / 3)
        set(2, true)
        set(1, false)
        check([], 0, Self.others, 0.25)
        set(1, true)
        check([1], 5 / 7, Self.others, 2 / 7 / 4)
        set(4, true)
        check(Self.local, 0.5, [], 0)
    }

    @Test("Nobody watches: the zone is healthy", arguments: BalancingPolicy.allCases)
    func unwatched(_ policy: BalancingPolicy) {
        #expect(hasShares(shares(choices(policy, nil)), Self.local, 0.5, policy))
    }

    @Test("Where nobody else is left the zone takes all, and in a panic zones do not count")
    func last() {
        let health = health(panic: 40)
        let choices = choices(.roundRobin, health)
        for index in [0, 2, 3] { health.noteChecked(index, isHealthy: false, now: Self.second) }
        #expect(hasShares(shares(choices), Self.local, 0.5, .roundRobin))
        health.noteChecked(4, isHealthy: false, now: Self.second)
        // Two of six.
        #expect(hasShares(shares(choices), Array(0..<6), 1 / 6, .roundRobin))
        let alone = self.health()
        let last = self.choices(.leastRequests, alone)
        for index in [0, 2, 3, 4, 5] { alone.noteChecked(index, isHealthy: false, now: Self.second) }
        #expect(shares(last)[1] == 1)
    }

    @Test(
        "The threshold is what is enough, by weight",
        arguments: [(0, 1.0), (20, 1.0), (50, 0.5), (100, 0.25)])
    func threshold(_ percent: Int, _ wanted: Double) {
        let health = health()
        // A quarter of the zone's weight is left.
        let choices = choices(.random, health, weights: [1, 1, 1, 1, 3, 1], threshold: percent)
        health.noteChecked(4, isHealthy: false, now: Self.second)
        #expect(abs(shares(choices)[1] - wanted) <= deviation(wanted))
    }

    @Test(
        "Weights count within the zone and outside",
        arguments: [BalancingPolicy.roundRobin, .random, .maglev])
    func weights(_ policy: BalancingPolicy) {
        let health = health()
        let choices = choices(policy, health, weights: [1, 1, 2, 1, 4, 4])
        let shares = shares(choices)
        #expect(hasShares(shares, [1], 0.2, policy) && hasShares(shares, [4], 0.8, policy), "\(shares)")
        health.noteChecked(1, isHealthy: false, now: Self.second)
        health.noteChecked(4, isHealthy: false, now: Self.second)
        let outside = self.shares(choices)
        #expect(hasShares(outside, [0, 3], 0.125, policy) && hasShares(outside, [5], 0.5, policy))
    }

    @Test("Another attempt stays in the zone until all of it was tried", arguments: BalancingPolicy.allCases)
    func another(_ policy: BalancingPolicy) {
        for health in [health(), nil] {
            let choices = choices(policy, health)
            for number in 0..<20 {
                let tried = choices.attempts(key: key(number), now: Self.second)
                #expect(Set(tried).count == 6 && tried.count == 6)
                #expect(Set(tried[0..<2]) == Set(Self.local))
            }
        }
    }

    @Test(
        "A key stays on its side of the zone's border, and moves with what the share changes by alone",
        arguments: [BalancingPolicy.ringHash, .maglev])
    func keys(_ policy: BalancingPolicy) {
        func spilled(_ threshold: Int, worker: Int) -> Set<Int> {
            let health = health()
            health.noteChecked(4, isHealthy: false, now: Self.second)
            let choices = choices(policy, health, threshold: threshold, worker: worker)
            return Set((0..<5000).filter { choices.choose(key: key($0), now: Self.second) != 1 })
        }
        let some = spilled(70, worker: 0)
        #expect(some == spilled(70, worker: 3) && some.count > 1200)
        let more = spilled(90, worker: 0)
        #expect(more.isSuperset(of: some) && more.count > some.count + 500)
    }

    @Test(
        "Many endpoints, few of them here: each of those gets its part", arguments: BalancingPolicy.allCases)
    func few(_ policy: BalancingPolicy) {
        let count = 130
        let zones = (0..<count).map { (60..<64).contains($0) || $0 == 129 ? "own" : "other" }
        let choices = Choices(
            policy, weights: zones.map { _ in 1 }, loadBound: 1000, zones: zones)
        let counts = choices.spread(10_000) { key($0) }
        for (zone, count) in zip(zones, counts) {
            #expect(
                zone == "own" ? abs(count - 2000) < (policy == .ringHash ? 900 : 250) : count == 0,
                "\(counts)")
        }
    }

    @Test("There is nothing to prefer where all endpoints are alike")
    func alike() {
        func plan(_ zone: String?, _ zones: [String?]) -> ZonePlan? {
            ZonePlan(
                zone: zone, zones.map { FixedUpstream(name: "h", port: 1, address: nil, zone: $0) },
                thresholdPercent: 70)
        }
        #expect(plan(nil, ["a", "b"]) == nil)
        #expect(plan("c", ["a", "b", nil]) == nil)
        #expect(plan("a", ["a", "a"]) == nil)
        #expect(plan("a", ["a", nil])?.isLocal == [true, false])
    }
}
