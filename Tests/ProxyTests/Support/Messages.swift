/// Messages that many tests send.
enum Messages {
    static let get = "GET /a HTTP/1.1\r\nHost: h\r\n\r\n"
    static let ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
    static let okClosing = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi"
    static let upgrade = "GET /ws HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
    static let switching =
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
}

/// Takes the chunks off a body that is expected next; nil if the end of the stream, or a reset, comes before the last.
func receiveChunked(_ socket: TestSocket) throws -> [UInt8]? {
    var body: [UInt8] = []
    do {
        while true {
            var line: [UInt8] = []
            while !line.ends(with: [13, 10]) { line += try socket.receive(exactly: 1) }
            guard let size = Int(text(line.dropLast(2)), radix: 16) else { throw TestFailure("chunk line") }
            if size == 0 {
                let end = try socket.receive(exactly: 2)
                return end == [13, 10] ? body : nil
            }
            body += try socket.receive(exactly: size)
            if try socket.receive(exactly: 2) != [13, 10] { return nil }
        }
    } catch { return nil }
}

extension [UInt8] {
    func ends(with suffix: [UInt8]) -> Bool {
        count >= suffix.count && Array(self.suffix(suffix.count)) == suffix
    }
}

/// Bytes without a period that a slice, a page or a window could hide.
func pattern(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
    var state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
    return unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, size in
        for index in 0..<count {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            unsafe buffer[index] = UInt8(truncatingIfNeeded: state >> 32)
        }
        size = count
    }
}

/// Compares long bodies: nil if they are equal, else where and how they begin to differ. (`#expect(a == b)` would look for
/// the shortest edit between them, for minutes.)
func difference(_ got: [UInt8], _ wanted: [UInt8]) -> String? {
    if got == wanted { return nil }
    let index = zip(got, wanted).enumerated().first { $0.element.0 != $0.element.1 }?.offset
    guard let index else { return "\(got.count) bytes instead of \(wanted.count)" }
    let all = zip(got, wanted).enumerated().filter { $0.element.0 != $0.element.1 }.map(\.offset)
    let some = Array(got[index..<min(got.count, index + 32)])
    return "at \(index) of \(wanted.count), \(all.count) bytes up to \(all.last ?? 0): \(some)"
}
