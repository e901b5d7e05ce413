/// What may stand for a host in a request: rules of spelling that the destination policy and the resolver
/// share.
///
/// One reading for both, for a name that one of them understood differently would be a way past the policy.
enum HostName {
    /// RFC 1035 §2.3.4: 255 bytes on the wire are 253 in text, without the final dot.
    static let maximumSize = 253

    /// Text that names a host in the domain name system, less one final dot; nil if it is none.
    ///
    /// Letters, digits, hyphens and underscores (which real hosts have) in labels of 1 to 63 bytes: every
    /// other byte, NUL and blanks above all, is refused before some library reads it its own way. Refused as
    /// well is a last label that is a number (`2130706433`, `127.1`, `0177.0.0.1`, `0x7f000001`): no
    /// top-level domain is one (RFC 3696 §2), but inet_aton and URL parsers read such text as an IPv4
    /// address.
    static func normalised(_ text: ByteView) -> ByteView? {
        var name = text
        if name.count > 1 && name[name.count - 1] == UInt8(ascii: ".") { name = name[0..<name.count - 1] }
        guard name.count > 0 && name.count <= maximumSize else { return nil }
        var labelStart = 0
        for index in 0..<name.count {
            let byte = name[index]
            if byte == UInt8(ascii: ".") {
                guard index > labelStart else { return nil }
                labelStart = index + 1
            } else {
                guard isNameByte(byte) && index - labelStart < 63 else { return nil }
            }
        }
        let last = name.dropFirst(labelStart)
        guard !last.isEmpty && !isNumber(last) else { return nil }
        return name
    }

    /// The address that the text spells, in brackets or without; nil for a name.
    static func literal(_ text: ByteView) -> IPAddress? {
        guard text.count > 2 && text[0] == UInt8(ascii: "[") && text[text.count - 1] == UInt8(ascii: "]")
        else {
            return IPAddress(text: text)
        }
        let inner = text[1..<text.count - 1]
        for index in 0..<inner.count where inner[index] == UInt8(ascii: ":") { return IPAddress(text: inner) }
        return nil  // RFC 3986 §3.2.2: brackets hold IPv6 alone.
    }

    /// RFC 6761 §6.3: `localhost` and all below it are the loopback, whatever a server says.
    static func isLocalhost(_ name: ByteView) -> Bool {
        if name.count == 9 { return name.equalsIgnoringCase("localhost") }
        return name.count > 10 && name.dropFirst(name.count - 10).equalsIgnoringCase(".localhost")
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        let lower = byte.asciiLowercased
        return lower >= 0x61 && lower <= 0x7A || byte >= 0x30 && byte <= 0x39
            || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
    }

    /// Digits alone, or `0x` and hexadecimal digits (or none).
    private static func isNumber(_ label: ByteView) -> Bool {
        if label.count >= 2 && label[0] == 0x30 && label[1].asciiLowercased == UInt8(ascii: "x") {
            for index in 2..<label.count where label[index].hexadecimalValue == nil { return false }
            return true
        }
        for index in 0..<label.count where label[index] < 0x30 || label[index] > 0x39 { return false }
        return true
    }
}
