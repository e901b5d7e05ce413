import TestSupport
import Testing

@testable import UringProxy

@Suite("Limits of endpoints")
struct EndpointCapTests {
    private static func plan(
        _ registry: HealthRegistry, _ names: [String], each: Int, policy: BalancingPolicy = .roundRobin
    ) -> ClusterPlan {
        var configuration = ClusterConfiguration(name: "app")
        configuration.limits.endpointRequests = each
        let endpoints = names.map { FixedUpstream(name: $0, port: 1, address: nil) }
        return ClusterPlan(
            name: "app", endpoints: endpoints, policy: policy, hashKey: policy.isHashed ? .uri : nil,
            limits: registry.limits(configuration, endpoints: endpoints.map(\.identity)))
    }

    private static func table(_ plan: ClusterPlan, worker: Int) -> ClusterTable {
        ClusterTable([plan], exchangeCapacity: 16, worker: worker, seed: UInt64(worker))
    }

    @Test(
        "Every policy fills every endpoint to its limit and no further, and says why there is none",
        arguments: BalancingPolicy.allCases)
    func fills(_ policy: BalancingPolicy) {
        let plan = Self.plan(HealthRegistry(), ["a", "b", "c"], each: 2, policy: policy)
        let own = Self.table(plan, worker: 0)
        let other = Self.table(plan, worker: 1)
        var chosen: [Int] = []
        for round in 0..<6 {
            let key = UInt64(round * 7 + 1)
            guard
                let endpoint = round % 2 == 0
                    ? own.choose(0, key: key, now: 0) : other.choose(0, key: key, now: 0)
            else { break }
            chosen.append(endpoint)
        }
        #expect(chosen.sorted() == [0, 0, 1, 1, 2, 2])
        let none = own.choose(0, key: 5, now: 0)
        let lacksRoom = own.lacksRoom(0)
        let hasRoom = other.hasRoom(0, now: 0)
        #expect(none == nil && lacksRoom && !hasRoom)
        // The first of them was the first table's choice.
        own.release(chosen[0])
        let hasRoomNow = other.hasRoom(0, now: 0)
        let next = other.choose(0, key: 9, now: 0)
        #expect(hasRoomNow && next == chosen[0])
    }

    @Test(
        "Another endpoint for a further attempt has room, or there is none; the one that failed has its place back"
    )
    func another() {
        let plan = Self.plan(HealthRegistry(), ["a", "b"], each: 1)
        let table = Self.table(plan, worker: 0)
        let first = table.choose(0, key: 0, now: 0)
        let second = table.choose(0, key: 0, now: 0)
        #expect(Set([first, second]) == [0, 1])
        guard let first, let second else { return }
        let none = table.chooseAnother(0, than: first, for: 3, isFirstFailure: true, key: 0, now: 0)
        #expect(none == nil && plan.limits?.endpoints[first].view.underWay == 0)
        table.release(second)
        let again = table.choose(0, key: 0, now: 0)
        #expect(again != nil)
        guard let again else { return }
        let other = table.chooseAnother(0, than: again, for: 3, isFirstFailure: true, key: 0, now: 0)
        #expect(other == 1 - again)
        #expect(plan.limits?.endpoints.map(\.view.underWay).reduce(0, +) == 1)
    }

    @Test("Other plans: what stays counts once, what goes no longer")
    func adoption() {
        let registry = HealthRegistry()
        let old = Self.plan(registry, ["a", "b"], each: 2)
        var table = Self.table(old, worker: 0)
        var chosen: [Int] = []
        for _ in 0..<3 { if let endpoint = table.choose(0, key: 0, now: 0) { chosen.append(endpoint) } }
        let before = old.limits?.endpoints.map(\.view.underWay) ?? []
        #expect(before.reduce(0, +) == 3)
        let new = Self.plan(registry, ["c", "b"], each: 5)
        let change = ClusterChange(from: [old], to: [new])
        table.adopt([new], change, gates: [1])
        for endpoint in chosen where change.endpointAfter[endpoint] >= 0 {
            table.enter(change.endpointAfter[endpoint])
        }
        #expect(old.limits?.endpoints[0].view.underWay == 0)
        #expect(new.limits?.endpoints.map(\.view.underWay) == [0, before[1]])
        for endpoint in chosen where change.endpointAfter[endpoint] >= 0 {
            table.release(change.endpointAfter[endpoint])
        }
        #expect(new.limits?.endpoints.map(\.view.underWay) == [0, 0])
    }

    @Test("Threads at once never pass the limit of any endpoint")
    func threads() {
        let plan = Self.plan(HealthRegistry(), ["a", "b", "c"], each: 2)
        let crowds = [Crowd(), Crowd(), Crowd()]
        runThreads((0..<4).map { worker in { Self.work(plan, crowds, worker: worker) } })
        #expect(crowds.allSatisfy { $0.most <= 2 } && crowds.contains { $0.entered > 0 })
        #expect(plan.limits?.endpoints.map(\.view.underWay) == [0, 0, 0])
    }

    /// As a worker does it, with one crowd at each endpoint.
    private static func work(_ plan: ClusterPlan, _ crowds: [Crowd], worker: Int) {
        let table = table(plan, worker: worker)
        var underWay: [Int] = []
        for round in 0..<20_000 {
            if let endpoint = table.choose(0, key: 0, now: 0) {
                crowds[endpoint].enter()
                underWay.append(endpoint)
            }
            if !underWay.isEmpty && round % 3 != 0 {
                let endpoint = underWay.removeFirst()
                crowds[endpoint].leave()
                table.release(endpoint)
            }
        }
        for endpoint in underWay {
            crowds[endpoint].leave()
            table.release(endpoint)
        }
    }
}
