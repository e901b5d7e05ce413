/// Frames of HTTP/2, of a client and of a server, in any pieces: whatever they are, the heads that are written of them are one message of
/// HTTP/1.1 each, or none to the parser that reads them next; trailers likewise; and data lie in what was given.
///
/// The input is a list of parts, each behind the size of its contents: bytes as they are; a frame of the type, the flags and the stream
/// that it begins with; or the lines of a head, "name: value", which are encoded.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzFrames(_ data: UnsafePointer<UInt8>?, _ size: Int) -> Int32 {
    guard size > 2, let data else { return 0 }
    let input = Array(UnsafeBufferPointer(start: data, count: size))
    let isServer = input[0] & 1 == 0
    let inbox = HTTP2Inbox(headLimit: input[0] & 2 == 0 ? 36_864 : 200)
    let session =
        isServer
        ? HTTP2Session(inbox, streams: 8, streamWindow: 65_536, connectionWindow: 1 << 20)
        : HTTP2Session(inbox, streamWindow: 65_536, connectionWindow: 1 << 20)
    guard let session else { return 0 }
    defer { session.free() }
    // The client's end has asked for something.
    let body = UnsafeMutablePointer<HTTP2Body>.allocate(capacity: 1)
    defer { body.deallocate() }
    body.initialize(to: HTTP2Body(of: 0))
    if !isServer { ask(session, body) }
    drain(session, inbox, body)
    var bytes = isServer ? Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) : []
    bytes += frame(type: 4, flags: 0, stream: 0, [])
    bytes += parts(of: input[2...])
    // Pieces of any size.
    let piece = max(1, Int(input[1]) * 4)
    var rest = bytes[...]
    while !rest.isEmpty {
        guard feed(Array(rest.prefix(piece)), session, inbox, isServer) else { return 0 }
        drain(session, inbox, body)
        rest = rest.dropFirst(piece)
    }
    return 0
}

private func ask(_ session: HTTP2Session, _ body: UnsafeMutablePointer<HTTP2Body>) {
    var lines = FieldTable(capacity: 16)
    var head = RequestHead()
    var fields = HTTP2Fields()
    withView(Array("GET /a HTTP/1.1\r\nHost: h\r\n\r\n".utf8)) { view in
        require(
            RequestParser.parse(view, limits: HeadLimits(), fields: &lines, head: &head) == .complete,
            "a request")
        fields.set(head, isSecure: false, isWebSocket: false, lines, view)
        for _ in 0..<3 {
            require(
                session.request(fields.fields, fields.count, body: body, hasBody: false) > 0, "it is sent")
        }
    }
}

/// What the session has to say goes nowhere.
private func drain(
    _ session: HTTP2Session, _ inbox: borrowing HTTP2Inbox, _ body: UnsafeMutablePointer<HTTP2Body>
) {
    while let bytes = session.send(), bytes.count > 0 { require(inbox.sentCount == 0, "no body was given") }
}

private func parts(of input: ArraySlice<UInt8>) -> [UInt8] {
    var bytes: [UInt8] = []
    var rest = input
    while rest.count > 2 {
        let kind = rest.removeFirst()
        let contents = Array(rest.dropFirst().prefix(Int(rest.removeFirst())))
        rest = rest.dropFirst(contents.count)
        switch kind % 3 {
        case 0: bytes += contents
        case 1 where contents.count >= 3:
            bytes += frame(
                type: contents[0] % 12, flags: contents[1], stream: contents[2] % 8, Array(contents[3...]))
        default:
            let lines = contents.dropFirst().split(separator: UInt8(ascii: "\n"))
            let block = lines.flatMap { line -> [UInt8] in
                let colon = line.dropFirst().firstIndex(of: UInt8(ascii: ":")) ?? line.endIndex
                let value = line[colon...].dropFirst(2)
                return [0] + text(line[..<colon]) + text(value)
            }
            bytes += frame(
                type: 1, flags: contents.first.map { $0 & 1 | 4 } ?? 5,
                stream: (contents.first ?? 0) >> 1 & 6 | 1, block)
        }
    }
    return bytes
}

private func text(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
    [UInt8(min(bytes.count, 126))] + bytes.prefix(126)
}

private func frame(type: UInt8, flags: UInt8, stream: UInt8, _ payload: [UInt8]) -> [UInt8] {
    [0, UInt8(payload.count >> 8), UInt8(payload.count & 255), type, flags, 0, 0, 0, stream] + payload
}

/// False if the session has failed.
private func feed(
    _ bytes: [UInt8], _ session: HTTP2Session, _ inbox: borrowing HTTP2Inbox, _ isServer: Bool
) -> Bool {
    withView(bytes) { view in
        var rest = view
        repeat {
            guard let taken = session.receive(rest) else { return false }
            require(taken <= rest.count, "more was taken than given")
            for index in 0..<inbox.eventCount { check(inbox.event(index), inbox, rest, isServer) }
            rest = rest.dropFirst(taken)
        } while rest.count > 0 || inbox.isInputPaused
        return true
    }
}

