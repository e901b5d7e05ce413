import Testing

@testable import UringProxy

@Suite("Balancing without keys")
struct SpreadTests {
    @Test("Round robin takes turns, and workers begin at different endpoints")
    func turns() {
        var starts: Set<Int> = []
        for worker in 0..<3 {
            let choices = Choices(.roundRobin, weights: [1, 1, 1], worker: worker)
            let order = (0..<6).map { _ in choices.choose() }
            starts.insert(order[0])
            #expect(Set(order[0..<3]) == [0, 1, 2] && Array(order[0..<3]) == Array(order[3..<6]))
        }
        #expect(starts == [0, 1, 2])
    }

    @Test("Weighted round robin is exact, and never takes an endpoint for longer than it must")
    func smooth() {
        let choices = Choices(.roundRobin, weights: [5, 1, 1])
        #expect((0..<7).map { _ in choices.choose() } == [0, 0, 1, 0, 2, 0, 0])
        #expect(choices.spread(7000) == [5000, 1000, 1000])
    }

    @Test("Draws follow the weights")
    func random() {
        let counts = Choices(.random, weights: [1, 2, 5]).spread(80_000)
        // Five standard deviations are less than 700.
        for (count, wanted) in zip(counts, [10_000, 20_000, 50_000]) { #expect(abs(count - wanted) < 700) }
    }

    @Test("Least requests fills up by weight, and equals take turns")
    func leastRequests() {
        let choices = Choices(.leastRequests, weights: [1, 2, 1])
        for _ in 0..<400 { _ = choices.begin() }
        #expect((0..<3).map { choices.table.inFlight($0) } == [100, 200, 100])
        #expect(Choices(.leastRequests, weights: [1, 1, 1, 1]).spread(400) == [100, 100, 100, 100])
    }

    @Test("An endpoint that holds on to its requests gets no more of them")
    func leastRequestsAvoidsBusy() {
        let choices = Choices(.leastRequests, weights: [1, 1, 1])
        var held = 0
        for _ in 0..<300 {
            let index = choices.begin()
            if index == 0 { held += 1 } else { choices.table.release(index) }
        }
        #expect(held == 1)
    }

    @Test(
        "An attempt goes to an endpoint that was not tried, until all were",
        arguments: BalancingPolicy.allCases, [2, 3, 64, 65, 130])
    func another(_ policy: BalancingPolicy, _ count: Int) {
        let weights = (0..<count).map { UInt32($0 % 3 + 1) }
        let choices = Choices(policy, weights: weights)
        // The second exchange in the same slot begins anew.
        for round in 0..<2 {
            let tried = choices.attempts(key: key(round))
            #expect(tried.count == count && Set(tried).count == count)
            for index in 0..<count { #expect(choices.table.inFlight(index) == 0) }
        }
    }

    @Test("Clusters do not mix: endpoints are numbered through, and each cluster keeps to its own")
    func clusters() {
        func plan(_ name: String, _ count: Int, _ policy: BalancingPolicy) -> ClusterPlan {
            ClusterPlan(
                name: name,
                endpoints: (0..<count).map { FixedUpstream(name: "\(name)\($0)", port: 80, address: nil) },
                policy: policy)
        }
        let table = ClusterTable(
            [plan("a", 2, .roundRobin), plan("b", 1, .roundRobin), plan("c", 3, .random)],
            exchangeCapacity: 4,
            worker: 0, seed: 1)
        var seen: [Set<Int>] = [[], [], []]
        for _ in 0..<100 {
            for cluster in 0..<3 {
                if let index = table.choose(cluster, key: 0, now: 0) { seen[cluster].insert(index) }
            }
        }
        #expect(seen == [[0, 1], [2], [3, 4, 5]])
        #expect(table.chooseAnother(1, than: 2, for: 0, isFirstFailure: true, key: 0, now: 0) == nil)
        #expect(table.inFlight(2) == 99)
    }
}
