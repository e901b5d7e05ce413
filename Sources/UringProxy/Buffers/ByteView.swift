internal import CBytes
internal import CPosix

/// A view of bytes that somebody else keeps alive: a leased slice, a scratch buffer, an array in a closure.
///
/// Trivial, so that it may stand in slabs and be passed without counting references. Every access by index is
/// checked; what is not checked is the life of the memory: a view is used within the handler that made it.
@safe struct ByteView: BitwiseCopyable {
    /// Never read through where there are no bytes.
    private let base: UnsafePointer<UInt8>
    /// Not negative.
    let count: Int

    /// - Parameter base: may be nil if `count` is 0.
    @inline(__always)
    init(base: UnsafePointer<UInt8>?, count: Int) {
        unsafe precondition(count >= 0 && (base != nil || count == 0))
        unsafe self.init(checked: base ?? Self.nowhere, count: count)
    }

    @inline(__always) @unsafe
    private init(checked base: UnsafePointer<UInt8>, count: Int) {
        unsafe self.base = base
        self.count = count
    }

    /// In place of nil, so that no slice has to ask whether there is an address to add to.
    @inline(__always)
    private static var nowhere: UnsafePointer<UInt8> { unsafe UnsafePointer(bitPattern: 1).unsafelyUnwrapped }

    @inline(__always)
    init(_ buffer: UnsafeRawBufferPointer) {
        unsafe self.init(base: buffer.baseAddress?.assumingMemoryBound(to: UInt8.self), count: buffer.count)
    }

    /// A literal, which is there as long as the program.
    @inline(__always)
    init(_ text: StaticString) {
        unsafe self.init(base: text.utf8Start, count: text.utf8CodeUnitCount)
    }

    static var empty: ByteView { unsafe ByteView(base: nil, count: 0) }

    var isEmpty: Bool { count == 0 }

    /// The address of the first byte, for C helpers and copies.
    @inline(__always)
    var pointer: UnsafePointer<UInt8> { unsafe base }

    // Where an index is compared as an unsigned number, a negative one is too large: one comparison for both bounds.

    @inline(__always)
    subscript(index: Int) -> UInt8 {
        precondition(UInt(bitPattern: index) < UInt(bitPattern: count))
        return unsafe base[index]
    }

    /// The bytes from `range.lowerBound` up to `range.upperBound`.
    @inline(__always)
    subscript(range: Range<Int>) -> ByteView {
        precondition(range.lowerBound >= 0 && range.upperBound <= count)
        return unsafe ByteView(checked: base + range.lowerBound, count: range.upperBound &- range.lowerBound)
    }

    @inline(__always)
    func dropFirst(_ size: Int) -> ByteView { self[size..<count] }

    /// The eight bytes from `index` on.
    @inline(__always)
    func word(at index: Int) -> UInt64 {
        precondition(index >= 0 && index &+ 8 <= count)
        return unsafe UnsafeRawPointer(pointer).loadUnaligned(fromByteOffset: index, as: UInt64.self)
    }

    /// Copies all bytes to `destination`, which has room for them.
    @inline(__always)
    func copy(to destination: UnsafeMutablePointer<UInt8>) {
        if count > 0 { unsafe cposix_copy(destination, pointer, count) }
    }

    /// Whether both hold the same bytes.
    func equals(_ other: ByteView) -> Bool {
        guard count == other.count else { return false }
        return count == 0 ? true : unsafe cbytes_same(pointer, other.pointer, count) != 0
    }

    /// Whether the first bytes are those of `prefix`.
    @inline(__always)
    func hasPrefix(_ prefix: ByteView) -> Bool {
        count >= prefix.count && self[0..<prefix.count].equals(prefix)
    }

    /// Whether the bytes are those of `text`, letter case aside (ASCII).
    func equalsIgnoringCase(_ text: StaticString) -> Bool {
        guard count == text.utf8CodeUnitCount else { return false }
        for index in 0..<count {
            let other = unsafe text.utf8Start[index]
            if self[index].asciiLowercased != other.asciiLowercased { return false }
        }
        return true
    }

    /// For messages and configuration, never on the hot path.
    var string: String {
        var text = ""
        text.reserveCapacity(count)
        let bytes = unsafe UnsafeBufferPointer(start: base, count: count)
        unsafe text = String(decoding: bytes, as: UTF8.self)
        return text
    }
}

extension UInt8 {
    /// The letter in lower case if it is an ASCII capital, itself otherwise.
    @inline(__always)
    var asciiLowercased: UInt8 { self &- 0x41 < 26 ? self | 0x20 : self }
}
