/// Which exchanges one worker logs of those that are nothing special, and how many each of these stands for.
struct AccessSampler: BitwiseCopyable {
    private let sample: UInt32
    /// In a second at most; 0: any number.
    private let rate: UInt32
    private var second: Int64 = 0
    private var taken: UInt32 = 0
    /// Exchanges that were drawn and had no place in their second: the next record stands for them too.
    private var owed: UInt32 = 0

    /// - Parameters:
    ///   - sample: one in so many, 1 or more.
    ///   - rate: of all workers together; each has its share, and one record at least.
    init(sample: UInt32, rate: UInt32, workers: Int) {
        self.sample = sample
        self.rate = rate == 0 ? 0 : max(1, rate / UInt32(max(1, workers)))
    }

    /// How many exchanges the record of this one stands for; 0: it has none.
    ///
    /// - Parameter now: monotonic, in nanoseconds.
    @inline(__always)
    mutating func weight(now: Int64, _ random: inout RandomWords) -> UInt32 {
        if sample > 1 && random.below(UInt64(sample)) != 0 { return 0 }
        if rate == 0 { return sample }
        return limited(now)
    }

    private mutating func limited(_ now: Int64) -> UInt32 {
        if now &- second >= 1_000_000_000 {
            second = now
            taken = 0
        }
        guard taken < rate else {
            owed = owed.addingReportingOverflow(sample).overflow ? owed : owed + sample
            return 0
        }
        taken += 1
        let (weight, overflow) = sample.addingReportingOverflow(owed)
        owed = 0
        return overflow ? .max : weight
    }
}
