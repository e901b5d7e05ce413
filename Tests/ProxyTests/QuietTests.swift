import CPosix
import Testing

@testable import UringProxy

/// An engine whose turns a test takes one by one: what came between two of them is handled in one.
@Suite("Connections that are not quiet", .blocking)
struct QuietTests {
    private static let unasked =
        "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

    private func with(
        _ driver: TestDriver, _ origin: TestOrigin, lending: [LendingQueue] = [],
        _ body: (_ address: String, _ turn: () -> Void) throws -> Void
    ) throws {
        let arena = Arena(budgetBytes: 8 << 20)
        let segments = SegmentPool(arena: arena)
        defer {
            segments.destroy()
            arena.destroy()
        }
        let wakeup = try Wakeup()
        switch driver {
        case .epoll:
            let driver = try EpollDriver(arena: arena, segments: segments, wakeup: wakeup)
            try run(driver, arena, segments, origin, lending, body)
        case .uring:
            #if Uring
                let driver = try UringDriver(
                    arena: arena, segments: segments, wakeup: wakeup, connections: 64)
                try run(driver, arena, segments, origin, lending, body)
            #endif
        }
    }

    private func run<D: Driver & ~Copyable>(
        _ driver: consuming D, _ arena: Arena, _ segments: SegmentPool, _ origin: TestOrigin,
        _ lending: [LendingQueue], _ body: (_ address: String, _ turn: () -> Void) throws -> Void
    ) throws {
        let listener = try ListenerSocket.listen(try SocketAddress(parsing: "127.0.0.1:0"))
        let address = SocketAddress(boundBy: listener)!.description
        var configuration = Configuration()
        configuration.via = nil
        configuration.xForwarded = .off
        let settings = EngineSettings(
            configuration, connections: 64, memoryBytes: 8 << 20, pipes: 0, policy: DestinationPolicy())
        let counters = Counters()
        defer { counters.destroy() }
        let upstream = FixedUpstream(
            name: "origin", port: origin.port, address: try SocketAddress(parsing: origin.address))
        var engine = Engine(
            driver: driver, arena: arena, segments: segments, counters: counters, worker: 0,
            snapshot: Snapshot(
                settings: settings, clusters: [ClusterPlan(name: "origin", endpoints: [upstream])],
                makeLending: lending.first.map { queue in { _ in queue } }),
            listeners: [Listener(descriptor: listener, role: .reverse)], seed: 1,
            askResolver: { _, _ in false })
        engine.startAccepting()
        func turn() {
            engine.driver.turn(until: engine.driver.now + 5_000_000)
            engine.processTurn()
        }
        defer {
            engine.stop()
            while !engine.isIdle { turn() }
            engine.shutDown()
        }
        try body(address, turn)
    }

    @Test(
        "What an idle connection brings together with a request is not its answer",
        arguments: TestDriver.offered)
    func sameTurn(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        try with(driver, origin) { address, turn in
            let client = try TestSocket(to: address)
            try client.send(Messages.get)
            var upstream: TestSocket?
            while upstream == nil {
                turn()
                upstream = origin.acceptNow()
            }
            for _ in 0..<3 { turn() }
            try upstream!.expect(Messages.get)
            try upstream!.send(Messages.ok)
            for _ in 0..<3 { turn() }
            try client.expect(Messages.ok)
            try client.send(Messages.get)
            usleep(20_000)
            try upstream!.send(Self.unasked)
            usleep(20_000)
            var second: TestSocket?
            for _ in 0..<50 where second == nil {
                turn()
                second = origin.acceptNow()
            }
            for _ in 0..<3 { turn() }
            guard let second else {
                Issue.record("answered with \(text(try client.receive() ?? []))")
                return
            }
            try second.expect(Messages.get)
            try second.send(Messages.ok)
            for _ in 0..<3 { turn() }
            try client.expect(Messages.ok)
        }
    }

    @Test("A borrowed connection after one that was dead proves quiet as well", arguments: TestDriver.offered)
    func secondBorrowed(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let queue = LendingQueue(capacity: 4, wakeups: [])
        var theirs: [TestSocket] = []
        for index in 0..<2 {
            let ours = try TestSocket(to: origin.address)
            theirs.append(try origin.accept())
            if index == 0 { theirs[0].close() } else { try theirs[1].send(Self.unasked) }
            let copy = cposix_duplicate(ours.descriptor)
            queue.announce()
            #expect(
                queue.offer(
                    LendingQueue.Offer(descriptor: copy, idleSince: cposix_monotonic_nanoseconds())))
        }
        usleep(20_000)
        try with(driver, origin, lending: [queue]) { address, turn in
            let client = try TestSocket(to: address)
            try client.send(Messages.get)
            var upstream: TestSocket?
            for _ in 0..<50 where upstream == nil {
                turn()
                upstream = origin.acceptNow()
            }
            for _ in 0..<3 { turn() }
            guard let upstream else {
                Issue.record("answered with \(text(try client.receive() ?? []))")
                return
            }
            try upstream.expect(Messages.get)
            try upstream.send(Messages.ok)
            for _ in 0..<3 { turn() }
            try client.expect(Messages.ok)
        }
    }
}
