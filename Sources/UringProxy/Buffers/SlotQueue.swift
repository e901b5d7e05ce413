internal import CPosix

/// Slot indices, first in, first out; each slot is in it at most once, so it never outgrows the slab.
@safe struct SlotQueue: ~Copyable {
    private let storage: UnsafeMutablePointer<UInt32>
    private let capacity: Int
    private var head = 0
    private(set) var count = 0

    init(capacity: Int) {
        precondition(capacity > 0)
        self.capacity = capacity
        guard let memory = unsafe cposix_map(capacity * 4) else {
            preconditionFailure("no address space for a queue of \(capacity) slots")
        }
        unsafe storage = memory.assumingMemoryBound(to: UInt32.self)
    }

    deinit { unsafe _ = cposix_unmap(storage, capacity * 4) }

    var isEmpty: Bool { count == 0 }

    @inline(__always)
    mutating func append(_ slot: UInt32) {
        precondition(count < capacity)
        var place = head + count
        if place >= capacity { place -= capacity }
        unsafe storage[place] = slot
        count += 1
    }

    @inline(__always)
    mutating func popFirst() -> UInt32? {
        guard count > 0 else { return nil }
        let slot = unsafe storage[head]
        head = head + 1 == capacity ? 0 : head + 1
        count -= 1
        // An empty queue starts over, so that a quiet worker stays on the same cache line.
        if count == 0 { head = 0 }
        return slot
    }

    /// Takes a slot out, wherever it stands; its cost is the queue's length.
    mutating func remove(_ slot: UInt32) {
        for _ in 0..<count {
            guard let other = popFirst() else { return }
            if other != slot { append(other) }
        }
    }
}
