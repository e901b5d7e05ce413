/// The HTTP/2 of one check: a request goes in, and bytes of the answer come out, as HTTP/1.1 has both.
@safe final class HealthHTTP2 {
    private let inbox = HTTP2Inbox(headLimit: HealthHTTP2.limit)
    private let session: HTTP2Session
    private var fields = HTTP2Fields()
    private let body: UnsafeMutablePointer<HTTP2Body>
    private var framing = HTTP2Framing.none
    private var output: [UInt8] = []

    /// Of the answer's head, and of its body before any of it is acknowledged.
    private static let limit = 65_535

    /// nil without memory.
    ///
    /// - Parameters:
    ///   - request: with its body, if it has one.
    ///   - isSecure: it goes over TLS.
    init?(request: [UInt8], isSecure: Bool) {
        guard
            let session = HTTP2Session(
                inbox, streamWindow: UInt32(Self.limit), connectionWindow: UInt32(Self.limit))
        else { return nil }
        self.session = session
        unsafe body = .allocate(capacity: 1)
        unsafe body.initialize(to: HTTP2Body(of: 0))
        var head = RequestHead()
        var lines = FieldTable(capacity: HeadLimits().fields)
        let isSent = unsafe request.withUnsafeBytes { buffer in
            let bytes = unsafe ByteView(buffer)
            guard RequestParser.parse(bytes, limits: HeadLimits(), fields: &lines, head: &head) == .complete
            else { return false }
            fields.set(head, isSecure: isSecure, isWebSocket: false, lines, bytes)
            let content = request[head.size...]
            _ = unsafe body.pointee.offer(UInt32(content.count), isLast: true, hasTrailers: false)
            return unsafe session.request(
                fields.fields, fields.count, body: body, hasBody: !content.isEmpty) > 0
        }
        guard isSent else { return nil }
        write(body: request[head.size...])
    }

    deinit {
        session.free()
        unsafe body.deallocate()
    }

    /// What is for the endpoint, less what was taken before.
    func takeOutput() -> [UInt8] {
        defer { output = [] }
        return output
    }

    /// Bytes of the endpoint have come.
    ///
    /// - Returns: what they are of the answer; nil if it did not keep to HTTP/2.
    func received(_ bytes: ArraySlice<UInt8>) -> [UInt8]? {
        var answer: [UInt8] = []
        let isRead = unsafe bytes.withUnsafeBytes { buffer in
            var rest = unsafe ByteView(buffer)
            repeat {
                guard let taken = session.receive(rest) else { return false }
                for index in 0..<inbox.eventCount where !take(inbox.event(index), &answer) { return false }
                rest = rest.dropFirst(taken)
            } while rest.count > 0 || inbox.isInputPaused
            return true
        }
        write(body: [])
        return isRead ? answer : nil
    }

    /// False for an end that is none of an answer.
    private func take(_ event: HTTP2Event, _ answer: inout [UInt8]) -> Bool {
        switch event.kind {
        case .head:
            if event.isTooLarge { return false }
            let head = HTTP2ResponseHead(
                event.fields, of: inbox, method: .get, isTunnel: false, ends: event.ends)
            framing = head.framing
            answer += text(of: head, event.fields)
        case .data:
            if framing == .chunked { answer += Array("\(String(event.data.count, radix: 16))\r\n".utf8) }
            answer += (0..<event.data.count).map { event.data[$0] }
            if framing == .chunked { answer += Array("\r\n".utf8) }
        case .trailers, .end: if framing == .chunked { answer += Array("0\r\n\r\n".utf8) }
        case .closed: return !event.ends
        case .left: break
        }
        return true
    }

    private func text(of head: HTTP2ResponseHead, _ fields: Range<Int>) -> [UInt8] {
        let size = inbox.sizeOfHead(fields)
        return unsafe [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            var writer = unsafe ByteWriter(base: buffer.baseAddress!, capacity: size)
            head.write(fields, of: inbox, accept: .empty, into: &writer)
            count = writer.count
        }
    }

    /// - Parameter content: what is left of the request's body.
    private func write(body content: ArraySlice<UInt8>) {
        var content = content
        while true {
            inbox.allowToSend(content.count)
            guard let bytes = session.send() else { return }
            for index in 0..<inbox.sentCount {
                let frame = inbox.sent(index)
                output += (0..<frame.header.count).map { frame.header[$0] }
                output += content.prefix(Int(frame.size))
                content.removeFirst(Int(frame.size))
            }
            output += (0..<bytes.count).map { bytes[$0] }
            if bytes.isEmpty { return }
        }
    }
}
