import TestSupport
import Testing

@testable import UringProxy

/// One end of HTTP/2 in the hands of a test, a client's or a server's: it sends the very frames that the test says, and reads those that come.
final class FrameEnd {
    enum Kind: UInt8 {
        case data, headers, priority, reset, settings, push, ping, goAway, windowUpdate, continuation
    }

    struct Frame {
        var kind: UInt8
        var flags: UInt8
        var stream: UInt32
        var payload: [UInt8]

        var isEnd: Bool { flags & 1 != 0 && (kind == Kind.data.rawValue || kind == Kind.headers.rawValue) }
    }

    /// What came of a stream: a response, or a request.
    struct Message {
        /// Heads, trailers among them, in the order in which they came.
        var heads: [[(name: String, value: String)]] = []
        var body: [UInt8] = []
        /// The code of a RST_STREAM.
        var reset: UInt32?
        var isEnded = false

        var status: String { self[":status"] ?? "" }
        /// The first head has come whole.
        var hasHead: Bool { !heads.isEmpty }

        /// A field of a request's head.
        func field(_ name: String) -> String? { heads.first?.first { $0.name == name }?.value }

        /// A field of the last head that has a status.
        subscript(name: String) -> String? {
            heads.last { $0.first?.name == ":status" }?.first { $0.name == name }?.value
        }
    }

    private let sendBytes: ([UInt8]) throws -> Void
    private let receiveBytes: () throws -> [UInt8]?
    private var pending: [UInt8] = []
    private let decoder = FieldDecoder()
    private(set) var responses: [UInt32: Message] = [:]
    /// The code of a GOAWAY.
    private(set) var goAway: UInt32?
    /// What the other end told first.
    private(set) var settings: [UInt16: UInt32] = [:]
    private(set) var windowUpdates: [UInt32: Int] = [:]
    private(set) var pings = 0
    /// Windows are opened as data come.
    var opensWindows = true
    private var nextStream: UInt32 = 1
    /// Of a server: the streams whose requests were taken.
    private var taken: Set<UInt32> = []

    static let preface = latin1("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")

    /// - Parameter window: of streams, at first.
    init(_ socket: TestSocket, window: UInt32? = nil) throws {
        sendBytes = { try socket.send($0) }
        receiveBytes = { try socket.receive() }
        try begin(window)
    }

    init(_ socket: TLSSocket) throws {
        sendBytes = { try socket.send($0) }
        receiveBytes = { try socket.receive() }
        try begin(nil)
    }

    /// A server's end, of a connection that a client has just made.
    ///
    /// - Parameter settings: what it tells first; nil: nothing yet.
    init(serving socket: TestSocket, settings: [(UInt16, UInt32)]? = []) throws {
        sendBytes = { try socket.send($0) }
        receiveBytes = { try socket.receive() }
        try beginServing(settings)
    }

    init(serving socket: TLSSocket, settings: [(UInt16, UInt32)]? = []) throws {
        sendBytes = { try socket.send($0) }
        receiveBytes = { try socket.receive() }
        try beginServing(settings)
    }

    private func beginServing(_ settings: [(UInt16, UInt32)]?) throws {
        while pending.count < Self.preface.count {
            guard let more = try receiveBytes() else {
                throw TestFailure("the connection ended before its preface")
            }
            pending += more
        }
        #expect(Array(pending[..<Self.preface.count]) == Self.preface)
        pending.removeFirst(Self.preface.count)
        if let settings { try sendSettings(settings) }
    }

    func sendSettings(_ settings: [(UInt16, UInt32)]) throws {
        try send(
            .settings, 0, 0,
            settings.flatMap { [UInt8($0.0 >> 8), UInt8($0.0 & 255)] + Self.bytes($0.1) })
    }

    private func begin(_ window: UInt32?) throws {
        let settings = window.map { [0, 4] + Self.bytes($0) } ?? []
        try sendRaw(Self.preface + Self.frame(.settings, 0, 0, settings))
    }

    // MARK: Sending

    static func bytes(_ value: UInt32) -> [UInt8] {
        [
            UInt8(truncatingIfNeeded: value >> 24), UInt8(truncatingIfNeeded: value >> 16),
            UInt8(truncatingIfNeeded: value >> 8), UInt8(truncatingIfNeeded: value),
        ]
    }

