// Idle connections between workers.
extension MicroBenchmark {
    static var sharing: [MicroBenchmark] {
        [
            MicroBenchmark(name: "lending queue: announce, offer, borrow") { count in
                let queue = LendingQueue(capacity: 64, wakeups: [])
                var sum = 0
                for index in 0..<count {
                    queue.announce()
                    _ = queue.offer(LendingQueue.Offer(descriptor: 5, idleSince: Int64(index)))
                    queue.noteDemand(worker: 1, now: Int64(index))
                    sum &+= Int(queue.offers.pop()?.descriptor ?? 0)
                }
                return sum
            },
            MicroBenchmark(name: "lending queue: is it wanted elsewhere") { count in
                let queue = LendingQueue(capacity: 64, wakeups: [])
                var sum = 0
                for index in 0..<count where !queue.isWantedElsewhere(than: 0, now: Int64(index)) {
                    sum &+= 1
                }
                return sum
            },
        ]
    }
}
