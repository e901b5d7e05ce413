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

extension AddressPrefix {
    /// Why a text is no block of addresses.
    enum SyntaxError: Error, Equatable {
        case notAddress
        /// More than 32 for IPv4 or 128 for IPv6, or no number.
        case badLength
        case hostBitsSet(suggestion: String)
    }

    /// `ADDRESS` for one address or `ADDRESS/LENGTH`; an IPv6 one with brackets around all of it or without.
    init(parsing text: Substring) throws(SyntaxError) {
        var inner = text
        if inner.first == "[" {
            guard inner.last == "]" else { throw .notAddress }
            inner = inner.dropFirst().dropLast()
        }
        let parts = inner.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let base = IPAddress(String(parts[0])) else { throw .notAddress }
        guard parts.count == 2 else {
            self.init(base, length: 128)
            return
        }
        // The length counts as the text does: `::ffff:10.0.0.0/104` and `10.0.0.0/8` are one block.
        let isDotted = !parts[0].utf8.contains(UInt8(ascii: ":"))
        // Digits alone: `Int` would take a sign.
        guard parts[1].utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }), let number = Int(parts[1]),
            number <= (isDotted ? 32 : 128)
        else { throw .badLength }
        let prefix = AddressPrefix(base, length: isDotted ? 96 + number : number)
        // A mapped base with a shorter prefix would be a block of IPv6 around the mapped addresses.
        guard prefix.isCanonical && (prefix.isIPv4 || !base.isIPv4) else {
            throw .hostBitsSet(suggestion: "\(prefix.canonicalBase.description)/\(number)")
        }
        self = prefix
    }
}
