/// What both rewriters write.
extension ByteWriter {
    /// RFC 9110 §7.6.3, as a line of its own: the version received and this proxy's name.
    @inline(__always)
    mutating func appendVia(_ version: HTTPVersion, isHTTP2: Bool = false, _ pseudonym: ByteView) {
        // Each a literal of its own: of a choice of two the size is no constant to the optimiser.
        if isHTTP2 {
            append("Via: 2.0 ")
        } else if version == .http11 {
            append("Via: 1.1 ")
        } else {
            append("Via: 1.0 ")
        }
        append(pseudonym)
        append("\r\n")
    }

    /// The protocols of all Upgrade lines in one, but h2c, which ends at this hop (RFC 9113 §3.1).
    mutating func appendUpgrade(_ fields: borrowing FieldTable, _ bytes: ByteView) {
        append("Upgrade: ")
        var isFirst = true
        for index in 0..<fields.count where fields[index].id == .upgrade {
            var list = ListCursor(bytes[fields[index].value])
            while let name = list.next() {
                if name.equalsFolded("h2c") { continue }
                if !isFirst { append(", ") }
                append(name)
                isFirst = false
            }
        }
        append("\r\n")
    }
}
