/// The bytes of the built-in origin's bodies: byte `i` is `(i × 31 + 7) mod 256`, so that a client can check any part of
/// a body of any size. They repeat every 256 bytes.
enum BodyPattern {
    static var period: Int { 256 }

    @inline(__always)
    static func byte(at index: UInt64) -> UInt8 {
        UInt8(truncatingIfNeeded: index) &* 31 &+ 7
    }

    /// Writes the pattern from position `start` on.
    static func fill(_ target: UnsafeMutablePointer<UInt8>, count: Int, from start: UInt64) {
        for index in 0..<count { unsafe target[index] = byte(at: start &+ UInt64(index)) }
    }
}

/// FNV-1a with 64 bits: what the origin tells of bodies it sent or received. Slow for a hash (about 0.7 GB a second) and
/// three lines in any language.
struct BodyChecksum: BitwiseCopyable, Equatable {
    private(set) var value: UInt64 = 0xcbf2_9ce4_8422_2325

    @inline(__always)
    mutating func update(_ bytes: ByteView) {
        var hash = value
        for index in 0..<bytes.count { hash = (hash ^ UInt64(bytes[index])) &* 0x0000_0100_0000_01b3 }
        value = hash
    }

    /// In 16 hexadecimal digits of lower case.
    func write(to writer: inout ByteWriter) { writer.append(hexadecimal: value) }
}
