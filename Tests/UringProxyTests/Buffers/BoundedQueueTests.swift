import CPosix
import Synchronization
import TestSupport
import Testing

@testable import UringProxy

@Suite("BoundedQueue")
struct BoundedQueueTests {
    private struct Wide: BitwiseCopyable, Sendable, Equatable {
        let a: UInt64
        let b: UInt8
        let c: SIMD4<Float>
    }

    /// What the consumers took.
    private final class Tally: Sendable {
        let count = Atomic<Int>(0)
        let received = Locked<[[Int]]>([])
    }

    @Test("Elements come out in order, and a full queue says so")
    func order() {
        let queue = BoundedQueue<Int>(minimumCapacity: 3)
        #expect(queue.capacity == 4)
        var wrong = 0
        for round in 0..<100 {
            if !queue.isEmpty || queue.pop() != nil { wrong += 1 }
            for index in 0..<4 where !queue.push(round * 4 + index) { wrong += 1 }
            if queue.push(-1) || queue.isEmpty || queue.count != 4 { wrong += 1 }
            for index in 0..<4 where queue.pop() != round * 4 + index { wrong += 1 }
        }
        #expect(wrong == 0)
    }

    @Test("Elements of odd sizes and large alignment keep their value")
    func wideElements() {
        let queue = BoundedQueue<Wide>(minimumCapacity: 8)
        let wide = Wide(a: .max, b: 7, c: SIMD4(1, 2, 3, 4))
        for _ in 0..<20 {
            #expect(queue.push(wide))
            #expect(queue.pop() == wide)
        }
    }

    @Test("Several producers and consumers lose nothing and double nothing", arguments: [2, 16, 1024])
    func stress(capacity: Int) {
        let producers = 4
        let consumers = 3
        let perProducer = 50_000
        let queue = BoundedQueue<Int>(minimumCapacity: capacity)
        let tally = Tally()
        let total = producers * perProducer
        let produce = (0..<producers).map { producer in
            { @Sendable in
                for index in 0..<perProducer {
                    while !queue.push(producer * perProducer + index) { _ = sched_yield() }
                }
            }
        }
        let consume = (0..<consumers).map { _ in
            { @Sendable in
                var mine: [Int] = []
                while tally.count.load(ordering: .relaxed) < total {
                    guard let element = queue.pop() else {
                        _ = sched_yield()
                        continue
                    }
                    tally.count.wrappingAdd(1, ordering: .relaxed)
                    mine.append(element)
                }
                tally.received.withLock { $0.append(mine) }
            }
        }
        runThreads(produce + consume)
        let received = tally.received.withLock { $0 }
        var seen = [Bool](repeating: false, count: total)
        var doubled = 0
        var disordered = 0
        for mine in received {
            // Each consumer sees what one producer pushed in the order it was pushed.
            var last = [Int](repeating: -1, count: producers)
            for element in mine {
                if seen[element] { doubled += 1 }
                seen[element] = true
                if element <= last[element / perProducer] { disordered += 1 }
                last[element / perProducer] = element
            }
        }
        #expect(doubled == 0)
        #expect(disordered == 0)
        #expect(!seen.contains(false))
        #expect(queue.isEmpty)
    }

    @Test("A sleeper is woken for every element that finds it asleep")
    func wakeup() throws {
        let queue = BoundedQueue<Int>(minimumCapacity: 4)
        let wakeup = try Wakeup()
        let tally = Tally()
        let perProducer = 20_000
        let produce = (0..<3).map { _ in
            { @Sendable in
                for index in 0..<perProducer {
                    while !queue.push(index) { _ = sched_yield() }
                    wakeup.signal()
                }
            }
        }
        let epoll = try Epoll()
        let added = cposix_epoll_control(
            epoll.descriptor, EPOLL_CTL_ADD, wakeup.descriptor, UInt32(CPOSIX_EPOLLIN), 0)
        try #require(added == 0)
        let consume = { @Sendable in
            var event = unsafe epoll_event()
            var count = 0
            while true {
                while queue.pop() != nil { count += 1 }
                if count == 3 * perProducer { break }
                wakeup.prepareToSleep()
                if queue.isEmpty {
                    // Two seconds without a wake-up: it was lost, for somebody pushes all the time.
                    if unsafe cposix_epoll_wait(epoll.descriptor, &event, 1, 2_000_000_000) <= 0 { break }
                    wakeup.empty()
                }
                wakeup.didWake()
            }
            tally.count.store(count, ordering: .relaxed)
        }
        runThreads(produce + [consume])
        #expect(tally.count.load(ordering: .relaxed) == 3 * perProducer)
    }
}
