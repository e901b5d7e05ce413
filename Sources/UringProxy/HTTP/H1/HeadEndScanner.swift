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
        // What was given before may have ended with a CR; within these bytes the check stands with the CR.
        if block > 0, block < bytes.count, bytes[block &- 1] == UInt8(ascii: "\r"),
            bytes[block] != UInt8(ascii: "\n")
        {
            return bytes.count
        }
        // 3: a skipped empty line, and the CR.
        let startLineLimit = limits.requestLineBytes &+ 3
        while block < bytes.count {
            let size = min(64, bytes.count &- block)
            var controls = HeadMasks(bytes, block, size).controls
            while controls != 0 {
                let index = block &+ controls.trailingZeroBitCount
                controls &= controls &- 1
                guard Self.mayStand(bytes, index) else { return bytes.count }
                guard bytes[index] == UInt8(ascii: "\n") else { continue }
                let lineFeed = UInt32(truncatingIfNeeded: index)
                if !hasStartLine {
                    if index > startLineLimit { return bytes.count }
                } else if lineFeed == lastLineFeed &+ 2 {
                    return index &+ 1
                }
                lastLineFeed = lineFeed
            }
            block &+= size
            // Where the start line's LF will be at the earliest.
            if !hasStartLine, block > startLineLimit { return bytes.count }
            scanned = UInt32(truncatingIfNeeded: block)
        }
        return bytes.count < limits.headBytes ? nil : bytes.count
    }

    /// Whether the control byte at `index` is half of a CR LF, as far as has come.
    @inline(__always)
    private static func mayStand(_ bytes: ByteView, _ index: Int) -> Bool {
        switch bytes[index] {
        case UInt8(ascii: "\n"): index > 0 && bytes[index &- 1] == UInt8(ascii: "\r")
        case UInt8(ascii: "\r"): index &+ 1 == bytes.count || bytes[index &+ 1] == UInt8(ascii: "\n")
        default: false
        }
    }
}
