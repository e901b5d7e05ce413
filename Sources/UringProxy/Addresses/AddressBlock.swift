/// A range of addresses, both ends in it.
struct AddressBlock: BitwiseCopyable, Sendable {
    fileprivate var first: UInt128
    fileprivate var last: UInt128

    /// The addresses of all prefixes as blocks in order that do not touch, so that a look-up is one binary search however the
    /// prefixes overlapped.
    static func merged(_ prefixes: [AddressPrefix]) -> [AddressBlock] {
        var merged: [AddressBlock] = []
        for block in prefixes.flatMap({ blocks(of: $0) }).sorted(by: { $0.first < $1.first }) {
            if let last = merged.last, last.last == .max || block.first <= last.last + 1 {
                merged[merged.count - 1].last = max(last.last, block.last)
            } else {
                merged.append(block)
            }
        }
        return merged
    }

    /// A prefix as ranges: two for one of IPv6 around the mapped addresses, which are IPv4's and not in it
    /// (`AddressPrefix.contains`).
    private static func blocks(of prefix: AddressPrefix) -> [AddressBlock] {
        let first = number(prefix.canonicalBase)
        let whole = AddressBlock(
            first: first, last: first | (prefix.length == 0 ? .max : ~(.max << (128 - prefix.length))))
        let mapped = AddressBlock(first: number(IPAddress(ipv4: 0)), last: number(IPAddress(ipv4: .max)))
        guard !prefix.isIPv4, whole.first <= mapped.first, whole.last >= mapped.last else { return [whole] }
        return [
            AddressBlock(first: whole.first, last: mapped.first - 1),
            AddressBlock(first: mapped.last + 1, last: whole.last),
        ]
    }

    @inline(__always)
    fileprivate static func number(_ address: IPAddress) -> UInt128 {
        UInt128(address.high) << 64 | UInt128(address.low)
    }
}

extension FixedArray where Element == AddressBlock {
    /// Whether one of the blocks in `range` holds the address: they are what `AddressBlock.merged` gave.
    func contains(_ address: IPAddress, in range: Range<Int>) -> Bool {
        let number = AddressBlock.number(address)
        var low = range.lowerBound
        var high = range.upperBound
        while low < high {
            let middle = (low &+ high) / 2
            if self[middle].first <= number { low = middle &+ 1 } else { high = middle }
        }
        return low > range.lowerBound && self[low &- 1].last >= number
    }
}
