/// Reads one field line (RFC 9112 §5).
struct FieldLineParser {
    /// Reads the line that was found.
    ///
    /// - Parameter isFirst: nothing but the start line stands before it.
    @inline(__always)
    static func parse(_ bytes: ByteView, _ line: inout FieldLine, isFirst: Bool) throws(HeadError) {
        guard !line.name.isEmpty else { throw refusal(bytes, line, isFirst: isFirst) }
        let name = bytes[line.name]
        let id = FieldName.lookup(name)
        // A known name is a token; the bytes of others are looked at.
        if id == .other, name.run(of: .token) != name.count { throw refusal(bytes, line, isFirst: isFirst) }
        line.id = id
        line.isHopByHop = id.isHopByHop

        // Almost always one space stands before the value, and none behind.
        let value = bytes[line.value]
        if value.count >= 2, value[0] == UInt8(ascii: " "), value[1] > UInt8(ascii: " "),
            value[value.count &- 1] > UInt8(ascii: " ")
        {
            line.value.offset &+= 1
            line.value.size &-= 1
            line.isAsWritten = true
        } else {
            trim(value, &line)
        }
    }

    @inline(never)
    private static func trim(_ value: ByteView, _ line: inout FieldLine) {
        var first = 0
        var end = value.count
        while first < end, value[first].isSpaceOrTab { first &+= 1 }
        while end > first, value[end &- 1].isSpaceOrTab { end &-= 1 }
        line.isAsWritten = first == 1 && end == value.count && value[0] == UInt8(ascii: " ")
        line.value.offset &+= UInt32(truncatingIfNeeded: first)
        line.value.size = UInt32(truncatingIfNeeded: end &- first)
    }

    /// RFC 9112 §5.1, §5.2, §2.2: none of these is repaired, as another reader might repair it differently.
    @inline(never)
    private static func refusal(_ bytes: ByteView, _ line: FieldLine, isFirst: Bool) -> HeadError {
        let start = Int(line.name.offset)
        if bytes[start].isSpaceOrTab { return isFirst ? .leadingWhitespace : .obsoleteFolding }
        guard line.value.offset > line.name.offset else { return .missingColon }
        guard !line.name.isEmpty else { return .emptyFieldName }
        return bytes[line.name.end &- 1].isSpaceOrTab ? .spaceBeforeColon : .invalidFieldName
    }
}
