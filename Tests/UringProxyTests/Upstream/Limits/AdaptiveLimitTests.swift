import TestSupport
import Testing

@testable import UringProxy

@Suite("Adaptive limits")
struct AdaptiveLimitTests {
    /// A server with so many places, each of which is taken for as long as an answer takes; who comes beyond them waits. It
    /// is asked by more clients than the limit lets in, and told of by its answers alone.
    private struct Server {
        let settings: AdaptiveLimit.Settings
        let gate: AdaptiveGate
        var random: SplitMix
        var places: Int
        var service: Int64
        /// Who wants to be served at a time.
        var demand: Int
        var now: Int64 = 1_000_000_000
        /// When those that are being served are done, and when they came.
        var serving: [(doneAt: Int64, cameAt: Int64)] = []
        var waiting: [Int64] = []
        var limits: [UInt32] = []

        init(_ settings: AdaptiveLimit.Settings, places: Int, service: Int64, demand: Int, seed: UInt64) {
            self.settings = settings
            gate = AdaptiveGate(settings)
            random = SplitMix(seed: seed)
            self.places = places
            self.service = service
            self.demand = demand
        }

        mutating func run(for time: Int64) {
            let end = now + time
            while now < end {
                while serving.count + waiting.count < min(Int(gate.view.current), demand) {
                    waiting.append(now)
                }
                while serving.count < places, !waiting.isEmpty {
                    // Between half and one and a half of what it takes in the mean.
                    let takes = service / 2 + Int64(random.next() % UInt64(service))
                    serving.append((now + takes, waiting.removeFirst()))
                }
                guard let next = serving.indices.min(by: { serving[$0].doneAt < serving[$1].doneAt }) else {
                    return
                }
                let done = serving.remove(at: next)
                now = done.doneAt
                gate.view.note(
                    latency: now - done.cameAt, underWay: UInt32(serving.count + waiting.count + 1), now: now)
                limits.append(gate.view.current)
            }
        }
    }

    private static func median(_ values: [UInt32]) -> Int { Int(values.sorted()[values.count / 2]) }

    @Test(
        "It settles near what a server can do at a time, wherever it began, and never leaves its bounds",
        arguments: [3, 8, 20, 50])
    func converges(_ places: Int) {
        var settings = AdaptiveLimit.Settings()
        settings.lowest = 2
        settings.remeasure = 4_000_000_000
        var server = Server(
            settings, places: places, service: 10_000_000, demand: 2000, seed: UInt64(places))
        server.run(for: 16_000_000_000)
        #expect(server.limits.allSatisfy { $0 >= 2 && $0 <= 1000 })
        server.limits = []
        server.run(for: 6_000_000_000)
        let settled = Self.median(server.limits)
        #expect(4 * settled >= 3 * places, "\(settled) of \(places)")
        #expect(settled <= places * 2 + 6, "\(settled) of \(places)")
    }

    @Test("A server that becomes slower gets less at once, and as much as before when it has recovered")
    func recovers() {
        var settings = AdaptiveLimit.Settings()
        settings.remeasure = 600_000_000_000
        var server = Server(settings, places: 30, service: 10_000_000, demand: 500, seed: 7)
        server.run(for: 15_000_000_000)
        server.limits = []
        server.run(for: 3_000_000_000)
        let before = Self.median(server.limits)
        server.places = 6
        server.run(for: 2_000_000_000)
        server.limits = []
        server.run(for: 3_000_000_000)
        let during = Self.median(server.limits)
        #expect(during <= before / 2, "\(during) after \(before)")
        server.places = 30
        server.run(for: 4_000_000_000)
        server.limits = []
        server.run(for: 3_000_000_000)
        let after = Self.median(server.limits)
        #expect(after >= before * 3 / 4 && after <= before * 3 / 2, "\(after) after \(before)")
    }

    @Test("Where every answer takes longer than before, whatever the load, the floor is found anew")
    func newFloor() {
        var settings = AdaptiveLimit.Settings()
        settings.remeasure = 600_000_000_000
        var server = Server(settings, places: 30, service: 10_000_000, demand: 500, seed: 9)
        server.run(for: 15_000_000_000)
        server.service = 100_000_000
        server.run(for: 40_000_000_000)
        server.limits = []
        server.run(for: 20_000_000_000)
        let settled = Self.median(server.limits)
        #expect(settled >= 22 && settled <= 70, "\(settled)")
        #expect(server.gate.floor > 60_000_000 && server.gate.floor < 130_000_000)
    }

    @Test("A limit that nobody comes near stays as it is")
    func idle() {
        var server = Server(
            AdaptiveLimit.Settings(), places: 50, service: 10_000_000, demand: 4, seed: 3)
        server.run(for: 10_000_000_000)
        #expect(server.gate.view.current == 20)
        #expect(server.gate.floor > 6_000_000 && server.gate.floor < 13_000_000)
    }

    @Test("Whatever windows bring, the limit stays within its bounds, and whole", arguments: 0..<50)
    func bounds(_ seed: Int) {
        var random = SplitMix(seed: UInt64(seed))
        var settings = AdaptiveLimit.Settings()
        settings.lowest = UInt32(1 + random.next() % 30)
        settings.highest = settings.lowest + UInt32(random.next() % 100)
        settings.tolerance = 1 + Double(random.next() % 100) / 100
        var limit = AdaptiveLimit(settings)
        var now: Int64 = 0
        for _ in 0..<2000 {
            let current = limit.current(settings)
            #expect(current >= settings.lowest && current <= settings.highest)
            now += Int64(random.next() % 1_000_000_000)
            let latency = random.next() % 4 == 0 ? 0 : Int64(random.next() >> (1 + random.next() % 62))
            limit.windowEnded(
                latency: latency, peak: UInt32(truncatingIfNeeded: random.next() % 2000), now: now, settings)
        }
    }
}
