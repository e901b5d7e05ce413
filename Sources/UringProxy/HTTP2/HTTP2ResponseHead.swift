internal import CNghttp2

/// The head of an HTTP/2 response as one of HTTP/1.1, which is what everybody behind reads.
struct HTTP2ResponseHead: BitwiseCopyable {
    private(set) var framing = HTTP2Framing.none
    private let status: ByteView
    /// Another one follows (RFC 9110 §15.2).
    private let isInterim: Bool
    /// A tunnel that was asked for is open (RFC 8441 §5).
    private let opensTunnel: Bool
    /// Nothing follows, though something could.
    private var isEmpty = false
    private var hasLength = false
    private var hasTrailers = false

    /// - Parameters:
    ///   - fields: of the inbox; the first is the status, which the library has seen to.
    ///   - method: of the request.
    ///   - isTunnel: a tunnel was asked for.
    ///   - ends: nothing follows the head.
    init(_ fields: Range<Int>, of inbox: borrowing HTTP2Inbox, method: Method, isTunnel: Bool, ends: Bool) {
        status = inbox.field(fields.lowerBound).value
        isInterim = status[0] == UInt8(ascii: "1")
        opensTunnel = isTunnel && status[0] == UInt8(ascii: "2")
        for index in fields {
            switch Int(inbox.field(index).kind) {
            case CNGHTTP2_NAME_CONTENT_LENGTH: hasLength = true
            case CNGHTTP2_NAME_TRAILER: hasTrailers = true
            default: break
            }
        }
        if opensTunnel {
            framing = .tunnel
        } else if !isInterim && method != .head && !status.equals("204") && !status.equals("304") {
            isEmpty = ends
            // HTTP/1.1 has a place for trailers behind chunks alone.
            if !ends { framing = hasLength && !hasTrailers ? .length : .chunked }
        }
    }

    /// - Parameter accept: of a tunnel that opens: 28 characters for Sec-WebSocket-Accept.
    func write(
        _ fields: Range<Int>, of inbox: borrowing HTTP2Inbox, accept: ByteView,
        into writer: inout ByteWriter
    ) {
        writer.append("HTTP/1.1 ")
        if opensTunnel {
            writer.append("101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n")
            writer.append("Sec-WebSocket-Accept: ")
            writer.append(accept)
            writer.append("\r\n")
        } else {
            writer.append(status)
            writer.append(" ")
            writer.append(Status.phrase(code))
            writer.append("\r\n")
        }
        for index in fields.dropFirst() {
            let field = inbox.field(index)
            // Not where chunks or a tunnel take its place.
            if Int(field.kind) == CNGHTTP2_NAME_CONTENT_LENGTH && framing != .length && framing != .none {
                continue
            }
            writer.append(field)
        }
        if framing == .chunked { writer.append("Transfer-Encoding: chunked\r\n") }
        if isEmpty && !hasLength { writer.append("Content-Length: 0\r\n") }
        writer.append("\r\n")
    }

    private var code: UInt16 {
        status.count == 3
            ? (0..<3).reduce(0) { $0 &* 10 &+ UInt16(status[$1] &- UInt8(ascii: "0")) } : 0
    }
}
