import Synchronization
import Testing

@testable import UringProxy

private let second: Int64 = 1_000_000_000

@Suite("Health of a cluster's endpoints")
struct ClusterHealthTests {
    private static func settings(_ change: (inout HealthSettings) -> Void = { _ in }) -> HealthSettings {
        var settings = HealthSettings()
        settings.outliers.consecutive = 3
        change(&settings)
        return settings
    }

    private func cluster(
        _ count: Int, _ settings: HealthSettings = settings(), registry: HealthRegistry = HealthRegistry()
    ) -> ClusterHealth {
        registry.cluster("c", endpoints: (0..<count).map { "e\($0)" }, settings: settings, now: second)
    }

    private func fail(_ cluster: ClusterHealth, _ index: Int, times: Int = 3, now: Int64) {
        for _ in 0..<times { cluster.note(index, isFailure: true, latency: 0, now: now) }
    }

    private func succeed(_ cluster: ClusterHealth, _ index: Int, times: Int = 1, now: Int64) {
        for _ in 0..<times { cluster.note(index, isFailure: false, latency: second / 1000, now: now) }
    }

    // MARK: - Ejection

    @Test("Failures in a row eject, and one success between them begins the row anew")
    func consecutive() {
        let cluster = cluster(4)
        fail(cluster, 1, times: 2, now: second)
        succeed(cluster, 1, now: second)
        fail(cluster, 1, times: 2, now: second)
        #expect(cluster.endpoints[1].isAvailable)
        fail(cluster, 1, times: 1, now: second)
        #expect(!cluster.endpoints[1].isAvailable && cluster.availableCount == 3)
        #expect(cluster.endpoints[1].ejectionReason == .consecutive)
    }

