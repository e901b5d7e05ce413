/// A block of addresses: those whose first bits are the same (CIDR, RFC 4632 §3.1, RFC 4291 §2.3).
struct AddressPrefix: BitwiseCopyable, Hashable, Sendable {
    let base: IPAddress
    /// How many of the 128 bits count; an IPv4 prefix has 96 more than its text says.
    let length: Int

    init(_ base: IPAddress, length: Int) {
        precondition(length >= 0 && length <= 128)
        self.base = base
        self.length = length
    }

    /// - Parameter length: as in the text, 0 to 32.
    init(ipv4 base: UInt32, length: Int) {
        self.init(IPAddress(ipv4: base), length: 96 + length)
    }

    var isIPv4: Bool { length >= 96 && base.isIPv4 }

    /// The base with all bits beyond the prefix cleared.
    var canonicalBase: IPAddress {
        let highMask = length >= 64 ? UInt64.max : ~(UInt64.max >> UInt64(length))
        let lowMask = length <= 64 ? 0 : ~(UInt64.max >> UInt64(length - 64))
        return IPAddress(high: base.high & highMask, low: base.low & lowMask)
    }
    var isCanonical: Bool { canonicalBase == base }

    /// `::/0` holds no IPv4 address, though all of them live in the mapped part of the same space.
    @inline(__always)
    func contains(_ address: IPAddress) -> Bool {
        address.isIPv4 == isIPv4 && address.hasPrefix(base, length: length)
    }
}
