/// A set of addresses, made of blocks: whom a listener believes, whom it lets in.
///
/// Sorted ranges that do not touch, so that a look-up is one binary search however the blocks overlapped. It allocates
/// nothing and counts no references: each worker has a set of its own instead of a share in one.
@safe struct AddressSet: ~Copyable {
    private struct Block: BitwiseCopyable {
        var first: UInt128
        var last: UInt128
    }

    private let blocks: UnsafeMutablePointer<Block>
    private let count: Int

    init(_ prefixes: [AddressPrefix]) {
        let merged = Self.merged(prefixes.flatMap { Self.blocks(of: $0) })
        count = merged.count
        unsafe blocks = .allocate(capacity: max(1, count))
        for index in merged.indices { unsafe (blocks + index).initialize(to: merged[index]) }
    }

    deinit { unsafe blocks.deallocate() }

    var isEmpty: Bool { count == 0 }

    func contains(_ address: IPAddress) -> Bool {
        let number = Self.number(address)
        var low = 0
        var high = count
        while low < high {
            let middle = (low &+ high) / 2
            if unsafe blocks[middle].first <= number { low = middle &+ 1 } else { high = middle }
        }
        return unsafe low > 0 && blocks[low &- 1].last >= number
    }

    // MARK: Construction

    @inline(__always)
    private static func number(_ address: IPAddress) -> UInt128 {
        UInt128(address.high) << 64 | UInt128(address.low)
    }

    /// A prefix as ranges: two for one of IPv6 around the mapped addresses, which are IPv4's and not in it
    /// (`AddressPrefix.contains`).
    private static func blocks(of prefix: AddressPrefix) -> [Block] {
        let first = number(prefix.canonicalBase)
        let whole = Block(
            first: first, last: first | (prefix.length == 0 ? .max : ~(.max << (128 - prefix.length))))
        let mapped = Block(first: number(IPAddress(ipv4: 0)), last: number(IPAddress(ipv4: .max)))
        guard !prefix.isIPv4, whole.first <= mapped.first, whole.last >= mapped.last else { return [whole] }
        return [
            Block(first: whole.first, last: mapped.first - 1),
            Block(first: mapped.last + 1, last: whole.last),
        ]
    }

    private static func merged(_ blocks: [Block]) -> [Block] {
        var merged: [Block] = []
        for block in blocks.sorted(by: { $0.first < $1.first }) {
            if let last = merged.last, last.last == .max || block.first <= last.last + 1 {
                merged[merged.count - 1].last = max(last.last, block.last)
            } else {
                merged.append(block)
            }
        }
        return merged
    }
}