    static func frame(_ kind: Kind, _ flags: UInt8, _ stream: UInt32, _ payload: [UInt8]) -> [UInt8] {
        Array(bytes(UInt32(payload.count))[1...]) + [kind.rawValue, flags] + bytes(stream) + payload
    }

    func sendRaw(_ bytes: [UInt8]) throws { try sendBytes(bytes) }

    func send(_ kind: Kind, _ flags: UInt8 = 0, _ stream: UInt32 = 0, _ payload: [UInt8] = []) throws {
        try sendRaw(Self.frame(kind, flags, stream, payload))
    }

    /// Fields as literals that are not indexed (RFC 7541 §6.2.2).
    static func block(_ fields: [(String, String)]) -> [UInt8] {
        fields.flatMap { [0] + string($0.0) + string($0.1) }
    }

    private static func string(_ text: String) -> [UInt8] {
        let bytes = latin1(text)
        // RFC 7541 §5.1, of 7 bits.
        if bytes.count < 127 { return [UInt8(bytes.count)] + bytes }
        var size: [UInt8] = [127]
        var rest = bytes.count - 127
        while rest >= 128 {
            size.append(UInt8(rest % 128) | 128)
            rest /= 128
        }
        return size + [UInt8(rest)] + bytes
    }

    static func head(_ method: String = "GET", _ path: String = "/a") -> [(String, String)] {
        [(":method", method), (":scheme", "http"), (":authority", "h"), (":path", path)]
    }

    /// Begins a request on the next stream, whose number it gives.
    @discardableResult
    func request(_ fields: [(String, String)], ends: Bool = true) throws -> UInt32 {
        let stream = nextStream
        nextStream += 2
        try send(.headers, ends ? 5 : 4, stream, Self.block(fields))
        return stream
    }

    func sendData(_ stream: UInt32, _ data: [UInt8], ends: Bool = false) throws {
        var rest = data[...]
        repeat {
            let part = Array(rest.prefix(16_384))
            rest = rest.dropFirst(part.count)
            try send(.data, ends && rest.isEmpty ? 1 : 0, stream, part)
        } while !rest.isEmpty
    }

    // MARK: Receiving

    /// The next frame, after it was taken note of; nil at the end of the stream.
    @discardableResult
    func next() throws -> Frame? {
        while pending.count < 9 || pending.count < 9 + size {
            guard let more = try receiveBytes() else { return nil }
            pending += more
        }
        let frame = Frame(
            kind: pending[3], flags: pending[4],
            stream: Self.number(pending[5..<9]) & 0x7FFF_FFFF, payload: Array(pending[9..<9 + size]))
        pending.removeFirst(9 + size)
        try note(frame)
        return frame
    }

    private var size: Int { Int(pending[0]) << 16 | Int(pending[1]) << 8 | Int(pending[2]) }

    private static func number(_ bytes: ArraySlice<UInt8>) -> UInt32 {
        bytes.reduce(0) { $0 << 8 | UInt32($1) }
    }

    private func note(_ frame: Frame) throws {
        var response = responses[frame.stream] ?? Message()
        switch Kind(rawValue: frame.kind) {
        case .headers:
            response.heads.append(try decoder.decode(frame.payload).map { ($0.name, $0.value) })
        case .data:
            response.body += frame.payload
            if opensWindows && !frame.payload.isEmpty {
                let size = Self.bytes(UInt32(frame.payload.count))
                try send(.windowUpdate, 0, 0, size)
                if !frame.isEnd { try send(.windowUpdate, 0, frame.stream, size) }
            }
        case .reset: response.reset = Self.number(frame.payload[0..<4])
        case .settings where frame.flags & 1 == 0:
            for place in stride(from: 0, to: frame.payload.count, by: 6) {
                let id = UInt16(Self.number(frame.payload[place..<place + 2]))
                settings[id] = Self.number(frame.payload[place + 2..<place + 6])
            }
            try send(.settings, 1)
        case .ping: pings += 1
        case .goAway: goAway = Self.number(frame.payload[4..<8])
        case .windowUpdate: windowUpdates[frame.stream, default: 0] += Int(Self.number(frame.payload[0..<4]))
        default: break
        }
        if frame.isEnd { response.isEnded = true }
        if frame.stream > 0 { responses[frame.stream] = response }
    }

