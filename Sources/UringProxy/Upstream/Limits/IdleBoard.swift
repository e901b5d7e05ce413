internal import Synchronization

/// Which workers have idle connections to a cluster, and how many of them they are asked to give up. One for each cluster that
/// limits its connections, kept across reloads.
///
/// Who shows that it has some looks afterwards whether any are awaited, and who awaits one asks afterwards: one of the two sees the
/// other. What a worker shows may be out of date; one that is asked in vain hides, and passes the question on.
@safe final class IdleBoard: @unchecked Sendable {
    private static let workerLimit = Configuration.threadRange.upperBound

    private let storage: UnsafeMutablePointer<Atomic<UInt64>>
    let view: View

    init() {
        let count = Self.workerLimit + 1
        unsafe storage = .allocate(capacity: count)
        for index in 0..<count { unsafe (storage + index).initialize(to: Atomic(0)) }
        view = unsafe View(base: storage)
    }

    deinit { unsafe storage.deallocate() }

    /// The board, without a reference to be counted; good as long as the board.
    @safe struct View: BitwiseCopyable, @unchecked Sendable {
        private let base: UnsafeMutablePointer<Atomic<UInt64>>

        @unsafe fileprivate init(base: UnsafeMutablePointer<Atomic<UInt64>>) { unsafe self.base = base }

        /// In a worker's word: it has some. Below it, how many it is asked for.
        private static var hasSome: UInt64 { 1 << 63 }

        /// Workers that ever showed some are below it.
        private var workers: UnsafeMutablePointer<Atomic<UInt64>> { unsafe base }
        private func word(_ worker: Int) -> UnsafeMutablePointer<Atomic<UInt64>> {
            precondition(UInt(bitPattern: worker) < UInt(bitPattern: IdleBoard.workerLimit))
            return unsafe base + 1 + worker
        }

        /// A worker, by its index, has idle connections.
        func show(worker: Int) {
            unsafe _ = workers.pointee.max(UInt64(worker + 1), ordering: .sequentiallyConsistent)
            unsafe _ = word(worker).pointee.bitwiseOr(Self.hasSome, ordering: .sequentiallyConsistent)
        }

        /// Asks a worker that shows some for so many, of which it asks another one for those that it has not.
        ///
        /// - Parameter worker: who asks, and is not asked.
        /// - Returns: who is asked; nil: nobody shows any.
        func ask(for worker: Int, count wanted: Int) -> Int? {
            let count = Int(unsafe workers.pointee.load(ordering: .sequentiallyConsistent))
            // Not always the same one.
            for step in 1...max(1, count) {
                let other = (worker + step) % max(1, count)
                if other == worker { continue }
                var seen = unsafe word(other).pointee.load(ordering: .sequentiallyConsistent)
                while seen & Self.hasSome != 0 {
                    let (exchanged, original) = unsafe word(other).pointee.compareExchange(
                        expected: seen, desired: seen + UInt64(wanted), ordering: .sequentiallyConsistent)
                    if exchanged { return other }
                    seen = original
                }
            }
            return nil
        }

        /// How many a worker has been asked for since it was last told.
        func takeAsked(worker: Int) -> Int {
            let old = unsafe word(worker).pointee.bitwiseAnd(Self.hasSome, ordering: .sequentiallyConsistent)
            return Int(old.oldValue & ~Self.hasSome)
        }

        /// A worker has none any more.
        ///
        /// - Returns: how many it has been asked for meanwhile.
        func hide(worker: Int) -> Int {
            let old = unsafe word(worker).pointee.exchange(0, ordering: .sequentiallyConsistent)
            return Int(old & ~Self.hasSome)
        }
    }
}
