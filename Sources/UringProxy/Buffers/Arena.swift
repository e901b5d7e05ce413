internal import CPosix

/// The four sizes in which an arena hands out memory.
///
/// A head and its small body fit `tiny` or `small`; `medium` is what the kernel fills when bytes arrive (a 16 KiB
/// body with its head in one receive); `bulk` is the window of a stream (reading by 256 KiB instead of 16 KiB cut a
/// relay's CPU per GiB to a third).
enum SliceClass: UInt8, BitwiseCopyable, CaseIterable {
    case tiny, small, medium, bulk

    /// Bytes a slice holds.
    ///
    /// `medium` is an odd number of cache lines: with 32 KiB every slice would begin in the same few sets of the
    /// L1 and L2 cache, and small messages touch nothing but the beginning.
    var sliceSize: Int {
        switch self {
        case .tiny: 1024
        case .small: 4096
        case .medium: 32 * 1024 + 17 * 64
        case .bulk: 256 * 1024
        }
    }

    /// The smallest class whose slices hold `size` bytes; nil if none does.
    @inline(__always)
    static func fitting(_ size: Int) -> SliceClass? {
        if size <= SliceClass.tiny.sliceSize { return .tiny }
        if size <= SliceClass.small.sliceSize { return .small }
        if size <= SliceClass.medium.sliceSize { return .medium }
        return size <= SliceClass.bulk.sliceSize ? .bulk : nil
    }
}

/// Names a slice: class (2 bits) and index (30 bits).
struct SliceID: BitwiseCopyable, Equatable {
    let rawValue: UInt32

    @inline(__always)
    init(_ sliceClass: SliceClass, index: UInt32) {
        rawValue = UInt32(sliceClass.rawValue) << 30 | index
    }
    private init(rawValue: UInt32) { self.rawValue = rawValue }

    static let none = SliceID(rawValue: .max)

    @inline(__always)
    var index: Int { Int(rawValue & 0x3FFF_FFFF) }
    @inline(__always)
    var sliceClass: SliceClass {
        // Each of the four values of two bits is one.
        unsafe unsafeBitCast(UInt8(truncatingIfNeeded: rawValue >> 30), to: SliceClass.self)
    }
}

/// A worker's memory: slices of four sizes, leased and returned, never moved, so that the kernel may hold them.
///
/// The handle is trivial and copied freely within one thread; `destroy()` ends the memory. Free slices are reused last
/// in, first out, so that they are warm. A slice is shared by reference counts: a received slice is forwarded by
/// the queue of another connection without a copy.
@safe struct Arena: BitwiseCopyable {
    @safe private struct Region: BitwiseCopyable {
        var base: UnsafeMutablePointer<UInt8>
        var free: UnsafeMutablePointer<UInt32>
        var references: UnsafeMutablePointer<UInt16>
        /// Address space is reserved for this many.
        var capacity: Int
        /// Slices ever handed out; those above have never been touched and cost nothing.
        var issued = 0
        var freeCount = 0
        /// The fewest free slices since the last `trim`: that many were surplus all the time.
        var leastFree = 0
        /// The pages of that many free slices, from the bottom of the stack, were given back.
        var trimmed = 0
        /// The first slices, whose memory is registered with the kernel: their pages must never be given back.
        var registered = 0
    }
    @safe private struct State {
        var regions: (Region, Region, Region, Region)
        var leasedBytes = 0
        var chargedBytes = 0
        var budgetBytes: Int
        var refusals: UInt64 = 0
        var peakLeasedBytes = 0
    }

    private let state: UnsafeMutablePointer<State>

    /// - Parameter budgetBytes: what may be leased at once; at least 1 MiB. Leasing beyond it answers nil.
    init(budgetBytes: Int) {
        precondition(budgetBytes >= 1 << 20)
        unsafe state = .allocate(capacity: 1)
        let regions = (
            Arena.makeRegion(.tiny, budgetBytes), Arena.makeRegion(.small, budgetBytes),
            Arena.makeRegion(.medium, budgetBytes), Arena.makeRegion(.bulk, budgetBytes)
        )
        unsafe state.initialize(to: State(regions: regions, budgetBytes: budgetBytes))
    }

