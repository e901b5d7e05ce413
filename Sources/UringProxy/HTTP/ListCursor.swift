/// Walks a comma-separated list (RFC 9110 §5.6.1) whose elements hold no quoted strings: Connection, Upgrade, TE.
struct ListCursor: BitwiseCopyable {
    private let bytes: ByteView
    private var position = 0

    init(_ value: ByteView) { bytes = value }

    /// The next element without the white space around it; nil at the end. Empty elements are passed over.
    mutating func next() -> ByteView? {
        while position < bytes.count {
            var start = position
            var end = start
            while end < bytes.count, bytes[end] != UInt8(ascii: ",") { end &+= 1 }
            position = end &+ 1
            while start < end, bytes[start].isSpaceOrTab { start &+= 1 }
            while end > start, bytes[end &- 1].isSpaceOrTab { end &-= 1 }
            if end > start { return bytes[start..<end] }
        }
        return nil
    }
}
