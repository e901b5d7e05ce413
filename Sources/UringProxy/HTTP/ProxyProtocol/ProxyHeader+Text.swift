// Version 1, a line of text (section 2.1).
extension ProxyHeader {
    /// CR LF included: what the longest line needs, one of UNKNOWN.
    private static var lineLimit: Int { 107 }
    private static var start: StaticString { "PROXY " }

    /// nil: the line has not ended.
    static func parseText(_ bytes: ByteView) throws(ProxyHeaderError) -> ProxyHeader? {
        guard bytes.agrees(with: start) else { throw .notAHeader }
        guard bytes.count > start.utf8CodeUnitCount else { return nil }
        let searched = min(bytes.count, lineLimit - 1)
        var end = start.utf8CodeUnitCount
        while end < searched, bytes[end] != UInt8(ascii: "\r") {
            if bytes[end] == UInt8(ascii: "\n") { throw .malformedLine }
            end += 1
        }
        let line = bytes[start.utf8CodeUnitCount..<end]
        guard line.agrees(with: "TCP4 ") || line.agrees(with: "TCP6 ") || line.agrees(with: "UNKNOWN ") else {
            throw .malformedLine
        }
        guard end < lineLimit - 1 else { throw .lineTooLong }
        guard end + 1 < bytes.count else { return nil }
        guard bytes.hasLineEnd(at: end) else { throw .malformedLine }
        return ProxyHeader(size: end + 2, subject: try subject(line))
    }

    /// - Parameter line: a whole one, without "PROXY " and line end.
    private static func subject(_ line: ByteView) throws(ProxyHeaderError) -> Subject {
        var words = Words(line)
        guard let family = words.next() else { throw .malformedLine }
        // Whatever stands behind it is ignored.
        if family.equals("UNKNOWN") { return .unknown }
        let isIPv6 = family.equals("TCP6")
        guard isIPv6 || family.equals("TCP4") else { throw .malformedLine }
        let source = try address(words.next(), isIPv6: isIPv6)
        let destination = try address(words.next(), isIPv6: isIPv6)
        let sourcePort = try port(words.next())
        let destinationPort = try port(words.next())
        guard words.next() == nil else { throw .malformedLine }
        return .relayed(
            AddressPair(
                source: source, destination: destination, sourcePort: sourcePort,
                destinationPort: destinationPort))
    }

    /// An IPv6 address may end in an IPv4 one, which the grammar does not know: so senders write mapped addresses
    /// (`inet_ntop(3)`).
    private static func address(_ word: ByteView?, isIPv6: Bool) throws(ProxyHeaderError) -> IPAddress {
        guard let word else { throw .malformedLine }
        guard word.contains(UInt8(ascii: ":")) == isIPv6, let address = IPAddress(text: word) else {
            throw .malformedAddress
        }
        return address
    }

    private static func port(_ word: ByteView?) throws(ProxyHeaderError) -> UInt16 {
        guard let word else { throw .malformedLine }
        guard (1...5).contains(word.count), word.count == 1 || word[0] != UInt8(ascii: "0") else {
            throw .malformedPort
        }
        var port = 0
        for index in 0..<word.count {
            let digit = word[index] &- UInt8(ascii: "0")
            guard digit < 10 else { throw .malformedPort }
            port = port * 10 + Int(digit)
        }
        guard port <= 65535 else { throw .malformedPort }
        return UInt16(port)
    }

    /// What stands between single spaces: two in a row have an empty word between them, and one at the end has one behind it.
    private struct Words {
        private let bytes: ByteView
        private var position = 0

        init(_ bytes: ByteView) { self.bytes = bytes }

        /// nil behind the last one.
        mutating func next() -> ByteView? {
            guard position <= bytes.count else { return nil }
            let start = position
            var end = start
            while end < bytes.count, bytes[end] != UInt8(ascii: " ") { end += 1 }
            position = end + 1
            return bytes[start..<end]
        }
    }
}
