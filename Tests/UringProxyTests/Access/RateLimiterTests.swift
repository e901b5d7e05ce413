import TestSupport
import Testing

@testable import UringProxy

@Suite("Rate limiter")
struct RateLimiterTests {
    private let second: Int64 = 1_000_000_000

    private func limiter(
        _ rate: RequestRate, burst: Int? = nil, key: RateLimitKey = .address, size: Int = 1000
    ) -> RateLimiter {
        RateLimiter(
            RateLimitConfiguration(name: "test", rate: rate, burst: burst, key: key, size: size), seed: 7)
    }

    @Test("A burst is let in at once, then as many as the rate says, and the wait is told")
    func bucket() {
        let limiter = limiter(RequestRate(10), burst: 3)
        let limit = limiter.limit(.enforce)
        let now = 5 * second
        for _ in 0..<3 { #expect(limit.take(1, now: now) == 0) }
        #expect(limit.take(1, now: now) == second / 10)
        // What was refused took nothing.
        #expect(limit.take(1, now: now + second / 20) == second / 20)
        #expect(limit.take(1, now: now + second / 10) == 0)
        #expect(limit.take(1, now: now + second / 10) == second / 10)
        // After a long time the bucket is full, and no fuller.
        let later = now + 3600 * second
        for _ in 0..<3 { #expect(limit.take(1, now: later) == 0) }
        #expect(limit.take(1, now: later) > 0)
        // Another key has a bucket of its own.
        #expect(limit.take(3, now: later) == 0)
    }

    @Test("In the long run as many are let in as the rate says", arguments: [1, 7, 333, 100_000])
    func longRun(_ count: Int) {
        let limiter = limiter(RequestRate(count), burst: 1)
        let limit = limiter.limit(.enforce)
        var random = SplitMix(seed: 3)
        var now = second
        var taken = 0
        // Asked ten times as often, at random moments.
        for _ in 0..<20_000 {
            now += Int64.random(in: 1...(second / Int64(count) / 5), using: &random)
            if limit.take(5, now: now) == 0 { taken += 1 }
        }
        let fair = Double(now - second) / Double(second) * Double(count)
        // Each wait ends at a random moment after it might have.
        #expect(Double(taken) <= fair + 2)
        #expect(Double(taken) >= fair * 0.9 - 2)
    }

    @Test("Addresses are told apart by as much of them as counts")
    func keys() throws {
        func address(_ text: String) throws -> IPAddress { try #require(IPAddress(text)) }
        let each = limiter(RequestRate(1))
        let exact = each.limit(.enforce)
        let net = limiter(RequestRate(1), key: .standardPrefix)
        let block = net.limit(.enforce)
        for (a, b, sameBlock) in [
            ("192.0.2.1", "192.0.2.2", true), ("192.0.2.1", "192.0.3.1", false),
            ("2001:db8::1", "2001:db8::ffff:1", true), ("2001:db8::1", "2001:db8:0:1::1", false),
            ("0.0.0.1", "::1", false),
        ] {
            #expect(try exact.hash(address(a)) != exact.hash(address(b)))
            #expect(try (block.hash(address(a)) == block.hash(address(b))) == sameBlock, "\(a) \(b)")
        }
        #expect(try exact.hash(address("::ffff:192.0.2.1")) == exact.hash(address("192.0.2.1")))
    }

    @Test("The table does not grow: buckets that are full again give way, busy ones only for want of room")
    func eviction() {
        let limiter = limiter(RequestRate(1), burst: 1, size: 64)
        let limit = limiter.limit(.enforce)
        var random = SplitMix(seed: 1)
        var now = second
        // One after the other, each long after the one before is full again.
        for _ in 0..<10_000 {
            now += 2 * second
            #expect(limit.take(random.next() | 1, now: now) == 0)
        }
        #expect(limiter[.evicted] == 0)
        // All at the same moment: who comes for the first time is let in, whoever has to go for it.
        for _ in 0..<1000 { #expect(limit.take(random.next() | 1, now: now) == 0) }
        #expect(limiter[.evicted] > 900)
    }

    @Test("Busy workers let in together as many as there are, and not one more")
    func workers() {
        let limiter = limiter(RequestRate(1), burst: 20_000, size: 64)
        let limit = limiter.limit(.enforce)
        let taken = Locked(0)
        runThreads(
            (0..<4).map { _ in
                {
                    var count = 0
                    for _ in 0..<10_000 where limit.take(9, now: 5_000_000_000) == 0 { count += 1 }
                    taken.withLock { $0 += count }
                }
            })
        #expect(taken.withLock { $0 } == 20_000)
    }

    @Test("A limiter is known by its name and its parameters, whatever its mode")
    func registry() {
        let registry = LimiterRegistry()
        var configuration = RateLimitConfiguration(name: "a", rate: RequestRate(1))
        let first = registry.limiter(configuration)
        configuration.mode = .observe
        #expect(registry.limiter(configuration) === first)
        var other = configuration
        other.burst = 9
        #expect(registry.limiter(other) !== first)
        registry.keep([other])
        #expect(registry.all.count == 1)
        #expect(registry.limiter(configuration) !== first)
    }
}