private func check(_ event: HTTP2Event, _ inbox: borrowing HTTP2Inbox, _ given: ByteView, _ isServer: Bool) {
    switch event.kind {
    case .head where event.isTooLarge, .trailers where event.isTooLarge:
        require(event.fields.isEmpty, "fields of a head that is too large")
    case .head:
        if isServer { checkRequest(event, inbox) } else { checkResponse(event, inbox) }
    case .trailers: checkTrailers(event, inbox)
    case .data:
        require(
            event.data.pointer >= given.pointer
                && event.data.pointer + event.data.count <= given.pointer + given.count, "data from elsewhere"
        )
    case .end, .closed, .left: break
    }
}

private func capacity(_ fields: Range<Int>, _ inbox: borrowing HTTP2Inbox) -> Int {
    fields.reduce(1024) { size, index in
        size + inbox.field(index).name.count + 2 * inbox.field(index).value.count + 4
    }
}

private func checkRequest(_ event: HTTP2Event, _ inbox: borrowing HTTP2Inbox) {
    guard let head = HTTP2RequestHead(event.fields, of: inbox, ends: event.ends) else { return }
    for toProxy in [false, true] {
        let key: StaticString = "AAAAAAAAAAAAAAAAAAAAAA=="
        let size = capacity(event.fields, inbox)
        let memory = UnsafeMutablePointer<UInt8>.allocate(capacity: size)
        defer { memory.deallocate() }
        var writer = ByteWriter(base: memory, capacity: size)
        head.write(
            event.fields, of: inbox, toProxy: toProxy,
            key: ByteView(base: key.utf8Start, count: key.utf8CodeUnitCount), into: &writer)
        require(!writer.overflowed, "larger than it can be")
        withView(Array(UnsafeBufferPointer(start: memory, count: writer.count))) { view in
            var fields = FieldTable(capacity: 1024)
            var read = RequestHead()
            let limits = HeadLimits(headBytes: 1 << 20, fields: 1024, uriBytes: 1 << 20)
            switch RequestParser.parse(view, limits: limits, fields: &fields, head: &read) {
            case .incomplete: require(false, "half a head: \(view.string.debugDescription)")
            case .invalid: return
            case .complete: break
            }
            require(read.size == view.count, "two requests: \(view.string.debugDescription)")
            require(read.version == .http11, "another version")
            switch head.framing {
            case .none, .tunnel:
                require(
                    read.framing == .none || read.framing == .length(0),
                    "a body where none is: \(view.string.debugDescription)")
            case .length:
                if case .length = read.framing { break }
                require(false, "no length: \(view.string.debugDescription)")
            case .chunked: require(read.framing == .chunked, "no chunks: \(view.string.debugDescription)")
            }
        }
    }
}

private func checkResponse(_ event: HTTP2Event, _ inbox: borrowing HTTP2Inbox) {
    for isTunnel in [false, true] {
        let method = isTunnel ? Method.connect : .get
        let head = HTTP2ResponseHead(
            event.fields, of: inbox, method: method, isTunnel: isTunnel, ends: event.ends)
        let size = capacity(event.fields, inbox)
        let memory = UnsafeMutablePointer<UInt8>.allocate(capacity: size)
        defer { memory.deallocate() }
        var writer = ByteWriter(base: memory, capacity: size)
        head.write(event.fields, of: inbox, accept: .empty, into: &writer)
        require(!writer.overflowed, "larger than it can be")
        withView(Array(UnsafeBufferPointer(start: memory, count: writer.count))) { view in
            var fields = FieldTable(capacity: 1024)
            var read = ResponseHead()
            let limits = HeadLimits(headBytes: 1 << 20, fields: 1024, uriBytes: 1 << 20)
            switch ResponseParser.parse(
                view, requestMethod: .get, limits: limits, fields: &fields, head: &read)
            {
            case .incomplete: require(false, "half a head: \(view.string.debugDescription)")
            case .invalid: return
            case .complete: break
            }
            require(read.size == view.count, "two responses: \(view.string.debugDescription)")
            switch head.framing {
            case .none:
                require(
                    read.framing == .none || read.framing == .length(0) || !event.ends, "a body where none is"
                )
            case .length:
                if case .length = read.framing { break }
                require(false, "no length: \(view.string.debugDescription)")
            case .chunked: require(read.framing == .chunked, "no chunks: \(view.string.debugDescription)")
            case .tunnel: require(read.status == 101, "no tunnel")
            }
        }
    }
}

private func checkTrailers(_ event: HTTP2Event, _ inbox: borrowing HTTP2Inbox) {
    var bytes: [UInt8] = []
    for index in event.fields {
        let field = inbox.field(index)
        bytes += (0..<field.name.count).map { field.name[$0] } + Array(": ".utf8)
        bytes += (0..<field.value.count).map { field.value[$0] } + Array("\r\n".utf8)
    }
    bytes += Array("\r\n".utf8)
    withView(bytes) { view in
        var fields = FieldTable(capacity: 1024)
        let (status, size) = TrailerParser.parse(
            view, limits: HeadLimits(headBytes: 1 << 20, fields: 1024), fields: &fields)
        switch status {
        case .incomplete: require(false, "half a section: \(view.string.debugDescription)")
        case .invalid: break
        case .complete: require(size == view.count, "bytes behind trailers: \(view.string.debugDescription)")
        }
    }
}
