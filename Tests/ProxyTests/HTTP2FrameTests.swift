import Testing

@testable import UringProxy

/// What a client may not send, each with what it is told (RFC 9113).
@Suite("HTTP/2 frames", .blocking)
struct HTTP2FrameTests {
    enum Told: Equatable {
        /// GOAWAY with the code, and the end.
        case connection(UInt32)
        /// RST_STREAM with the code, and the connection goes on.
        case stream(UInt32)
        /// Nothing: it is passed over.
        case nothing
    }

    struct Case: CustomTestStringConvertible {
        let testDescription: String
        let told: Told
        let bytes: [UInt8]

        /// - Parameter frames: what is sent behind the preface, on stream 1 if on any.
        init(_ name: String, _ told: Told, _ frames: [UInt8]...) {
            testDescription = name
            self.told = told
            bytes = frames.flatMap { $0 }
        }
    }

    private static let (protocolError, flowControl, streamClosed, frameSize, compression):
        (
            UInt32, UInt32, UInt32, UInt32, UInt32
        ) = (1, 3, 5, 6, 9)

    private static func frame(
        _ kind: FrameEnd.Kind, _ flags: UInt8 = 0, _ stream: UInt32 = 0, _ payload: [UInt8] = []
    ) -> [UInt8] { FrameEnd.frame(kind, flags, stream, payload) }

    /// HEADERS of a request on stream 1.
    private static func open(
        _ fields: [(String, String)] = FrameEnd.head(), ends: Bool = true, stream: UInt32 = 1
    ) -> [UInt8] { frame(.headers, ends ? 5 : 4, stream, FrameEnd.block(fields)) }

    private static func setting(_ id: UInt8, _ value: UInt32) -> [UInt8] {
        frame(.settings, 0, 0, [0, id] + FrameEnd.bytes(value))
    }

    private static let post = FrameEnd.head("POST")
    private static let get = FrameEnd.head()

