import TestSupport
import Testing

@testable import UringProxy

@Suite("TimerWheel")
struct TimerWheelTests {
    @Test(
        "Of every slot it is asked at most two ticks after its deadline, whatever is set, moved and removed"
    )
    func agreesWithAList() {
        let tick: Int64 = 1 << 23
        for seed in 0..<20 {
            var random = SplitMix(seed: UInt64(seed))
            var now: Int64 = 1_000_000_000 + Int64(random.next() % 1_000_000_000)
            var wheel = TimerWheel(capacity: 64, now: now)
            var deadlines = [Int64?](repeating: nil, count: 64)
            var mayExpire = [Bool](repeating: false, count: 64)
            for step in 0..<3000 {
                let slot = UInt32(random.next() % 64)
                switch random.next() % 4 {
                case 0, 1:
                    // Up to a minute: beyond the wheel's horizon too.
                    let ahead = Int64(random.next() % (random.next() % 2 == 0 ? 60_000_000_000 : 50_000_000))
                    wheel.set(slot, deadline: now + ahead)
                    deadlines[Int(slot)] = now + ahead
                    mayExpire[Int(slot)] = true
                case 2:
                    if random.next() % 2 == 0 {
                        wheel.remove(slot)
                        mayExpire[Int(slot)] = false
                    } else {
                        wheel.set(slot, deadline: TimerWheel.never)
                    }
                    deadlines[Int(slot)] = nil
                default:
                    now += Int64(random.next() % (random.next() % 8 == 0 ? 3_000_000_000 : 40_000_000))
                }
                var asked = 0
                while let slot = wheel.expire(now: now) {
                    // None that was removed, and none twice.
                    #expect(mayExpire[Int(slot)], "seed \(seed), step \(step)")
                    asked += 1
                    #expect(asked <= 64, "seed \(seed), step \(step)")
                    if let deadline = deadlines[Int(slot)], deadline > now {
                        wheel.set(slot, deadline: deadline)
                    } else {
                        deadlines[Int(slot)] = nil
                        mayExpire[Int(slot)] = false
                    }
                }
                let overdue = deadlines.contains { $0 != nil && $0! + 2 * tick < now }
                #expect(!overdue, "seed \(seed), step \(step)")
                if let next = deadlines.compactMap({ $0 }).min() {
                    #expect(wheel.nextDeadline <= next + 2 * tick, "seed \(seed), step \(step)")
                }
            }
        }
    }

    @Test("A slot whose deadline stays is asked for it once, and when it has come")
    func exact() {
        var wheel = TimerWheel(capacity: 4, now: 0)
        wheel.set(2, deadline: 1_000_000_000)
        #expect(wheel.expire(now: 1_000_000_000) == nil)
        #expect(wheel.expire(now: 1_000_000_000 + 1 << 24) == 2)
        #expect(wheel.expire(now: 1 << 40) == nil)
    }

    @Test("Without deadlines there is nothing to wait for")
    func empty() {
        var wheel = TimerWheel(capacity: 4, now: 5)
        #expect(wheel.nextDeadline == TimerWheel.never)
        wheel.set(1, deadline: TimerWheel.never)
        #expect(wheel.nextDeadline == TimerWheel.never)
        #expect(wheel.expire(now: 1 << 60) == nil)
    }
}
