/// The Cookie field (RFC 6265 §4.2.1): `name=value; name=value`.
enum CookieField {
    /// The value of the first cookie called `name` in the field's value, as received; nil if there is none.
    static func value(of name: ByteView, in field: ByteView) -> ByteView? {
        var start = 0
        while start < field.count {
            while start < field.count, isSpace(field[start]) { start += 1 }
            var end = start
            while end < field.count, field[end] != UInt8(ascii: ";") { end += 1 }
            let nameEnd = start + name.count
            if nameEnd < end, field[nameEnd] == UInt8(ascii: "="), field[start..<nameEnd].equals(name) {
                var valueEnd = end
                while valueEnd > nameEnd + 1, isSpace(field[valueEnd - 1]) { valueEnd -= 1 }
                return field[nameEnd + 1..<valueEnd]
            }
            start = end + 1
        }
        return nil
    }

    /// The value of the first cookie called `name` among all the fields of a head.
    ///
    /// - Parameter bytes: what the fields were parsed from.
    static func value(of name: ByteView, among fields: borrowing FieldTable, _ bytes: ByteView) -> ByteView? {
        for index in 0..<fields.count where fields[index].id == .cookie {
            if let value = value(of: name, in: bytes[fields[index].value]) { return value }
        }
        return nil
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }
}