    /// Sections are those of RFC 9113.
    static let frames: [Case] = [
        Case(
            "4.2 a frame larger than SETTINGS_MAX_FRAME_SIZE", .connection(frameSize),
            open(post, ends: false), frame(.data, 0, 1, [UInt8](repeating: 0, count: 16_385))),
        Case(
            "4.3 fields that cannot be decoded", .connection(compression),
            frame(.headers, 5, 1, [0xFF, 0xFF, 0xFF, 0xFF, 0x0F])),
        Case("5.1 DATA on an idle stream", .connection(protocolError), frame(.data, 1, 1, [1])),
        Case(
            "5.1 RST_STREAM on an idle stream", .connection(protocolError), frame(.reset, 0, 1, [0, 0, 0, 8])),
        Case(
            "5.1 WINDOW_UPDATE on an idle stream", .connection(protocolError),
            frame(.windowUpdate, 0, 1, [0, 0, 0, 1])),
        Case(
            "5.1 DATA behind the end of a request", .connection(streamClosed), open(), frame(.data, 0, 1, [1])
        ),
        Case("5.1.1 a stream with an even number", .connection(protocolError), open(stream: 2)),
        // The library passes over it, as trailers that crossed our reset of their stream look the same.
        Case(
            "5.1.1 a stream with a lower number", .nothing,
            open(stream: 5), frame(.reset, 0, 5, [0, 0, 0, 8]), open(stream: 3)),
        Case("5.5 a frame of an unknown type", .nothing, [0, 0, 1, 0x42, 0, 0, 0, 0, 0, 9]),
        Case("6.1 DATA on stream 0", .connection(protocolError), frame(.data, 0, 0, [1])),
        Case(
            "6.1 DATA with more padding than payload", .connection(protocolError),
            open(post, ends: false), frame(.data, 8, 1, [5, 1, 1])),
        Case(
            "6.2 HEADERS on stream 0", .connection(protocolError),
            frame(.headers, 5, 0, FrameEnd.block(get))),
        Case(
            "6.2 HEADERS with more padding than payload", .connection(protocolError),
            frame(.headers, 13, 1, [200, 0x82])),
        // RFC 9218 §2.1: what such frames say is nothing to a server that says NO_RFC7540_PRIORITIES.
        Case(
            "6.3 PRIORITY on stream 0", .nothing, frame(.priority, 0, 0, [0, 0, 0, 3, 1])),
        Case("6.3 PRIORITY of another size", .connection(frameSize), frame(.priority, 0, 1, [0, 0, 0, 3])),
        Case("6.4 RST_STREAM on stream 0", .connection(protocolError), frame(.reset, 0, 0, [0, 0, 0, 8])),
        Case(
            "6.4 RST_STREAM of another size", .connection(frameSize), open(post, ends: false),
            frame(.reset, 0, 1, [0, 0, 8])),
        Case("6.5 SETTINGS on a stream", .connection(protocolError), frame(.settings, 0, 1)),
        Case("6.5 SETTINGS of another size", .connection(frameSize), frame(.settings, 0, 0, [0, 3, 0])),
        Case(
            "6.5 SETTINGS that acknowledge and set", .connection(frameSize),
            frame(.settings, 1, 0, [0, 3, 0, 0, 0, 1])),
        Case("6.5.2 ENABLE_PUSH that is neither 0 nor 1", .connection(protocolError), setting(2, 2)),
        Case("6.5.2 INITIAL_WINDOW_SIZE above 2^31 - 1", .connection(flowControl), setting(4, 1 << 31)),
        Case("6.5.2 MAX_FRAME_SIZE below 2^14", .connection(protocolError), setting(5, 16_383)),
        Case("6.5.2 MAX_FRAME_SIZE above 2^24 - 1", .connection(protocolError), setting(5, 1 << 24)),
        Case("6.5.2 an unknown setting", .nothing, setting(0x42, 1)),
        Case(
            "6.6 PUSH_PROMISE of a client", .connection(protocolError),
            open(post, ends: false), frame(.push, 4, 1, [0, 0, 0, 2] + FrameEnd.block(get))),
        Case(
            "6.7 PING on a stream", .connection(protocolError),
            frame(.ping, 0, 1, [UInt8](repeating: 0, count: 8))),
        Case("6.7 PING of another size", .connection(frameSize), frame(.ping, 0, 0, [1])),
        Case(
            "6.8 GOAWAY on a stream", .connection(protocolError),
            frame(.goAway, 0, 1, [UInt8](repeating: 0, count: 8))),
        Case(
            "6.9 WINDOW_UPDATE of 0 for the connection", .connection(protocolError),
            frame(.windowUpdate, 0, 0, [0, 0, 0, 0])),
        // RFC 9113 §5.4.1: a stream's error may be taken for the connection's.
        Case(
            "6.9 WINDOW_UPDATE of 0 for a stream", .connection(protocolError),
            open(post, ends: false), frame(.windowUpdate, 0, 1, [0, 0, 0, 0])),
        Case(
            "6.9 WINDOW_UPDATE of another size", .connection(frameSize),
            frame(.windowUpdate, 0, 0, [0, 0, 1])),
        Case(
            "6.9.1 a window above 2^31 - 1 for the connection", .connection(flowControl),
            frame(.windowUpdate, 0, 0, FrameEnd.bytes(0x7FFF_FFFF))),
        Case(
            "6.9.1 a window above 2^31 - 1 for a stream", .stream(flowControl),
            open(post, ends: false), frame(.windowUpdate, 0, 1, FrameEnd.bytes(0x7FFF_FFFF))),
        Case("6.10 CONTINUATION of nothing", .connection(protocolError), frame(.continuation, 4, 1)),
        Case(
            "6.10 another frame among those of a block", .connection(protocolError),
            frame(.headers, 1, 1, FrameEnd.block(get)), frame(.ping, 0, 0, [UInt8](repeating: 0, count: 8))
        ),
        Case(
            "6.10 CONTINUATION of another stream", .connection(protocolError),
            frame(.headers, 1, 1, FrameEnd.block(get)), frame(.continuation, 4, 3)),
    ]

