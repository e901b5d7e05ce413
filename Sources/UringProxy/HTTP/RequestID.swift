/// What an exchange is called from one end to the other: as X-Request-ID says, or drawn anew, 32 hexadecimal digits.
struct RequestID: BitwiseCopyable {
    private static let receivedLimit = 128

    private var digits = InlineArray<32, UInt8>(repeating: 0x30)

    /// What downstream calls its request; empty if it does not, or not by letters, digits and `._~+/=-` alone.
    static func received(_ fields: borrowing FieldTable, _ head: ByteView) -> ByteView {
        for index in 0..<fields.count where fields[index].id == .xRequestID {
            let value = head[fields[index].value]
            guard (1...receivedLimit).contains(value.count) else { return .empty }
            for index in 0..<value.count where !isPlain(value[index]) { return .empty }
            return value
        }
        return .empty
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"), UInt8(ascii: "+"),
            UInt8(ascii: "/"), UInt8(ascii: "="):
            true
        default: false
        }
    }

    /// Two random words as text, which stands here until the next ones.
    mutating func write(_ first: UInt64, _ second: UInt64) {
        for place in 0..<32 {
            let word = place < 16 ? first : second
            let digit = UInt8(truncatingIfNeeded: word >> UInt64(60 - 4 * (place & 15)) & 15)
            digits[place] = digit < 10 ? 0x30 &+ digit : 0x57 &+ digit
        }
    }

    /// Calls `body` with the text.
    func withText<Result>(_ body: (ByteView) -> Result) -> Result {
        unsafe withUnsafeBytes(of: digits) { body(unsafe ByteView($0)) }
    }
}
