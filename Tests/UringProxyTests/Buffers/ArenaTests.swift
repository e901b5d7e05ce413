import TestSupport
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

    @Test("What is charged counts as leased, up to half of the budget")
    func charges() {
        let arena = Arena(budgetBytes: 1 << 20)
        defer { arena.destroy() }
        #expect(arena.charge(512 * 1024))
        #expect(!arena.charge(1))
        #expect(arena.leasedBytes == 512 * 1024 && arena.peakLeasedBytes == 512 * 1024)
        arena.discharge(512 * 1024)
        var leased: [SliceID] = []
        while let slice = arena.lease(.small) { leased.append(slice) }
        #expect(!arena.charge(1))
        for slice in leased { arena.release(slice) }
        #expect(arena.leasedBytes == 0)
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

    /// A medium slice ends within a page: giving it back by the page took the beginning of the next one along.
    @Test("Trimming free slices leaves those beside them as they are")
    func trimKeepsNeighbours() throws {
        let arena = Arena(budgetBytes: 8 << 20)
        defer { arena.destroy() }
        var slices: [SliceID] = []
        for _ in 0..<130 { slices.append(try #require(arena.lease(.medium))) }
        // The first and the 65th begin at a page.
        for slice in slices {
            for offset in 0..<SliceClass.medium.sliceSize { unsafe arena.address(slice)[offset] = 0xA5 }
        }
        for index in stride(from: 0, to: 130, by: 2) { arena.release(slices[index]) }
        arena.trim(most: 64)
        arena.trim(most: 64)
        for index in stride(from: 1, to: 130, by: 2) {
            var kept = 0
            for offset in 0..<SliceClass.medium.sliceSize
            where unsafe arena.address(slices[index])[offset] == 0xA5 { kept += 1 }
            #expect(kept == SliceClass.medium.sliceSize, "slice \(index)")
            arena.release(slices[index])
        }
    }

    /// Twice as many as one call takes: the second goes on where the first stopped.
    @Test("All pages of free slices go back, also those that slices share", arguments: SliceClass.allCases)
    func trimReturnsPages(_ sliceClass: SliceClass) throws {
        let arena = Arena(budgetBytes: 64 << 20)
        defer { arena.destroy() }
        var slices: [SliceID] = []
        for _ in 0..<128 { slices.append(try #require(arena.lease(sliceClass))) }
        for slice in slices {
            unsafe arena.address(slice).update(repeating: 0xA5, count: sliceClass.sliceSize)
        }
        for slice in slices { arena.release(slice) }
        // Free at the last call, and ever since.
        arena.trim(most: 64)
        arena.trim(most: 64)
        arena.trim(most: 64)
        for slice in slices {
            let first = unsafe arena.address(slice)[0]
            let last = unsafe arena.address(slice)[sliceClass.sliceSize - 1]
            #expect(first == 0 && last == 0, "slice \(slice.index)")
        }
    }

    @Test("What is registered with the kernel is never given back")
    func trimKeepsRegistered() throws {
        let arena = Arena(budgetBytes: 8 << 20)
        defer { arena.destroy() }
        let memory = unsafe arena.reserveForRegistration(.medium, count: 4)
        arena.didRegister(.medium, count: 4)
        unsafe memory.initializeMemory(as: UInt8.self, repeating: 0xA5)
        arena.trim(most: 64)
        arena.trim(most: 64)
        let kept = unsafe memory.allSatisfy { $0 == 0xA5 }
        #expect(kept)
    }
}
