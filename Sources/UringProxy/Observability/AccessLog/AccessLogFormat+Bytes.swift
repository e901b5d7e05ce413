/// What lines are made of. Whatever a peer chose is escaped: no byte of it ends a line, closes a quotation, or reaches a terminal
/// as a control.
extension ByteWriter {
    private static func hexDigit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") &+ value : UInt8(ascii: "A") &+ value &- 10
    }

    /// As nginx does it: a quotation mark, a backslash, controls and all that is no ASCII become `\xHH`.
    mutating func append(escaped text: ByteView) {
        var start = 0
        while true {
            let end = text.firstSpecial(from: start)
            append(text[start..<end])
            guard end < text.count else { return }
            append(hexEscaped: text[end])
            start = end + 1
        }
    }

    private mutating func append(hexEscaped byte: UInt8) {
        append("\\x")
        append(byte: Self.hexDigit(byte >> 4))
        append(byte: Self.hexDigit(byte & 15))
    }

    /// The same, and `-` in place of nothing.
    @inline(__always)
    mutating func append(escapedOrDash text: ByteView) {
        if text.isEmpty { append("-") } else { append(escaped: text) }
    }

    /// The same where no quotation marks stand around it: a space is escaped as well.
    mutating func append(escapedWord text: ByteView) {
        if text.isEmpty { append("-") }
        for index in 0..<text.count {
            let byte = text[index]
            if byte.isPlainInLogs && byte != 0x20 { append(byte: byte) } else { append(hexEscaped: byte) }
        }
    }

    /// A JSON string with its quotation marks (RFC 8259 §7). What is no UTF-8 becomes U+FFFD, once for each maximal part of a
    /// character (Unicode 16, §3.9); controls beyond ASCII are escaped as well, for terminals act on them.
    mutating func append(json text: ByteView) {
        append(byte: UInt8(ascii: "\""))
        var start = 0
        while true {
            let end = text.firstSpecial(from: start)
            append(text[start..<end])
            guard end < text.count else { break }
            start = append(jsonSpecial: text, at: end)
        }
        append(byte: UInt8(ascii: "\""))
    }

    /// - Returns: what comes behind it.
    private mutating func append(jsonSpecial text: ByteView, at index: Int) -> Int {
        let byte = text[index]
        switch byte {
        case UInt8(ascii: "\""): append("\\\"")
        case UInt8(ascii: "\\"): append("\\\\")
        case 0x0A: append("\\n")
        case 0x0D: append("\\r")
        case 0x09: append("\\t")
        case 0..<0x80: append(unicode: byte)
        default:
            let (size, isValid) = text.character(at: index)
            if !isValid {
                append("\u{FFFD}")
            } else if byte == 0xC2 && text[index + 1] < 0xA0 {
                append(unicode: text[index + 1])
            } else {
                append(text[index..<index + size])
            }
            return index + size
        }
        return index + 1
    }

    /// U+0000 to U+00FF.
    private mutating func append(unicode value: UInt8) {
        append("\\u00")
        append(byte: Self.hexDigit(value >> 4).asciiLowercased)
        append(byte: Self.hexDigit(value & 15).asciiLowercased)
    }

    /// In `count` digits.
    @inline(__always)
    mutating func append(digits value: UInt64, _ count: Int) {
        var text = InlineArray<8, UInt8>(repeating: 0)
        var rest = value
        for index in stride(from: count &- 1, through: 0, by: -1) {
            text[index] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        }
        unsafe withUnsafeBytes(of: text) { append(unsafe ByteView($0)[0..<count]) }
    }

    /// Nanoseconds as milliseconds, with the digits of microseconds.
    mutating func append(milliseconds nanoseconds: Int64) {
        if nanoseconds < 0 { append("-") }
        let microseconds = (nanoseconds.magnitude &+ 500) / 1000
        append(decimal: microseconds / 1000)
        append(".")
        append(digits: microseconds % 1000, 3)
    }

    @inline(__always)
    mutating func append(_ address: IPAddress, otherwise text: StaticString) {
        if address == .unspecified { append(text) } else { append(address) }
    }

    /// With a port, as in URLs.
    mutating func append(_ address: IPAddress, port: UInt16) {
        if address.isIPv4 {
            append(address)
        } else {
            append("[")
            append(address)
            append("]")
        }
        append(":")
        append(decimal: UInt64(port))
    }
}