    @Test("An ejected endpoint is tried by one request when its time is up, and returns if that is answered")
    func halfOpen() {
        let cluster = cluster(4)
        let tables = (0..<3).map { Choices(.roundRobin, weights: [1, 1, 1, 1], worker: $0, health: cluster) }
        fail(cluster, 1, now: second)
        let early = tables.map { $0.spread(100, now: 2 * second)[1] }
        #expect(early == [0, 0, 0])
        let due = 12 * second
        var trials = 0
        for _ in 0..<50 {
            for table in tables where table.choose(now: due) == 1 { trials += 1 }
        }
        #expect(trials == 1)
        // What was under way before is no word about the trial of another endpoint.
        succeed(cluster, 0, now: due)
        #expect(!cluster.endpoints[1].isAvailable)
        succeed(cluster, 1, now: due)
        #expect(cluster.endpoints[1].isAvailable)
        for table in tables { #expect(table.spread(100, now: due) == [25, 25, 25, 25]) }
    }

    @Test("A success that overlaps an ejection does not hide the trial's")
    func overlapped() {
        let cluster = cluster(2)
        let choices = Choices(.roundRobin, weights: [1, 1], health: cluster)
        fail(cluster, 1, now: second)
        // Another worker looked before the ejection, and ends the row behind it.
        unsafe cluster.endpoints[1].streak.pointee.store(0, ordering: .relaxed)
        #expect(choices.spread(10, now: 11 * second)[1] == 1)
        let streak = unsafe cluster.endpoints[1].streak.pointee.load(ordering: .relaxed)
        #expect(streak > 0)
    }

    @Test(
        "A trial that fails ejects for twice as long, up to the longest; a trial nobody ends is followed by another"
    )
    func growth() {
        let cluster = cluster(4)
        let choices = Choices(.roundRobin, weights: [1, 1, 1, 1], health: cluster)
        fail(cluster, 1, now: second)
        var now = second
        for wanted in [10, 20, 40, 80, 160, 300, 300] as [Int64] {
            let due = now + wanted * second
            #expect(cluster.endpoints[1].trialDueAt == due)
            #expect(choices.spread(40, now: due - 1)[1] == 0)
            #expect(choices.spread(40, now: due)[1] == 1)
            now = due + second
            fail(cluster, 1, times: 1, now: now)
        }
        // Claimed, and never heard of again.
        let due = now + 300 * second
        #expect(choices.spread(40, now: due)[1] == 1)
        #expect(choices.spread(40, now: due + 9 * second)[1] == 0)
        #expect(choices.spread(40, now: due + 10 * second)[1] == 1)
    }

    @Test("What has worked for longer than the longest ejection is ejected for the first time again")
    func forgiven() {
        let cluster = cluster(4)
        fail(cluster, 1, now: second)
        let choices = Choices(.roundRobin, weights: [1, 1, 1, 1], health: cluster)
        #expect(choices.spread(40, now: 11 * second)[1] == 1)
        succeed(cluster, 1, now: 11 * second)
        fail(cluster, 1, now: 20 * second)
        #expect(cluster.endpoints[1].trialDueAt == 40 * second)
        _ = choices.spread(40, now: 40 * second)
        succeed(cluster, 1, now: 40 * second)
        fail(cluster, 1, now: 341 * second)
        #expect(cluster.endpoints[1].trialDueAt == 351 * second)
    }

    @Test("No more than their share is ejected, never the last, and the only one not at all")
    func mostEjected() {
        for (count, percent, wanted) in [(10, 50, 5), (3, 50, 2), (2, 100, 1), (5, 1, 1), (5, 0, 0)] {
            let cluster = cluster(count, Self.settings { $0.outliers.mostEjectedPercent = percent })
            guard cluster.judgesRequests else {
                #expect(wanted == 0)
                continue
            }
            for index in 0..<count { fail(cluster, index, now: second) }
            #expect(cluster.availableCount == count - wanted)
        }
        let only = cluster(1)
        #expect(!only.judgesRequests)
        let choices = Choices(.roundRobin, weights: [1], health: only)
        for _ in 0..<10 { choices.table.noteFailure(0, now: second) }
        #expect(only.endpoints[0].isAvailable)
    }

    @Test("The rate of a window ejects once there are enough requests")
    func errorRate() {
        let cluster = cluster(
            4,
            Self.settings {
                $0.outliers.consecutive = 0
                $0.outliers.errorPercent = 50
                $0.outliers.minimumRequests = 10
            })
        for number in 0..<9 {
            cluster.note(2, isFailure: number % 3 != 0, latency: 0, now: second)
        }
        #expect(cluster.endpoints[2].isAvailable)
        cluster.note(2, isFailure: true, latency: 0, now: second)
        #expect(cluster.endpoints[2].ejectionReason == .errorRate && !cluster.endpoints[2].isAvailable)
        // A window later the old failures are forgotten.
        for _ in 0..<9 { cluster.note(3, isFailure: true, latency: 0, now: second) }
        cluster.note(3, isFailure: true, latency: 0, now: 20 * second)
        #expect(cluster.endpoints[3].isAvailable)
    }

    @Test("An endpoint that is much slower than the others is ejected, also next to another slow one")
    func latency() {
        let cluster = cluster(
            5,
            Self.settings {
                $0.outliers.latencyFactor = 3
                $0.outliers.minimumRequests = 10
            })
        let latencies: [Int64] = [1, 1, 50, 1, 60].map { $0 * second / 1000 }
        for round in 1...3 {
            for number in 0..<20 {
                for (index, latency) in latencies.enumerated() {
                    let now = Int64(round) * 10 * second + Int64(number) * second / 10
                    cluster.note(index, isFailure: false, latency: latency, now: now)
                }
            }
        }
        #expect(cluster.endpoints.map(\.isAvailable) == [true, true, false, true, false])
        #expect(cluster.endpoints[2].ejectionReason == .latency)
    }

    // MARK: - Choices

    @Test("Every policy leaves out what is left out, and takes it back", arguments: BalancingPolicy.allCases)
    func masks(_ policy: BalancingPolicy) {
        for count in [2, 3, 64, 70] {
            let cluster = cluster(count, Self.settings { $0.panicPercent = 0 })
            // The one with the fewest for its weight is the heaviest, as long as nobody has any.
            let heaviest: UInt32 = policy == .leastRequests ? 1 : 3
            let weights = (0..<count).map { UInt32($0) % heaviest + 1 }
            let choices = Choices(policy, weights: weights, health: cluster)
            _ = choices.spread(10, now: second)
            let left = Set(stride(from: 0, to: count - 1, by: 2))
            for index in left { cluster.noteChecked(index, isHealthy: false, now: second) }
            let counts = choices.spread(count * 8, now: second) { key($0) }
            #expect(left.allSatisfy { counts[$0] == 0 })
            // Another attempt does not go there either.
            let tried = choices.begin(now: second)
            if let other = choices.table.chooseAnother(
                0, than: tried, for: 1, isFirstFailure: true, key: 0, now: second)
            {
                #expect(!left.contains(other) && other != tried)
                choices.table.release(other)
            } else {
                #expect(count - left.count == 1)
            }
            for index in left { cluster.noteChecked(index, isHealthy: true, now: second) }
            let after = choices.spread(count * 16, now: second) { key($0) }
            #expect(left.contains { after[$0] > 0 })
        }
    }

    @Test(
        "A key whose endpoint is left out goes to the same other one, and home again",
        arguments: [
            BalancingPolicy.ringHash, .maglev,
        ])
    func keys(_ policy: BalancingPolicy) {
        let cluster = cluster(8)
        let choices = Choices(
            policy, weights: [UInt32](repeating: 1, count: 8), loadBound: 1000, health: cluster)
        let homes = (0..<2000).map { choices.choose(key: key($0), now: second) }
        cluster.noteChecked(3, isHealthy: false, now: second)
        let away = (0..<2000).map { choices.choose(key: key($0), now: second) }
        #expect(away == (0..<2000).map { choices.choose(key: key($0), now: second) })
        for number in 0..<2000 { #expect(away[number] == homes[number] || homes[number] == 3) }
        #expect(Set((0..<2000).filter { homes[$0] == 3 }.map { away[$0] }).count > 3)
        cluster.noteChecked(3, isHealthy: true, now: second)
        #expect(homes == (0..<2000).map { choices.choose(key: key($0), now: second) })
    }

    @Test("With too few healthy endpoints all are used; without that threshold there may be none")
    func panic() {
        for (percent, expected) in [(50, true), (10, false), (0, false)] {
            let cluster = cluster(10, Self.settings { $0.panicPercent = percent })
            let choices = Choices(.roundRobin, weights: [UInt32](repeating: 1, count: 10), health: cluster)
            for index in 0..<8 { cluster.noteChecked(index, isHealthy: false, now: second) }
            let counts = choices.spread(100, now: second)
            #expect(choices.table.isPanic(0) == expected)
            #expect(counts[0..<8].allSatisfy { $0 == (expected ? 10 : 0) })
            for index in 8..<10 { cluster.noteChecked(index, isHealthy: false, now: second) }
            #expect((choices.table.choose(0, key: 0, now: second) == nil) == (percent == 0))
        }
        // One endpoint alone.
        for percent in [0, 10] {
            let cluster = cluster(1, Self.settings { $0.panicPercent = percent })
            let choices = Choices(.roundRobin, weights: [1], health: cluster)
            #expect(choices.table.choose(0, key: 0, now: second) == 0)
            cluster.noteChecked(0, isHealthy: false, now: second)
            #expect(choices.table.choose(0, key: 0, now: second) == (percent == 0 ? nil : 0))
        }
    }

    @Test(
        "An endpoint that returns gets a growing part of its share, whatever the policy",
        arguments: BalancingPolicy.allCases)
    func slowStart(_ policy: BalancingPolicy) {
        let cluster = cluster(
            4,
            Self.settings {
                $0.slowStart = 100 * second
                $0.panicPercent = 0
            })
        let choices = Choices(policy, weights: [1, 1, 1, 1], loadBound: 1000, health: cluster)
        let whole = Double(choices.spread(8000, now: second) { key($0) }[2])
        cluster.noteChecked(2, isHealthy: false, now: second)
        cluster.noteChecked(2, isHealthy: true, now: 10 * second)
        for (after, part) in [(1, 0.1), (10, 0.1), (25, 0.25), (50, 0.5), (90, 0.9), (100, 1)]
            as [(Int64, Double)]
        {
            let counts = choices.spread(8000, now: (10 + after) * second) { key($0) }
            let wanted = whole * part
            // Six standard deviations of a draw, and more.
            #expect(abs(Double(counts[2]) - wanted) < 280, "\(part) of \(whole): \(counts)")
            let others = [0, 1, 3].map { counts[$0] }
            #expect(others.allSatisfy { $0 > 1200 }, "\(counts)")
        }
        // The only one that is left is used, however short the time since its return.
        for index in [0, 1, 3] { cluster.noteChecked(index, isHealthy: false, now: 120 * second) }
        cluster.noteChecked(2, isHealthy: false, now: 120 * second)
        cluster.noteChecked(2, isHealthy: true, now: 121 * second)
        #expect(choices.spread(50, now: 121 * second) == [0, 0, 50, 0])
    }

    // MARK: - Reloads

    @Test("What is known outlives a reload, for the endpoints that stay; a new one begins slowly")
    func reload() {
        let registry = HealthRegistry()
        let settings = Self.settings { $0.slowStart = 100 * second }
        let before = registry.cluster(
            "c", endpoints: ["a:80", "b:80", "x:80"], settings: settings, now: second)
        let other = registry.cluster("d", endpoints: ["a:80", "b:80"], settings: settings, now: second)
        fail(before, 0, now: second)
        before.noteChecked(1, isHealthy: false, now: second)
        let after = registry.cluster(
            "c", endpoints: ["n:80", "b:80", "a:80"], settings: settings, now: 5 * second)
        let plan = ClusterPlan(
            name: "c",
            endpoints: ["n", "b", "a"].map { FixedUpstream(name: $0, port: 80, address: nil) }, health: after)
        registry.keep([plan])
        #expect(after.endpoints.map(\.isAvailable) == [true, false, false])
        #expect(other.endpoints.allSatisfy { $0.isAvailable })
        #expect(after.endpoints[0].returnedAt == 5 * second && after.endpoints[1].returnedAt == 0)
        // Workers of both sets see what either learns.
        let old = Choices(.roundRobin, weights: [1, 1, 1], health: before)
        let new = Choices(.roundRobin, weights: [1, 1, 1], health: after)
        #expect(old.spread(30, now: 6 * second) == [0, 0, 30])
        after.noteChecked(1, isHealthy: true, now: 6 * second)
        #expect(old.spread(3000, now: 6 * second)[1] > 0 && new.spread(3000, now: 6 * second)[1] > 0)
        // What was not kept is forgotten.
        let again = registry.cluster("d", endpoints: ["a:80"], settings: settings, now: second)
        #expect(again.endpoints[0] !== other.endpoints[0])
        let readded = registry.cluster("c", endpoints: ["x:80"], settings: settings, now: second)
        #expect(readded.endpoints[0] !== before.endpoints[2])
    }
}
