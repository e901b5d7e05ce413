internal import CPosix

/// A fixed number of slots for values of one trivial type; a slot's index and generation name its tenant.
///
/// Storage is address space until a slot is first used, and never moves. The generation counts how often a slot was
/// freed: a completion that arrives for an earlier tenant is recognised by it.
@safe struct Slab<Element: BitwiseCopyable>: ~Copyable {
    private static var occupiedBit: UInt32 { 1 << 31 }

    private let elements: UnsafeMutablePointer<Element>
    private let generations: UnsafeMutablePointer<UInt32>
    private let free: UnsafeMutablePointer<UInt32>
    let capacity: Int
    private var issued = 0
    private var freeCount = 0

    init(capacity: Int) {
        precondition(capacity > 0 && capacity < Int(UInt32.max))
        self.capacity = capacity
        guard let first = unsafe cposix_map(capacity * MemoryLayout<Element>.stride),
            let second = unsafe cposix_map(capacity * 4), let third = unsafe cposix_map(capacity * 4)
        else { preconditionFailure("no address space for \(capacity) slots") }
        unsafe elements = first.assumingMemoryBound(to: Element.self)
        unsafe generations = second.assumingMemoryBound(to: UInt32.self)
        unsafe free = third.assumingMemoryBound(to: UInt32.self)
    }

    deinit {
        unsafe _ = cposix_unmap(elements, capacity * MemoryLayout<Element>.stride)
        unsafe _ = cposix_unmap(generations, capacity * 4)
        unsafe _ = cposix_unmap(free, capacity * 4)
    }

    /// Slots that have a tenant.
    var count: Int { issued - freeCount }
    var isFull: Bool { freeCount == 0 && issued == capacity }
    /// One more than the highest index ever handed out.
    var highestCount: Int { issued }

    /// Puts `element` into a free slot; nil if there is none.
    @inline(__always)
    mutating func insert(_ element: Element) -> UInt32? {
        let index: UInt32
        if freeCount > 0 {
            freeCount -= 1
            unsafe index = free[freeCount]
        } else if issued < capacity {
            index = UInt32(issued)
            issued += 1
        } else {
            return nil
        }
        unsafe (elements + Int(index)).initialize(to: element)
        unsafe generations[Int(index)] |= Self.occupiedBit
        return index
    }

    /// Frees a slot; its generation moves on.
    @inline(__always)
    mutating func remove(_ index: UInt32) {
        precondition(isOccupied(index), "a slot is freed once")
        unsafe generations[Int(index)] = (generations[Int(index)] &+ 1) & Slot.generationMask
        unsafe free[freeCount] = index
        freeCount += 1
    }

    @inline(__always)
    func generation(_ index: UInt32) -> UInt32 {
        precondition(Int(index) < issued)
        return unsafe generations[Int(index)] & Slot.generationMask
    }

    /// Whether the slot has a tenant.
    @inline(__always)
    func isOccupied(_ index: UInt32) -> Bool {
        unsafe Int(index) < issued && generations[Int(index)] & Self.occupiedBit != 0
    }

    /// The address of a slot, for accessors of types that wrap a slab.
    @inline(__always)
    func address(of index: UInt32) -> UnsafeMutablePointer<Element> {
        precondition(Int(index) < issued)
        return unsafe elements + Int(index)
    }

    /// A handle for the many accesses of one handler: the index is checked here, and not with each of them.
    @inline(__always)
    func tenant(_ index: UInt32) -> Tenant<Element> { unsafe Tenant(index, address(of: index)) }

    @inline(__always)
    subscript(index: UInt32) -> Element {
        unsafeAddress { unsafe UnsafePointer(address(of: index)) }
        nonmutating unsafeMutableAddress { unsafe address(of: index) }
    }
}
