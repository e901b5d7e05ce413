#if DEBUG || TESTABLE
    /// The one source of chance in a run (SplitMix64): the same seed, the same run.
    struct Random: RandomNumberGenerator {
        private var state: UInt64

        init(seed: UInt64) {
            state = seed
            // Neighbouring seeds are to have nothing in common.
            state = next() ^ 0x5DEE_CE66_D1CE_4E5B
        }

        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var z = state
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            return z ^ (z >> 31)
        }

        /// From 0 up to `bound`, which is left out.
        mutating func below(_ bound: Int) -> Int {
            precondition(bound > 0)
            return Int(next().multipliedFullWidth(by: UInt64(bound)).high)
        }

        mutating func within(_ range: ClosedRange<Int>) -> Int {
            range.lowerBound + below(range.count)
        }

        /// Small numbers as likely as large ones.
        mutating func logarithmic(_ range: ClosedRange<Int>) -> Int {
            let low = max(range.lowerBound, 1)
            let bits = Int.bitWidth - (range.upperBound / low).leadingZeroBitCount
            let top = min(range.upperBound, low << below(bits + 1))
            return within(min(range.lowerBound, top)...top)
        }

        mutating func time(_ range: ClosedRange<Int64>) -> Int64 {
            Int64(within(Int(range.lowerBound)...Int(range.upperBound)))
        }

        mutating func oneIn(_ count: Int) -> Bool { below(count) == 0 }
        mutating func chance(_ percent: Int) -> Bool { below(100) < percent }
        /// 0 is never.
        mutating func perMille(_ share: Int) -> Bool { share > 0 && below(1000) < share }

        mutating func pick<Element>(_ elements: [Element]) -> Element { elements[below(elements.count)] }
    }

    let microsecond: Int64 = 1000
    let millisecond: Int64 = 1_000_000
    let second: Int64 = 1_000_000_000
#endif
