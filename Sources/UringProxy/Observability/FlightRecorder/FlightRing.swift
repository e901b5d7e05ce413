internal import CPosix
internal import Synchronization

/// The last events of one worker: it writes over the oldest, and anybody reads without its noticing.
///
/// The reader copies, and then drops what may have been written over meanwhile. On x86-64 the writer's stores are plain ones.
@safe struct FlightRing: @unchecked Sendable, BitwiseCopyable {
    /// Before the events, so that they begin on a line of their own.
    static var headerBytes: Int { 4096 }

    /// The count of events, in a word, and the number of the snapshot whose names they have now; `headerBytes` behind the first the events.
    private let base: UnsafeMutableRawPointer
    private let mask: Int

    /// Lives until `destroy`. A page of it is there once an event was written into it.
    ///
    /// - Parameter capacity: a power of two.
    init(capacity: Int) {
        precondition(capacity >= 128 && capacity.nonzeroBitCount == 1)
        guard let memory = unsafe cposix_map(Self.headerBytes + capacity * FlightEvent.size) else {
            preconditionFailure("no address space for \(capacity) events")
        }
        unsafe base = memory
        mask = capacity - 1
    }

    func destroy() { unsafe _ = cposix_unmap(base, Self.headerBytes + capacity * FlightEvent.size) }

    var capacity: Int { mask + 1 }
    /// Events that were ever written.
    var count: UInt64 { unsafe published.pointee.load(ordering: .acquiring) }

    // MARK: - Its worker

    /// Writes an event.
    @inline(__always)
    func write(_ event: FlightEvent) {
        let count = unsafe published.pointee.load(ordering: .relaxed)
        let place = unsafe word(Int(truncatingIfNeeded: count) & mask)
        // Each of them after the count: who reads one of these has to find that count as well.
        unsafe place[0].store(UInt64(bitPattern: event.time), ordering: .releasing)
        unsafe place[1].store(event.word, ordering: .releasing)
        unsafe place[2].store(event.a, ordering: .releasing)
        unsafe place[3].store(event.b, ordering: .releasing)
        unsafe published.pointee.store(count &+ 1, ordering: .releasing)
    }

    /// Events have the names of this snapshot from here on.
    func setSnapshot(_ number: UInt64) { unsafe snapshotNumber.pointee.store(number, ordering: .releasing) }

    // MARK: - Anybody

    var snapshot: UInt64 { unsafe snapshotNumber.pointee.load(ordering: .acquiring) }

    /// What of it could be read whole, the oldest first.
    ///
    /// - Parameter limit: of events, the last ones.
    /// - Returns: the events, and the number of the first one.
    func read(limit: Int = .max) -> (events: [FlightEvent], first: UInt64) {
        let end = count
        let available = min(end, UInt64(capacity), UInt64(clamping: limit))
        let start = end - available
        var events: [FlightEvent] = []
        events.reserveCapacity(Int(available))
        for number in start..<end {
            let place = unsafe word(Int(truncatingIfNeeded: number) & mask)
            unsafe events.append(
                FlightEvent(
                    time: Int64(bitPattern: place[0].load(ordering: .acquiring)),
                    word: place[1].load(ordering: .acquiring), a: place[2].load(ordering: .acquiring),
                    b: place[3].load(ordering: .acquiring)))
        }
        // One more than the writer has told of may be under way.
        let now = count &+ 1
        let intact = now > UInt64(capacity) ? now - UInt64(capacity) : 0
        if intact > start {
            events.removeFirst(Int(min(intact - start, available)))
            return (events, max(intact, start))
        }
        return (events, start)
    }

    /// For what writes it out when nothing else can be done any more.
    @unsafe var memory: UnsafeRawPointer { unsafe UnsafeRawPointer(base) }

    // MARK: - Layout

    @inline(__always)
    private var published: UnsafeMutablePointer<Atomic<UInt64>> {
        unsafe base.assumingMemoryBound(to: Atomic<UInt64>.self)
    }

    private var snapshotNumber: UnsafeMutablePointer<Atomic<UInt64>> {
        unsafe (base + 8).assumingMemoryBound(to: Atomic<UInt64>.self)
    }

    @inline(__always)
    private func word(_ index: Int) -> UnsafeMutablePointer<Atomic<UInt64>> {
        unsafe (base + Self.headerBytes + index &* FlightEvent.size).assumingMemoryBound(
            to: Atomic<UInt64>.self)
    }
}

extension FlightDump.Ring {
    /// A copy of one as it is now.
    init(number: UInt32, _ ring: FlightRing) {
        let snapshot = ring.snapshot
        let (events, first) = ring.read()
        self.init(number: number, first: first, snapshot: snapshot, events: events)
    }
}
