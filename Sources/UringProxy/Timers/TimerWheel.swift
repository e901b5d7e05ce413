internal import CPosix

/// One deadline per slot, for many slots: setting is a store, expiry is found by walking few buckets.
///
/// A hashed wheel. Postponing a deadline, which happens with every byte that moves, only writes the new time; the
/// slot stays where it is and is put in the right bucket when the old one comes due.
@safe struct TimerWheel: ~Copyable {
    /// A deadline that never comes.
    static let never = Int64.max

    private static let bucketCount = 1024
    /// 2^23 ns, about 8.4 ms: deadlines are met to within one tick, and never early.
    private static let tickShift: Int64 = 23

    /// 16 bytes: each connection has one.
    private struct Entry {
        /// The tick in which the slot expires (53 bits) and its place (11 bits).
        private var dueAndPlace: Int64
        var next: UInt32
        var previous: UInt32

        /// The tick after the deadline's own, so that nothing expires early.
        @inline(__always)
        var due: Int64 {
            get { dueAndPlace >> 11 }
            set { dueAndPlace = newValue << 11 | dueAndPlace & 0x7FF }
        }
        /// Bucket plus one; 0 when in none.
        @inline(__always)
        var place: UInt16 {
            get { UInt16(truncatingIfNeeded: dueAndPlace & 0x7FF) }
            set { dueAndPlace = dueAndPlace & ~0x7FF | Int64(newValue) }
        }
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
        let entry = unsafe entries + Int(slot)
        let due = Self.dueTick(of: deadline)
        if unsafe entry.pointee.place != 0 {
            let placed = unsafe dueTick(entry.pointee.place)
            unsafe entry.pointee.due = due
            if due >= placed { return }
            unlink(slot)
        } else {
            if deadline == Self.never { return }
            unsafe entry.pointee.due = due
        }
        link(slot, earliest: tick)
    }

    /// Takes the slot out at once, as before it is given to another tenant.
    mutating func remove(_ slot: UInt32) {
        if unsafe entries[Int(slot)].place != 0 { unlink(slot) }
    }

    @inline(__always)
    private static func dueTick(of deadline: Int64) -> Int64 { (deadline >> tickShift) &+ 1 }

    /// The tick at which a bucket is walked next.
    @inline(__always)
    private func dueTick(_ place: UInt16) -> Int64 {
        let bucket = Int64(place) - 1
        let ahead = (bucket - tick) & Int64(Self.bucketCount - 1)
        return tick + ahead
    }

    private mutating func link(_ slot: UInt32, earliest: Int64) {
        let entry = unsafe entries + Int(slot)
        // Beyond the wheel's horizon the slot waits in the last bucket and is moved on from there.
        let at = unsafe min(max(entry.pointee.due, earliest), tick + Int64(Self.bucketCount - 1))
        let bucket = Int(at & Int64(Self.bucketCount - 1))
        let head = unsafe buckets[bucket]
        unsafe entry.pointee.next = head
        unsafe entry.pointee.previous = Self.none
        unsafe entry.pointee.place = UInt16(bucket + 1)
        if head != Self.none { unsafe entries[Int(head)].previous = slot }
        unsafe buckets[bucket] = slot
        unsafe occupied[bucket >> 6] |= 1 << UInt64(bucket & 63)
        count += 1
    }

    private mutating func unlink(_ slot: UInt32) {
        let entry = unsafe entries[Int(slot)]
        let bucket = Int(entry.place) - 1
        if entry.next != Self.none { unsafe entries[Int(entry.next)].previous = entry.previous }
        if entry.previous != Self.none {
            unsafe entries[Int(entry.previous)].next = entry.next
        } else {
            unsafe buckets[bucket] = entry.next
            if entry.next == Self.none { unsafe occupied[bucket >> 6] &= ~(1 << UInt64(bucket & 63)) }
        }
        unsafe entries[Int(slot)].place = 0
        count -= 1
    }

    /// When `expire` should be called next (nanoseconds); `never` if no deadline is set.
    var nextDeadline: Int64 {
        guard count > 0 else { return Self.never }
        // From the current bucket on, around the wheel once.
        let start = Int(tick & Int64(Self.bucketCount - 1))
        var word = start >> 6
        var bits = unsafe occupied[word] & (~0 << UInt64(start & 63))
        for _ in 0...Self.bucketCount / 64 {
            if bits != 0 {
                let bucket = word << 6 + bits.trailingZeroBitCount
                return dueTick(UInt16(bucket + 1)) << Self.tickShift
            }
            word = (word + 1) & (Self.bucketCount / 64 - 1)
            unsafe bits = occupied[word]
        }
        return Self.never
    }

    /// One slot whose deadline has come, taken out of the wheel; nil when there is none left for now.
    mutating func expire(now: Int64) -> UInt32? {
        let current = now >> Self.tickShift
        if count == 0 {
            tick = max(tick, current)
            return nil
        }
        while tick <= current {
            let bucket = Int(tick & Int64(Self.bucketCount - 1))
            while unsafe buckets[bucket] != Self.none {
                let slot = unsafe buckets[bucket]
                unlink(slot)
                let due = unsafe entries[Int(slot)].due
                if due <= current { return slot }
                if due != Self.dueTick(of: Self.never) {
                    // Postponed, or beyond the horizon: to where it belongs, which is never this bucket again.
                    link(slot, earliest: tick + 1)
                }
            }
            if tick == current { break }
            tick += 1
        }
        return nil
    }
}
