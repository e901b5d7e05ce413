// The timer wheel.
extension MicroBenchmark {
    private static let second: Int64 = 1_000_000_000

    static var time: [MicroBenchmark] {
        [
            MicroBenchmark(name: "timer wheel: postpone") { count in
                var wheel = TimerWheel(capacity: 64, now: 0)
                wheel.set(7, deadline: 2 * second)
                for index in 0..<count { wheel.set(7, deadline: 2 * second + Int64(index)) }
                return Int(truncatingIfNeeded: wheel.nextDeadline)
            },
            MicroBenchmark(name: "timer wheel: set, look for the next, expire") { count in
                var wheel = TimerWheel(capacity: 64, now: 0)
                var sum = 0
                var now: Int64 = 0
                for _ in 0..<count {
                    wheel.set(7, deadline: now + 10_000_000)
                    now = wheel.nextDeadline
                    while let slot = wheel.expire(now: now) { sum &+= Int(slot) }
                }
                return sum
            },
        ]
    }
}
