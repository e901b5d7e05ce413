internal import CPosix

/// A run of bytes in a slice: one link of a queue.
struct Segment: BitwiseCopyable {
    var slice: SliceID
    var offset: UInt32
    var size: UInt32

    static let none = Segment(slice: .none, offset: 0, size: 0)

    var isEmpty: Bool { size == 0 }
}

/// Bytes waiting in order: received and not yet consumed, or queued and not yet sent.
///
/// The links live in a `SegmentPool`; whoever drops a queue empties it there first.
struct SegmentQueue: BitwiseCopyable {
    fileprivate(set) var first: UInt32 = SegmentPool.none
    fileprivate(set) var last: UInt32 = SegmentPool.none
    fileprivate(set) var byteCount: UInt32 = 0

    var isEmpty: Bool { byteCount == 0 }
}

/// The links of all queues of a worker, and the operations on them.
///
/// A trivial handle, like the arena it draws on.
@safe struct SegmentPool: BitwiseCopyable {
    static let none = UInt32.max

    private struct Link {
        var segment: Segment
        var next: UInt32
    }
    private struct State {
        var free = SegmentPool.none
        var issued: UInt32 = 0
    }

    let arena: Arena
    private let links: UnsafeMutablePointer<Link>
    private let state: UnsafeMutablePointer<State>
    private let capacity: UInt32

    init(arena: Arena) {
        self.arena = arena
        // Small pieces share slices and links (`append`, `appendCompacting`), so that a link stands for some hundred bytes
        // of the budget; address space costs nothing until touched.
        capacity = UInt32(clamping: max(1 << 21, arena.budgetBytes / 256))
        guard let memory = unsafe cposix_map(Int(capacity) * MemoryLayout<Link>.stride) else {
            preconditionFailure("no address space for buffer queues")
        }
        unsafe links = memory.assumingMemoryBound(to: Link.self)
        unsafe state = .allocate(capacity: 1)
        unsafe state.initialize(to: State())
    }

    func destroy() {
        unsafe _ = cposix_unmap(links, Int(capacity) * MemoryLayout<Link>.stride)
        unsafe state.deallocate()
    }

    /// Links that some queue holds. For tests: it goes through those that none does.
    var linksInUse: Int {
        var count = unsafe Int(state.pointee.issued)
        var free = unsafe state.pointee.free
        while free != SegmentPool.none {
            count -= 1
            unsafe free = links[Int(free)].next
        }
        return count
    }

    @inline(__always)
    private func takeLink(_ segment: Segment) -> UInt32 {
        let free = unsafe state.pointee.free
        if free != SegmentPool.none {
            unsafe state.pointee.free = links[Int(free)].next
            unsafe links[Int(free)] = Link(segment: segment, next: SegmentPool.none)
            return free
        }
        let index = unsafe state.pointee.issued
        precondition(index < capacity, "more segments than slices could hold")
        unsafe state.pointee.issued += 1
        unsafe links[Int(index)] = Link(segment: segment, next: SegmentPool.none)
        return index
    }

    @inline(__always)
    private func returnLink(_ index: UInt32) {
        unsafe links[Int(index)].next = state.pointee.free
        unsafe state.pointee.free = index
    }

    /// Appends a segment; the queue takes over the caller's reference to the slice.
    ///
    /// What follows the last segment's bytes in the same slice only lengthens it: a body of many tiny chunks that is
    /// passed on piece by piece stays one segment with one reference.
    @inline(__always)
    func append(_ segment: Segment, to queue: inout SegmentQueue) {
        precondition(segment.size > 0)
        if queue.last != Slot.none && lengthenLast(segment, &queue) { return }
        let link = takeLink(segment)
        if queue.last == SegmentPool.none {
            queue.first = link
        } else {
            unsafe links[Int(queue.last)].next = link
        }
        queue.last = link
        queue.byteCount += segment.size
    }

    @inline(__always)
    private func lengthenLast(_ segment: Segment, _ queue: inout SegmentQueue) -> Bool {
        let last = unsafe links[Int(queue.last)].segment
        guard last.slice == segment.slice, last.offset + last.size == segment.offset else { return false }
        unsafe links[Int(queue.last)].segment.size += segment.size
        queue.byteCount += segment.size
        arena.release(segment.slice)
        return true
    }

    /// Appends a segment; a small one goes behind the last one's bytes where its slice has the room, so that a backlog
    /// of many small pieces holds little more memory than bytes.
    @inline(__always)
    func appendCompacting(_ segment: Segment, to queue: inout SegmentQueue) {
        if queue.last != SegmentPool.none && segment.size <= 8192 && copyBehindLast(segment, &queue) {
            return
        }
        append(segment, to: &queue)
    }

    private func copyBehindLast(_ segment: Segment, _ queue: inout SegmentQueue) -> Bool {
        let last = unsafe links[Int(queue.last)].segment
        let end = Int(last.offset + last.size)
        guard last.slice.sliceClass.sliceSize - end >= Int(segment.size), arena.isUnique(last.slice) else {
            return false
        }
        unsafe view(segment).copy(to: arena.address(last.slice) + end)
        arena.release(segment.slice)
        unsafe links[Int(queue.last)].segment.size += segment.size
        queue.byteCount += segment.size
        return true
    }