    private static func makeRegion(_ sliceClass: SliceClass, _ budgetBytes: Int) -> Region {
        // Provided-buffer ids are 16 bits wide, of which the kernel accepts 32,768 entries.
        let most = sliceClass == .medium ? 32_768 : 1 << 20
        let capacity = min(most, budgetBytes / sliceClass.sliceSize + 1)
        func map(_ size: Int) -> UnsafeMutableRawPointer {
            guard let memory = unsafe cposix_map(size) else {
                preconditionFailure("no address space for \(size) bytes of buffers; lower --memory")
            }
            return unsafe memory
        }
        let size = capacity * sliceClass.sliceSize
        let base = unsafe map(size)
        unsafe cposix_keep_from_forks(base, size)
        // Of smaller slices little more than the first page is touched: on huge pages each class took 2 MiB of a worker
        // that served one request, and the 128 slices that wait for bytes 4 MiB instead of half of one.
        if sliceClass == .bulk { unsafe cposix_prefer_huge_pages(base, size) }
        return unsafe Region(
            base: base.assumingMemoryBound(to: UInt8.self),
            free: map(capacity * 4).assumingMemoryBound(to: UInt32.self),
            references: map(capacity * 2).assumingMemoryBound(to: UInt16.self),
            capacity: capacity)
    }

    /// Gives everything back. No view, slice or operation may be left.
    func destroy() {
        for sliceClass in SliceClass.allCases {
            let region = unsafe region(sliceClass).pointee
            unsafe _ = cposix_unmap(region.base, region.capacity * sliceClass.sliceSize)
            unsafe _ = cposix_unmap(region.free, region.capacity * 4)
            unsafe _ = cposix_unmap(region.references, region.capacity * 2)
        }
        unsafe state.deallocate()
    }

    @inline(__always)
    private func region(_ sliceClass: SliceClass) -> UnsafeMutablePointer<Region> {
        let first = unsafe UnsafeMutableRawPointer(state).assumingMemoryBound(to: Region.self)
        return unsafe first + Int(sliceClass.rawValue)
    }

    /// Bytes leased now, whole slices counted, and those that are charged.
    var leasedBytes: Int { unsafe state.pointee.leasedBytes }
    var peakLeasedBytes: Int { unsafe state.pointee.peakLeasedBytes }
    var budgetBytes: Int { unsafe state.pointee.budgetBytes }
    /// How often a lease was refused because the budget was used up.
    var refusals: UInt64 { unsafe state.pointee.refusals }

    /// Whether `lease` would answer with a slice.
    func canLease(_ sliceClass: SliceClass) -> Bool {
        let region = unsafe region(sliceClass).pointee
        return unsafe state.pointee.leasedBytes + sliceClass.sliceSize <= state.pointee.budgetBytes
            && (region.freeCount > 0 || region.issued < region.capacity)
    }

    /// Counts memory that is not the arena's own as if it were leased; up to half of the budget, so that there is always some for
    /// bytes.
    ///
    /// - Returns: false, and nothing is counted, beyond that.
    func charge(_ size: Int) -> Bool {
        let charged = unsafe state.pointee.chargedBytes + size
        let leased = unsafe state.pointee.leasedBytes + size
        guard unsafe charged <= state.pointee.budgetBytes / 2, leased <= budgetBytes else {
            unsafe state.pointee.refusals += 1
            return false
        }
        chargeAnyway(size)
        return true
    }

    /// Counts memory that is there already, whatever the budget says.
    func chargeAnyway(_ size: Int) {
        unsafe state.pointee.chargedBytes += size
        unsafe state.pointee.leasedBytes += size
        unsafe state.pointee.peakLeasedBytes = max(
            state.pointee.peakLeasedBytes, state.pointee.leasedBytes)
    }

    /// Takes back what was counted so.
    func discharge(_ size: Int) {
        unsafe precondition(size >= 0 && size <= state.pointee.chargedBytes)
        unsafe state.pointee.chargedBytes -= size
        unsafe state.pointee.leasedBytes -= size
    }

