/// Writes the head that goes upstream: the one received, less what was meant for this hop, plus what this hop adds
/// (RFC 9110 §7.6, RFC 9112 §3.2).
struct RequestRewriter {
    /// - Parameters:
    ///   - bytes: what `head` and `fields` were parsed from.
    ///   - peer: the client's address as text, an IPv6 address without brackets.
    ///   - proto: the scheme downstream used on its connection.
    ///   - keepUpgrade: pass on the offer to upgrade; `head.upgrade` is then not nil.
    ///   - changes: what the route changes.
    static func write(
        head: RequestHead, fields: borrowing FieldTable, bytes: ByteView, into writer: inout ByteWriter,
        options: ForwardingOptions, peer: ByteView, peerIsIPv6: Bool, proto: StaticString, keepUpgrade: Bool,
        changes: RequestChanges = .none
    ) {
        var copier = FieldLineCopier()
        let beginsAsWritten = changes.keepsStart && beginsAsWritten(head, fields, bytes)
        if beginsAsWritten {
            copier.begin(Int(head.methodRange.offset)..<fields[0].value.end &+ 2)
        } else {
            writeRequestLine(head, bytes, changes.target, &writer, toProxy: options.toProxy)
            // RFC 9110 §7.2: first, for upstreams and logs that look no further; of the target where that names it.
            writer.append("Host: ")
            if !changes.host.isEmpty {
                writer.append(changes.host)
            } else if let authority = head.authority {
                writer.append(bytes[authority.whole])
            }
            writer.append("\r\n")
        }

        var receivedFor = false
        var receivedProto = changes.tellsProto
        var receivedHost = changes.tellsHost
        for index in (beginsAsWritten ? 1 : 0)..<fields.count {
            let line = fields[index]
            if line.isHopByHop && !(options.passesAuthorization && line.id == .proxyAuthorization) {
                continue
            }
            guard line.id.concernsThisHop else {
                copier.copy(line, of: bytes, to: &writer)
                continue
            }
            switch line.id {
            case .host: continue
            case .contentLength:
                guard case .length(let length) = head.framing else { continue }
                copier.copyLength(line, length, of: bytes, to: &writer)
                continue
            case .expect where head.version == .http10:
                // RFC 9110 §10.1.1: a 1.0 client does not know 100, so what it sent is not passed on as 1.1.
                continue
            case .maxForwards:
                guard let maxForwards = head.maxForwards else { break }
                copier.flush(bytes, to: &writer)
                writer.append("Max-Forwards: ")
                writer.append(decimal: UInt64(maxForwards == 0 ? 0 : maxForwards &- 1))
                writer.append("\r\n")
                continue
            case .xForwardedFor where options.xForwarded != .off:
                receivedFor = options.xForwarded == .append
                continue
            case .xForwardedProto:
                if options.xForwarded == .replace { continue }
                receivedProto = true
            case .xForwardedHost:
                if options.xForwarded == .replace { continue }
                receivedHost = true
            case .xForwardedPort where options.xForwarded == .replace: continue
            case .forwarded where options.forwarded != .off: continue
            default: break
            }
            copier.copy(line, of: bytes, to: &writer)
        }
        copier.flush(bytes, to: &writer)
        if !changes.lines.isEmpty { writer.append(changes.lines) }
        if head.framing == .chunked { writer.append("Transfer-Encoding: chunked\r\n") }
        if options.xForwarded != .off {
            writeXForwarded(
                head, fields, bytes, &writer, peer, proto, appends: receivedFor, hasProto: receivedProto,
                hasHost: receivedHost)
        }
        if options.forwarded != .off {
            writeForwarded(head, fields, bytes, &writer, options, peer, peerIsIPv6, proto)
        }
        if !options.userField.isEmpty {
            writer.append(options.userField)
            writer.append(": ")
            writer.append(options.user)
            writer.append("\r\n")
        }
        if !options.authorization.isEmpty {
            writer.append("Proxy-Authorization: ")
            writer.append(options.authorization)
            writer.append("\r\n")
        }
        if !options.via.isEmpty { writer.appendVia(head.version, isHTTP2: options.isHTTP2, options.via) }
        writeConnection(head, fields, bytes, &writer, keepUpgrade, options.closes)
        writer.append("\r\n")
    }

    /// Whether a Via line names `pseudonym`: the request has been here before (RFC 9110 §7.6.3).
    static func viaContains(fields: borrowing FieldTable, bytes: ByteView, pseudonym: ByteView) -> Bool {
        guard !pseudonym.isEmpty else { return false }
        for index in 0..<fields.count where fields[index].id == .via {
            if via(bytes[fields[index].value], contains: pseudonym) { return true }
        }
        return false
    }

    // MARK: Parts

    /// Whether the request line and a Host line right behind it are what would be written: the parser takes one space
    /// each in the request line, and in origin form the authority is what Host says.
    @inline(__always)
    private static func beginsAsWritten(
        _ head: RequestHead, _ fields: borrowing FieldTable, _ bytes: ByteView
    )
        -> Bool
    {
        head.form == .origin && head.version == .http11 && fields.count > 0 && fields[0].id == .host
            && fields[0].isAsWritten && bytes[fields[0].name].equals("Host")
    }

