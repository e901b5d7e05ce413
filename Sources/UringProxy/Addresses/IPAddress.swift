/// An IPv4 or IPv6 address, without port and scope.
///
/// One 128-bit space for both: an IPv4 address is kept in its IPv4-mapped form (RFC 4291 §2.5.5.2), and the
/// mapped form read from text or from a socket *is* that IPv4 address. The kernel treats the two alike (a
/// connect to `::ffff:127.0.0.1` goes to 127.0.0.1), so whatever is decided about one must hold for the
/// other: there is no second spelling that a rule for IPv4 could miss.
struct IPAddress: BitwiseCopyable, Hashable, Sendable {
    /// The first eight bytes of the address, as a number in the byte order of the network.
    let high: UInt64
    /// The last eight.
    let low: UInt64

    /// The longest text: eight groups of four digits and seven colons.
    static let maximumTextSize = 39

    @inline(__always)
    init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// - Parameter ipv4: the address as a number: 0x7F00_0001 is 127.0.0.1.
    @inline(__always)
    init(ipv4: UInt32) {
        self.init(high: 0, low: 0xFFFF_0000_0000 | UInt64(ipv4))
    }

    /// `::`, the address of no host.
    static var unspecified: IPAddress { IPAddress(high: 0, low: 0) }
    static var loopback4: IPAddress { IPAddress(ipv4: 0x7F00_0001) }
    static var loopback6: IPAddress { IPAddress(high: 0, low: 1) }

    @inline(__always)
    var isIPv4: Bool { high == 0 && low >> 32 == 0xFFFF }

    /// This machine alone can be reached there: 127.0.0.0/8 or ::1.
    var isLoopback: Bool { isIPv4 ? ipv4 >> 24 == 127 : self == Self.loopback6 }

    /// The last 32 bits: the IPv4 address if `isIPv4`.
    @inline(__always)
    var ipv4: UInt32 { UInt32(truncatingIfNeeded: low) }

    /// One of the sixteen bytes, in the order of the network.
    @inline(__always)
    func byte(at index: Int) -> UInt8 {
        precondition(index >= 0 && index < 16)
        let half = index < 8 ? high : low
        return UInt8(truncatingIfNeeded: half >> UInt64(56 - (index & 7) * 8))
    }

    /// One of the eight groups of 16 bits.
    @inline(__always)
    func group(at index: Int) -> UInt16 {
        precondition(index >= 0 && index < 8)
        let half = index < 4 ? high : low
        return UInt16(truncatingIfNeeded: half >> UInt64(48 - (index & 3) * 16))
    }

    /// Whether the first `length` bits (of 128) are those of `prefix`.
    @inline(__always)
    func hasPrefix(_ prefix: IPAddress, length: Int) -> Bool {
        precondition(length >= 0 && length <= 128)
        // Swift's `<<` gives 0 when it shifts by the whole width.
        let highMask = length >= 64 ? UInt64.max : ~(UInt64.max >> UInt64(length))
        let lowMask = length <= 64 ? 0 : ~(UInt64.max >> UInt64(length - 64))
        return (high ^ prefix.high) & highMask == 0 && (low ^ prefix.low) & lowMask == 0
    }

    // MARK: Text to address

    init?(_ string: String) {
        var string = string
        let parsed = string.withUTF8 { IPAddress(text: unsafe ByteView(UnsafeRawBufferPointer($0))) }
        guard let parsed else { return nil }
        self = parsed
    }

    /// Reads an address in the strict forms alone: four decimal numbers without leading zeros (RFC 6943
    /// §3.1.1 tells what the looser forms of inet_aton did to access checks), or RFC 4291 §2.2. No scope, no
    /// brackets.
    init?(text: ByteView) {
        for index in 0..<text.count where text[index] == UInt8(ascii: ":") {
            self.init(ipv6Text: text)
            return
        }
        guard let number = IPAddress.ipv4Number(text) else { return nil }
        self.init(ipv4: number)
    }

    /// RFC 3986 §3.2.2, IPv4address: dec-octet four times, nothing else.
    private static func ipv4Number(_ text: ByteView) -> UInt32? {
        var address: UInt32 = 0
        var octet: UInt32 = 0
        var digits = 0
        var octets = 0
        guard text.count >= 7 && text.count <= 15 else { return nil }
        for index in 0..<text.count {
            let byte = text[index]
            if byte == UInt8(ascii: ".") {
                guard digits > 0 && octets < 3 else { return nil }
                address = address << 8 | octet
                octet = 0
                digits = 0
                octets += 1
                continue
            }
            guard byte >= 0x30 && byte <= 0x39 else { return nil }
            // A leading zero means octal to some readers and nothing to others: refused.
            if digits > 0 && octet == 0 { return nil }
            octet = octet * 10 + UInt32(byte &- 0x30)
            digits += 1
            guard octet <= 255 else { return nil }
        }
        guard octets == 3 && digits > 0 else { return nil }
        return address << 8 | octet
    }

