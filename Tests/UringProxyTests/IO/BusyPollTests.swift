import Testing

@testable import UringProxy

@Suite("Busy polling")
struct BusyPollTests {
    /// Waits `count` times, each ending as `pays` says of its number; how many spins there were.
    private func spins(_ poll: inout BusyPoll, waits count: Int, _ pays: (Int) -> Bool) -> Int {
        var spins = 0
        for wait in 0..<count where poll.begins() {
            spins += 1
            poll.ended(paid: pays(wait))
        }
        return spins
    }

    @Test("Off, it never spins")
    func off() {
        var poll = BusyPoll.off
        #expect(!poll.isOn)
        #expect(spins(&poll, waits: 1000) { _ in true } == 0)
    }

    @Test("It spins at each wait while that pays")
    func pays() {
        var poll = BusyPoll(limit: 50_000)
        #expect(spins(&poll, waits: 1000) { _ in true } == 1000)
    }

    @Test(
        "Every second wait is short, as of a proxy between a near upstream and a client that thinks: it goes on"
    )
    func alternates() {
        var poll = BusyPoll(limit: 50_000)
        #expect(spins(&poll, waits: 1000) { $0 % 2 == 0 } == 1000)
    }

    @Test("Without success a dozen spins are the end, but for rare tries")
    func gives() {
        var poll = BusyPoll(limit: 50_000)
        let first = spins(&poll, waits: 100) { _ in false }
        #expect((10...20).contains(first))
        #expect(spins(&poll, waits: 10_000) { _ in false } <= 45)
    }

    @Test("A try that pays brings spinning back, and a few that do not end it again")
    func returns() {
        var poll = BusyPoll(limit: 50_000)
        _ = spins(&poll, waits: 10_000) { _ in false }
        let back = spins(&poll, waits: 1000) { _ in true }
        #expect(back >= 1000 - 256)
        var doubtful = BusyPoll(limit: 50_000)
        _ = spins(&doubtful, waits: 10_000) { _ in false }
        var found = false
        let after = spins(&doubtful, waits: 300) { _ in
            defer { found = true }
            return !found
        }
        #expect(after <= 24)
    }

    @Test("A spin that came to nothing to wait for leaves a due try due")
    func unused() {
        var poll = BusyPoll(limit: 50_000)
        _ = spins(&poll, waits: 100) { _ in false }
        while !poll.begins() {}
        let again = poll.begins()
        poll.ended(paid: false)
        let next = poll.begins()
        #expect(again)
        #expect(!next)
    }
}
