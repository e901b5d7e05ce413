internal import CLoad

/// The stretch of time that is measured, and what was counted when it began and ended.
struct Window {
    private let warmup: Int64
    private let size: Int64
    /// What begins from here on has its latency recorded.
    private(set) var from = Int64.max
    private var until = Int64.max
    /// When the counts at the beginning were taken: a little late, if the thread was busy.
    private var openedAt: Int64?
    private(set) var isOver = false
    private var countsBefore = Tally.Counts()
    private var cpuBefore: Int64 = 0
    /// What the window held.
    private(set) var counts = Tally.Counts()
    private(set) var cpuNanoseconds: Int64 = 0
    private(set) var elapsedNanoseconds: Int64 = 0

    /// - Parameters: in nanoseconds.
    init(warmup: Int64, size: Int64) {
        self.warmup = warmup
        self.size = size
    }

    /// Says when the warm-up begins.
    mutating func begin(at now: Int64) {
        from = now + warmup
        until = from + size
    }

    /// When something changes next; nil if nothing does.
    var nextBoundary: Int64? { isOver || from == .max ? nil : openedAt == nil ? from : until }

    /// Opens and closes the window when it is time.
    mutating func advance(_ now: Int64, _ counts: Tally.Counts) {
        if openedAt == nil && now >= from {
            openedAt = now
            countsBefore = counts
            cpuBefore = cload_cpu_nanoseconds()
        }
        if !isOver && now >= until { end(at: now, counts) }
    }

    /// Closes the window, if it is not closed.
    mutating func end(at now: Int64, _ counts: Tally.Counts) {
        if isOver { return }
        isOver = true
        guard let openedAt else { return }
        self.counts = counts - countsBefore
        cpuNanoseconds = cload_cpu_nanoseconds() - cpuBefore
        elapsedNanoseconds = now - openedAt
    }
}
