internal import Synchronization

/// Counts connections per client address over all workers, for `--limit-connections-per-client`.
///
/// A counting sketch: three counters per address out of 3 × 65,536, of which the least is the answer. It never counts too
/// low, needs no lock and no list of addresses, and is too high only if an address shares all three counters.
final class ClientLimit: Sendable {
    private static let rowSize = 65_536
    private static let rows = 3

    private let limit: Atomic<UInt32>
    private let seed: UInt64
    private let cells: AtomicCells

    /// - Parameter limit: connections of each; 0: as many as they like.
    init(limit: Int, seed: UInt64) {
        self.limit = Atomic(Self.most(limit))
        self.seed = seed
        cells = AtomicCells(count: Self.rowSize * Self.rows)
    }

    private static func most(_ limit: Int) -> UInt32 { limit > 0 ? UInt32(clamping: limit) : .max }

    /// Changes how many each may have; those that have more keep them.
    func setLimit(_ limit: Int) { self.limit.store(Self.most(limit), ordering: .relaxed) }

    private func cell(_ address: IPAddress, _ row: Int) -> Int {
        var hash = seed &+ UInt64(row) &* 0x9E37_79B9_7F4A_7C15
        for half in [address.high, address.low] {
            hash = (hash ^ half) &* 0xFF51_AFD7_ED55_8CCD
            hash ^= hash >> 33
        }
        return row * Self.rowSize + Int(truncatingIfNeeded: hash & UInt64(Self.rowSize - 1))
    }

    /// Counts one more connection of a client; false, and not counted, if it has as many as allowed.
    func enter(_ address: IPAddress) -> Bool {
        var least = UInt32.max
        for row in 0..<Self.rows { least = min(least, cells.add(cell(address, row))) }
        if least <= limit.load(ordering: .relaxed) { return true }
        leave(address)
        return false
    }

    func leave(_ address: IPAddress) {
        for row in 0..<Self.rows { cells.subtract(cell(address, row)) }
    }
}

/// A row of counters that any thread may change.
@safe final class AtomicCells: @unchecked Sendable {
    private let cells: UnsafeMutablePointer<Atomic<UInt32>>
    private let count: Int

    init(count: Int) {
        self.count = count
        unsafe cells = .allocate(capacity: count)
        for index in 0..<count { unsafe (cells + index).initialize(to: Atomic(0)) }
    }

    deinit { unsafe cells.deallocate() }

    /// Adds one; the new value.
    func add(_ index: Int) -> UInt32 {
        precondition(index >= 0 && index < count)
        return unsafe cells[index].wrappingAdd(1, ordering: .relaxed).newValue
    }

    func subtract(_ index: Int) {
        precondition(index >= 0 && index < count)
        unsafe cells[index].wrappingSubtract(1, ordering: .relaxed)
    }
}
