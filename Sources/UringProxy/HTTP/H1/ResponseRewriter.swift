/// Writes the head that goes downstream: the one received, less what was meant for this hop, plus what this hop adds.
struct ResponseRewriter {
    /// What downstream is told about its connection.
    enum Connection: UInt8, BitwiseCopyable {
        /// Nothing: the version's default applies, or an interim response is written.
        case none
        /// "keep-alive", which a 1.0 client needs to hear.
        case keepAlive
        case close
    }

    /// How the body that is sent downstream is framed.
    enum Framing: UInt8, BitwiseCopyable {
        /// As received: Content-Length or chunked, also where no body follows, in an answer to HEAD and in a 304.
        case asReceived
        /// Chunked is added: the upstream ends the body by closing, downstream can do without.
        case chunked
        /// Neither: the body ends when we close. For 1.0 clients, who cannot read chunks.
        case untilClose
        /// Neither, and no body: 1xx, 204 and what opens a tunnel.
        case none
    }

    /// - Parameters:
    ///   - bytes: what `head` and `fields` were parsed from.
    ///   - via: this proxy's name; empty writes none.
    ///   - isHTTP2: the response came in that version, whatever the head says.
    ///   - keepUpgrade: pass on Upgrade, as in a 101 whose tunnel is about to open.
    ///   - keepsAuthentication: a parent's demands of who asks it are passed on (RFC 9110 §11.7.1).
    ///   - downstreamVersion: a 1.0 client never gets Transfer-Encoding, whatever `framing` says.
    ///   - added: what the route adds.
    static func write(
        head: ResponseHead, fields: borrowing FieldTable, bytes: ByteView, into writer: inout ByteWriter,
        via: ByteView, isHTTP2: Bool = false, connection: Connection, framing: Framing, keepUpgrade: Bool,
        keepsAuthentication: Bool = false, downstreamVersion: HTTPVersion, added: ResponseLines = .none
    ) {
        var copier = FieldLineCopier()
        if head.version == .http11, !head.reason.isEmpty {
            copier.begin(0..<head.reason.end &+ 2)  // As received.
        } else {
            writeStatusLine(head, bytes, &writer)
        }
        // RFC 9110 §8.6: neither 1xx nor 204 has a length, whatever the upstream thinks.
        let keepsLength = framing == .asReceived && head.status >= 200 && head.status != 204
        var receivedChunked = false
        for index in 0..<fields.count {
            let line = fields[index]
            if line.id == .transferEncoding { receivedChunked = true }
            if line.isHopByHop && !(keepsAuthentication && line.id.isProxyAuthentication) { continue }
            if line.id == .contentLength {
                guard keepsLength, let length = head.contentLength else { continue }
                copier.copyLength(line, length, of: bytes, to: &writer)
                continue
            }
            copier.copy(line, of: bytes, to: &writer)
        }
        copier.flush(bytes, to: &writer)
        if !added.text.isEmpty { added.write(into: &writer) }
        if downstreamVersion == .http11, framing == .chunked || framing == .asReceived && receivedChunked {
            writer.append("Transfer-Encoding: chunked\r\n")
        }
        if !via.isEmpty { writer.appendVia(head.version, isHTTP2: isHTTP2, via) }
        let upgrades = keepUpgrade && head.upgrade != nil
        if upgrades { writer.appendUpgrade(fields, bytes) }
        switch connection {
        case .none: if upgrades { writer.append("Connection: Upgrade\r\n") }
        case .keepAlive:
            writer.append(upgrades ? "Connection: keep-alive, Upgrade\r\n" : "Connection: keep-alive\r\n")
        case .close: writer.append(upgrades ? "Connection: close, Upgrade\r\n" : "Connection: close\r\n")
        }
        writer.append("\r\n")
    }

    /// RFC 9110 §2.5: our version, not the upstream's, also to a 1.0 client.
    @inline(never)
    private static func writeStatusLine(_ head: ResponseHead, _ bytes: ByteView, _ writer: inout ByteWriter) {
        writer.append("HTTP/1.1 ")
        writer.append(decimal: UInt64(head.status))
        writer.append(" ")
        writer.append(bytes[head.reason])
        writer.append("\r\n")
    }

    /// A trailer section as `TrailerParser` accepted it, and the empty line that ends the message.
    ///
    /// - Parameter bytes: what `fields` were parsed from.
    static func trailers(fields: borrowing FieldTable, bytes: ByteView, into writer: inout ByteWriter) {
        var copier = FieldLineCopier()
        for index in 0..<fields.count where !fields[index].isHopByHop {
            copier.copy(fields[index], of: bytes, to: &writer)
        }
        copier.flush(bytes, to: &writer)
        writer.append("\r\n")
    }
}
