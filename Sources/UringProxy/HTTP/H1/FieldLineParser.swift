/// Reads one field line (RFC 9112 §5).
struct FieldLineParser {
    /// - Parameters:
    ///   - lines: stands on the line, which is not empty.
    ///   - isFirst: nothing but the start line stands before it.
    @inline(__always)
    static func parse(_ bytes: ByteView, _ lines: LineScanner, isFirst: Bool) throws(HeadError) -> FieldLine {
        let start = lines.start
        let colon = lines.colon
        guard colon > start else { throw refusal(bytes, lines, isFirst: isFirst) }
        let name = bytes[start..<colon]
        let id = FieldName.lookup(name)
        // A known name is a token; the bytes of others are looked at.
        if id == .other, name.run(of: .token) != name.count { throw refusal(bytes, lines, isFirst: isFirst) }

        var first = colon &+ 1
        var end = lines.end
        while first < end, bytes[first].isSpaceOrTab { first &+= 1 }
        while end > first, bytes[end &- 1].isSpaceOrTab { end &-= 1 }
        return FieldLine(
            name: ByteRange(start..<colon), value: ByteRange(first..<end), id: id, isHopByHop: id.isHopByHop)
    }

    /// RFC 9112 §5.1, §5.2, §2.2: none of these is repaired, as another reader might repair it differently.
    @inline(never)
    private static func refusal(_ bytes: ByteView, _ lines: LineScanner, isFirst: Bool) -> HeadError {
        if bytes[lines.start].isSpaceOrTab { return isFirst ? .leadingWhitespace : .obsoleteFolding }
        guard lines.colon >= 0 else { return .missingColon }
        guard lines.colon > lines.start else { return .emptyFieldName }
        return bytes[lines.colon &- 1].isSpaceOrTab ? .spaceBeforeColon : .invalidFieldName
    }
}
