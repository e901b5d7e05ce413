/// Looks for the end of a head whose bytes come one by one, without reading any of them twice: a head that drips in is
/// not parsed again with each drop.
///
/// It holds what one head needs and is replaced for the next.
struct HeadEndScanner: BitwiseCopyable {
    private static let trailersBit: UInt32 = 1 << 31

    /// Bytes looked at so far, which no head has 2 GiB of, and in the top bit whether they are a trailer section: every
    /// connection holds one of these.
    private var state: UInt32
    /// Where the last LF stood. At first the LF before the bytes, so that a trailer section can be an empty line.
    private var lastLineFeed: UInt32 = .max

    /// Bytes looked at so far.
    private(set) var scanned: UInt32 {
        get { state & ~Self.trailersBit }
        set { state = state & Self.trailersBit | newValue }
    }
    private var isTrailers: Bool { state & Self.trailersBit != 0 }
    private var hasStartLine: Bool { isTrailers || lastLineFeed != .max }

    /// - Parameter trailers: the bytes are a trailer section, which has no start line.
    init(trailers: Bool = false) {
        state = trailers ? Self.trailersBit : 0
    }

    /// The head's size if its end has come, as the parsers see it. If the bytes can never become a head (a refused
    /// byte, a first byte no method has, a limit passed), all their count: either way it is the parser's turn, which
    /// will name the reason. nil: receive more.
    ///
    /// - Parameter bytes: all of the head's bytes so far, those that were given before included.
    mutating func find(in bytes: ByteView, limits: HeadLimits = HeadLimits()) -> Int? {
        if scanned < 3, !isTrailers {
            do throws(HeadError) {
                guard let start = try HeadStart.find(bytes) else { return nil }
                // A skipped empty line is no start line.
                if scanned < start { scanned = UInt32(truncatingIfNeeded: start) }
            } catch {
                return bytes.count
            }
        }
        var block = Int(scanned)
        while block < bytes.count {
            let size = min(64, bytes.count &- block)
            // Blocks begin wherever the bytes ended last time: the byte before tells what was carried.
            let afterReturn: UInt64 = block > 0 && bytes[block &- 1] == UInt8(ascii: "\r") ? 1 : 0
            let masks = HeadMasks(bytes, block, size, afterReturn: afterReturn)
            var refused = masks.refused
            if !hasStartLine {
                // Where the start line's LF is, or will be at the earliest. 3: a skipped empty line, and the CR.
                let lineFeed = block &+ min(masks.lineFeeds.trailingZeroBitCount, size)
                if lineFeed > limits.requestLineBytes &+ 3 { return bytes.count }
            }
            if let end = findEnd(masks.lineFeeds, &refused, block) {
                return refused == 0 ? end : bytes.count
            }
            if refused != 0 { return bytes.count }
            block &+= size
            scanned = UInt32(truncatingIfNeeded: block)
        }
        return bytes.count < limits.headBytes ? nil : bytes.count
    }

    /// The end if one of the line feeds at `block` ends an empty line; `refused` then keeps what stands before it.
    private mutating func findEnd(_ lineFeeds: UInt64, _ refused: inout UInt64, _ block: Int) -> Int? {
        var rest = lineFeeds
        while rest != 0 {
            let index = UInt32(truncatingIfNeeded: block &+ rest.trailingZeroBitCount)
            if hasStartLine, index == lastLineFeed &+ 2 {
                refused &= rest ^ (rest &- 1)
                return Int(index) &+ 1
            }
            lastLineFeed = index
            rest &= rest &- 1
        }
        return nil
    }
}