    static let messages: [Case] = [
        Case(
            "8.1 trailers that do not end the request", .stream(protocolError),
            open(post, ends: false), frame(.headers, 4, 1, FrameEnd.block([("x", "1")]))),
        Case(
            "8.1.1 less than content-length says", .stream(protocolError),
            open(post + [("content-length", "3")], ends: false), frame(.data, 1, 1, [1])),
        Case(
            "8.1.1 more than content-length says", .stream(protocolError),
            open(post + [("content-length", "1")], ends: false), frame(.data, 1, 1, [1, 1])),
        Case(
            "8.1.1 two lengths", .stream(protocolError),
            open(post + [("content-length", "1"), ("content-length", "2")], ends: false)),
        Case("8.2 a field name with capitals", .stream(protocolError), open(get + [("X-A", "1")])),
        Case("8.2.1 a field name with a space", .stream(protocolError), open(get + [("x a", "1")])),
        Case("8.2.1 a field value with CR LF", .stream(protocolError), open(get + [("x", "1\r\ny: 2")])),
        Case("8.2.1 a field value with NUL", .stream(protocolError), open(get + [("x", "1\u{0}")])),
        Case("8.2.1 a field value with a space before it", .stream(protocolError), open(get + [("x", " 1")])),
        Case("8.2.2 connection", .stream(protocolError), open(get + [("connection", "close")])),
        Case(
            "8.2.2 transfer-encoding", .stream(protocolError),
            open(post + [("transfer-encoding", "chunked")], ends: false)),
        Case("8.2.2 upgrade", .stream(protocolError), open(get + [("upgrade", "websocket")])),
        Case("8.2.2 te that is more than trailers", .stream(protocolError), open(get + [("te", "gzip")])),
        Case(
            "8.3 a pseudo field behind others", .stream(protocolError),
            open(Array(get[..<3]) + [("x", "1"), (":path", "/")])),
        Case("8.3 an unknown pseudo field", .stream(protocolError), open([(":x", "1")] + get)),
        Case("8.3 a pseudo field of responses", .stream(protocolError), open(get + [(":status", "200")])),
        Case(
            "8.3 a pseudo field in trailers", .stream(protocolError),
            open(post, ends: false), frame(.headers, 5, 1, FrameEnd.block([(":path", "/")]))),
        Case("8.3.1 no method", .stream(protocolError), open(Array(get[1...]))),
        Case("8.3.1 no path", .stream(protocolError), open(Array(get[..<3]))),
        Case("8.3.1 no scheme", .stream(protocolError), open([get[0], get[2], get[3]])),
        Case("8.3.1 an empty path", .stream(protocolError), open(FrameEnd.head("GET", ""))),
        Case("8.3.1 two paths", .stream(protocolError), open(get + [(":path", "/b")])),
        Case(
            "8.3.1 a path that is a URL", .stream(protocolError),
            open(FrameEnd.head("GET", "http://other/"))),
        Case(
            "8.3.1 a path with a space", .stream(protocolError), open(FrameEnd.head("GET", "/a HTTP/1.1"))),
        Case("8.3.1 a path with CR LF", .stream(protocolError), open(FrameEnd.head("GET", "/a\r\nx: y"))),
        Case("8.3.1 a method with a space", .stream(protocolError), open(FrameEnd.head("GET /b", "/a"))),
        Case(
            "8.3.1 a host that is not the authority", .stream(protocolError), open(get + [("host", "other")])),
        Case(
            "8.5 CONNECT with a path", .stream(protocolError),
            open([(":method", "CONNECT"), (":authority", "h:1"), (":path", "/")], ends: false)),
        Case(
            "RFC 8441 §4 a protocol without CONNECT", .stream(protocolError),
            open(get + [(":protocol", "websocket")])),
        Case(
            "RFC 8441 §4 another protocol", .stream(protocolError),
            open(
                [
                    (":method", "CONNECT"), (":protocol", "x"), (":scheme", "http"), (":authority", "h"),
                    (":path", "/"),
                ],
                ends: false)),
    ]

    @Test("Frames", arguments: TestDriver.offered, frames + messages)
    func told(_ driver: TestDriver, _ sent: Case) throws {
        let origin = try TestOrigin()
        let proxy = try TestProxy(driver, origin)
        let client = try FrameEnd(proxy.connect())
        try client.sendRaw(sent.bytes)
        switch sent.told {
        case .connection(let code):
            try client.readAll()
            #expect(client.goAway == code)
            #expect(proxy[.http2Errors] == 1)
        case .stream(let code):
            try client.read(until: "RST_STREAM") { client.responses[1]?.reset != nil }
            #expect(client.responses[1]?.reset == code)
            #expect(client.responses[1]?.heads.isEmpty == true)
            #expect(proxy[.http2StreamErrors] == 1 && proxy[.http2Resets] == 0)
            try served(client, origin)
        case .nothing:
            try served(client, origin)
            #expect(client.responses.keys.allSatisfy { $0 == 99 } && client.goAway == nil)
            #expect(proxy[.http2StreamErrors] == 0)
        }
    }

