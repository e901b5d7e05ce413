internal import CPosix

/// One deadline per slot, for many slots: setting is a store, expiry is found by walking few buckets.
///
/// A hashed wheel that remembers no deadline, only the tick at which it looks at a slot again, which is never later than
/// the deadline. Postponing, which happens with every byte that moves, is a comparison: the slot stays where it is, and
/// who is told that its time may have come sets the deadline it has by then.
@safe struct TimerWheel: ~Copyable {
    /// A deadline that never comes.
    static let never = Int64.max

    private static let bucketCount = 1024
    /// 2^23 ns, about 8.4 ms: deadlines are met to within one tick, and never early.
    private static let tickShift: Int64 = 23

    /// 16 bytes: each connection has one.
    private struct Entry {
        /// The tick whose bucket it stands in, plus one; 0 when in none.
        var tickAndOne: Int64
        var next: UInt32
        var previous: UInt32
    }

    private let entries: UnsafeMutablePointer<Entry>
    private let buckets: UnsafeMutablePointer<UInt32>
    /// One bit per bucket that is not empty.
    private let occupied: UnsafeMutablePointer<UInt64>
    private let capacity: Int
    /// The first tick whose bucket has not been walked.
    private var tick: Int64
    private var count = 0

    private static var none: UInt32 { .max }

    init(capacity: Int, now: Int64) {
        self.capacity = capacity
        tick = now >> Self.tickShift
        guard let memory = unsafe cposix_map(capacity * MemoryLayout<Entry>.stride) else {
            preconditionFailure("no address space for \(capacity) timers")
        }
        unsafe entries = memory.assumingMemoryBound(to: Entry.self)
        unsafe buckets = .allocate(capacity: Self.bucketCount)
        unsafe buckets.initialize(repeating: Self.none, count: Self.bucketCount)
        unsafe occupied = .allocate(capacity: Self.bucketCount / 64)
        unsafe occupied.initialize(repeating: 0, count: Self.bucketCount / 64)
    }

    deinit {
        unsafe _ = cposix_unmap(entries, capacity * MemoryLayout<Entry>.stride)
        unsafe buckets.deallocate()
        unsafe occupied.deallocate()
    }

    /// Sets or moves the slot's deadline (nanoseconds, monotonic); `never` takes it away, lazily.
    @inline(__always)
    mutating func set(_ slot: UInt32, deadline: Int64) {
        precondition(Int(slot) < capacity)
        // The tick after the deadline's own, so that nothing expires early.
        let due = (deadline >> Self.tickShift) &+ 1
        // Of a slot in no bucket this wraps around: never early enough.
        let placed = unsafe UInt64(bitPattern: entries[Int(slot)].tickAndOne &- 1)
        if placed > UInt64(bitPattern: due) { place(slot, due, deadline) }
    }

    /// Puts a slot that is in no bucket, or in one too late, where it belongs.
    @inline(never)
    private mutating func place(_ slot: UInt32, _ due: Int64, _ deadline: Int64) {
        if deadline == Self.never { return }
        remove(slot)
        // Beyond the wheel's horizon the slot waits in the last bucket and is asked for its deadline then.
        link(slot, at: min(max(due, tick), tick + Int64(Self.bucketCount - 1)))
    }

    /// Takes the slot out at once, as before it is given to another tenant.
    mutating func remove(_ slot: UInt32) {
        if unsafe entries[Int(slot)].tickAndOne != 0 { unlink(slot) }
    }

    private mutating func link(_ slot: UInt32, at due: Int64) {
        let entry = unsafe entries + Int(slot)
        let bucket = Int(due & Int64(Self.bucketCount - 1))
        let head = unsafe buckets[bucket]
        unsafe entry.pointee.next = head
        unsafe entry.pointee.previous = Self.none
        unsafe entry.pointee.tickAndOne = due + 1
        if head != Self.none { unsafe entries[Int(head)].previous = slot }
        unsafe buckets[bucket] = slot
        unsafe occupied[bucket >> 6] |= 1 << UInt64(bucket & 63)
        count += 1
    }

    private mutating func unlink(_ slot: UInt32) {
        let entry = unsafe entries[Int(slot)]
        let bucket = Int((entry.tickAndOne - 1) & Int64(Self.bucketCount - 1))
        if entry.next != Self.none { unsafe entries[Int(entry.next)].previous = entry.previous }
        if entry.previous != Self.none {
            unsafe entries[Int(entry.previous)].next = entry.next
        } else {
            unsafe buckets[bucket] = entry.next
            if entry.next == Self.none { unsafe occupied[bucket >> 6] &= ~(1 << UInt64(bucket & 63)) }
        }
        unsafe entries[Int(slot)].tickAndOne = 0
        count -= 1
    }

    /// When `expire` should be called next (nanoseconds); `never` if no deadline is set.
    @inline(__always)
    var nextDeadline: Int64 {
        guard count > 0 else { return Self.never }
        // From the current bucket on, around the wheel once.
        let start = Int(tick & Int64(Self.bucketCount - 1))
        var word = start >> 6
        var bits = unsafe occupied[word] & (~0 << UInt64(start & 63))
        for _ in 0...Self.bucketCount / 64 {
            if bits != 0 {
                let bucket = word << 6 + bits.trailingZeroBitCount
                let ahead = (bucket - start) & (Self.bucketCount - 1)
                return (tick + Int64(ahead)) << Self.tickShift
            }
            word = (word + 1) & (Self.bucketCount / 64 - 1)
            unsafe bits = occupied[word]
        }
        return Self.never
    }

    /// One slot whose deadline may have come, taken out of the wheel; nil when there is none left for now. If the deadline
    /// that was set last has not come, it is to be set again.
    mutating func expire(now: Int64) -> UInt32? {
        let current = now >> Self.tickShift
        if count == 0 {
            tick = max(tick, current)
            return nil
        }
        while tick <= current {
            let slot = unsafe buckets[Int(tick & Int64(Self.bucketCount - 1))]
            if slot != Self.none {
                unlink(slot)
                return slot
            }
            if tick == current { break }
            tick += 1
        }
        return nil
    }
}
