import Synchronization
import Testing

@testable import UringProxy

@Suite("BoundedQueue")
struct BoundedQueueTests {
    private struct Wide: BitwiseCopyable, Sendable, Equatable {
        let a: UInt64
        let b: UInt8
        let c: SIMD4<Float>
    }

    /// How many elements all consumers took: an atomic that tasks can share.
    private final class Tally: Sendable {
        let count = Atomic<Int>(0)
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
    func stress(capacity: Int) async {
        let producers = 4
        let consumers = 3
        let perProducer = 50_000
        let queue = BoundedQueue<Int>(minimumCapacity: capacity)
        let popped = Tally()
        let total = producers * perProducer
        let received = await withTaskGroup(of: [Int].self) { group in
            for producer in 0..<producers {
                group.addTask {
                    for index in 0..<perProducer {
                        while !queue.push(producer * perProducer + index) { await Task.yield() }
                    }
                    return []
                }
            }
            for _ in 0..<consumers {
                group.addTask {
                    var mine: [Int] = []
                    while popped.count.load(ordering: .relaxed) < total {
                        guard let element = queue.pop() else {
                            await Task.yield()
                            continue
                        }
                        popped.count.wrappingAdd(1, ordering: .relaxed)
                        mine.append(element)
                    }
                    return mine
                }
            }
            var all: [[Int]] = []
            for await mine in group { all.append(mine) }
            return all
        }
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
}