    /// Leases one slice with one reference; nil when the budget is used up.
    @inline(__always)
    func lease(_ sliceClass: SliceClass) -> SliceID? {
        let region = unsafe region(sliceClass)
        let leased = unsafe state.pointee.leasedBytes + sliceClass.sliceSize
        let index: UInt32
        if unsafe leased > state.pointee.budgetBytes {
            unsafe state.pointee.refusals += 1
            return nil
        } else if unsafe region.pointee.freeCount > 0 {
            unsafe region.pointee.freeCount -= 1
            unsafe region.pointee.leastFree = min(region.pointee.leastFree, region.pointee.freeCount)
            unsafe index = region.pointee.free[region.pointee.freeCount]
        } else if unsafe region.pointee.issued < region.pointee.capacity {
            unsafe index = UInt32(region.pointee.issued)
            unsafe region.pointee.issued += 1
        } else {
            unsafe state.pointee.refusals += 1
            return nil
        }
        unsafe state.pointee.leasedBytes = leased
        if unsafe leased > state.pointee.peakLeasedBytes { unsafe state.pointee.peakLeasedBytes = leased }
        unsafe region.pointee.references[Int(index)] = 1
        return SliceID(sliceClass, index: index)
    }

    /// Leases up to `count` slices, as `lease` does, and hands them to `body`: what they have in common is done once.
    /// - Returns: how many there were.
    @inline(__always)
    func lease(
        _ sliceClass: SliceClass, upTo count: Int,
        _ body: (_ slice: SliceID, _ address: UnsafeMutablePointer<UInt8>) -> Void
    ) -> Int {
        let leased = min(count, leasable(sliceClass))
        if leased < count { unsafe state.pointee.refusals += 1 }
        if leased <= 0 { return 0 }
        let region = unsafe region(sliceClass)
        let reused = unsafe min(leased, region.pointee.freeCount)
        for _ in 0..<reused {
            unsafe region.pointee.freeCount &-= 1
            let index = unsafe region.pointee.free[region.pointee.freeCount]
            unsafe region.pointee.references[Int(index)] = 1
            unsafe body(
                SliceID(sliceClass, index: index), region.pointee.base + Int(index) &* sliceClass.sliceSize)
        }
        unsafe region.pointee.leastFree = min(region.pointee.leastFree, region.pointee.freeCount)
        for _ in reused..<leased {
            let index = unsafe region.pointee.issued
            unsafe region.pointee.issued += 1
            unsafe region.pointee.references[index] = 1
            unsafe body(
                SliceID(sliceClass, index: UInt32(index)), region.pointee.base + index * sliceClass.sliceSize)
        }
        unsafe state.pointee.leasedBytes += leased * sliceClass.sliceSize
        unsafe state.pointee.peakLeasedBytes = max(state.pointee.peakLeasedBytes, state.pointee.leasedBytes)
        return leased
    }

    /// How many slices of a class could be leased now.
    @inline(__always)
    func leasable(_ sliceClass: SliceClass) -> Int {
        let region = unsafe region(sliceClass)
        let slices = unsafe region.pointee.freeCount + region.pointee.capacity - region.pointee.issued
        return min(slices, max(0, budgetBytes - leasedBytes) / sliceClass.sliceSize)
    }

    /// Adds a holder to a leased slice.
    @inline(__always)
    func retain(_ slice: SliceID) {
        let references = unsafe region(slice.sliceClass).pointee.references + slice.index
        unsafe precondition(references.pointee > 0 && references.pointee < .max)
        unsafe references.pointee += 1
    }

    /// Whether a leased slice has room for more holders: of one that any number may share, the last ones copy.
    @inline(__always)
    func canRetain(_ slice: SliceID) -> Bool {
        unsafe region(slice.sliceClass).pointee.references[slice.index] < .max - 1
    }

    /// Takes a holder away; the last one returns the slice.
    @inline(__always)
    func release(_ slice: SliceID) {
        let region = unsafe region(slice.sliceClass)
        let references = unsafe region.pointee.references + slice.index
        unsafe precondition(references.pointee > 0)
        unsafe references.pointee -= 1
        if unsafe references.pointee == 0 {
            unsafe region.pointee.free[region.pointee.freeCount] = UInt32(slice.index)
            unsafe region.pointee.freeCount += 1
            unsafe state.pointee.leasedBytes -= slice.sliceClass.sliceSize
        }
    }

