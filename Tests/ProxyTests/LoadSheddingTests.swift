import CPosix
import Synchronization
import TestSupport
import Testing

@testable import UringProxy

@Suite("Load shedding", .blocking)
struct LoadSheddingTests: LimitSuite {
    private func proxy(
        _ driver: TestDriver, _ address: String, threads: Int = 2,
        change: (inout LimitConfiguration) -> Void = { _ in }
    ) throws -> TestProxy {
        var adaptive = AdaptiveLimitConfiguration()
        adaptive.lowest = 2
        adaptive.highest = 100
        adaptive.window = .milliseconds(20)
        adaptive.remeasure = .seconds(1)
        return try proxy(driver, [address], threads: threads) {
            $0.adaptive = adaptive
            change(&$0)
        }
    }

    private func reload(_ proxy: TestProxy, _ change: (inout LimitConfiguration) -> Void) throws {
        try proxy.reload { change(&$0.clusters[0].limits) }
    }

    /// Sleeps that are served so many at a time: a service whose latency grows with what it is asked.
    private final class Service: Sendable {
        let places: Atomic<Int>
        private let taken = Atomic<Int>(0)

        init(places: Int) { self.places = Atomic(places) }

        func serve() {
            while true {
                let seen = taken.load(ordering: .relaxed)
                if seen < places.load(ordering: .relaxed) {
                    if taken.compareExchange(expected: seen, desired: seen + 1, ordering: .relaxed).exchanged
                    {
                        break
                    }
                } else {
                    usleep(500)
                }
            }
            usleep(10_000)
            taken.wrappingSubtract(1, ordering: .relaxed)
        }
    }

    @Test(
        "The limit finds what the service can do, the rest is told so at once, and it grows with the service",
        arguments: TestDriver.offered)
    func follows(_ driver: TestDriver) throws {
        let service = Service(places: 4)
        let origin = try ServedOrigin { _, _ in
            service.serve()
            return Messages.ok
        }
        let proxy = try proxy(driver, origin.address)
        let limits = try limits(proxy)
        let adaptive = try #require(limits.adaptive)
        let address = proxy.address()
        let isOver = Atomic<Bool>(false)
        let clients = Clients(40) {
            let client = try TestSocket(to: address)
            while !isOver.load(ordering: .relaxed) {
                try client.send(Messages.get)
                let (head, body) = try client.receiveResponse()
                if head.hasPrefix("HTTP/1.1 503 ") {
                    guard head.contains("Retry-After: 1\r\n"), body.contains("adaptive") else {
                        throw TestFailure(head + body)
                    }
                    usleep(3000)
                } else if !head.hasPrefix("HTTP/1.1 200 ") {
                    throw TestFailure(head)
                }
            }
        }
        defer {
            isOver.store(true, ordering: .relaxed)
            clients.join()
            proxy.end()
            origin.end()
        }
        // 40 are four times what is served within the least time; what is let in stays near one.
        // A measurement of the latency under little load lowers it too, for some 50 ms.
        var looks = 0
        try proxy.wait(for: "the limit to fall, for longer than a measurement takes") {
            looks = adaptive.floor > 0 && adaptive.view.current <= 15 ? looks + 1 : 0
            return looks == 200
        }
        #expect(limits.gate.view.shed > 0 && proxy.failures(.loadShed) > 0)
        let metrics = MetricsReport.render(proxy.server)
        #expect(metrics.contains("uproxy_cluster_adaptive_limit{cluster=\"app\"} "))
        let floor = "uproxy_cluster_latency_floor_seconds{cluster=\"app\"} "
        #expect(metrics.contains(floor) && !metrics.contains("\(floor)0.0\n"))
        #expect(!metrics.contains("uproxy_cluster_refused_total{cluster=\"app\",cause=\"load_shed\"} 0\n"))
        service.places.store(100, ordering: .relaxed)
        try proxy.wait(for: "the limit to grow") { adaptive.view.current >= 20 }
        #expect(adaptive.view.current <= 100)
    }

    @Test(
        "What has been answered makes room: a long body, a WebSocket; a reload makes that so of what is open",
        arguments: TestDriver.offered)
    func answered(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try proxy(driver, origin.address, threads: 1) {
            $0.adaptive = nil
            $0.requests = 100
        }
        let gate = try limits(proxy).gate.view
        var clients: [TestSocket] = []
        var upstreams: [TestSocket] = []
        func ask(_ request: String) throws {
            clients.append(try proxy.connect())
            try clients[clients.count - 1].send(request)
        }
        func answer(_ head: String) throws {
            upstreams.append(try origin.accept())
            _ = try upstreams[upstreams.count - 1].receiveHead()
            try upstreams[upstreams.count - 1].send(head)
            #expect(try clients[clients.count - 1].receiveHead().hasPrefix(head.prefix(12)))
        }
        let long = "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"
        try ask(get("long"))
        try answer(long)
        try ask(Messages.upgrade)
        try answer(Messages.switching)
        #expect(gate.underWay == 2 && gate.answered == 0)
        try reload(proxy) {
            var adaptive = AdaptiveLimitConfiguration()
            adaptive.lowest = 1
            adaptive.highest = 1
            $0.adaptive = adaptive
            $0.queue = 1
        }
        #expect(gate.answered == 2)
        try ask(get("long"))
        try answer(long)
        try ask(Messages.upgrade)
        try answer(Messages.switching)
        #expect(gate.underWay == 4 && gate.answered == 4)
        try ask(get("in"))
        let busy = try origin.accept()
        #expect(try path(busy) == "in")
        try ask(get("waits"))
        try proxy.wait(for: "a place in the queue") { gate.waiting == 1 }
        let late = try proxy.connect()
        try late.send(get("late"))
        #expect(try late.receiveResponse().head.hasPrefix("HTTP/1.1 503 "))
        #expect(proxy.failures(.loadShed) == 1 && gate.shed == 1 && gate.refused == 0)
        // Its head is enough for the next one to go in.
        try busy.send(long)
        let next = try origin.accept()
        #expect(try path(next) == "waits")
        #expect(gate.underWay == 6 && gate.waiting == 0 && gate.answered == 5)
        try reload(proxy) {
            $0.adaptive = nil
            $0.queue = 0
        }
        for client in clients { client.reset() }
        try proxy.wait(for: "rest") { gate.underWay == 0 }
        #expect(gate.answered == 0)
    }
}