    /// Copies bytes to the end of a queue: behind the last segment's, where its slice has the room. False without memory.
    func append(_ bytes: ByteView, to queue: inout SegmentQueue) -> Bool {
        var rest = bytes
        if rest.isEmpty { return true }
        if queue.last != SegmentPool.none {
            let last = unsafe links[Int(queue.last)].segment
            let end = Int(last.offset + last.size)
            let size = min(last.slice.sliceClass.sliceSize - end, rest.count)
            if size > 0 && arena.isUnique(last.slice) {
                unsafe rest[0..<size].copy(to: arena.address(last.slice) + end)
                unsafe links[Int(queue.last)].segment.size += UInt32(size)
                queue.byteCount += UInt32(size)
                rest = rest.dropFirst(size)
            }
        }
        while !rest.isEmpty {
            let wanted: SliceClass = rest.count <= 16 ? .tiny : rest.count <= 4096 ? .small : .medium
            guard let slice = arena.lease(wanted) ?? arena.lease(.tiny) else {
                return false
            }
            let size = min(rest.count, slice.sliceClass.sliceSize)
            unsafe rest[0..<size].copy(to: arena.address(slice))
            append(Segment(slice: slice, offset: 0, size: UInt32(size)), to: &queue)
            rest = rest.dropFirst(size)
        }
        return true
    }

    /// The same of a text.
    func append(_ text: StaticString, to queue: inout SegmentQueue) -> Bool {
        unsafe append(ByteView(base: text.utf8Start, count: text.utf8CodeUnitCount), to: &queue)
    }

    /// The first segment of a queue that is not empty.
    @inline(__always)
    func first(of queue: SegmentQueue) -> Segment {
        precondition(queue.first != SegmentPool.none)
        return unsafe links[Int(queue.first)].segment
    }

    /// The last segment of a queue; none if it is empty.
    @inline(__always)
    func last(of queue: SegmentQueue) -> Segment {
        queue.last == SegmentPool.none ? .none : unsafe links[Int(queue.last)].segment
    }

    /// The bytes of a segment.
    @inline(__always)
    func view(_ segment: Segment) -> ByteView {
        let base = unsafe arena.address(segment.slice) + Int(segment.offset)
        return unsafe ByteView(base: base, count: Int(segment.size))
    }

    /// The bytes of the first segment; empty if the queue is.
    @inline(__always)
    func firstView(of queue: SegmentQueue) -> ByteView {
        queue.isEmpty ? .empty : view(first(of: queue))
    }

    /// Whether the queue's bytes are in one piece.
    @inline(__always)
    func isContiguous(_ queue: SegmentQueue) -> Bool { queue.first == queue.last }

    /// Whether one gather of two takes all of it.
    @inline(__always)
    func hasAtMostTwo(_ queue: SegmentQueue) -> Bool {
        unsafe queue.first == queue.last || links[Int(queue.first)].next == queue.last
    }

    /// Calls `body` with each segment from the front until it answers false.
    @inline(__always)
    func forEach(_ queue: SegmentQueue, _ body: (Segment) -> Bool) {
        var index = queue.first
        while index != SegmentPool.none {
            guard unsafe body(links[Int(index)].segment) else { return }
            unsafe index = links[Int(index)].next
        }
    }

    /// Copies the first bytes, up to `limit`, to where there is room for them.
    ///
    /// - Returns: how many there were.
    @unsafe
    func copy(_ queue: SegmentQueue, upTo limit: Int, to target: UnsafeMutablePointer<UInt8>) -> Int {
        var count = 0
        forEach(queue) { segment in
            let bytes = view(segment)
            let size = min(bytes.count, limit - count)
            unsafe bytes[0..<size].copy(to: target + count)
            count += size
            return count < limit
        }
        return count
    }

    /// Drops `size` bytes from the front and lets go of the slices they were in.
    @inline(__always)
    func consume(_ size: UInt32, from queue: inout SegmentQueue) {
        precondition(size <= queue.byteCount)
        var left = size
        while left > 0 {
            let index = queue.first
            let segment = unsafe links[Int(index)].segment
            if segment.size > left {
                unsafe links[Int(index)].segment.offset += left
                unsafe links[Int(index)].segment.size -= left
                left = 0
            } else {
                left -= segment.size
                dropFirstLink(of: &queue)
                arena.release(segment.slice)
            }
        }
        queue.byteCount -= size
    }

    @inline(__always)
    private func dropFirstLink(of queue: inout SegmentQueue) {
        let index = queue.first
        unsafe queue.first = links[Int(index)].next
        if queue.first == SegmentPool.none { queue.last = SegmentPool.none }
        returnLink(index)
    }

    func removeAll(_ queue: inout SegmentQueue) {
        consume(queue.byteCount, from: &queue)
    }