    /// What came of a stream, when it has ended or was reset.
    func response(_ stream: UInt32) throws -> Message {
        while true {
            if let response = responses[stream], response.isEnded || response.reset != nil { return response }
            guard try next() != nil else { throw TestFailure("the connection ended before stream \(stream)") }
        }
    }

    /// Reads until `condition` holds.
    func read(until what: String, _ condition: () -> Bool) throws {
        while !condition() {
            guard try next() != nil else { throw TestFailure("the connection ended before \(what)") }
        }
    }

    /// Reads all that comes until the connection ends.
    func readAll() throws { while try next() != nil {} }

    // MARK: Serving

    /// The stream of the next request, whose head has come.
    func takeRequest() throws -> UInt32 {
        while true {
            let next = responses.filter { $0.value.hasHead && !taken.contains($0.key) }.keys.min()
            if let next {
                taken.insert(next)
                return next
            }
            guard try self.next() != nil else { throw TestFailure("the connection ended before a request") }
        }
    }

    /// The stream of the next request, which has come whole.
    func takeWhole() throws -> UInt32 {
        let stream = try takeRequest()
        _ = try response(stream)
        return stream
    }

    /// Answers a request.
    func answer(
        _ stream: UInt32, _ body: String, status: String = "200", _ fields: [(String, String)] = [],
        trailers: [(String, String)] = []
    ) throws {
        let head = [(":status", status)] + fields
        try send(.headers, body.isEmpty && trailers.isEmpty ? 5 : 4, stream, Self.block(head))
        if !body.isEmpty { try send(.data, trailers.isEmpty ? 1 : 0, stream, latin1(body)) }
        if !trailers.isEmpty { try send(.headers, 5, stream, Self.block(trailers)) }
    }

    /// Answers the next request, which is a client's.
    func serve(_ client: TestSocket, sourceLocation: SourceLocation = #_sourceLocation) throws {
        try answer(try takeWhole(), "hi", [("content-length", "2")])
        #expect(try client.receiveResponse().body == "hi", sourceLocation: sourceLocation)
    }

    /// Sends of a body what the stream's window allows, until the other end opens it no further: so many bytes.
    func fill(_ stream: UInt32, _ body: [UInt8]) throws -> Int {
        var sent = 0
        func room() -> Int { Int(settings[4] ?? 65_535) + (windowUpdates[stream] ?? 0) - sent }
        while sent < body.count {
            for _ in 0..<3 where room() == 0 { try sendPing() }
            if room() == 0 { break }
            let size = min(room(), 16_384, body.count - sent)
            try send(.data, 0, stream, Array(body[sent..<sent + size]))
            sent += size
        }
        return sent
    }

    /// Sends a PING, and reads up to the answer.
    func sendPing() throws {
        let before = pings
        try send(.ping, 0, 0, [UInt8](repeating: 0, count: 8))
        try read(until: "the pong") { pings > before }
    }

    func reset(_ stream: UInt32, _ code: UInt32) throws { try send(.reset, 0, stream, Self.bytes(code)) }

    func sendGoAway(_ last: UInt32, _ code: UInt32 = 0) throws {
        try send(.goAway, 0, 0, Self.bytes(last) + Self.bytes(code))
    }

    /// Requires an answer.
    func expect(
        _ stream: UInt32, _ status: String, _ body: String, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let response = try response(stream)
        #expect(response.status == status && response.isEnded, sourceLocation: sourceLocation)
        #expect(text(response.body) == body, sourceLocation: sourceLocation)
    }
}

extension TestOrigin {
    /// The connection on which a request comes, as a client sends it now on another stream.
    func accept(from client: FrameEnd) throws -> (stream: UInt32, upstream: TestSocket) {
        let stream = try client.request(FrameEnd.head())
        let upstream = try accept()
        try upstream.expect(Messages.get)
        return (stream, upstream)
    }
}
