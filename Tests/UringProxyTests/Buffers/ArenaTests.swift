import Testing

@testable import UringProxy

@Suite("Arena")
struct ArenaTests {
    @Test("A slice is returned by its last holder, and is the next to be leased")
    func references() throws {
        let arena = Arena(budgetBytes: 1 << 20)
        defer { arena.destroy() }
        let slice = try #require(arena.lease(.small))
        #expect(arena.isUnique(slice))
        arena.retain(slice)
        #expect(!arena.isUnique(slice))
        arena.release(slice)
        #expect(arena.leasedBytes == 4096)
        arena.release(slice)
        #expect(arena.leasedBytes == 0)
        #expect(arena.lease(.small) == slice)
    }

    @Test("No more than the budget is ever leased, whatever the classes")
    func budget() {
        let arena = Arena(budgetBytes: 1 << 20)
        defer { arena.destroy() }
        var leased: [SliceID] = []
        var random = SplitMix(seed: 7)
        for _ in 0..<20_000 {
            if random.next() % 3 == 0, !leased.isEmpty {
                arena.release(leased.remove(at: Int(random.next() % UInt64(leased.count))))
            } else if let slice = arena.lease(SliceClass.allCases[Int(random.next() % 4)]) {
                leased.append(slice)
            }
            #expect(arena.leasedBytes <= 1 << 20)
            #expect(arena.leasedBytes == leased.reduce(0) { $0 + $1.sliceClass.sliceSize })
        }
        #expect(arena.refusals > 0)
        #expect(Set(leased.map(\.rawValue)).count == leased.count)
        for slice in leased { arena.release(slice) }
        #expect(arena.leasedBytes == 0)
    }

    @Test("Slices do not overlap, and hold what was written into them")
    func disjoint() throws {
        let arena = Arena(budgetBytes: 4 << 20)
        defer { arena.destroy() }
        var slices: [(SliceID, UInt8)] = []
        for index in 0..<64 {
            let sliceClass = SliceClass.allCases[index % 4]
            guard let slice = arena.lease(sliceClass) else { break }
            unsafe arena.address(slice).update(repeating: UInt8(index), count: sliceClass.sliceSize)
            slices.append((slice, UInt8(index)))
        }
        #expect(slices.count > 20)
        for (slice, value) in slices {
            let size = slice.sliceClass.sliceSize
            let first = unsafe arena.address(slice)[0]
            let last = unsafe arena.address(slice)[size - 1]
            #expect(first == value && last == value)
        }
    }

    @Test("A class is chosen by size")
    func fitting() {
        #expect(SliceClass.fitting(0) == .tiny)
        #expect(SliceClass.fitting(1024) == .tiny)
        #expect(SliceClass.fitting(1025) == .small)
        #expect(SliceClass.fitting(4097) == .medium)
        #expect(SliceClass.fitting(SliceClass.medium.sliceSize + 1) == .bulk)
        #expect(SliceClass.fitting(256 * 1024 + 1) == nil)
    }
}
