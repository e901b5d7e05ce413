internal import Synchronization

/// The answers that all workers get from a cluster, window by window, and the limit that follows from them. Kept across reloads that
/// leave its settings as they are.
///
/// Answers are counted by their latency in cells that are wider the longer they are (a sixteenth of an octave), so that the median is
/// right to 3 %. Whoever brings the answer that ends a window adds it up, while the others go on counting: what they count meanwhile
/// may come into this window or the next.
@safe final class AdaptiveGate: @unchecked Sendable {
    /// From 2^10 ns (1 µs) to 2^37 (137 s).
    private static let octaves = 27
    private static let firstOctave = 10
    private static let cellCount = octaves * 16
    /// The window's end while somebody adds it up.
    private static let isClosing = Int64.max

    /// All that workers write and read: atomics, and what whoever ends the window alone touches.
    fileprivate struct Shared: ~Copyable {
        let settings: AdaptiveLimit.Settings
        /// Requests without an answer at a time.
        let limit: Atomic<UInt32>
        /// Answers to requests that were sent before do not count.
        let countsFrom = Atomic<Int64>(.min)
        let windowEnd = Atomic<Int64>(0)
        let floor = Atomic<Int64>(0)
        var state: AdaptiveLimit
        // Written with each answer: not beside what is read with each request.
        let gap: InlineArray<8, UInt64> = InlineArray(repeating: 0)
        let count = Atomic<UInt32>(0)
        let peak = Atomic<UInt32>(0)

        init(_ settings: AdaptiveLimit.Settings) {
            self.settings = settings
            let state = AdaptiveLimit(settings)
            limit = Atomic(state.current(settings))
            self.state = state
        }
    }

    let settings: AdaptiveLimit.Settings
    private let shared: UnsafeMutablePointer<Shared>
    private let cells: UnsafeMutablePointer<Atomic<UInt32>>
    let view: View

    init(_ settings: AdaptiveLimit.Settings) {
        self.settings = settings
        unsafe shared = .allocate(capacity: 1)
        unsafe shared.initialize(to: Shared(settings))
        unsafe cells = .allocate(capacity: Self.cellCount)
        view = unsafe View(shared: shared, cells: cells)
        for index in 0..<Self.cellCount { unsafe (cells + index).initialize(to: Atomic(0)) }
    }

    // Atomics of trivial values need not be deinitialised.
    deinit {
        unsafe shared.deallocate()
        unsafe cells.deallocate()
    }

    /// The latency without a queue, in nanoseconds; 0: not known yet.
    var floor: Int64 { unsafe shared.pointee.floor.load(ordering: .relaxed) }

    /// The same without a reference to be counted; good as long as the gate.
    @safe struct View: BitwiseCopyable, @unchecked Sendable {
        private let shared: UnsafeMutablePointer<Shared>
        private let cells: UnsafeMutablePointer<Atomic<UInt32>>

        @unsafe fileprivate init(
            shared: UnsafeMutablePointer<Shared>, cells: UnsafeMutablePointer<Atomic<UInt32>>
        ) {
            unsafe self.shared = shared
            unsafe self.cells = cells
        }

        /// Requests without an answer at a time.
        var current: UInt32 { unsafe shared.pointee.limit.load(ordering: .sequentiallyConsistent) }

        /// A request was answered.
        ///
        /// - Parameters:
        ///   - latency: nanoseconds since it was sent.
        ///   - underWay: requests without an answer, this one included.
        func note(latency: Int64, underWay: UInt32, now: Int64) {
            guard unsafe now - latency >= shared.pointee.countsFrom.load(ordering: .relaxed) else { return }
            unsafe _ = cells[cell(latency)].wrappingAdd(1, ordering: .relaxed)
            if unsafe underWay > shared.pointee.peak.load(ordering: .relaxed) {
                unsafe _ = shared.pointee.peak.max(underWay, ordering: .relaxed)
            }
            let count = unsafe shared.pointee.count.wrappingAdd(1, ordering: .relaxed).newValue
            let end = unsafe shared.pointee.windowEnd.load(ordering: .relaxed)
            guard count >= AdaptiveLimit.samples, now >= end,
                unsafe shared.pointee.windowEnd.compareExchange(
                    expected: end, desired: AdaptiveGate.isClosing, ordering: .acquiring
                ).exchanged
            else { return }
            endWindow(now)
        }

        private func endWindow(_ now: Int64) {
            let settings = unsafe shared.pointee.settings
            let median = takeMedian()
            unsafe shared.pointee.count.store(0, ordering: .relaxed)
            let peak = unsafe shared.pointee.peak.exchange(0, ordering: .relaxed)
            var state = unsafe shared.pointee.state
            if median > 0 { state.windowEnded(latency: median, peak: peak, now: now, settings) }
            unsafe shared.pointee.state = state
            unsafe shared.pointee.limit.store(state.current(settings), ordering: .sequentiallyConsistent)
            unsafe shared.pointee.floor.store(Int64(state.floor), ordering: .relaxed)
            unsafe shared.pointee.countsFrom.store(state.isMeasuring ? now : .min, ordering: .relaxed)
            // A measurement takes as long as its answers do.
            unsafe shared.pointee.windowEnd.store(
                state.isMeasuring ? now : now + settings.window, ordering: .releasing)
        }

        /// The median of what the cells count, which begin anew; 0 if they are empty.
        private func takeMedian() -> Int64 {
            var total: UInt32 = 0
            for index in 0..<AdaptiveGate.cellCount {
                total += unsafe cells[index].load(ordering: .relaxed)
            }
            var left = (total + 1) / 2
            var median: Int64 = 0
            for index in 0..<AdaptiveGate.cellCount {
                let number = unsafe cells[index].exchange(0, ordering: .relaxed)
                if number >= left && left > 0 { median = middle(index) }
                left = number >= left ? 0 : left - number
            }
            return median
        }

        private func cell(_ latency: Int64) -> Int {
            let value = max(latency, 1 << Int64(AdaptiveGate.firstOctave))
            let octave = 63 - value.leadingZeroBitCount
            let part = Int(value >> Int64(octave - 4)) & 15
            return min((octave - AdaptiveGate.firstOctave) * 16 + part, AdaptiveGate.cellCount - 1)
        }

        private func middle(_ cell: Int) -> Int64 {
            let step: Int64 = 1 << Int64(cell / 16 + AdaptiveGate.firstOctave - 4)
            return (16 + Int64(cell & 15)) * step + step / 2
        }
    }
}
