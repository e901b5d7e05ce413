internal import Synchronization

/// How many of a cluster's exchanges are under way at one of its endpoints, those of all workers together. Kept across reloads; how
/// many there may be its callers say.
@safe final class EndpointCap: @unchecked Sendable {
    private let count: UnsafeMutablePointer<Atomic<UInt32>>
    let view: View

    init() {
        // A cache line of its own, as all workers write it.
        let memory = UnsafeMutableRawPointer.allocate(byteCount: 64, alignment: 64)
        unsafe count = memory.bindMemory(to: Atomic<UInt32>.self, capacity: 1)
        unsafe count.initialize(to: Atomic(0))
        view = unsafe View(count: count)
    }

    deinit { unsafe UnsafeMutableRawPointer(count).deallocate() }

    /// The count, without a reference to be counted; good as long as its owner.
    @safe struct View: BitwiseCopyable, @unchecked Sendable {
        private let count: UnsafeMutablePointer<Atomic<UInt32>>

        @unsafe fileprivate init(count: UnsafeMutablePointer<Atomic<UInt32>>) { unsafe self.count = count }

        /// Exchanges under way.
        var underWay: UInt32 { unsafe count.pointee.load(ordering: .sequentiallyConsistent) }

        /// One more comes; false, and not counted, if there are as many as allowed.
        func enter(limit: UInt32) -> Bool {
            var seen = underWay
            while seen < limit {
                let (exchanged, original) = unsafe count.pointee.compareExchange(
                    expected: seen, desired: seen + 1, ordering: .sequentiallyConsistent)
                if exchanged { return true }
                seen = original
            }
            return false
        }

        /// So many that are under way already begin to count, whatever is allowed.
        func include(_ number: UInt32) {
            unsafe _ = count.pointee.wrappingAdd(number, ordering: .sequentiallyConsistent)
        }

        func leave(_ number: UInt32 = 1) {
            let left = unsafe count.pointee.wrappingSubtract(number, ordering: .sequentiallyConsistent)
            precondition(left.oldValue >= number, "an exchange leaves once")
        }

        func isSame(as other: View) -> Bool { unsafe count == other.count }
    }
}
