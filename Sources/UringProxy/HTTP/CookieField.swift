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

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }
}
