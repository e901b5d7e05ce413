/// The lines of a head or a trailer section: where they begin and end, found 64 bytes at a time, and not yet what they say.
///
/// All lines are found before the first is read. One loop over masks keeps its state in registers; stopping at each line
/// to read it cost 110 instructions a line for spilling them.
///
/// A line ends at its first control byte, which is CR LF or refused.
struct HeadLines {
    enum End: BitwiseCopyable {
        /// The empty line has come; it begins at `HeadLines.end`.
        case emptyLine
        /// More must be received.
        case missing
        /// What stands behind the lines that were found is refused.
        case refused(HeadError)
    }

    /// Where the start line's CR stands; -1 if it has not come, or none is expected.
    private(set) var startLineEnd = -1
    /// Behind the last line that was found.
    private(set) var end: Int
    private(set) var how = End.missing

    /// - Parameters:
    ///   - start: where the first line begins.
    ///   - hasStartLine: the first line is no field line.
    ///   - fields: gets the field lines, as `FieldLine.init(start:colon:end:)` makes them.
    ///   - limit: most field lines.
    @inline(never)
    init(_ bytes: ByteView, from start: Int, hasStartLine: Bool, limit: Int, fields: inout FieldTable) {
        var awaitsStartLine = hasStartLine
        let room = min(limit, fields.capacity)
        var start = start
        var colon = -1
        var block = start
        end = start
        while block < bytes.count {
            let size = min(64, bytes.count &- block)
            let masks = HeadMasks(bytes, block, size)
            var controls = masks.controls
            var colons = masks.colons
            while controls != 0 {
                let lineEnd = block &+ controls.trailingZeroBitCount
                guard bytes.hasLineEnd(at: lineEnd) else {
                    if let error = Self.refusal(bytes, lineEnd) { how = .refused(error) }
                    return
                }
                // The bits up to the CR.
                let line = controls ^ (controls &- 1)
                let lineColons = colons & line
                if colon < 0, lineColons != 0 { colon = block &+ lineColons.trailingZeroBitCount }
                if awaitsStartLine {
                    awaitsStartLine = false
                    startLineEnd = lineEnd
                } else if lineEnd == start {
                    how = .emptyLine
                    return
                } else {
                    guard fields.count < room,
                        fields.append(FieldLine(start: start, colon: colon, end: lineEnd))
                    else {
                        how = .refused(.tooManyFields)
                        return
                    }
                }
                start = lineEnd &+ 2
                end = start
                colon = -1
                // The LF goes with its CR.
                let rest = ~(line &<< 1 | 1)
                controls &= rest
                colons &= rest
            }
            if colon < 0, colons != 0 { colon = block &+ colons.trailingZeroBitCount }
            // A LF that would be the next block's first byte has been looked at with its CR.
            block = max(block &+ size, start)
        }
    }

    /// Names what is wrong with the control byte at `index`, with which no line ends; nil if its LF has not come yet.
    @inline(never)
    private static func refusal(_ bytes: ByteView, _ index: Int) -> HeadError? {
        switch bytes[index] {
        case UInt8(ascii: "\n"): .bareLineFeed
        case UInt8(ascii: "\r"): index &+ 1 < bytes.count ? .bareCarriageReturn : nil
        default: .controlByte
        }
    }
}
