/// A `traceparent` field (W3C Trace Context, section 3.2): the trace that a request belongs to, and who in it has sent the request.
struct TraceParent: BitwiseCopyable, Equatable {
    /// The trace's id, 128 bits; never 0.
    var high: UInt64
    var low: UInt64
    /// The span's that is the parent; never 0.
    var span: UInt64
    var flags: Flags

    struct Flags: OptionSet, BitwiseCopyable {
        var rawValue: UInt8
        /// The caller may have recorded the trace, and its parts are to be recorded as well.
        static var isSampled: Flags { Flags(rawValue: 1 << 0) }
        /// The last seven bytes of the trace's id are random (level 2 of the specification).
        static var isRandom: Flags { Flags(rawValue: 1 << 1) }
    }

    /// Bytes of a field of version 00, and the least of any.
    static var size: Int { 55 }

    init(high: UInt64, low: UInt64, span: UInt64, flags: Flags) {
        self.high = high
        self.low = low
        self.span = span
        self.flags = flags
    }

    /// - Parameter text: the field's value, without white space around it.
    /// - Returns: nil if it is not valid: then nothing of it is believed, and `tracestate` is not either (section 4.3).
    init?(_ text: ByteView) {
        let dash = UInt8(ascii: "-")
        guard text.count >= Self.size, text[2] == dash, text[35] == dash, text[52] == dash,
            let version = Self.number(text[0..<2]), let high = Self.number(text[3..<19]),
            let low = Self.number(text[19..<35]), let span = Self.number(text[36..<52]),
            let flags = Self.number(text[53..<55])
        else { return nil }
        // Versions to come may have more behind it; ff is none.
        guard version != 0xFF, text.count == Self.size || version > 0 && text[Self.size] == dash,
            high | low != 0, span != 0
        else { return nil }
        // Of a version that is not known one flag is (section 3.3), and bits that are not known are not passed on.
        let known: Flags = version == 0 ? [.isSampled, .isRandom] : .isSampled
        self.init(
            high: high, low: low, span: span,
            flags: Flags(rawValue: UInt8(truncatingIfNeeded: flags)).intersection(known))
    }

    /// Digits of lower case alone: nothing else is valid.
    private static func number(_ text: ByteView) -> UInt64? {
        var value: UInt64 = 0
        for index in 0..<text.count {
            let byte = text[index]
            let digit: UInt8
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte &- UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte &- UInt8(ascii: "a") &+ 10
            default: return nil
            }
            value = value << 4 | UInt64(digit)
        }
        return value
    }

    /// Of the version that is spoken here, 00.
    func write(to writer: inout ByteWriter) {
        writer.append("00-")
        writer.append(hexadecimal: high)
        writer.append(hexadecimal: low)
        writer.append("-")
        writer.append(hexadecimal: span)
        writer.append("-0")
        writer.append(byte: UInt8(ascii: "0") &+ flags.rawValue)
    }
}
