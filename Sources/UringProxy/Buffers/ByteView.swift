internal import CPosix

/// A view of bytes that somebody else keeps alive: a leased slice, a scratch buffer, an array in a closure.
///
/// Trivial, so that it may stand in slabs and be passed without counting references. Every access by index is
/// checked; what is not checked is the life of the memory: a view is used within the handler that made it.
@safe struct ByteView: BitwiseCopyable {
    private let base: UnsafePointer<UInt8>?
    let count: Int

    /// - Parameter base: may be nil if `count` is 0.
    @inline(__always)
    init(base: UnsafePointer<UInt8>?, count: Int) {
        unsafe precondition(count >= 0 && (base != nil || count == 0))
        unsafe self.base = base
        self.count = count
    }

    @inline(__always)
    init(_ buffer: UnsafeRawBufferPointer) {
        unsafe self.init(base: buffer.baseAddress?.assumingMemoryBound(to: UInt8.self), count: buffer.count)
    }

    static var empty: ByteView { unsafe ByteView(base: nil, count: 0) }

    var isEmpty: Bool { count == 0 }

    /// The address of the first byte, for C helpers and copies.
    @inline(__always)
    var pointer: UnsafePointer<UInt8> { unsafe base.unsafelyUnwrapped }

    @inline(__always)
    subscript(index: Int) -> UInt8 {
        precondition(index >= 0 && index < count)
        return unsafe base.unsafelyUnwrapped[index]
    }

    /// The bytes from `range.lowerBound` up to `range.upperBound`.
    @inline(__always)
    subscript(range: Range<Int>) -> ByteView {
        precondition(range.lowerBound >= 0 && range.upperBound <= count)
        guard let base = unsafe base else { return .empty }
        return unsafe ByteView(base: base + range.lowerBound, count: range.count)
    }

    @inline(__always)
    func dropFirst(_ size: Int) -> ByteView { self[size..<count] }

    /// Copies all bytes to `destination`, which has room for them.
    @inline(__always)
    func copy(to destination: UnsafeMutablePointer<UInt8>) {
        if count > 0 { unsafe cposix_copy(destination, pointer, count) }
    }

    /// Whether both hold the same bytes.
    func equals(_ other: ByteView) -> Bool {
        guard count == other.count else { return false }
        return count == 0 ? true : unsafe cposix_compare(pointer, other.pointer, count) == 0
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
