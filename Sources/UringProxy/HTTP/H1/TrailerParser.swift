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
        let lines = HeadLines(bytes, from: 0, hasStartLine: false, limit: limits.fields, fields: &fields)
        for index in 0..<fields.count {
            guard fields[index].value.end &+ 2 <= limits.headBytes else { throw .headTooLarge }
            try FieldLineParser.parse(bytes, &fields[index], isFirst: index == 0)
            guard fields[index].id.mayBeTrailer else { throw .forbiddenTrailer }
        }
        switch lines.how {
        case .emptyLine:
            let size = lines.end &+ 2
            guard size <= limits.headBytes else { throw .headTooLarge }
            return size
        case .missing:
            guard bytes.count < limits.headBytes else { throw .headTooLarge }
            return nil
        case .refused(let error): throw error
        }
    }
}
