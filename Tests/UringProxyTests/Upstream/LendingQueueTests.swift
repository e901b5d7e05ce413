import Testing

@testable import UringProxy

@Suite("LendingQueue")
struct LendingQueueTests {
    @Test("A worker lends for as long as another one wanted a connection within the last second")
    func demand() {
        let queue = LendingQueue(capacity: 4, wakeups: [])
        let second: Int64 = 1_000_000_000
        #expect(!queue.isWantedElsewhere(than: 0, now: second))
        queue.noteDemand(worker: 0, now: 10 * second)
        #expect(!queue.isWantedElsewhere(than: 0, now: 10 * second))
        #expect(queue.isWantedElsewhere(than: 1, now: 10 * second))
        queue.noteDemand(worker: 1, now: 10 * second + 5)
        #expect(queue.isWantedElsewhere(than: 0, now: 10 * second + 5))
        #expect(queue.isWantedElsewhere(than: 1, now: 10 * second + 5))
        #expect(!queue.isWantedElsewhere(than: 0, now: 12 * second))
        queue.noteDemand(worker: 1, now: 13 * second)
        queue.noteDemand(worker: 1, now: 14 * second)
        #expect(!queue.isWantedElsewhere(than: 1, now: 14 * second))
    }

    @Test("A client's connections are counted over all workers, and given back")
    func clientLimit() {
        let limit = ClientLimit(limit: 2, seed: 3)
        let one = IPAddress("192.0.2.1")!
        let other = IPAddress("2001:db8::1")!
        #expect(limit.enter(one))
        #expect(limit.enter(one))
        #expect(!limit.enter(one))
        #expect(!limit.enter(one))
        #expect(limit.enter(other))
        limit.leave(one)
        #expect(limit.enter(one))
    }
}
