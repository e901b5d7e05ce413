import TestSupport
import Testing

@testable import UringProxy

@Suite("Gates of clusters")
struct ClusterGateTests {
    private static func table(_ gate: ClusterGate, worker: Int, requests: UInt32 = 2, queue: UInt32 = 2)
        -> GateTable
    {
        let upstream = FixedUpstream(name: "a", port: 1, address: nil)
        let settings = LimitPlan.Settings(requests: requests, queue: queue)
        let plan = ClusterPlan(
            name: "app", endpoints: [upstream], limits: LimitPlan(settings: settings, gate: gate))
        return GateTable([plan], exchangeCapacity: 16, worker: worker)
    }

    @Test("So many go in, so many wait, and no more, whichever worker they come to")
    func counts() {
        let gate = ClusterGate()
        var own = Self.table(gate, worker: 0)
        var other = Self.table(gate, worker: 1)
        var arrivals: [ClusterGate.Arrival] = []
        arrivals.append(own.arrive(0, at: 1, now: 0))
        arrivals.append(other.arrive(0, at: 1, now: 0))
        arrivals.append(other.arrive(1, at: 1, now: 0))
        arrivals.append(own.arrive(1, at: 1, now: 0))
        arrivals.append(own.arrive(2, at: 1, now: 0))
        #expect(arrivals == [.entered, .entered, .waits, .waits, .refused])
        #expect(gate.view.underWay == 2 && gate.view.waiting == 2 && gate.view.refused == 1)
        // The first of all goes first.
        let isWaitedFor = own.leave(1)
        var next = own.otherWorker(1)
        #expect(isWaitedFor && next == 1)
        var taken = own.takeFirst(1)
        #expect(taken == nil)
        // Who comes now goes behind those that wait.
        let late = own.arrive(2, at: 1, now: 0)
        #expect(late == .refused)
        taken = other.takeFirst(1)
        #expect(taken == 1)
        next = other.otherWorker(1)
        #expect(next == nil)
        let deadline = own.deadline(of: 1)
        #expect(deadline == 1_000_000_000)
        own.giveUp(1, at: 1)
        _ = own.leave(1)
        let isStillWaitedFor = other.leave(1)
        #expect(!isStillWaitedFor && gate.view.underWay == 0 && gate.view.waiting == 0)
    }

    @Test("Whoever gives up in the middle or in front leaves the others their turns")
    func givingUp() {
        let gate = ClusterGate()
        var own = Self.table(gate, worker: 0, requests: 1, queue: 9)
        var other = Self.table(gate, worker: 3, requests: 1, queue: 9)
        for exchange in UInt32(0)..<4 { _ = own.arrive(exchange, at: 1, now: 0) }
        _ = other.arrive(0, at: 1, now: 0)
        for exchange in UInt32(4)..<6 { _ = own.arrive(exchange, at: 1, now: 0) }
        own.giveUp(2, at: 1)
        _ = own.leave(1)
        own.giveUp(1, at: 1)
        var order: [UInt32?] = [own.takeFirst(1)]
        _ = own.leave(1)
        // The other worker's: told of, as nobody else will.
        let next = own.otherWorker(1)
        #expect(next == 3)
        order.append(own.takeFirst(1))
        order.append(other.takeFirst(1))
        _ = other.leave(1)
        own.giveUp(5, at: 1)
        order.append(own.takeFirst(1))
        _ = own.leave(1)
        order.append(own.takeFirst(1))
        #expect(order == [3, nil, 0, 4, nil])
        let waiting = own.waitingCount
        #expect(waiting == 0 && gate.view.underWay == 0 && gate.view.waiting == 0)
    }

    @Test("It outlives a reload, in which the limit may change")
    func reload() throws {
        let registry = HealthRegistry()
        var cluster = ClusterConfiguration(name: "app", endpoints: ["h:1"])
        #expect(registry.limits(cluster, endpoints: ["h:1"]) == nil)
        cluster.limits.requests = 1
        cluster.limits.queue = 1
        let first = try #require(registry.limits(cluster, endpoints: ["h:1"]))
        #expect(first.gate.view.arrive(limit: first.settings.requests, queue: 0) == .entered)
        cluster.limits.requests = 2
        let second = try #require(registry.limits(cluster, endpoints: ["h:1"]))
        #expect(second.gate === first.gate && second.gate.view.underWay == 1)
        #expect(second.gate.view.arrive(limit: second.settings.requests, queue: 0) == .entered)
        // Fewer than are under way: none goes in until there are.
        #expect(first.gate.view.arrive(limit: 1, queue: 0) == .refused)
        #expect(!first.gate.view.leave())
        #expect(first.gate.view.arrive(limit: 1, queue: 0) == .refused)
    }

    @Test("Threads at once never pass the limits, and lose no turn")
    func threads() {
        let gate = ClusterGate()
        let crowd = Crowd()
        runThreads((0..<4).map { worker in { Self.pass(gate, crowd, worker: worker) } })
        #expect(crowd.most <= 3 && crowd.entered > 0)
        #expect(gate.view.underWay == 0 && gate.view.waiting == 0)
    }

    private static func pass(_ gate: ClusterGate, _ crowd: Crowd, worker: Int) {
        var table = table(gate, worker: worker, requests: 3, queue: 5)
        var underWay = 0
        func enter() {
            underWay += 1
            crowd.enter()
        }
        func leave() {
            underWay -= 1
            crowd.leave()
            _ = table.leave(1)
        }
        for round in 0..<20_000 {
            if table.waitingCount == 0 && table.arrive(UInt32(round % 16), at: 1, now: 0) == .entered {
                enter()
            }
            while table.takeFirst(1) != nil { enter() }
            if underWay > 0 && round % 3 != 0 { leave() }
        }
        // Ends only if every turn comes.
        while underWay > 0 || table.waitingCount > 0 {
            if table.takeFirst(1) != nil { enter() }
            if underWay > 0 { leave() }
        }
    }
}
