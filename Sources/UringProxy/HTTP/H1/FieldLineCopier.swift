/// Copies field lines from a received head to one that is written. Lines that stand together and need no change leave
/// in one copy: most heads lose two or three lines, so that this is two or three copies instead of ten.
struct FieldLineCopier {
    /// What is still to be copied.
    private var start = 0
    private var end = 0

    /// Bytes that are copied as they are, and in one run with the lines that follow them. Nothing is outstanding.
    @inline(__always)
    mutating func begin(_ range: Range<Int>) {
        start = range.lowerBound
        end = range.upperBound
    }

    /// The line with name and value as received, and ": " between.
    @inline(__always)
    mutating func copy(_ line: FieldLine, of bytes: ByteView, to writer: inout ByteWriter) {
        guard line.isAsWritten else {
            rewrite(line, of: bytes, to: &writer)
            return
        }
        if Int(line.name.offset) != end {
            flush(bytes, to: &writer)
            start = Int(line.name.offset)
        }
        end = line.value.end &+ 2
    }

    @inline(never)
    private mutating func rewrite(_ line: FieldLine, of bytes: ByteView, to writer: inout ByteWriter) {
        flush(bytes, to: &writer)
        writer.append(bytes[line.name])
        writer.append(": ")
        writer.append(bytes[line.value])
        writer.append("\r\n")
    }

    /// Content-Length as received, or without leading zeros, which some reader may take for octal.
    @inline(__always)
    mutating func copyLength(
        _ line: FieldLine, _ length: UInt64, of bytes: ByteView, to writer: inout ByteWriter
    ) {
        let value = bytes[line.value]
        if value.count == 1 || value[0] != UInt8(ascii: "0") { return copy(line, of: bytes, to: &writer) }
        flush(bytes, to: &writer)
        writer.append(bytes[line.name])
        writer.append(": ")
        writer.append(decimal: length)
        writer.append("\r\n")
    }

    /// Before anything else is written, what is outstanding must be.
    @inline(__always)
    mutating func flush(_ bytes: ByteView, to writer: inout ByteWriter) {
        guard end > start else { return }
        writer.append(bytes[start..<end])
        start = 0
        end = 0
    }
}
