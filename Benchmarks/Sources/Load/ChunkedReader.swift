/// Where in a chunked body (RFC 9112 §7.1) the next byte stands.
struct ChunkedReader: BitwiseCopyable {
    private enum Place: UInt8, BitwiseCopyable {
        case size, sizeGoesOn, chunkExtension, sizeEnd, data, dataReturn, dataEnd
        case trailer, trailerGoesOn, trailerEnd, lastEnd
    }

    private var place = Place.size
    /// Of the chunk's data, what has not come yet; while its size is read, the digits so far.
    private var left = 0

    /// Bytes that may be skipped unseen.
    var skippable: Int { place == .data ? left : 0 }

    /// Says that `size` bytes of data were skipped.
    mutating func didSkip(_ size: Int) {
        left -= size
        if left == 0 { place = .dataReturn }
    }

    /// Takes one byte of framing, which stands where nothing is skippable. Whether the body ends with it; nil if it
    /// does not belong there.
    mutating func take(_ byte: UInt8) -> Bool? {
        switch place {
        case .size, .sizeGoesOn:
            if let digit = Self.hexDigit(byte) {
                if left > Int.max >> 5 { return nil }
                left = left << 4 + digit
                place = .sizeGoesOn
            } else if place == .sizeGoesOn, byte == UInt8(ascii: "\r") {
                place = .sizeEnd
            } else if place == .sizeGoesOn, byte == UInt8(ascii: ";") {
                place = .chunkExtension
            } else {
                return nil
            }
        case .chunkExtension:
            if byte == UInt8(ascii: "\n") { return nil }
            if byte == UInt8(ascii: "\r") { place = .sizeEnd }
        case .sizeEnd:
            guard byte == UInt8(ascii: "\n") else { return nil }
            place = left == 0 ? .trailer : .data
        case .data:
            return nil
        case .dataReturn:
            guard byte == UInt8(ascii: "\r") else { return nil }
            place = .dataEnd
        case .dataEnd:
            guard byte == UInt8(ascii: "\n") else { return nil }
            place = .size
        case .trailer:
            if byte == UInt8(ascii: "\n") { return nil }
            place = byte == UInt8(ascii: "\r") ? .lastEnd : .trailerGoesOn
        case .trailerGoesOn:
            if byte == UInt8(ascii: "\n") { return nil }
            if byte == UInt8(ascii: "\r") { place = .trailerEnd }
        case .trailerEnd:
            guard byte == UInt8(ascii: "\n") else { return nil }
            place = .trailer
        case .lastEnd:
            return byte == UInt8(ascii: "\n") ? true : nil
        }
        return false
    }

    private static func hexDigit(_ byte: UInt8) -> Int? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): Int(byte - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): Int(byte - UInt8(ascii: "a")) + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): Int(byte - UInt8(ascii: "A")) + 10
        default: nil
        }
    }
}