extension UInt8 {
    /// ASCII that neither ends nor opens anything within quotation marks.
    @inline(__always)
    var isPlainInLogs: Bool { self &- 0x20 < 0x5F && self != 0x22 && self != 0x5C }
}

extension ByteView {
    /// The first byte from `start` on that is not `isPlainInLogs`; `count` if there is none. Eight at a time.
    @inline(__always)
    fileprivate func firstSpecial(from start: Int) -> Int {
        var index = start
        while index &+ 8 <= count {
            let found = Self.specials(word(at: index).littleEndian)
            if found != 0 { return index &+ found.trailingZeroBitCount >> 3 }
            index &+= 8
        }
        while index < count, self[index].isPlainInLogs { index &+= 1 }
        return index
    }

    /// Bit 7 of each byte that is special. Exact for the lowest one, which is all that is asked for: a borrow goes upwards.
    @inline(__always)
    private static func specials(_ word: UInt64) -> UInt64 {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let quotes = word ^ ones &* 0x22
        let backslashes = word ^ ones &* 0x5C
        let deletes = word ^ ones &* 0x7F
        let found =
            (word &- ones &* 0x20) & ~word | (quotes &- ones) & ~quotes
            | (backslashes &- ones) & ~backslashes | (deletes &- ones) & ~deletes | word
        return found & (ones &* 0x80)
    }

    /// How many bytes of a character stand at `index`, where no ASCII does, and whether it is whole and well-formed (Unicode 16,
    /// table 3-7).
    fileprivate func character(at index: Int) -> (size: Int, isValid: Bool) {
        let first = self[index]
        let size = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2
        guard (0xC2...0xF4).contains(first) else { return (1, false) }
        let second: ClosedRange<UInt8> =
            switch first {
            case 0xE0: 0xA0...0xBF
            case 0xED: 0x80...0x9F
            case 0xF0: 0x90...0xBF
            case 0xF4: 0x80...0x8F
            default: 0x80...0xBF
            }
        for offset in 1..<size {
            let range = offset == 1 ? second : 0x80...0xBF
            guard index + offset < count, range.contains(self[index + offset]) else { return (offset, false) }
        }
        return (size, true)
    }
}

/// An instant, in parts, UTC.
struct AccessLogTime {
    private let year, month, day: UInt64
    private let secondOfDay: UInt64
    private let microseconds: UInt64

    /// - Parameter nanoseconds: since 1970; of the years 1970 to 9999.
    init(nanoseconds: Int64) {
        let seconds = max(nanoseconds, 0) / 1_000_000_000
        let (year, month, day) = HTTPDate.civil(seconds / 86_400)
        self.year = UInt64(year)
        self.month = UInt64(month)
        self.day = UInt64(day)
        secondOfDay = UInt64(seconds % 86_400)
        microseconds = UInt64(max(nanoseconds, 0) % 1_000_000_000) / 1000
    }

    /// RFC 3339, with microseconds: `2026-11-30T18:38:24.123456Z`.
    func writeRFC3339(to writer: inout ByteWriter) {
        writer.append(digits: year, 4)
        writer.append("-")
        writer.append(digits: month, 2)
        writer.append("-")
        writer.append(digits: day, 2)
        writer.append("T")
        writeClock(to: &writer)
        writer.append(".")
        writer.append(digits: microseconds, 6)
        writer.append("Z")
    }

    /// As the common log format has it: `30/Nov/2026:18:38:24 +0000`.
    func writeCommon(to writer: inout ByteWriter) {
        writer.append(digits: day, 2)
        writer.append("/")
        let names = ByteView("JanFebMarAprMayJunJulAugSepOctNovDec")
        let start = Int(month - 1) * 3
        writer.append(names[start..<start + 3])
        writer.append("/")
        writer.append(digits: year, 4)
        writer.append(":")
        writeClock(to: &writer)
        writer.append(" +0000")
    }

    private func writeClock(to writer: inout ByteWriter) {
        writer.append(digits: secondOfDay / 3600, 2)
        writer.append(":")
        writer.append(digits: secondOfDay / 60 % 60, 2)
        writer.append(":")
        writer.append(digits: secondOfDay % 60, 2)
    }
}
