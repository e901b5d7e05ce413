internal import Synchronization

/// How many of a cluster's exchanges are under way, those of all workers together, and which others wait. One for each cluster
/// with limits, kept across reloads; what the limits are its callers say.
///
/// Another one for each cluster that limits its connections: what is under way there is a connection, open or being opened or closed,
/// and who waits is an exchange that is to have one.
///
/// First come, first served, whichever worker they came to: those that wait have numbers, each worker shows the lowest of its own, and
/// only the lowest of all goes on. Whoever changes what that depends on (a place is free, another number is the lowest) looks
/// whose turn it is afterwards, and wakes that worker. All of it is sequentially consistent: the last of several that change
/// something at once sees what the others did, so no turn is lost.
@safe final class ClusterGate: @unchecked Sendable {
    enum Arrival {
        case entered, waits, refused
        /// Refused for the limit that follows latency.
        case shed
    }

    /// The words apart, as different workers write them.
    private static let stride = 128
    /// Of a worker, at the most.
    private static let workerLimit = Configuration.threadRange.upperBound

    private let storage: UnsafeMutableRawPointer
    let view: View
    /// Who has idle connections; nil: exchanges are what is counted.
    let board: IdleBoard?

    init(board: IdleBoard? = nil) {
        self.board = board
        let size = 4 * Self.stride + Self.workerLimit * MemoryLayout<UInt64>.stride
        unsafe storage = .allocate(byteCount: size, alignment: Self.stride)
        unsafe storage.initializeMemory(as: UInt8.self, repeating: 0, count: size)
        view = unsafe View(base: storage)
    }

    // Atomics of trivial values need not be deinitialised.
    deinit { unsafe storage.deallocate() }

    /// The gate, without a reference to be counted; good as long as the gate.
    @safe struct View: BitwiseCopyable, @unchecked Sendable {
        private let base: UnsafeMutableRawPointer

        fileprivate init(base: UnsafeMutableRawPointer) { unsafe self.base = base }

        private func word(_ offset: Int) -> UnsafeMutablePointer<Atomic<UInt64>> {
            unsafe (base + offset).assumingMemoryBound(to: Atomic<UInt64>.self)
        }

        /// Exchanges under way in the lower half, those that wait in the upper.
        private var counts: UnsafeMutablePointer<Atomic<UInt64>> { unsafe word(0) }
        private var refusals: UnsafeMutablePointer<Atomic<UInt64>> { unsafe word(ClusterGate.stride) }
        private var expiries: UnsafeMutablePointer<Atomic<UInt64>> { unsafe word(ClusterGate.stride + 8) }
        private var sheds: UnsafeMutablePointer<Atomic<UInt64>> { unsafe word(ClusterGate.stride + 16) }
        /// Exchanges under way that have been answered, where it matters.
        private var answers: UnsafeMutablePointer<Atomic<UInt64>> { unsafe word(3 * ClusterGate.stride) }
        private var lastNumber: UnsafeMutablePointer<Atomic<UInt64>> { unsafe word(2 * ClusterGate.stride) }
        private var workers: UnsafeMutablePointer<Atomic<UInt64>> { unsafe word(2 * ClusterGate.stride + 8) }
        /// The lowest number that waits at a worker; 0: none does.
        private func lowest(_ worker: Int) -> UnsafeMutablePointer<Atomic<UInt64>> {
            precondition(UInt(bitPattern: worker) < UInt(bitPattern: ClusterGate.workerLimit))
            return unsafe word(4 * ClusterGate.stride + worker * 8)
        }

        private static var oneWaiting: UInt64 { 1 << 32 }

        // MARK: - Coming and going

        /// A worker, by its index, is going to show numbers.
        func join(worker: Int) {
            precondition(worker < ClusterGate.workerLimit)
            unsafe _ = workers.pointee.max(UInt64(worker + 1), ordering: .sequentiallyConsistent)
        }

        /// An exchange comes: it goes in if there is room and nobody waits, or it waits if there is room for that.
        ///
        /// - Parameter queue: how many may wait.
        func arrive(limit: UInt32, queue: UInt32) -> Arrival {
            var seen = unsafe counts.pointee.load(ordering: .relaxed)
            while true {
                let waiting = seen >> 32
                let enters = waiting == 0 && UInt32(truncatingIfNeeded: seen) < limit
                guard enters || waiting < UInt64(queue) else { return .refused }
                let (exchanged, original) = unsafe counts.pointee.compareExchange(
                    expected: seen, desired: seen + (enters ? 1 : Self.oneWaiting),
                    ordering: .sequentiallyConsistent)
                if exchanged { return enters ? .entered : .waits }
                seen = original
            }
        }

        /// Whether an exchange that came now would go in.
        func isOpen(limit: UInt32) -> Bool {
            let seen = unsafe counts.pointee.load(ordering: .relaxed)
            return seen < Self.oneWaiting && UInt32(truncatingIfNeeded: seen) < limit
        }

        /// An exchange that is under way already begins to count, whatever is allowed.
        func include() { unsafe _ = counts.pointee.wrappingAdd(1, ordering: .sequentiallyConsistent) }

        /// An exchange that would not wait goes in; false if there is no room, or others wait.
        func enterAtOnce(limit: UInt32) -> Bool {
            var seen = unsafe counts.pointee.load(ordering: .relaxed)
            while seen < UInt64(limit) {
                let (exchanged, original) = unsafe counts.pointee.compareExchange(
                    expected: seen, desired: seen + 1, ordering: .sequentiallyConsistent)
                if exchanged { return true }
                seen = original
            }
            return false
        }