    /// Whether nobody but the caller holds the slice, so that its free part may be written.
    @inline(__always)
    func isUnique(_ slice: SliceID) -> Bool {
        unsafe region(slice.sliceClass).pointee.references[slice.index] == 1
    }

    /// Whether anybody holds the slice: what a buffer in flight must be.
    func isLeased(_ slice: SliceID) -> Bool {
        unsafe region(slice.sliceClass).pointee.references[slice.index] > 0
    }

    /// The address of a slice's first byte.
    @inline(__always)
    func address(_ slice: SliceID) -> UnsafeMutablePointer<UInt8> {
        let region = unsafe region(slice.sliceClass)
        unsafe precondition(slice.index < region.pointee.issued)
        return unsafe region.pointee.base + slice.index * slice.sliceClass.sliceSize
    }

    /// The first `count` slices of a class, as one piece of memory to register with the kernel; they count as
    /// issued from now on and are free.
    func reserveForRegistration(_ sliceClass: SliceClass, count: Int) -> UnsafeMutableRawBufferPointer {
        let region = unsafe region(sliceClass)
        unsafe precondition(region.pointee.issued == 0)
        let count = unsafe min(count, region.pointee.capacity)
        for index in stride(from: count - 1, through: 0, by: -1) {
            unsafe region.pointee.free[region.pointee.freeCount] = UInt32(index)
            unsafe region.pointee.freeCount += 1
        }
        unsafe region.pointee.issued = count
        return unsafe UnsafeMutableRawBufferPointer(
            start: region.pointee.base, count: count * sliceClass.sliceSize)
    }

    /// Marks the first `count` slices of a class as registered with the kernel: their pages are never given back.
    func didRegister(_ sliceClass: SliceClass, count: Int) {
        unsafe region(sliceClass).pointee.registered = count
    }

    /// Whether the slice lies in memory registered with the kernel.
    @inline(__always)
    func isRegistered(_ slice: SliceID) -> Bool {
        unsafe slice.index < region(slice.sliceClass).pointee.registered
    }

    /// Gives the pages of slices that were free since the last call back to the system. To be called now and then
    /// from a timer: it enters the kernel once for each slice.
    ///
    /// - Parameter most: how many slices of each class at most; the rest is the next calls'.
    func trim(most: Int) {
        for sliceClass in SliceClass.allCases {
            let region = unsafe region(sliceClass)
            // The bottom of the stack is what has not been used for longest.
            let start = unsafe min(region.pointee.trimmed, region.pointee.leastFree)
            let end = unsafe min(region.pointee.leastFree, start + most)
            for place in start..<end {
                releasePages(ofFree: unsafe Int(region.pointee.free[place]), sliceClass)
            }
            unsafe region.pointee.trimmed = end
            unsafe region.pointee.leastFree = region.pointee.freeCount
        }
    }

    /// Gives back the pages of a free slice. Slices do not begin and end at pages: one that is shared goes with the last
    /// of its slices.
    private func releasePages(ofFree index: Int, _ sliceClass: SliceClass) {
        if unsafe index < region(sliceClass).pointee.registered { return }
        let size = sliceClass.sliceSize
        var start = index * size & ~(Self.pageSize - 1)
        var end = ((index + 1) * size + Self.pageSize - 1) & ~(Self.pageSize - 1)
        if !isFree(pageAt: start, sliceClass) { start += Self.pageSize }
        if end > start, !isFree(pageAt: end - Self.pageSize, sliceClass) { end -= Self.pageSize }
        if end > start { unsafe cposix_release_pages(region(sliceClass).pointee.base + start, end - start) }
    }

    private static var pageSize: Int { 4096 }

    /// Whether nobody holds any slice that has bytes on a page, and none of them is registered with the kernel.
    private func isFree(pageAt offset: Int, _ sliceClass: SliceClass) -> Bool {
        let region = unsafe region(sliceClass)
        let first = offset / sliceClass.sliceSize
        let last = unsafe min((offset + Self.pageSize - 1) / sliceClass.sliceSize, region.pointee.issued - 1)
        guard unsafe first >= region.pointee.registered else { return false }
        for index in first...last where unsafe region.pointee.references[index] > 0 { return false }
        return true
    }
}
