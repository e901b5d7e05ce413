/// Reads one field line (RFC 9112 §5).
struct FieldLineParser {
    /// - Parameters:
    ///   - line: without its CR LF; not empty.
    ///   - colon: the first in it, -1 if there is none.
    ///   - isFirst: nothing but the start line stands before it.
    @inline(__always)
    static func parse(
        _ bytes: ByteView, line: Range<Int>, colon: Int, isFirst: Bool
    ) throws(HeadError) -> FieldLine {
        let start = line.lowerBound
        guard colon > start else { throw refusal(bytes, line, colon, isFirst: isFirst) }
        let name = bytes[start..<colon]
        let id = FieldName.lookup(name)
        // A known name is a token; the bytes of others are looked at.
        if id == .other, name.run(of: .token) != name.count {
            throw refusal(bytes, line, colon, isFirst: isFirst)
        }

        var first = colon &+ 1
        var end = line.upperBound
        // Almost always one space stands before the value, and none behind.
        if first &+ 1 < end, bytes[first] == UInt8(ascii: " "), bytes[first &+ 1] > UInt8(ascii: " "),
            bytes[end &- 1] > UInt8(ascii: " ")
        {
            first &+= 1
        } else {
            while first < end, bytes[first].isSpaceOrTab { first &+= 1 }
            while end > first, bytes[end &- 1].isSpaceOrTab { end &-= 1 }
        }
        return FieldLine(
            name: ByteRange(start..<colon), value: ByteRange(first..<end), id: id, isHopByHop: id.isHopByHop)
    }

    /// RFC 9112 §5.1, §5.2, §2.2: none of these is repaired, as another reader might repair it differently.
    @inline(never)
    private static func refusal(_ bytes: ByteView, _ line: Range<Int>, _ colon: Int, isFirst: Bool)
        -> HeadError
    {
        if bytes[line.lowerBound].isSpaceOrTab { return isFirst ? .leadingWhitespace : .obsoleteFolding }
        guard colon >= 0 else { return .missingColon }
        guard colon > line.lowerBound else { return .emptyFieldName }
        return bytes[colon &- 1].isSpaceOrTab ? .spaceBeforeColon : .invalidFieldName
    }
}
