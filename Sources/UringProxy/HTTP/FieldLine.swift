/// One field line of a head or a trailer section, as offsets into it.
struct FieldLine: BitwiseCopyable {
    var name: ByteRange
    /// Without the white space around it (RFC 9112 §5.1).
    var value: ByteRange
    var id: FieldName
    /// Ends at this hop: by its name (RFC 9110 §7.6.1), or because Connection names it.
    var isHopByHop: Bool
}
