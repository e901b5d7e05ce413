import Testing

@testable import UringProxy

@Suite("ResolverCache")
struct ResolverCacheTests {
    private func entry(expires: Int64) -> ResolverCache.Entry {
        ResolverCache.Entry(status: .ok, addresses: [.loopback4], expiresNanoseconds: expires)
    }

    @Test("A full cache keeps what is asked for again, and never grows")
    func eviction() {
        var cache = ResolverCache(capacity: 100)
        for index in 0..<10 { cache.insert(entry(expires: .max), for: "hot\(index)", nowNanoseconds: 0) }
        var missing = 0
        for index in 0..<10_000 {
            cache.insert(entry(expires: .max), for: "cold\(index)", nowNanoseconds: 0)
            for hot in 0..<10 where cache.entry(of: "hot\(hot)", nowNanoseconds: 0) == nil { missing += 1 }
        }
        #expect(cache.count == 100)
        #expect(missing == 0)
        #expect(cache.entry(of: "cold9999", nowNanoseconds: 0) != nil)
        #expect(cache.entry(of: "cold1", nowNanoseconds: 0) == nil)
    }

    @Test("What expired is not found, and goes first")
    func expiry() {
        var cache = ResolverCache(capacity: 2)
        cache.insert(entry(expires: 10), for: "a", nowNanoseconds: 0)
        cache.insert(entry(expires: 100), for: "b", nowNanoseconds: 0)
        #expect(cache.entry(of: "a", nowNanoseconds: 9) != nil)
        #expect(cache.entry(of: "b", nowNanoseconds: 9) != nil)
        #expect(cache.entry(of: "a", nowNanoseconds: 10) == nil)
        cache.insert(entry(expires: 100), for: "c", nowNanoseconds: 10)
        #expect(cache.entry(of: "b", nowNanoseconds: 11) != nil)
        #expect(cache.entry(of: "c", nowNanoseconds: 11) != nil)
        cache.insert(entry(expires: 200), for: "b", nowNanoseconds: 12)
        #expect(cache.entry(of: "b", nowNanoseconds: 150) != nil)
        #expect(cache.count == 2)
    }
}
