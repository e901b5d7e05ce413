/// One field line of a head or a trailer section, as offsets into it.
struct FieldLine: BitwiseCopyable {
    var name: ByteRange
    /// Without the white space around it (RFC 9112 §5.1).
    var value: ByteRange
    var id = FieldName.other
    /// Ends at this hop: by its name (RFC 9110 §7.6.1), or because Connection names it.
    var isHopByHop = false
    /// The line has one space behind the colon and none at its end, as this proxy writes lines: it may be copied.
    var isAsWritten = false

    /// A line that has been found and not been read: the value is all that stands behind the colon. Without a colon the
    /// name is empty, and the value begins where the line does.
    ///
    /// - Parameter colon: the first in the line, -1 if there is none.
    @inline(__always)
    init(start: Int, colon: Int, end: Int) {
        let nameEnd = colon < 0 ? start : colon
        let valueStart = colon < 0 ? start : colon &+ 1
        name = ByteRange(
            offset: UInt32(truncatingIfNeeded: start), size: UInt32(truncatingIfNeeded: nameEnd &- start))
        value = ByteRange(
            offset: UInt32(truncatingIfNeeded: valueStart),
            size: UInt32(truncatingIfNeeded: end &- valueStart))
    }
}
