/// The hops of a request before this one, as X-Forwarded-For or Forwarded (RFC 7239) tell of them, the nearest first.
///
/// Each hop is told of by the next one, so that the account is good as far as the tellers are: it is read from its end, where
/// the peer wrote, to the first address that is not trusted. What stands before that anybody may have made up.
struct ForwardedChain: BitwiseCopyable {
    /// More hops are not looked at: what one request costs has an end, however many addresses a trusted peer sends.
    static let hopLimit = 32

    private let bytes: ByteView
    private let isForwarded: Bool
    /// The last elements of the list, each in the place of its number modulo `hopLimit`.
    private var elements = InlineArray<32, ByteRange>(repeating: .empty)
    private var count = 0

    /// - Parameters:
    ///   - field: `forwarded` or `xForwardedFor`, of which all lines are one list (RFC 9110 §5.3).
    ///   - bytes: what `fields` were parsed from.
    init(_ field: FieldName, fields: borrowing FieldTable, bytes: ByteView) {
        assert(field == .forwarded || field == .xForwardedFor)
        self.bytes = bytes
        isForwarded = field == .forwarded
        for index in 0..<fields.count where fields[index].id == field { split(fields[index].value.range) }
    }

    /// The address of the client behind `peer`: the first hop that is not a proxy of ours, the furthest known if all are.
    ///
    /// A hop that gives no address (RFC 7239 §6: "unknown", or a name of its own making) or none that can be read ends the
    /// walk at the hop before it.
    func client(of peer: IPAddress, trusting proxies: borrowing AddressSet) -> IPAddress {
        var client = peer
        for hop in 0..<min(count, Self.hopLimit) {
            guard proxies.contains(client), let next = address(ofHop: hop) else { break }
            client = next
        }
        return client
    }

    // MARK: Elements

    /// Notes the elements of one line. Commas within quoted strings are none; an open quote takes the rest of its line with
    /// it, and makes it unreadable.
    private mutating func split(_ line: Range<Int>) {
        var start = line.lowerBound
        var isQuoted = false
        var index = start
        while index < line.upperBound {
            let byte = bytes[index]
            if isForwarded && byte == UInt8(ascii: "\"") {
                isQuoted.toggle()
            } else if isQuoted && byte == UInt8(ascii: "\\") {
                index += 1
            } else if !isQuoted && byte == UInt8(ascii: ",") {
                note(start..<index)
                start = index + 1
            }
            index += 1
        }
        note(start..<line.upperBound)
    }

    /// RFC 9110 §5.6.1: empty elements do not count.
    private mutating func note(_ element: Range<Int>) {
        var start = element.lowerBound
        var end = element.upperBound
        while start < end, bytes[start].isSpaceOrTab { start += 1 }
        while end > start, bytes[end - 1].isSpaceOrTab { end -= 1 }
        guard start < end else { return }
        elements[count % Self.hopLimit] = ByteRange(start..<end)
        count += 1
    }

    /// - Parameter hop: 0 for the one that the peer told of.
    private func address(ofHop hop: Int) -> IPAddress? {
        let element = bytes[elements[(count - 1 - hop) % Self.hopLimit]]
        guard isForwarded else { return Self.address(element, isBareAllowed: true) }
        guard let node = Self.forwardedFor(element) else { return nil }
        return Self.address(node, isBareAllowed: false)
    }

    /// The value of the "for" parameter, without quotes; nil if there is none, or if the element is not of the grammar.
    private static func forwardedFor(_ element: ByteView) -> ByteView? {
        var found: ByteView?
        var rest = element
        while !rest.isEmpty {
            // RFC 7239 §4: between semicolons a pair may be missing.
            if rest[0] == UInt8(ascii: ";") {
                rest = rest.dropFirst(1).trimmed
                continue
            }
            let name = rest.run(of: .token)
            guard name > 0, name < rest.count, rest[name] == UInt8(ascii: "=") else { return nil }
            let isFor = rest[0..<name].equalsFolded("for")
            rest = rest.dropFirst(name + 1)
            guard let size = valueSize(rest) else { return nil }
            if isFor {
                // RFC 7239 §4: each parameter once.
                guard found == nil else { return nil }
                let isQuoted = rest[0] == UInt8(ascii: "\"")
                found = isQuoted ? rest[1..<size - 1] : rest[0..<size]
            }
            rest = rest.dropFirst(size).trimmed
            guard rest.isEmpty || rest[0] == UInt8(ascii: ";") else { return nil }
        }
        return found
    }

    /// The size of the token or quoted string at the start, quotes included; nil if there is neither.
    private static func valueSize(_ bytes: ByteView) -> Int? {
        let token = bytes.run(of: .token)
        if token > 0 { return token }
        guard !bytes.isEmpty, bytes[0] == UInt8(ascii: "\"") else { return nil }
        var index = 1
        while index < bytes.count {
            if bytes[index] == UInt8(ascii: "\"") { return index + 1 }
            index += bytes[index] == UInt8(ascii: "\\") ? 2 : 1
        }
        return nil
    }

    /// `192.0.2.1`, `[2001:db8::1]`, each with or without a port.
    ///
    /// - Parameter isBareAllowed: X-Forwarded-For has IPv6 addresses without brackets, and then without port; in Forwarded
    ///   they must have them (RFC 7239 §6).
    private static func address(_ node: ByteView, isBareAllowed: Bool) -> IPAddress? {
        guard !node.isEmpty else { return nil }
        var end = 0
        if node[0] == UInt8(ascii: "[") {
            while end < node.count, node[end] != UInt8(ascii: "]") { end += 1 }
            guard end < node.count, isPort(node.dropFirst(end + 1)) else { return nil }
            let literal = node[1..<end]
            return literal.contains(UInt8(ascii: ":")) ? IPAddress(text: literal) : nil
        }
        while end < node.count, node[end] != UInt8(ascii: ":") { end += 1 }
        if isPort(node.dropFirst(end)), let address = IPAddress(text: node[0..<end]) { return address }
        return isBareAllowed ? IPAddress(text: node) : nil
    }

    /// Nothing, or a colon and a port: a number or, by RFC 7239 §6.2, a name with an underscore before it.
    private static func isPort(_ text: ByteView) -> Bool {
        if text.isEmpty { return true }
        guard text.count > 1, text[0] == UInt8(ascii: ":") else { return false }
        let port = text.dropFirst(1)
        if port[0] == UInt8(ascii: "_") { return port.isToken }
        guard port.count <= 5 else { return false }
        for index in 0..<port.count where port[index] &- UInt8(ascii: "0") >= 10 { return false }
        return true
    }
}

extension ByteView {
    /// Without the white space at the start.
    fileprivate var trimmed: ByteView {
        var start = 0
        while start < count, self[start].isSpaceOrTab { start += 1 }
        return dropFirst(start)
    }
}
