internal import Synchronization

/// One worker's counters: written by it alone, read by anybody.
///
/// A load and a store instead of an atomic add: with one writer nothing can be lost, and on x86-64 even a relaxed add
/// takes the `lock` prefix (2.5 against 0.27 ns).
@safe struct Counters: @unchecked Sendable, BitwiseCopyable {
    private let cells: UnsafeMutablePointer<Atomic<UInt64>>

    private static var failureCells: Int { ProxyError.allCases.count }
    private static var count: Int { Counter.allCases.count + failureCells }

    /// Lives until `destroy`.
    init() {
        unsafe cells = .allocate(capacity: Self.count)
        for index in 0..<Self.count { unsafe (cells + index).initialize(to: Atomic(0)) }
    }

    func destroy() { unsafe cells.deallocate() }

    @inline(__always)
    func add(_ counter: Counter, _ amount: UInt64 = 1) { add(cell: counter.rawValue, amount) }

    @inline(__always)
    func add(failure: ProxyError) { add(cell: Counter.allCases.count + Int(failure.rawValue), 1) }

    @inline(__always)
    private func add(cell: Int, _ amount: UInt64) {
        let value = unsafe cells[cell].load(ordering: .relaxed)
        unsafe cells[cell].store(value &+ amount, ordering: .relaxed)
    }

    subscript(counter: Counter) -> UInt64 { unsafe cells[counter.rawValue].load(ordering: .relaxed) }
    subscript(failure: ProxyError) -> UInt64 {
        unsafe cells[Counter.allCases.count + Int(failure.rawValue)].load(ordering: .relaxed)
    }
}
