internal import Synchronization

/// A bounded queue for any number of producers and consumers, without locks (D. Vyukov's bounded MPMC ring).
///
/// Each cell carries a sequence number that says whose turn it is: equal to the ticket, a producer may fill
/// the cell; one more, a consumer may empty it. So producers contend only for `tail`, consumers only for
/// `head`, and a full or empty queue is seen without writing anything. Elements come out in the order their
/// tickets were drawn.
///
/// A producer that is preempted between drawing its ticket and publishing its cell makes the queue look empty
/// from there on until it runs again: `pop` answers nil instead of waiting. Whoever sleeps on an empty queue
/// must therefore be woken *after* the push (see `Wakeup`).
@safe final class BoundedQueue<Element: BitwiseCopyable & Sendable>: @unchecked Sendable {
    /// Two lines: the adjacent-line prefetcher of x86-64 pairs them, so that 64 bytes still share falsely.
    private static var padding: Int { 128 }

    let capacity: Int
    private let mask: Int
    /// `tail` at 0, `head` at 128, the cells from 256 on: nothing that producers write shares a line with
    /// `head`.
    private let storage: UnsafeMutableRawPointer

    /// - Parameter minimumCapacity: rounded up to a power of two, at least 2 (with one cell, "full" and
    ///   "empty again" would be the same sequence number).
    init(minimumCapacity: Int) {
        precondition(minimumCapacity > 0 && minimumCapacity <= 1 << 30)
        var size = 2
        while size < minimumCapacity { size <<= 1 }
        capacity = size
        mask = size - 1
        unsafe storage = .allocate(
            byteCount: 2 * Self.padding + size * Self.cellStride, alignment: Self.padding)
        unsafe tail.initialize(to: Atomic(0))
        unsafe head.initialize(to: Atomic(0))
        for index in 0..<size { unsafe sequence(at: index).initialize(to: Atomic(index)) }
    }

    deinit {
        // Neither atomics of trivial values nor trivial elements need to be deinitialised.
        unsafe storage.deallocate()
    }

    /// Appends an element; false if the queue is full.
    @inline(__always)
    func push(_ element: Element) -> Bool {
        var ticket = unsafe tail.pointee.load(ordering: .relaxed)
        while true {
            let turn = unsafe sequence(at: ticket & mask).pointee.load(ordering: .acquiring) &- ticket
            if turn == 0 {
                let drawn = unsafe tail.pointee.weakCompareExchange(
                    expected: ticket, desired: ticket &+ 1, ordering: .relaxed)
                if drawn.exchanged { break }
                ticket = drawn.original
            } else if turn < 0 {
                return false
            } else {
                ticket = unsafe tail.pointee.load(ordering: .relaxed)
            }
        }
        unsafe self.element(at: ticket & mask).initialize(to: element)
        unsafe sequence(at: ticket & mask).pointee.store(ticket &+ 1, ordering: .releasing)
        return true
    }

    /// Removes the oldest element; nil if there is none.
    @inline(__always)
    func pop() -> Element? {
        var ticket = unsafe head.pointee.load(ordering: .relaxed)
        while true {
            let turn = unsafe sequence(at: ticket & mask).pointee.load(ordering: .acquiring) &- (ticket &+ 1)
            if turn == 0 {
                let drawn = unsafe head.pointee.weakCompareExchange(
                    expected: ticket, desired: ticket &+ 1, ordering: .relaxed)
                if drawn.exchanged { break }
                ticket = drawn.original
            } else if turn < 0 {
                return nil
            } else {
                ticket = unsafe head.pointee.load(ordering: .relaxed)
            }
        }
        let element = unsafe self.element(at: ticket & mask).pointee
        unsafe sequence(at: ticket & mask).pointee.store(ticket &+ capacity, ordering: .releasing)
        return element
    }

    /// Whether `pop` would have found nothing at some instant during the call.
    @inline(__always)
    var isEmpty: Bool {
        while true {
            let ticket = unsafe head.pointee.load(ordering: .acquiring)
            let turn = unsafe sequence(at: ticket & mask).pointee.load(ordering: .acquiring) &- (ticket &+ 1)
            if turn <= 0 { return turn < 0 }
            // Another consumer took the cell and a producer filled it again: `head` has moved on.
        }
    }

    /// How many elements wait: exact when nobody pushes or pops, an estimate otherwise.
    var count: Int {
        let first = unsafe head.pointee.load(ordering: .relaxed)
        let last = unsafe tail.pointee.load(ordering: .relaxed)
        return max(0, min(last &- first, capacity))
    }

    // MARK: Layout

    private static var elementOffset: Int {
        max(MemoryLayout<Atomic<Int>>.size, MemoryLayout<Element>.alignment)
    }
    private static var cellStride: Int {
        let alignment = max(MemoryLayout<Atomic<Int>>.alignment, MemoryLayout<Element>.alignment)
        return (elementOffset + MemoryLayout<Element>.size + alignment - 1) & ~(alignment - 1)
    }

    @inline(__always)
    private var tail: UnsafeMutablePointer<Atomic<Int>> {
        unsafe storage.assumingMemoryBound(to: Atomic<Int>.self)
    }
    @inline(__always)
    private var head: UnsafeMutablePointer<Atomic<Int>> {
        unsafe (storage + Self.padding).assumingMemoryBound(to: Atomic<Int>.self)
    }
    @inline(__always)
    private func sequence(at index: Int) -> UnsafeMutablePointer<Atomic<Int>> {
        unsafe (storage + (2 * Self.padding + index &* Self.cellStride))
            .assumingMemoryBound(to: Atomic<Int>.self)
    }
    @inline(__always)
    private func element(at index: Int) -> UnsafeMutablePointer<Element> {
        unsafe (storage + (2 * Self.padding + index &* Self.cellStride + Self.elementOffset))
            .assumingMemoryBound(to: Element.self)
    }
}
