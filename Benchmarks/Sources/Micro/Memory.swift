// Slots, slices and the queues of them.
extension MicroBenchmark {
    private static let budget = 16 << 20

    static var memory: [MicroBenchmark] {
        [
            MicroBenchmark(name: "slab: a connection comes and goes") { count in
                var slab = Slab<Connection>(capacity: 64)
                var sum = 0
                for index in 0..<count {
                    let connection = Connection(
                        descriptor: 5, side: .downstream, phase: .waiting, now: Int64(index))
                    guard let slot = slab.insert(connection) else { break }
                    sum &+= Int(slab.generation(slot))
                    slab.remove(slot)
                }
                return sum
            },
            MicroBenchmark(name: "slot queue: append, pop") { count in
                var queue = SlotQueue(capacity: 64)
                var sum = 0
                for index in 0..<count {
                    queue.append(UInt32(truncatingIfNeeded: index))
                    sum &+= Int(queue.popFirst() ?? 0)
                }
                return sum
            },
            MicroBenchmark(name: "arena: lease and release a small slice") { count in
                let arena = Arena(budgetBytes: budget)
                defer { arena.destroy() }
                var sum = 0
                for _ in 0..<count {
                    guard let slice = arena.lease(.small) else { break }
                    sum &+= slice.index &+ 1
                    arena.release(slice)
                }
                return sum
            },
            MicroBenchmark(name: "segments: append, move to another queue, consume") { count in
                let arena = Arena(budgetBytes: budget)
                let segments = SegmentPool(arena: arena)
                defer {
                    segments.destroy()
                    arena.destroy()
                }
                var source = SegmentQueue()
                var target = SegmentQueue()
                var sum = 0
                for _ in 0..<count {
                    guard let slice = arena.lease(.medium) else { break }
                    segments.append(Segment(slice: slice, offset: 0, size: 300), to: &source)
                    segments.consume(100, from: &source)
                    segments.move(200, from: &source, to: &target)
                    sum &+= Int(target.byteCount)
                    segments.consume(200, from: &target)
                }
                return sum
            },
            MicroBenchmark(name: "bounded queue: push, pop") { count in
                let queue = BoundedQueue<UInt64>(minimumCapacity: 64)
                var sum = 0
                for index in 0..<count {
                    _ = queue.push(UInt64(index))
                    sum &+= Int(queue.pop() ?? 0)
                }
                return sum
            },
        ]
    }
}
