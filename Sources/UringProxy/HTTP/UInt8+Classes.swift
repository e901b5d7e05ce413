/// What a single byte is, where a run of them is not looked at (see `ByteClass`).
extension UInt8 {
    @inline(__always)
    var isSpaceOrTab: Bool { self == 0x20 || self == 0x09 }

    /// RFC 9110 §5.6.2, one bit for each ASCII code.
    @inline(__always)
    var isTokenByte: Bool {
        let mask: UInt64 = self < 64 ? 0x03FF_6CFA_0000_0000 : 0x57FF_FFFF_C7FF_FFFE
        return self < 128 && mask >> UInt64(self & 63) & 1 == 1
    }

    /// Control bytes but HTAB.
    @inline(__always)
    var isControl: Bool { (self < 0x20 && self != 0x09) || self == 0x7F }

    /// The value of a hexadecimal digit.
    @inline(__always)
    var hexValue: UInt8? {
        let digit = self &- 0x30
        if digit < 10 { return digit }
        let letter = (self | 0x20) &- 0x61
        return letter < 6 ? letter &+ 10 : nil
    }
}
