/// Finds the lines of a head, 64 bytes at a time, and refuses bytes that no line may hold.
///
/// The masks give line ends and colons without a look at single bytes: 2–3 times as fast as a byte loop.
struct LineScanner {
    private let bytes: ByteView
    /// Where the masked bytes begin.
    private var block: Int
    /// Of the masked bytes, those behind the last line that was returned.
    private var lineFeeds: UInt64 = 0
    private var colons: UInt64 = 0
    private var refused: UInt64 = 0
    /// Whether the byte before the masked ones is a CR, as bit 0.
    private var carriedReturn: UInt64 = 0
    private var nextBlock: Int

    /// The line found last: its first byte, its CR, its first colon (-1 if it has none).
    private(set) var start: Int
    private(set) var end: Int
    private(set) var colon = -1

    @inline(__always)
    var line: Range<Int> { start..<end }

    /// - Parameter start: where the first line begins.
    @inline(__always)
    init(_ bytes: ByteView, from start: Int) {
        self.bytes = bytes
        self.start = start
        end = start &- 2
        block = start
        nextBlock = start
    }

    /// Goes to the next line; false if its end has not come yet.
    ///
    /// - Throws: a byte between the last line and the end of the next, or of the bytes, is refused.
    @inline(__always)
    mutating func next() throws(HeadError) -> Bool {
        start = end &+ 2
        colon = -1
        while true {
            if lineFeeds != 0 {
                let line = lineFeeds ^ (lineFeeds &- 1)
                if refused & line != 0 { throw refusal() }
                let lineColons = colons & line
                if colon < 0, lineColons != 0 { colon = block &+ lineColons.trailingZeroBitCount }
                end = block &+ lineFeeds.trailingZeroBitCount &- 1
                colons &= ~line
                lineFeeds &= lineFeeds &- 1
                return true
            }
            if refused != 0 { throw refusal() }
            if colon < 0, colons != 0 { colon = block &+ colons.trailingZeroBitCount }
            guard nextBlock < bytes.count else {
                colons = 0
                return false
            }
            load()
        }
    }

    @inline(__always)
    private mutating func load() {
        block = nextBlock
        let size = min(64, bytes.count &- block)
        nextBlock = block &+ size
        let masks = HeadMasks(bytes, block, size, afterReturn: carriedReturn)
        lineFeeds = masks.lineFeeds
        colons = masks.colons
        refused = masks.refused
        carriedReturn = masks.endsWithReturn
    }

    /// Names the first refused byte.
    @inline(never)
    private func refusal() -> HeadError {
        let index = block &+ refused.trailingZeroBitCount
        // A CR without LF is noticed at the byte behind it.
        if index > 0, bytes[index &- 1] == UInt8(ascii: "\r"), bytes[index] != UInt8(ascii: "\n") {
            return .bareCarriageReturn
        }
        return bytes[index] == UInt8(ascii: "\n") ? .bareLineFeed : .controlByte
    }
}