        /// An exchange under way waits again; false if there is no room for that.
        ///
        /// - Parameter queue: how many may wait.
        func giveWay(queue: UInt32) -> Bool {
            var seen = unsafe counts.pointee.load(ordering: .relaxed)
            while seen >> 32 < UInt64(queue) {
                precondition(UInt32(truncatingIfNeeded: seen) > 0, "who gives way is in")
                let (exchanged, original) = unsafe counts.pointee.compareExchange(
                    expected: seen, desired: seen - 1 + Self.oneWaiting, ordering: .sequentiallyConsistent)
                if exchanged { return true }
                seen = original
            }
            return false
        }

        /// An exchange that waits goes in; false if there is no room.
        func enter(limit: UInt32) -> Bool {
            var seen = unsafe counts.pointee.load(ordering: .relaxed)
            while UInt32(truncatingIfNeeded: seen) < limit {
                precondition(seen >= Self.oneWaiting, "who goes in has waited")
                let (exchanged, original) = unsafe counts.pointee.compareExchange(
                    expected: seen, desired: seen - Self.oneWaiting + 1, ordering: .sequentiallyConsistent)
                if exchanged { return true }
                seen = original
            }
            return false
        }

        /// An exchange under way ends.
        ///
        /// - Returns: whether any wait.
        func leave() -> Bool {
            let left = unsafe counts.pointee.wrappingSubtract(1, ordering: .sequentiallyConsistent)
            precondition(UInt32(truncatingIfNeeded: left.oldValue) > 0, "an exchange leaves once")
            return left.newValue >= Self.oneWaiting
        }

        /// An exchange that waits ends.
        func giveUp() {
            let left = unsafe counts.pointee.wrappingSubtract(
                Self.oneWaiting, ordering: .sequentiallyConsistent)
            precondition(left.oldValue >= Self.oneWaiting, "who gives up has waited")
        }

        func noteRefusal() { unsafe refusals.pointee.wrappingAdd(1, ordering: .relaxed) }
        func noteShed() { unsafe sheds.pointee.wrappingAdd(1, ordering: .relaxed) }
        func noteExpiry() { unsafe expiries.pointee.wrappingAdd(1, ordering: .relaxed) }

        // MARK: - Answers

        /// An exchange under way is answered, and goes on.
        func noteAnswer() { unsafe _ = answers.pointee.wrappingAdd(1, ordering: .sequentiallyConsistent) }

        /// It ends.
        func forgetAnswer() {
            let left = unsafe answers.pointee.wrappingSubtract(1, ordering: .sequentiallyConsistent)
            precondition(left.oldValue > 0, "an answer ends once")
        }

        /// Exchanges under way that have been answered.
        var answered: UInt32 {
            UInt32(truncatingIfNeeded: unsafe answers.pointee.load(ordering: .sequentiallyConsistent))
        }

        // MARK: - Taking turns

        /// A number for an exchange that waits: higher than all before, never 0.
        func drawNumber() -> UInt64 {
            unsafe lastNumber.pointee.wrappingAdd(1, ordering: .sequentiallyConsistent).newValue
        }

        /// - Parameter number: the lowest that waits at the worker; 0: none does.
        func show(_ number: UInt64, worker: Int) {
            unsafe lowest(worker).pointee.store(number, ordering: .sequentiallyConsistent)
        }

        /// Whether any waits.
        var isAwaited: Bool {
            unsafe counts.pointee.load(ordering: .sequentiallyConsistent) >= Self.oneWaiting
        }

        /// The worker whose exchange is the next to go in; nil if there is no room, or none waits.
        func turn(limit: UInt32) -> Int? {
            let seen = unsafe counts.pointee.load(ordering: .sequentiallyConsistent)
            guard seen >= Self.oneWaiting, UInt32(truncatingIfNeeded: seen) < limit else { return nil }
            var next: Int?
            var least = UInt64.max
            for worker in 0..<Int(unsafe workers.pointee.load(ordering: .sequentiallyConsistent)) {
                let number = unsafe lowest(worker).pointee.load(ordering: .sequentiallyConsistent)
                if number != 0 && number < least {
                    least = number
                    next = worker
                }
            }
            return next
        }

        /// Calls `body` with each worker where any waits: all that began to before what the caller did.
        func forEachWaiting(_ body: (Int) -> Void) {
            atomicMemoryFence(ordering: .sequentiallyConsistent)
            for worker in 0..<Int(unsafe workers.pointee.load(ordering: .sequentiallyConsistent))
            where unsafe lowest(worker).pointee.load(ordering: .sequentiallyConsistent) != 0 {
                body(worker)
            }
        }

        // MARK: - Looking

        var underWay: Int {
            Int(UInt32(truncatingIfNeeded: unsafe counts.pointee.load(ordering: .relaxed)))
        }
        var waiting: Int { Int(unsafe counts.pointee.load(ordering: .relaxed) >> 32) }
        /// Exchanges refused for the other limits, that found no room to wait.
        var refused: UInt64 { unsafe refusals.pointee.load(ordering: .relaxed) }
        /// Exchanges refused for the limit that follows latency.
        var shed: UInt64 { unsafe sheds.pointee.load(ordering: .relaxed) }
        /// Exchanges that waited in vain.
        var expired: UInt64 { unsafe expiries.pointee.load(ordering: .relaxed) }
    }
}
