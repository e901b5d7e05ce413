import TestSupport
import Testing

@testable import UringProxy

@Suite("SegmentPool")
struct SegmentPoolTests {
    /// Queues beside plain arrays: whatever is done to both, they hold the same bytes.
    private struct Model {
        let arena = Arena(budgetBytes: 64 << 20)
        let pool: SegmentPool
        var queues = [SegmentQueue(), SegmentQueue(), SegmentQueue()]
        var bytes: [[UInt8]] = [[], [], []]

        init() { pool = SegmentPool(arena: arena) }

        func content(_ queue: SegmentQueue) -> [UInt8] {
            var result: [UInt8] = []
            pool.forEach(queue) { segment in
                let view = pool.view(segment)
                for index in 0..<view.count { result.append(view[index]) }
                return true
            }
            return result
        }

        mutating func append(_ index: Int, _ new: [UInt8], compacting: Bool) {
            let sliceClass: SliceClass = new.count > 1000 ? .medium : .tiny
            let slice = arena.lease(sliceClass)!
            for (offset, byte) in new.enumerated() { unsafe arena.address(slice)[offset + 3] = byte }
            let segment = Segment(slice: slice, offset: 3, size: UInt32(new.count))
            if compacting {
                pool.appendCompacting(segment, to: &queues[index])
            } else {
                pool.append(segment, to: &queues[index])
            }
            bytes[index] += new
        }
    }

    @Test("Any sequence of operations leaves every queue with the bytes it should hold")
    func randomOperations() {
        for seed in 0..<30 {
            var random = SplitMix(seed: UInt64(seed))
            var model = Model()
            defer {
                model.pool.destroy()
                model.arena.destroy()
            }
            func pick(_ count: Int) -> Int { Int(random.next() % UInt64(count)) }
            for _ in 0..<300 {
                let a = pick(3)
                let b = (a + 1 + pick(2)) % 3
                switch pick(7) {
                case 0, 1:
                    let size = pick(5) == 0 ? 1001 + pick(5000) : 1 + pick(900)
                    let start = UInt8(truncatingIfNeeded: random.next())
                    model.append(
                        a, (0..<size).map { start &+ UInt8(truncatingIfNeeded: $0) }, compacting: pick(2) == 0
                    )
                case 2:
                    let size = pick(model.bytes[a].count + 1)
                    model.pool.consume(UInt32(size), from: &model.queues[a])
                    model.bytes[a].removeFirst(size)
                case 3:
                    let size = pick(model.bytes[a].count + 1)
                    var source = model.queues[a]
                    model.pool.move(UInt32(size), from: &source, to: &model.queues[b])
                    model.queues[a] = source
                    model.bytes[b] += model.bytes[a].prefix(size)
                    model.bytes[a].removeFirst(size)
                case 4:
                    let pool = model.pool
                    var target = model.queues[b]
                    pool.forEach(model.queues[a]) { segment in
                        pool.share(segment, with: &target)
                        return true
                    }
                    model.queues[b] = target
                    model.bytes[b] += model.bytes[a]
                case 5:
                    if model.bytes[a].count <= SliceClass.bulk.sliceSize {
                        #expect(model.pool.makeContiguous(&model.queues[a]))
                        #expect(model.pool.isContiguous(model.queues[a]))
                    } else {
                        #expect(!model.pool.makeContiguous(&model.queues[a]))
                    }
                default:
                    if model.bytes[a].count > 100_000 {
                        model.pool.removeAll(&model.queues[a])
                        model.bytes[a] = []
                    }
                }
                #expect(Int(model.queues[a].byteCount) == model.bytes[a].count, "seed \(seed)")
            }
            for index in 0..<3 {
                let isEqual = model.content(model.queues[index]) == model.bytes[index]
                #expect(isEqual, "seed \(seed), queue \(index)")
                model.pool.removeAll(&model.queues[index])
            }
            #expect(model.arena.leasedBytes == 0, "seed \(seed)")
            #expect(model.pool.linksInUse == 0, "seed \(seed)")
        }
    }

    @Test("A head that drips in costs memory by its size, not by the slices it came in")
    func dripping() {
        var model = Model()
        defer {
            model.pool.destroy()
            model.arena.destroy()
        }
        for index in 0..<3000 {
            let slice = model.arena.lease(.medium)!
            unsafe model.arena.address(slice)[0] = UInt8(truncatingIfNeeded: index)
            model.pool.append(Segment(slice: slice, offset: 0, size: 1), to: &model.queues[0])
            #expect(model.pool.makeContiguous(&model.queues[0]))
            #expect(model.arena.leasedBytes <= 4096)
        }
        #expect(model.queues[0].byteCount == 3000)
        model.pool.removeAll(&model.queues[0])
    }

    /// Each received in a slice of its own, as bytes that drip in are.
    @Test("A backlog of small pieces holds little more memory than bytes")
    func smallPiecesShareSlices() throws {
        let arena = Arena(budgetBytes: 4 << 20)
        let segments = SegmentPool(arena: arena)
        var target = SegmentQueue()
        for index in 0..<1000 {
            let slice = try #require(arena.lease(.medium))
            unsafe arena.address(slice)[0] = UInt8(truncatingIfNeeded: index)
            unsafe arena.address(slice)[1] = UInt8(truncatingIfNeeded: index >> 8)
            var source = SegmentQueue()
            segments.append(Segment(slice: slice, offset: 0, size: 2), to: &source)
            segments.move(2, from: &source, to: &target)
            #expect(source.isEmpty)
        }
        #expect(target.byteCount == 2000)
        #expect(arena.leasedBytes == SliceClass.medium.sliceSize)
        for index in 0..<1000 {
            let view = segments.firstView(of: target)
            #expect(
                view[0] == UInt8(truncatingIfNeeded: index)
                    && view[1] == UInt8(truncatingIfNeeded: index >> 8))
            segments.consume(2, from: &target)
        }
        #expect(arena.leasedBytes == 0 && segments.linksInUse == 0)
        segments.destroy()
        arena.destroy()
    }
}
