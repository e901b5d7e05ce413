/// Reads a trailer section (RFC 9112 §7.1.2): the field lines after the last chunk, up to the empty line.
struct TrailerParser {
    /// - Parameters:
    ///   - bytes: from the first byte behind the last chunk's line.
    ///   - fields: emptied first; holds the section's field lines afterwards.
    /// - Returns: the size of the section, its empty line included, after `complete`; 0 otherwise.
    static func parse(
        _ bytes: ByteView, limits: HeadLimits, fields: inout FieldTable
    ) -> (status: ParseStatus, size: Int) {
        do throws(HeadError) {
            guard let size = try parseSection(bytes, limits, &fields) else { return (.incomplete, 0) }
            return (.complete, size)
        } catch {
            return (.invalid(error), 0)
        }
    }

    @inline(__always)
    private static func parseSection(
        _ bytes: ByteView, _ limits: HeadLimits, _ fields: inout FieldTable
    ) throws(HeadError) -> Int? {
        fields.removeAll()
        guard bytes.count > 0 else { return nil }
        var lines = LineScanner(bytes, from: 0)
        while true {
            guard try lines.next() else {
                guard bytes.count < limits.headBytes else { throw .headTooLarge }
                return nil
            }
            let size = lines.end &+ 2
            guard size <= limits.headBytes else { throw .headTooLarge }
            if lines.end == lines.start { return size }
            let line = try FieldLineParser.parse(
                bytes, line: lines.line, colon: lines.colon, isFirst: fields.count == 0)
            guard line.id.mayBeTrailer else { throw .forbiddenTrailer }
            guard fields.count < limits.fields, fields.append(line) else { throw .tooManyFields }
        }
    }
}
