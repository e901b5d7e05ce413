/// Reads a response head (RFC 9112 §4 to §6) as strictly as requests are read. Whatever is refused here, downstream
/// gets a 502.
struct ResponseParser {
    /// - Parameters:
    ///   - bytes: from the head's first byte on; what follows the head may be there too and is not looked at.
    ///   - requestMethod: what the response answers; it decides whether a body can follow.
    ///   - fields: emptied first; holds the head's field lines afterwards.
    ///   - head: meaningful only after `complete`.
    static func parse(
        _ bytes: ByteView, requestMethod: Method, limits: HeadLimits, fields: inout FieldTable,
        head: inout ResponseHead
    ) -> ParseStatus {
        do throws(HeadError) {
            return try parseHead(bytes, requestMethod, limits, &fields, &head) ? .complete : .incomplete
        } catch {
            return .invalid(error)
        }
    }

    @inline(__always)
    private static func parseHead(
        _ bytes: ByteView, _ requestMethod: Method, _ limits: HeadLimits, _ fields: inout FieldTable,
        _ head: inout ResponseHead
    ) throws(HeadError) -> Bool {
        fields.removeAll()
        guard bytes.count > 0 else { return false }
        guard bytes[0] == UInt8(ascii: "H") else { throw .malformedStatusLine }
        head = ResponseHead()
        let lines = HeadLines(bytes, from: 0, hasStartLine: true, limit: limits.fields, fields: &fields)
        guard lines.startLineEnd >= 0 else {
            if case .refused(let error) = lines.how { throw error }
            if bytes.count > limits.requestLineBytes &+ 1 { throw .headTooLarge }
            guard bytes.count < limits.headBytes else { throw .headTooLarge }
            return false
        }
        guard lines.startLineEnd <= limits.requestLineBytes else { throw .headTooLarge }
        try parseStatusLine(bytes[0..<lines.startLineEnd], &head)

        var section = FieldSection()
        try section.parse(bytes, fields: &fields)
        switch lines.how {
        case .emptyLine: break
        case .missing:
            guard bytes.count < limits.headBytes else { throw .headTooLarge }
            return false
        case .refused(let error): throw error
        }
        head.size = lines.end &+ 2
        guard head.size <= limits.headBytes else { throw .headTooLarge }
        try interpret(section, bytes, requestMethod, fields, &head)
        return true
    }

    /// RFC 9112 §4: version, space, three digits, space, reason. The second space may be missing together with the
    /// reason: servers forget it, and nothing else can be meant.
    @inline(__always)
    private static func parseStatusLine(_ text: ByteView, _ head: inout ResponseHead) throws(HeadError) {
        guard text.count >= 12, text[8] == UInt8(ascii: " ") else { throw .malformedStatusLine }
        let version = text[0..<8]
        if version.equals("HTTP/1.1") {
            head.version = .http11
        } else if version.equals("HTTP/1.0") {
            head.version = .http10
        } else {
            throw version[0..<5].equals("HTTP/") ? .unsupportedVersion : .malformedStatusLine
        }
        var status: UInt16 = 0
        for index in 9..<12 {
            let digit = text[index] &- UInt8(ascii: "0")
            guard digit < 10 else { throw .invalidStatus }
            status = status &* 10 &+ UInt16(digit)
        }
        guard status >= 100, status <= 599 else { throw .invalidStatus }
        head.status = status
        guard text.count > 12 else { return }
        guard text[12] == UInt8(ascii: " ") else {
            throw text[12] &- UInt8(ascii: "0") < 10 ? .invalidStatus : .malformedStatusLine
        }
        head.reason = ByteRange(13..<text.count)
    }

    @inline(__always)
    private static func interpret(
        _ section: FieldSection, _ bytes: ByteView, _ requestMethod: Method, _ fields: borrowing FieldTable,
        _ head: inout ResponseHead
    ) throws(HeadError) {
        head.contentLength = section.contentLength
        head.wantsClose = section.connectionCloses
        head.hasVia = section.via >= 0
        switch head.version {
        case .http11:
            head.keepAlive = !section.connectionCloses
            head.upgrade = try section.upgradeLine(bytes, fields: fields)
        case .http10:
            head.keepAlive = section.connectionKeepsAlive && !section.connectionCloses
            // RFC 9112 §6.1
            guard !section.isChunked else { throw .transferEncodingInHTTP10 }
        }
        let opensTunnel = requestMethod == .connect && head.status / 100 == 2
        if head.status < 200 || head.status == 204 {
            // RFC 9112 §6.1: a server must not; who sends it frames a body we would take for the next response. Where a tunnel
            // begins it means nothing (RFC 9110 §9.3.6).
            guard !section.isChunked || opensTunnel else { throw .transferEncodingWithoutBody }
            head.framing = .none
        } else if requestMethod == .head || head.status == 304 || opensTunnel {
            head.framing = .none
        } else if section.isChunked {
            head.framing = .chunked
        } else if let length = section.contentLength {
            head.framing = .length(length)
        } else {
            head.framing = .untilClose
            head.keepAlive = false
        }
    }
}