    /// Moves `size` bytes from the front of one queue to the end of another, by reference.
    ///
    /// Small pieces behind a backlog are copied together: by reference each byte of a dripping sender would hold
    /// the large slice it came in, until a slow reader had all memory.
    @inline(__always)
    func move(_ size: UInt32, from source: inout SegmentQueue, to target: inout SegmentQueue) {
        precondition(size <= source.byteCount)
        var left = size
        source.byteCount -= size
        while left > 0 {
            let segment = unsafe links[Int(source.first)].segment
            if segment.size > left {
                let part = Segment(slice: segment.slice, offset: segment.offset, size: left)
                if !continueLast(part, &target) {
                    arena.retain(segment.slice)
                    append(part, to: &target)
                }
                unsafe links[Int(source.first)].segment.offset += left
                unsafe links[Int(source.first)].segment.size -= left
                left = 0
            } else {
                left -= segment.size
                dropFirstLink(of: &source)
                if continueLast(segment, &target) {
                    arena.release(segment.slice)
                } else {
                    appendCompacting(segment, to: &target)
                }
            }
        }
    }

    /// Makes the last segment longer by bytes that stand right behind it: a piece that was moved in parts, such as a
    /// chunk line and its chunk, is one segment again, and its slice has one holder.
    @inline(__always)
    private func continueLast(_ segment: Segment, _ queue: inout SegmentQueue) -> Bool {
        guard queue.last != SegmentPool.none else { return false }
        let last = unsafe links[Int(queue.last)].segment
        guard last.slice == segment.slice, last.offset + last.size == segment.offset else { return false }
        unsafe links[Int(queue.last)].segment.size += segment.size
        queue.byteCount += segment.size
        return true
    }

    /// Appends a segment that its holder keeps as well.
    @inline(__always)
    func share(_ segment: Segment, with queue: inout SegmentQueue) {
        arena.retain(segment.slice)
        append(segment, to: &queue)
    }

    /// Brings the queue's bytes into one piece, with room behind them where the last slice has it.
    ///
    /// A head that arrives in parts ends up in a slice of the smallest class that holds it, and the large slice that
    /// the kernel filled is free again: a slow sender holds little more than what it sent.
    /// - Returns: false if no class holds so many bytes, or the arena has none left.
    func makeContiguous(_ queue: inout SegmentQueue) -> Bool {
        if queue.isEmpty { return true }
        let size = Int(queue.byteCount)
        guard let sliceClass = SliceClass.fitting(size) else { return false }
        let head = first(of: queue)
        if isContiguous(queue) && head.slice.sliceClass.rawValue <= sliceClass.rawValue { return true }
        if appendInPlace(&queue) { return true }
        // Room to grow: else each byte of a slow sender would copy the whole.
        let roomy = SliceClass.fitting(size + size / 4) ?? sliceClass
        guard let slice = arena.lease(roomy) else { return false }
        let written = unsafe copy(queue, upTo: size, to: arena.address(slice))
        removeAll(&queue)
        append(Segment(slice: slice, offset: 0, size: UInt32(written)), to: &queue)
        return true
    }

    /// Brings the first `limit` bytes into one piece, all of them if there are fewer: what may wait behind a head is larger
    /// than any slice.
    /// - Returns: as `makeContiguous`.
    func makeContiguous(_ queue: inout SegmentQueue, upTo limit: Int) -> Bool {
        if Int(queue.byteCount) <= limit { return makeContiguous(&queue) }
        if Int(first(of: queue).size) >= limit { return true }
        guard let sliceClass = SliceClass.fitting(limit), let slice = arena.lease(sliceClass) else {
            return false
        }
        unsafe _ = copy(queue, upTo: limit, to: arena.address(slice))
        consume(UInt32(limit), from: &queue)
        let link = takeLink(Segment(slice: slice, offset: 0, size: UInt32(limit)))
        unsafe links[Int(link)].next = queue.first
        queue.first = link
        if queue.last == SegmentPool.none { queue.last = link }
        queue.byteCount += UInt32(limit)
        return true
    }

    /// Copies all later segments behind the first, if its slice has the room and no other holder.
    private func appendInPlace(_ queue: inout SegmentQueue) -> Bool {
        let head = first(of: queue)
        let room = head.slice.sliceClass.sliceSize - Int(head.offset + head.size)
        let more = Int(queue.byteCount - head.size)
        guard more > 0, more <= room, head.slice.sliceClass != .medium, arena.isUnique(head.slice) else {
            return false
        }
        var written = unsafe arena.address(head.slice) + Int(head.offset + head.size)
        var index = unsafe links[Int(queue.first)].next
        while index != SegmentPool.none {
            let segment = unsafe links[Int(index)].segment
            let next = unsafe links[Int(index)].next
            unsafe view(segment).copy(to: written)
            unsafe written += Int(segment.size)
            arena.release(segment.slice)
            returnLink(index)
            index = next
        }
        unsafe links[Int(queue.first)].segment.size += UInt32(more)
        unsafe links[Int(queue.first)].next = SegmentPool.none
        queue.last = queue.first
        return true
    }
}
