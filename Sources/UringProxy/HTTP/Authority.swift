/// Host and port, from the request target or from Host (RFC 3986 §3.2, RFC 9110 §4.2, §7.2), as offsets into the head.
struct Authority: BitwiseCopyable {
    /// A name or an address; an IPv6 literal without its brackets. Never empty.
    var host: ByteRange
    /// 1 to 65535; nil where the scheme's default applies.
    var port: UInt16?
    var isIPv6Literal: Bool
    /// Host and port as received.
    var whole: ByteRange

    /// Longest name of the DNS in text (RFC 1035 §2.3.4), with a final dot to spare.
    private static var maxHostSize: Int { 255 }

    /// Reads `bytes[range]` as exactly one authority. Only what DNS names and addresses consist of is taken: RFC 3986
    /// would let a name hold "," and "%2e" too, which routing here and the upstream could read differently.
    ///
    /// - Throws: `userinfo`, `invalidPort` or `invalidAuthority`.
    static func parse(_ bytes: ByteView, _ range: Range<Int>) throws(HeadError) -> Authority {
        let text = bytes[range]
        guard text.count > 0 else { throw .invalidAuthority }
        var hostStart = 0
        var hostEnd: Int
        var next: Int
        let isIPv6Literal = text[0] == UInt8(ascii: "[")
        if isIPv6Literal {
            hostStart = 1
            hostEnd = 1
            while hostEnd < text.count, text[hostEnd] != UInt8(ascii: "]") { hostEnd &+= 1 }
            guard hostEnd < text.count, isIPv6Address(text[1..<hostEnd]) else { throw .invalidAuthority }
            next = hostEnd &+ 1
        } else {
            hostEnd = bytes.hostRun(in: range)
            next = hostEnd
        }
        if next < text.count, text[next] != UInt8(ascii: ":") {
            throw text.contains(UInt8(ascii: "@")) ? .userinfo : .invalidAuthority
        }
        guard hostEnd > hostStart, hostEnd &- hostStart <= maxHostSize else { throw .invalidAuthority }
        let host = range.lowerBound &+ hostStart..<range.lowerBound &+ hostEnd
        return Authority(
            host: ByteRange(host), port: next < text.count ? try parsePort(text.dropFirst(next &+ 1)) : nil,
            isIPv6Literal: isIPv6Literal, whole: ByteRange(range))
    }

    /// What follows the colon. Nothing at all means the default port (RFC 3986 §3.2.3).
    private static func parsePort(_ digits: ByteView) throws(HeadError) -> UInt16? {
        guard digits.count > 0 else { return nil }
        var port = 0
        for index in 0..<digits.count {
            let digit = digits[index] &- UInt8(ascii: "0")
            guard digit < 10 else { throw digits.contains(UInt8(ascii: "@")) ? .userinfo : .invalidPort }
            guard index < 5 else { throw .invalidPort }
            port = port &* 10 &+ Int(digit)
        }
        guard port >= 1, port <= 65535 else { throw .invalidPort }
        return UInt16(truncatingIfNeeded: port)
    }

    /// RFC 3986 §3.2.2: eight groups, or fewer with one "::"; the last two may be an IPv4 address. No zone.
    private static func isIPv6Address(_ text: ByteView) -> Bool {
        var groups = 0
        var isCompressed = false
        var index = 0
        if text.count >= 2, text[0] == UInt8(ascii: ":") {
            guard text[1] == UInt8(ascii: ":") else { return false }
            isCompressed = true
            index = 2
        }
        while index < text.count {
            let start = index
            while index < text.count, text[index].hexValue != nil { index &+= 1 }
            if index < text.count, text[index] == UInt8(ascii: ".") {
                guard isIPv4Address(text.dropFirst(start)) else { return false }
                groups &+= 2
                return isCompressed ? groups < 8 : groups == 8
            }
            guard index > start, index &- start <= 4 else { return false }
            groups &+= 1
            guard index < text.count else { break }
            guard text[index] == UInt8(ascii: ":"), index &+ 1 < text.count else { return false }
            index &+= 1
            if text[index] == UInt8(ascii: ":") {
                guard !isCompressed else { return false }
                isCompressed = true
                index &+= 1
            }
        }
        return isCompressed ? groups < 8 : groups == 8
    }

    /// Four decimal numbers up to 255, without leading zeros.
    private static func isIPv4Address(_ text: ByteView) -> Bool {
        var index = 0
        for part in 0..<4 {
            let start = index
            var value = 0
            while index < text.count, index &- start < 3, text[index] &- UInt8(ascii: "0") < 10 {
                value = value &* 10 &+ Int(text[index] &- UInt8(ascii: "0"))
                index &+= 1
            }
            guard index > start, value <= 255 else { return false }
            guard index &- start == 1 || text[start] != UInt8(ascii: "0") else { return false }
            if part < 3 {
                guard index < text.count, text[index] == UInt8(ascii: ".") else { return false }
                index &+= 1
            }
        }
        return index == text.count
    }
}
