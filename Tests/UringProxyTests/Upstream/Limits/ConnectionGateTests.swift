import Glibc
import TestSupport
import Testing

@testable import UringProxy

@Suite("Gates of connections")
struct ConnectionGateTests {
    private static func plan(_ registry: HealthRegistry, connections: Int, requests: Int = 0) -> ClusterPlan {
        var configuration = ClusterConfiguration(name: "app")
        configuration.limits.connections = connections
        configuration.limits.requests = requests
        return ClusterPlan(
            name: "app", endpoints: [FixedUpstream(name: "a", port: 1, address: nil)],
            limits: registry.limits(configuration, endpoints: ["a:1"]))
    }

    private static func table(_ plan: ClusterPlan, worker: Int) -> GateTable {
        GateTable([plan], exchangeCapacity: 64, worker: worker)
    }

    @Test("No more requests are under way than connections may be open", arguments: [(0, 3), (2, 2), (9, 3)])
    func requests(_ asked: Int, _ most: UInt32) throws {
        let limits = try #require(
            Self.plan(HealthRegistry(), connections: 3, requests: asked).limits)
        #expect(limits.settings.requests == most && limits.settings.connections == 3)
        #expect(limits.gate !== limits.connectionGate && limits.connectionGate?.board != nil)
    }

    @Test("What is closed has its place until the kernel has been told, and no longer")
    func closing() throws {
        let plan = Self.plan(HealthRegistry(), connections: 1)
        let gate = try #require(plan.limits?.connectionGate).view
        var table = Self.table(plan, worker: 0)
        let number = table.ofConnections[0]
        #expect(number == 2)
        let first = table.arrive(0, at: number, now: 0)
        let second = table.arrive(1, at: number, now: 0)
        #expect(first == .entered && second == .waits)
        table.noteClosed(number, entries: 7)
        var taken = [table.takeClosed(entries: 7), table.takeFirst(number).map { UInt16($0) }]
        var hasClosed = table.hasClosed
        #expect(taken == [nil, nil] && hasClosed && gate.underWay == 1)
        taken = [table.takeClosed(entries: 8), table.takeFirst(number).map { UInt16($0) }]
        hasClosed = table.hasClosed
        #expect(taken == [number, 1] && !hasClosed && gate.underWay == 1)
        table.noteClosed(number, entries: 8)
        _ = table.takeClosed(entries: 9)
        let attention = table.attention
        #expect(gate.underWay == 0 && attention == 0)
    }

    @Test("Whoever shows idle connections is asked for them, one after the other, and nobody else")
    func board() {
        let board = IdleBoard()
        func ask(_ worker: Int, _ count: Int = 1) -> Int? { board.view.ask(for: worker, count: count) }
        #expect(ask(3) == nil)
        board.view.show(worker: 3)
        #expect(ask(3) == nil)
        board.view.show(worker: 700)
        #expect(ask(3) == 700 && ask(700) == 3)
        #expect(ask(5, 20) == 700 && board.view.takeAsked(worker: 700) == 21)
        #expect(board.view.takeAsked(worker: 700) == 0)
        #expect(ask(9) == 700 && board.view.hide(worker: 700) == 1)
        #expect(ask(9) == 3 && board.view.takeAsked(worker: 3) == 2)
        #expect(board.view.hide(worker: 3) == 0 && ask(9) == nil)
    }

    @Test("A cluster that is gone is remembered as long as connections to it are open, and no longer")
    func registry() throws {
        let registry = HealthRegistry()
        let plan = Self.plan(registry, connections: 2)
        let limits = try #require(plan.limits)
        let view = try #require(limits.connectionGate).view
        #expect(view.enterAtOnce(limit: 2))
        registry.keep([])
        let again = try #require(Self.plan(registry, connections: 1).limits)
        #expect(again.connectionGate === limits.connectionGate && again.gate === limits.gate)
        _ = view.leave()
        registry.keep([])
        let anew = try #require(Self.plan(registry, connections: 1).limits)
        #expect(anew.connectionGate !== limits.connectionGate)
    }

    @Test(
        "Other plans: a gate keeps its number while it is used, and who waits where there is no limit goes on"
    )
    func adoption() throws {
        let registry = HealthRegistry()
        let limited = Self.plan(registry, connections: 1)
        var table = Self.table(limited, worker: 0)
        let number = table.ofConnections[0]
        _ = table.arrive(0, at: number, now: 0)
        _ = table.arrive(1, at: number, now: 0)
        table.noteIdle(number)
        var isTight = table.isTight(number)
        #expect(isTight)
        _ = table.adopt([Self.plan(HealthRegistry(), connections: 0)]) { $0 == number }
        var ofConnections = table.ofConnections
        let cluster = table.connectedCluster(number)
        let taken = table.takeFirst(number)
        #expect(ofConnections == [0] && cluster == nil && taken == 1)
        isTight = table.isTight(number)
        let attention = table.attention
        #expect(!isTight && attention == 0)
        // Another gate does not take its place while it counts.
        _ = table.adopt([Self.plan(HealthRegistry(), connections: 5)]) { $0 == number }
        ofConnections = table.ofConnections
        #expect(ofConnections != [0] && ofConnections != [number])
        _ = table.adopt([limited]) { $0 == number }
        ofConnections = table.ofConnections
        let surplus = table.surplus(number)
        #expect(ofConnections == [number] && surplus == 1)
    }

    @Test(
        "Where a limit is gone for one worker alone it is behind those of others that still wait, and not refused"
    )
    func partlyLifted() throws {
        let plan = Self.plan(HealthRegistry(), connections: 1)
        var first = Self.table(plan, worker: 0)
        var second = Self.table(plan, worker: 1)
        let number = first.ofConnections[0]
        var arrivals = [
            first.arrive(0, at: number, now: 0), second.arrive(0, at: number, now: 0),
        ]
        _ = first.adopt([Self.plan(HealthRegistry(), connections: 0)]) { $0 == number }
        arrivals.append(first.arrive(1, at: number, now: 0))
        #expect(arrivals == [.entered, .waits, .waits])
        let early = first.takeFirst(number)
        _ = second.adopt([Self.plan(HealthRegistry(), connections: 0)]) { $0 == number }
        let taken = [second.takeFirst(number), first.takeFirst(number)]
        #expect(early == nil && taken == [0, 1])
    }

    @Test("Threads that open, keep and close connections never pass the limit, and none waits for ever")
    func threads() throws {
        let plan = Self.plan(HealthRegistry(), connections: 3)
        let gate = try #require(plan.limits?.connectionGate).view
        let crowd = Crowd()
        runThreads((0..<4).map { worker in { Self.work(plan, crowd, worker: worker) } })
        #expect(crowd.most <= 3)
        #expect(crowd.entered >= 4 * 100)
        #expect(gate.underWay == 0 && gate.waiting == 0)
    }

    /// As a worker does it: every connection becomes idle, and goes when another one, here or elsewhere, waits.
    private static func work(_ plan: ClusterPlan, _ crowd: Crowd, worker: Int) {
        var table = table(plan, worker: worker)
        let number = table.ofConnections[0]
        var random = SplitMix(seed: UInt64(worker + 1))
        var entries: UInt64 = 0
        var (idle, opened) = (0, 0)
        func close() {
            idle -= 1
            crowd.leave()
            table.noteClosed(number, entries: entries)
        }
        func open() {
            crowd.enter()
            opened += 1
            idle += 1
            table.noteIdle(number)
        }
        while opened < 100 {
            entries += 1
            if table.waitingCount > 0 { _ = sched_yield() }
            while table.takeClosed(entries: entries) != nil {}
            if table.waitingCount == 0 {
                switch table.arrive(UInt32(opened % 64), at: number, now: 0) {
                case .entered: open()
                case .waits: if idle > 0 { close() } else { _ = table.askForIdle(number, count: 1) }
                case .refused, .shed: preconditionFailure("who has gone in may wait")
                }
            } else if table.takeFirst(number) != nil {
                open()
            }
            for _ in 0..<table.takeAsked(number) {
                if idle > 0 { close() } else { _ = table.askForIdle(number, count: 1) }
            }
            if table.isTight(number) {
                table.setTight(number, false)
                while idle > 0 { close() }
            }
            if idle == 0 {
                let asked = table.hideIdle(number)
                if asked > 0 { _ = table.askForIdle(number, count: asked) }
            }
            if random.next() % 3 == 0 && idle > 0 { close() }
        }
        // Others still wait for what this one has.
        while idle > 0 { close() }
        let asked = table.hideIdle(number)
        if asked > 0 { _ = table.askForIdle(number, count: asked) }
        while table.waitingCount > 0 {
            entries += 1
            _ = sched_yield()
            while table.takeClosed(entries: entries) != nil {}
            if table.takeFirst(number) != nil {
                crowd.enter()
                idle += 1
                close()
            }
        }
        while table.takeClosed(entries: entries + 1) != nil {}
    }
}