    /// RFC 4291 §2.2: eight groups, one run of zeros as `::`, the last two groups as IPv4 if so wished.
    private init?(ipv6Text text: ByteView) {
        guard text.count >= 2 && text.count <= 45 else { return nil }
        var groups = InlineArray<8, UInt16>(repeating: 0)
        var count = 0
        /// Groups before the `::`, or -1.
        var gap = -1
        var index = 0
        if text[0] == UInt8(ascii: ":") {
            guard text[1] == UInt8(ascii: ":") else { return nil }
            gap = 0
            index = 2
        }
        while index < text.count {
            guard count < 8 else { return nil }
            let start = index
            var value: UInt32 = 0
            while index < text.count, let digit = text[index].hexadecimalValue {
                guard index - start < 4 else { return nil }
                value = value << 4 | UInt32(digit)
                index += 1
            }
            if index < text.count, text[index] == UInt8(ascii: ".") {
                guard count <= 6, let number = IPAddress.ipv4Number(text.dropFirst(start)) else { return nil }
                groups[count] = UInt16(truncatingIfNeeded: number >> 16)
                groups[count + 1] = UInt16(truncatingIfNeeded: number)
                count += 2
                index = text.count
                break
            }
            guard index > start else { return nil }
            groups[count] = UInt16(truncatingIfNeeded: value)
            count += 1
            guard index < text.count else { break }
            guard text[index] == UInt8(ascii: ":") else { return nil }
            index += 1
            guard index < text.count else { return nil }  // A single colon at the end.
            if text[index] == UInt8(ascii: ":") {
                guard gap < 0 else { return nil }
                gap = count
                index += 1
            }
        }
        // RFC 4291 §2.2: `::` stands for one or more groups; RFC 5952 §4.2.2 would not write one, but it is
        // legal.
        guard gap < 0 ? count == 8 : count < 8 else { return nil }
        var halves = InlineArray<2, UInt64>(repeating: 0)
        for position in 0..<8 {
            let source = gap < 0 || position < gap ? position : position - (8 - count)
            let value = gap >= 0 && position >= gap && source < gap ? 0 : groups[source]
            halves[position >> 2] = halves[position >> 2] << 16 | UInt64(value)
        }
        self.init(high: halves[0], low: halves[1])
    }

    // MARK: Address to text

    /// Writes the text of RFC 5952 §4 (an IPv4 address as four decimal numbers) and returns its size; 0 if
    /// `capacity` is too small, which `maximumTextSize` never is.
    func write(into destination: UnsafeMutablePointer<UInt8>, capacity: Int) -> Int {
        if isIPv4, capacity >= 15 { return unsafe writeIPv4(into: destination) }
        var bytes = InlineArray<40, UInt8>(repeating: 0)
        var size = 0
        if isIPv4 {
            size = unsafe withUnsafeMutableBytes(of: &bytes) {
                unsafe writeIPv4(into: $0.baseAddress!.assumingMemoryBound(to: UInt8.self))
            }
        } else {
            let run = longestZeroRun
            var index = 0
            while index < 8 {
                if index == run.lowerBound && !run.isEmpty {
                    IPAddress.append(UInt8(ascii: ":"), to: &bytes, &size)
                    IPAddress.append(UInt8(ascii: ":"), to: &bytes, &size)
                    index = run.upperBound
                    continue
                }
                if index > 0 && index != run.upperBound {
                    IPAddress.append(UInt8(ascii: ":"), to: &bytes, &size)
                }
                appendGroup(index, to: &bytes, &size)
                index += 1
            }
        }
        guard size <= capacity else { return 0 }
        for index in 0..<size { unsafe destination[index] = bytes[index] }
        return size
    }

    /// The four numbers; at most 15 bytes.
    private func writeIPv4(into destination: UnsafeMutablePointer<UInt8>) -> Int {
        var place = unsafe destination
        var rest = ipv4
        for index in 0..<4 {
            let octet = UInt8(truncatingIfNeeded: rest &>> 24)
            rest &<<= 8
            let tens = octet / 10
            if octet >= 100 {
                unsafe place.pointee = 0x30 &+ tens / 10
                unsafe place += 1
            }
            if octet >= 10 {
                unsafe place.pointee = 0x30 &+ tens % 10
                unsafe place += 1
            }
            unsafe place[0] = 0x30 &+ octet % 10
            if index == 3 { break }
            unsafe place[1] = UInt8(ascii: ".")
            unsafe place += 2
        }
        return unsafe place + 1 - destination
    }

    var description: String {
        let text = unsafe withUnsafeTemporaryAllocation(of: UInt8.self, capacity: IPAddress.maximumTextSize) {
            let size = unsafe write(into: $0.baseAddress!, capacity: $0.count)
            return unsafe ByteView(base: $0.baseAddress, count: size).string
        }
        return text
    }

    @inline(__always)
    private static func append(_ byte: UInt8, to bytes: inout InlineArray<40, UInt8>, _ size: inout Int) {
        bytes[size] = byte
        size += 1
    }

    /// Lower case, no leading zeros (RFC 5952 §4.1, §4.3).
    private func appendGroup(_ index: Int, to bytes: inout InlineArray<40, UInt8>, _ size: inout Int) {
        let value = group(at: index)
        var shift = 12
        while shift > 0 && value >> UInt16(shift) == 0 { shift -= 4 }
        while shift >= 0 {
            let digit = UInt8(truncatingIfNeeded: value >> UInt16(shift)) & 15
            IPAddress.append(digit < 10 ? 0x30 + digit : 0x57 + digit, to: &bytes, &size)
            shift -= 4
        }
    }

    /// The first of the longest runs of two or more zero groups (RFC 5952 §4.2); from 8 on if there is none:
    /// a bound that no group has.
    private var longestZeroRun: Range<Int> {
        var best = 9..<9
        var index = 0
        while index < 8 {
            let start = index
            while index < 8 && group(at: index) == 0 { index += 1 }
            if index - start >= 2 && index - start > best.count { best = start..<index }
            if index == start { index += 1 }
        }
        return best
    }
}

extension UInt8 {
    /// The value of a hexadecimal digit, or nil.
    @inline(__always)
    var hexadecimalValue: UInt8? {
        switch self {
        case 0x30...0x39: self &- 0x30
        case 0x41...0x46: self &- 0x37
        case 0x61...0x66: self &- 0x57
        default: nil
        }
    }
}