    /// The connection is good for another request.
    private func served(_ client: FrameEnd, _ origin: TestOrigin) throws {
        try client.sendRaw(Self.open(stream: 99))
        // An exchange that has been reset may have got there before.
        while client.responses[99].map({ !$0.isEnded && $0.reset == nil }) ?? true {
            while let upstream = origin.acceptNow() {
                let head = try? upstream.receiveHead()
                if head?.hasPrefix("GET /a ") == true { try upstream.send(Messages.okClosing) }
            }
            if client.responses[99] == nil { try client.send(.ping, 0, 0, [UInt8](repeating: 1, count: 8)) }
            guard try client.next() != nil else { throw TestFailure("the connection ended") }
        }
        try client.expect(99, "200", "hi")
    }

    @Test("Heads beyond the limit are answered so", arguments: TestDriver.offered)
    func largeHead(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TestProxy(driver, origin) {
            $0.limitHeadBytes = 4096
            $0.limitURIBytes = 0
        }
        let client = try FrameEnd(proxy.connect())
        let stream = try client.request(Self.get + [("x", String(repeating: "a", count: 12_000))])
        #expect(try client.response(stream).status == "431")
        try served(client, origin)
        #expect(proxy[.headsRefused] == 1)
    }

    // MARK: - Floods

    /// Sends, and reads to the end; the proxy may have closed by the last of it.
    private func pour(_ client: FrameEnd, _ body: () throws -> Void) {
        do {
            try body()
            try client.readAll()
        } catch {}
    }

    /// Each a frame that makes work and carries nothing.
    static let floods: [Case] = [
        Case("PRIORITY", .connection(11), frame(.priority, 0, 1, [0, 0, 0, 3, 1])),
        Case("WINDOW_UPDATE", .connection(11), frame(.windowUpdate, 0, 0, [0, 0, 0, 1])),
        Case("empty DATA", .connection(11), frame(.data, 0, 1)),
    ]
    /// Those that would have to be answered: of these the library itself ends a connection, if answers wait, perhaps before we do.
    static let questions: [Case] = [
        Case("PING", .connection(11), frame(.ping, 0, 0, [UInt8](repeating: 0, count: 8))),
        Case("SETTINGS", .connection(11), setting(3, 100)),
    ]

    @Test("Floods end their connection, and no other", arguments: TestDriver.offered, floods + questions)
    func flood(_ driver: TestDriver, _ flood: Case) throws {
        let origin = try TestOrigin()
        let proxy = try TestProxy(driver, origin)
        let other = try FrameEnd(proxy.connect())
        let client = try FrameEnd(proxy.connect())
        try client.sendRaw(Self.open(Self.post, ends: false))
        let many = [[UInt8]](repeating: flood.bytes, count: 500).flatMap { $0 }
        pour(client) { for _ in 0..<20 { try client.sendRaw(many) } }
        try proxy.wait(for: "the connection's end") { proxy.downstreamConnections == 1 }
        if Self.questions.contains(where: { $0.testDescription == flood.testDescription }) {
            #expect(proxy[.http2Floods] + proxy[.http2Errors] > 0)
        } else {
            #expect(proxy[.http2Floods] == 1)
        }
        if let code = client.goAway { #expect(flood.told == .connection(code)) }
        try served(other, origin)
    }

    @Test("So do streams that are reset as soon as they are opened", arguments: TestDriver.offered)
    func rapidReset(_ driver: TestDriver) throws {
        let origin = try ServedOrigin { _, _ in Messages.ok }
        let proxy = try TestProxy(driver, upstreams: [origin.address])
        let client = try FrameEnd(proxy.connect())
        pour(client) {
            for stream in stride(from: UInt32(1), to: 20_001, by: 2) {
                try client.sendRaw(Self.open(stream: stream) + Self.frame(.reset, 0, stream, [0, 0, 0, 8]))
            }
        }
        try proxy.wait(for: "the connection's end") { proxy.downstreamConnections == 0 }
        #expect(proxy[.http2Floods] == 1 && proxy[.http2Resets] < 1000)
        let other = try FrameEnd(proxy.connect())
        try other.expect(other.request(Self.get), "200", "hi")
        proxy.end()
        origin.end()
    }

    @Test("A block of fields has an end", arguments: TestDriver.offered)
    func continuations(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TestProxy(driver, origin)
        let client = try FrameEnd(proxy.connect())
        pour(client) {
            try client.send(.headers, 1, 1, FrameEnd.block(Self.get))
            for _ in 0..<1000 { try client.send(.continuation, 0, 1, FrameEnd.block([("x", "1")])) }
        }
        try proxy.wait(for: "the connection's end") { proxy.downstreamConnections == 0 }
        #expect(proxy[.http2Errors] == 1 && proxy[.requests] == 0)
    }
}