    private static func writeRequestLine(
        _ head: RequestHead, _ bytes: ByteView, _ target: ByteView, _ writer: inout ByteWriter,
        toProxy: Bool
    ) {
        writer.append(bytes[head.methodRange])
        writer.append(" ")
        let path = bytes[head.pathAndQuery]
        switch head.form {
        case _ where !target.isEmpty: writer.append(target)
        case .origin, .asterisk: writer.append(path)
        case .authority: writer.append(bytes[head.target])
        case .absolute where toProxy: writer.append(bytes[head.target])
        case .absolute:
            if path.isEmpty, head.method == .options {
                writer.append("*")  // RFC 9112 §3.2.4
            } else {
                if path.isEmpty || path[0] != UInt8(ascii: "/") { writer.append("/") }
                writer.append(path)
            }
        }
        writer.append(" HTTP/1.1\r\n")
    }

    private static func writeXForwarded(
        _ head: RequestHead, _ fields: borrowing FieldTable, _ bytes: ByteView, _ writer: inout ByteWriter,
        _ peer: ByteView, _ proto: StaticString, appends: Bool, hasProto: Bool, hasHost: Bool
    ) {
        writer.append("X-Forwarded-For: ")
        if appends {
            // One line, as readers exist that look at the first or last line only.
            for index in 0..<fields.count
            where fields[index].id == .xForwardedFor && !fields[index].value.isEmpty {
                writer.append(bytes[fields[index].value])
                writer.append(", ")
            }
        }
        writer.append(peer)
        if !hasProto {
            writer.append("\r\nX-Forwarded-Proto: ")
            writer.append(proto)
        }
        if !hasHost, let authority = head.authority {
            writer.append("\r\nX-Forwarded-Host: ")
            writer.append(bytes[authority.whole])
        }
        writer.append("\r\n")
    }

    /// RFC 7239 §4
    private static func writeForwarded(
        _ head: RequestHead, _ fields: borrowing FieldTable, _ bytes: ByteView, _ writer: inout ByteWriter,
        _ options: ForwardingOptions, _ peer: ByteView, _ peerIsIPv6: Bool, _ proto: StaticString
    ) {
        writer.append("Forwarded: ")
        if options.forwarded == .append {
            for index in 0..<fields.count where fields[index].id == .forwarded {
                let value = bytes[fields[index].value]
                // An open quote would swallow what this hop adds.
                guard !value.isEmpty, hasBalancedQuotes(value) else { continue }
                writer.append(value)
                writer.append(", ")
            }
        }
        writer.append(peerIsIPv6 ? "for=\"[" : "for=")
        writer.append(peer)
        if peerIsIPv6 { writer.append("]\"") }
        if let authority = head.authority {
            let whole = bytes[authority.whole]
            // A port's colon and a literal's brackets are not of a token.
            let isToken = whole.isToken
            writer.append(isToken ? ";host=" : ";host=\"")
            writer.append(whole)
            if !isToken { writer.append("\"") }
        }
        writer.append(";proto=")
        writer.append(proto)
        writer.append("\r\n")
    }

    /// RFC 9110 §7.6.1, §7.8, §10.1.4. HTTP/1.1 persists by default: nothing to say about that.
    private static func writeConnection(
        _ head: RequestHead, _ fields: borrowing FieldTable, _ bytes: ByteView, _ writer: inout ByteWriter,
        _ keepUpgrade: Bool, _ closes: Bool
    ) {
        let upgrades = keepUpgrade && head.upgrade != nil
        if head.teTrailers { writer.append("TE: trailers\r\n") }
        if upgrades { writer.appendUpgrade(fields, bytes) }
        if upgrades {
            writer.append(head.teTrailers ? "Connection: TE, Upgrade\r\n" : "Connection: Upgrade\r\n")
        } else if closes {
            writer.append(head.teTrailers ? "Connection: TE, close\r\n" : "Connection: close\r\n")
        } else if head.teTrailers {
            writer.append("Connection: TE\r\n")
        }
    }

    // MARK: Values

    private static func hasBalancedQuotes(_ value: ByteView) -> Bool {
        var isQuoted = false
        var index = 0
        while index < value.count {
            if value[index] == UInt8(ascii: "\"") { isQuoted.toggle() }
            if isQuoted, value[index] == UInt8(ascii: "\\") { index &+= 1 }
            index &+= 1
        }
        return !isQuoted && index == value.count
    }

    /// Elements are: protocol, white space, name, optionally a comment, which may contain commas and comments.
    private static func via(_ value: ByteView, contains pseudonym: ByteView) -> Bool {
        var index = 0
        var depth = 0
        var word = 0
        while index < value.count {
            let byte = value[index]
            if depth > 0 {
                if byte == UInt8(ascii: "\\") { index &+= 1 }
                if byte == UInt8(ascii: "(") { depth &+= 1 }
                if byte == UInt8(ascii: ")") { depth &-= 1 }
                index &+= 1
            } else if byte == UInt8(ascii: "(") {
                depth = 1
                index &+= 1
            } else if byte == UInt8(ascii: ",") {
                word = 0
                index &+= 1
            } else if byte.isSpaceOrTab {
                index &+= 1
            } else {
                let start = index
                while index < value.count, !value[index].isSpaceOrTab, value[index] != UInt8(ascii: ","),
                    value[index] != UInt8(ascii: "(")
                { index &+= 1 }
                word &+= 1
                if word == 2, value[start..<index].equalsIgnoringCase(pseudonym) { return true }
            }
        }
        return false
    }
}
