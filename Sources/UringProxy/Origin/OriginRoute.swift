/// What a request asks the built-in origin for, read from its path.
struct OriginRoute: BitwiseCopyable, Equatable {
    enum Kind: UInt8, BitwiseCopyable {
        case index, size, chunked, close, delay, slow, status, early, truncate
        case echo, sink, drain, headers, trailers, upgrade, drop, reset, stats
        /// OPTIONS, and nothing else to say.
        case options
        case notFound, badArgument, methodNotAllowed
    }

    var kind: Kind
    /// Bytes of the body.
    var size: UInt64 = 0
    /// Bytes a second.
    var rate: UInt64 = 0
    /// Nanoseconds.
    var delay: Int64 = 0
    var status: UInt16 = 200

    private static var longestDelay: Int64 { 3_600_000_000_000 }

    /// - Parameter path: the target's path; a query is ignored.
    init(_ path: ByteView, method: Method) {
        var end = 0
        while end < path.count, path[end] != UInt8(ascii: "?") { end &+= 1 }
        var parts = PathParts(path[0..<end])
        switch method {
        case .connect:
            self.init(kind: .methodNotAllowed)
            return
        case .options where end == 1 && path[0] == UInt8(ascii: "*"):
            self.init(kind: .options)
            return
        case .get, .head, .post, .put, .delete, .options, .trace, .patch, .other:
            break
        }
        guard let name = parts.next() else {
            self.init(kind: .index)
            return
        }
        self.init(kind: Self.kind(name))
        takeArguments(&parts)
        if kind != .notFound && parts.next() != nil { kind = .notFound }
    }

    private init(kind: Kind) { self.kind = kind }

    private static func kind(_ name: ByteView) -> Kind {
        switch name.count {
        case 4:
            if name.equals("size") { return .size }
            if name.equals("slow") { return .slow }
            if name.equals("echo") { return .echo }
            if name.equals("sink") { return .sink }
            if name.equals("drop") { return .drop }
        case 5:
            if name.equals("close") { return .close }
            if name.equals("delay") { return .delay }
            if name.equals("early") { return .early }
            if name.equals("drain") { return .drain }
            if name.equals("reset") { return .reset }
            if name.equals("stats") { return .stats }
        case 6: if name.equals("status") { return .status }
        case 7:
            if name.equals("chunked") { return .chunked }
            if name.equals("headers") { return .headers }
            if name.equals("upgrade") { return .upgrade }
        case 8:
            if name.equals("trailers") { return .trailers }
            if name.equals("truncate") { return .truncate }
        default: break
        }
        return .notFound
    }

    private mutating func takeArguments(_ parts: inout PathParts) {
        switch kind {
        case .size, .chunked, .close, .truncate:
            take(Self.size(parts.next())) { $0.size = $1 }
        case .slow:
            take(Self.size(parts.next())) { $0.size = $1 }
            take(Self.size(parts.next())) { $0.rate = $1 }
            if rate == 0 { kind = .badArgument }
        case .delay:
            take(Self.duration(parts.next())) { $0.delay = $1 }
            if let size = parts.next() { take(Self.size(size)) { $0.size = $1 } }
        case .status, .early:
            take(Self.size(parts.next())) { $0.status = UInt16(clamping: $1) }
            // 101 changes the protocol; above 599 nobody knows what it means (RFC 9110 §15).
            if status < 100 || status > 599 || status == 101 { kind = .badArgument }
            if kind == .early && status < 200 { kind = .badArgument }
        case .index, .echo, .sink, .drain, .headers, .trailers, .upgrade, .drop, .reset, .stats, .options,
            .notFound, .badArgument, .methodNotAllowed:
            break
        }
    }

    private mutating func take<Value>(_ value: Value?, _ set: (inout OriginRoute, Value) -> Void) {
        if let value { set(&self, value) } else { kind = .badArgument }
    }

    /// A number, with a unit or without.
    private static func size(_ text: ByteView?) -> UInt64? {
        guard let text, text.count > 0, text.count <= 24 else { return nil }
        var value: UInt64 = 0
        for index in 0..<text.count {
            let digit = text[index] &- UInt8(ascii: "0")
            guard digit < 10, index < 18 else {
                let parsed = try? ByteSize.parse(text.string)
                return parsed.flatMap { $0 > UInt64(Int64.max) ? nil : $0 }
            }
            value = value &* 10 &+ UInt64(digit)
        }
        return value
    }

    private static func duration(_ text: ByteView?) -> Int64? {
        guard let text, text.count > 0, text.count <= 24 else { return nil }
        guard let value = try? Nanoseconds(parsing: text.string) else { return nil }
        return value.rawValue <= longestDelay ? value.rawValue : nil
    }
}

/// The parts of a path between its slashes; empty ones at the end do not count.
private struct PathParts {
    private let path: ByteView
    private var position = 0

    init(_ path: ByteView) { self.path = path }

    mutating func next() -> ByteView? {
        guard position < path.count, path[position] == UInt8(ascii: "/") else { return nil }
        let start = position &+ 1
        var end = start
        while end < path.count, path[end] != UInt8(ascii: "/") { end &+= 1 }
        position = end
        return end == start && end == path.count ? nil : path[start..<end]
    }
}
