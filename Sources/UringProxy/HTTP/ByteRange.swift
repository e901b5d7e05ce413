/// Where something stands in a head: offsets from the head's first byte, so that it outlives a move of the bytes.
struct ByteRange: BitwiseCopyable, Equatable {
    var offset: UInt32
    /// In bytes.
    var size: UInt32

    static var empty: ByteRange { ByteRange(offset: 0, size: 0) }

    @inline(__always)
    init(offset: UInt32, size: UInt32) {
        self.offset = offset
        self.size = size
    }

    /// - Parameter range: within the first 4 GiB; heads are limited to far less.
    @inline(__always)
    init(_ range: Range<Int>) {
        offset = UInt32(truncatingIfNeeded: range.lowerBound)
        size = UInt32(truncatingIfNeeded: range.count)
    }

    var isEmpty: Bool { size == 0 }

    @inline(__always)
    var end: Int { Int(offset) &+ Int(size) }

    @inline(__always)
    var range: Range<Int> {
        // Both are 32 bits wide, so the sum neither overflows nor falls below the offset.
        unsafe Range(uncheckedBounds: (lower: Int(offset), upper: end))
    }
}

extension ByteView {
    /// The bytes of `range`, which lies within the view.
    @inline(__always)
    subscript(_ range: ByteRange) -> ByteView { self[range.range] }
}
