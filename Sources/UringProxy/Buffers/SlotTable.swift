internal import CPosix

/// Something for each slot of a slab, beside what the slab holds.
///
/// Apart from it, so that a slot that has nothing to do with it is no larger: a page of the table is there once something in
/// it was written, and reads as zeros until then.
@safe struct SlotTable<Element: BitwiseCopyable>: ~Copyable {
    private let elements: UnsafeMutablePointer<Element>
    private let capacity: Int

    init(capacity: Int) {
        self.capacity = capacity
        guard let memory = unsafe cposix_map(capacity * MemoryLayout<Element>.stride) else {
            preconditionFailure("no address space for \(capacity) slots")
        }
        unsafe elements = memory.assumingMemoryBound(to: Element.self)
    }

    deinit { unsafe _ = cposix_unmap(elements, capacity * MemoryLayout<Element>.stride) }

    /// Where a slot's is: it never moves.
    func address(of slot: UInt32) -> UnsafeMutablePointer<Element> {
        precondition(Int(slot) < capacity)
        return unsafe elements + Int(slot)
    }

    func tenant(_ slot: UInt32) -> Tenant<Element> { unsafe Tenant(slot, address(of: slot)) }

    subscript(slot: UInt32) -> Element {
        @inline(__always)
        unsafeAddress {
            precondition(Int(slot) < capacity)
            return unsafe UnsafePointer(elements + Int(slot))
        }
        @inline(__always)
        unsafeMutableAddress {
            precondition(Int(slot) < capacity)
            return unsafe elements + Int(slot)
        }
    }
}
