/// A code of up to four characters of ASCII as one number, the first character highest; 0 is none.
struct GeoCode: RawRepresentable, BitwiseCopyable, Hashable, Sendable, CustomStringConvertible {
    let rawValue: UInt32

    static var none: GeoCode { GeoCode(rawValue: 0) }

    /// How many characters it has.
    @inline(__always)
    var count: Int { 4 - rawValue.leadingZeroBitCount / 8 }

    /// One of its characters, from the first.
    @inline(__always)
    func byte(at index: Int) -> UInt8 {
        precondition(index >= 0 && index < count)
        return UInt8(truncatingIfNeeded: rawValue >> UInt32((count - 1 - index) * 8))
    }

    var description: String {
        String(decoding: (0..<count).map { byte(at: $0) }, as: UTF8.self)
    }
}

extension GeoCode {
    /// - Parameter text: up to four characters of ASCII.
    init(_ text: some StringProtocol) {
        precondition(text.utf8.count <= 4)
        self.init(rawValue: text.utf8.reduce(0) { $0 << 8 | UInt32($1) })
    }
}
