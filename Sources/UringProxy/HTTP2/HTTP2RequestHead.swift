internal import CNghttp2

/// The head of an HTTP/2 request as one of HTTP/1.1, which is what everybody behind reads: with its own eyes, so that nothing gets
/// through that would not have come that way (RFC 9113 §8.3.1, §10.3).
struct HTTP2RequestHead: BitwiseCopyable {
    var framing = HTTP2Framing.none
    var method = Method.get
    /// WebSocket over HTTP/2 (RFC 8441).
    var isWebSocket = false

    // By their index; -1: it is not there.
    private var methodField = -1
    private var scheme = -1
    private var authority = -1
    private var path = -1
    private var protocolField = -1
    private var host = -1
    private var contentLength = -1
    /// Trailers are announced, for which HTTP/1.1 has a place behind chunks alone.
    private var hasTrailers = false
    private var cookies = 0
    private var teFields = 0

    /// nil if the request is malformed (RFC 9113 §8.1.1), beyond what the library has found.
    ///
    /// - Parameters:
    ///   - fields: of the inbox.
    ///   - ends: nothing follows the head.
    init?(_ fields: Range<Int>, of inbox: borrowing HTTP2Inbox, ends: Bool) {
        for index in fields {
            switch Int(inbox.field(index).kind) {
            case CNGHTTP2_NAME_METHOD: methodField = index
            case CNGHTTP2_NAME_SCHEME: scheme = index
            case CNGHTTP2_NAME_AUTHORITY: authority = index
            case CNGHTTP2_NAME_PATH: path = index
            case CNGHTTP2_NAME_PROTOCOL: protocolField = index
            case CNGHTTP2_NAME_HOST:
                if host >= 0 { return nil }
                host = index
            case CNGHTTP2_NAME_CONTENT_LENGTH: contentLength = index
            case CNGHTTP2_NAME_TRAILER: hasTrailers = true
            case CNGHTTP2_NAME_COOKIE: cookies += 1
            case CNGHTTP2_NAME_TE: teFields += 1
            default: break
            }
        }
        guard methodField >= 0, inbox.field(methodField).value.isToken else { return nil }
        method = Method.lookup(inbox.field(methodField).value)
        // RFC 9113 §8.3.1: two that differ are two requests to whoever reads the one or the other.
        if authority >= 0 && host >= 0,
            !inbox.field(authority).value.equalsIgnoringCase(inbox.field(host).value)
        {
            return nil
        }
        if authority >= 0 && !Self.isVisible(inbox.field(authority).value) { return nil }
        if path >= 0 {
            let target = inbox.field(path).value
            guard Self.isVisible(target), !target.isEmpty else { return nil }
            // One of another form would be read as another kind of request.
            if target[0] != UInt8(ascii: "/"), !(target.equals("*") && method == .options) { return nil }
        }
        if method == .connect {
            if protocolField >= 0 {
                guard inbox.field(protocolField).value.equals("websocket"), path >= 0, !ends else {
                    return nil
                }
                isWebSocket = true
                method = .get
            } else if authority < 0 {
                return nil
            }
            framing = .tunnel
        } else {
            if path < 0 { return nil }
            framing = ends ? .none : contentLength >= 0 && !hasTrailers ? .length : .chunked
        }
    }

    /// Neither white space nor control characters: what would end a part of the request line.
    private static func isVisible(_ text: ByteView) -> Bool {
        for index in 0..<text.count where text[index] <= 0x20 || text[index] == 0x7F { return false }
        return true
    }

    /// - Parameters:
    ///   - toProxy: the request says itself where to: in absolute form (RFC 9112 §3.2.2).
    ///   - key: 24 characters, for a Sec-WebSocket-Key.
    func write(
        _ fields: Range<Int>, of inbox: borrowing HTTP2Inbox, toProxy: Bool, key: ByteView,
        into writer: inout ByteWriter
    ) {
        let place = authority >= 0 ? authority : host
        if isWebSocket { writer.append("GET") } else { writer.append(inbox.field(methodField).value) }
        writer.append(" ")
        if method == .connect {
            writer.append(inbox.field(authority).value)
        } else {
            if toProxy && place >= 0 && scheme >= 0 && !inbox.field(path).value.equals("*") {
                writer.append(inbox.field(scheme).value)
                writer.append("://")
                writer.append(inbox.field(place).value)
            }
            writer.append(inbox.field(path).value)
        }
        writer.append(" HTTP/1.1\r\nHost: ")
        if place >= 0 { writer.append(inbox.field(place).value) }
        writer.append("\r\n")
        for index in fields {
            let field = inbox.field(index)
            switch Int(field.kind) {
            case 0, CNGHTTP2_NAME_TRAILER: writer.append(field)
            // Not of a tunnel's bytes, of which nobody knows how many.
            case CNGHTTP2_NAME_CONTENT_LENGTH where framing == .length || framing == .none:
                writer.append(field)
            // A WebSocket over HTTP/2 has none (RFC 8441 §5), and is given one here.
            case CNGHTTP2_NAME_WEBSOCKET_KEY where !isWebSocket: writer.append(field)
            default: break
            }
        }
        if teFields > 0 { writer.append("TE: trailers\r\nConnection: TE\r\n") }
        if cookies > 0 { writeCookies(fields, of: inbox, into: &writer) }
        if framing == .chunked { writer.append("Transfer-Encoding: chunked\r\n") }
        if isWebSocket {
            writer.append("Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: ")
            writer.append(key)
            writer.append("\r\n")
        }
        writer.append("\r\n")
    }

    /// RFC 9113 §8.2.3: in one field again.
    private func writeCookies(
        _ fields: Range<Int>, of inbox: borrowing HTTP2Inbox, into writer: inout ByteWriter
    ) {
        writer.append("Cookie: ")
        var isFirst = true
        for index in fields where Int(inbox.field(index).kind) == CNGHTTP2_NAME_COOKIE {
            if !isFirst { writer.append("; ") }
            writer.append(inbox.field(index).value)
            isFirst = false
        }
        writer.append("\r\n")
    }
}

extension ByteWriter {
    /// As a line.
    mutating func append(_ field: HTTP2Field) {
        append(field.name)
        append(": ")
        append(field.value)
        append("\r\n")
    }
}
