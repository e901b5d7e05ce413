internal import Synchronization

/// Records on their way from one worker to the thread that writes them: a ring of bytes with one producer and one consumer, without
/// locks.
///
/// A record stands in one piece; where it does not fit before the ring's end, that is left out. What finds no room is dropped and
/// counted: a log that nobody takes delays no exchange.
@safe final class RecordRing: @unchecked Sendable {
    /// As with `BoundedQueue`: what each side writes is on lines of its own.
    private static var padding: Int { 128 }
    /// In place of a record's size: the rest, up to the ring's end, is left out.
    private static var gap: UInt32 { 0 }

    let capacity: Int
    private let storage: UnsafeMutableRawPointer

    /// - Parameter capacity: in bytes, a power of two, no less than four of the largest records.
    init(capacity: Int) {
        precondition(capacity.nonzeroBitCount == 1 && capacity >= 4 * AccessRecord.sizeLimit)
        self.capacity = capacity
        unsafe storage = .allocate(byteCount: 2 * Self.padding + capacity, alignment: Self.padding)
        unsafe published.initialize(to: Atomic(0))
        unsafe consumed.initialize(to: Atomic(0))
        unsafe dropped.initialize(to: Atomic(0))
        (tail, knownHead, head) = (0, 0, 0)
    }

    deinit { unsafe storage.deallocate() }

    // MARK: - Producer

    /// Room for a record; nil if there is none: then it is counted as dropped.
    ///
    /// - Parameter size: a multiple of 8, `AccessRecord.sizeLimit` at most.
    @inline(__always) @unsafe
    func reserve(_ size: Int) -> UnsafeMutableRawPointer? {
        assert(size > 0 && size % 8 == 0 && size <= AccessRecord.sizeLimit)
        let offset = tail & (capacity &- 1)
        let left = capacity &- offset
        let wanted = size <= left ? size : left &+ size
        if wanted > capacity &- (tail &- knownHead) {
            knownHead = unsafe consumed.pointee.load(ordering: .acquiring)
            if wanted > capacity &- (tail &- knownHead) {
                noteDropped()
                return nil
            }
        }
        if size > left {
            unsafe bytes.storeBytes(of: Self.gap, toByteOffset: offset, as: UInt32.self)
            tail &+= left
        }
        return unsafe bytes + (tail & (capacity &- 1))
    }

    /// What was reserved is a record now, whose first four bytes are its size.
    @inline(__always)
    func publish(_ size: Int) {
        tail &+= size
        unsafe published.pointee.store(tail, ordering: .releasing)
    }

    @inline(never)
    private func noteDropped() {
        let count = unsafe dropped.pointee.load(ordering: .relaxed)
        unsafe dropped.pointee.store(count &+ 1, ordering: .relaxed)
    }

    // MARK: - Consumer

    /// The oldest record; nil if there is none. It stays until `consume`.
    func next() -> ByteView? {
        let end = unsafe published.pointee.load(ordering: .acquiring)
        while head != end {
            let offset = head & (capacity &- 1)
            let size = unsafe bytes.load(fromByteOffset: offset, as: UInt32.self)
            if size != Self.gap {
                return unsafe ByteView(UnsafeRawBufferPointer(start: bytes + offset, count: Int(size)))
            }
            head &+= capacity &- offset
        }
        return nil
    }

    /// The record that `next` returned is done with.
    func consume(_ record: ByteView) {
        head &+= record.count
        unsafe consumed.pointee.store(head, ordering: .releasing)
    }

    // MARK: - Anybody

    /// Records that found no room.
    var droppedCount: UInt64 { unsafe dropped.pointee.load(ordering: .relaxed) }

    /// Bytes that wait: exact for the producer and the consumer while the other one does nothing.
    var waitingBytes: Int {
        let first = unsafe consumed.pointee.load(ordering: .acquiring)
        return unsafe published.pointee.load(ordering: .acquiring) &- first
    }

    // MARK: - Layout

    // The producer's line.
    @inline(__always)
    private var published: UnsafeMutablePointer<Atomic<Int>> {
        unsafe storage.assumingMemoryBound(to: Atomic<Int>.self)
    }
    @inline(__always)
    private var dropped: UnsafeMutablePointer<Atomic<UInt64>> {
        unsafe (storage + 8).assumingMemoryBound(to: Atomic<UInt64>.self)
    }
    @inline(__always)
    private var tail: Int {
        get { unsafe storage.load(fromByteOffset: 16, as: Int.self) }
        set { unsafe storage.storeBytes(of: newValue, toByteOffset: 16, as: Int.self) }
    }
    /// What the producer last saw of the consumer: looked at anew only where the room is not enough.
    @inline(__always)
    private var knownHead: Int {
        get { unsafe storage.load(fromByteOffset: 24, as: Int.self) }
        set { unsafe storage.storeBytes(of: newValue, toByteOffset: 24, as: Int.self) }
    }

    // The consumer's.
    @inline(__always)
    private var consumed: UnsafeMutablePointer<Atomic<Int>> {
        unsafe (storage + Self.padding).assumingMemoryBound(to: Atomic<Int>.self)
    }
    @inline(__always)
    private var head: Int {
        get { unsafe storage.load(fromByteOffset: Self.padding + 8, as: Int.self) }
        set {
            unsafe storage.storeBytes(of: newValue, toByteOffset: Self.padding + 8, as: Int.self)
        }
    }

    @inline(__always)
    private var bytes: UnsafeMutableRawPointer { unsafe storage + 2 * Self.padding }
}
