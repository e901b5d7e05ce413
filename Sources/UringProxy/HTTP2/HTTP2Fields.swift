internal import CNghttp2

/// The fields of a head or of trailers, as the library takes them. It refers to what they were parsed from, and is written anew
/// for each.
@safe struct HTTP2Fields: ~Copyable {
    private(set) var fields: UnsafeMutablePointer<nghttp2_nv>
    private var capacity = 0
    private(set) var count = 0
    /// Names in lower case (RFC 9113 §8.2), and the status of a response.
    private var names: GrowingBytes
    private var namesSize = 0

    init() {
        unsafe fields = .allocate(capacity: 1)
        names = GrowingBytes(capacity: 1024)
    }

    deinit { unsafe fields.deallocate() }

    /// - Parameter size: of the head.
    private mutating func begin(_ wanted: Int, _ size: Int) {
        if wanted > capacity {
            unsafe fields.deallocate()
            capacity = max(64, wanted)
            unsafe fields = .allocate(capacity: capacity)
        }
        names.reserve(size)
        count = 0
        namesSize = 0
    }

    /// The head of a response, less what is for connections of HTTP/1.1 (RFC 9113 §8.2.2).
    ///
    /// - Parameter status: the code that downstream is told.
    mutating func set(_ head: ResponseHead, status: UInt16, _ lines: borrowing FieldTable, _ bytes: ByteView)
    {
        begin(lines.count + 1, head.size + 8)
        unsafe names.pointer[0] = UInt8(ascii: "0") + UInt8(status / 100)
        unsafe names.pointer[1] = UInt8(ascii: "0") + UInt8(status / 10 % 10)
        unsafe names.pointer[2] = UInt8(ascii: "0") + UInt8(status % 10)
        namesSize = 3
        let name: StaticString = ":status"
        unsafe add(name.utf8Start, 7, names.pointer, 3)
        for index in 0..<lines.count {
            switch lines[index].id {
            case .connection, .transferEncoding, .upgrade, .keepAlive, .proxyConnection: continue
            default: break
            }
            // It answers to a handshake that HTTP/2 does not have (RFC 8441 §5).
            if head.status == 101 && bytes[lines[index].name].equalsFolded("sec-websocket-accept") {
                continue
            }
            add(lines[index], bytes)
        }
    }

    /// The head of a request, less what is for connections of HTTP/1.1 (RFC 9113 §8.2.2).
    ///
    /// - Parameter isWebSocket: the request is for one (RFC 8441 §4).
    mutating func set(
        _ head: RequestHead, isSecure: Bool, isWebSocket: Bool, _ lines: borrowing FieldTable,
        _ bytes: ByteView
    ) {
        begin(lines.count + 6, head.size)
        if isWebSocket {
            add(":method", "CONNECT")
            add(":protocol", "websocket")
        } else {
            add(":method", bytes[head.methodRange])
        }
        add(":scheme", isSecure ? "https" : "http")
        add(":path", bytes[head.target])
        // What Host says (RFC 9113 §8.3.1): before all other fields.
        for index in 0..<lines.count where lines[index].id == .host {
            add(":authority", bytes[lines[index].value])
        }
        for index in 0..<lines.count {
            switch lines[index].id {
            case .host, .connection, .transferEncoding, .upgrade, .keepAlive, .proxyConnection, .te,
                .http2Settings:
                continue
            case .secWebsocketKey where isWebSocket: continue
            default: add(lines[index], bytes)
            }
        }
        if head.teTrailers { add("te", "trailers") }
    }

    private mutating func add(_ name: StaticString, _ value: StaticString) {
        unsafe add(
            name.utf8Start, name.utf8CodeUnitCount, UnsafeMutablePointer(mutating: value.utf8Start),
            value.utf8CodeUnitCount)
    }

    private mutating func add(_ name: StaticString, _ value: ByteView) {
        unsafe add(
            name.utf8Start, name.utf8CodeUnitCount, UnsafeMutablePointer(mutating: value.pointer), value.count
        )
    }

    /// Trailers.
    mutating func set(_ lines: borrowing FieldTable, _ bytes: ByteView) {
        begin(lines.count, bytes.count)
        for index in 0..<lines.count where !lines[index].isHopByHop { add(lines[index], bytes) }
    }

    private mutating func add(_ line: FieldLine, _ bytes: ByteView) {
        let (name, value) = (bytes[line.name], bytes[line.value])
        let lower = unsafe names.pointer + namesSize
        for index in 0..<name.count { unsafe lower[index] = name[index].asciiLowercased }
        namesSize += name.count
        unsafe add(lower, name.count, UnsafeMutablePointer(mutating: value.pointer), value.count)
    }

    @unsafe
    private mutating func add(
        _ name: UnsafePointer<UInt8>, _ nameSize: Int, _ value: UnsafeMutablePointer<UInt8>, _ valueSize: Int
    ) {
        unsafe fields[count] = nghttp2_nv(
            name: UnsafeMutablePointer(mutating: name), value: value, namelen: nameSize, valuelen: valueSize,
            flags: UInt8(NGHTTP2_NV_FLAG_NONE.rawValue))
        count += 1
    }
}
