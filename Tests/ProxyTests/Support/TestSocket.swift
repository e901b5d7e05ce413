import CPosix
import Testing

@testable import UringProxy

/// What a test waited for in vain.
struct TestFailure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// One end of a connection, in the hands of a test. Every wait has a deadline: a test fails, it does not hang.
///
/// Text is Latin-1, so that "\u{FF}" is one byte.
final class TestSocket {
    static let patience: Int64 = 20_000_000_000

    let descriptor: Int32
    private var isOpen = true
    /// Received, and not asked for yet.
    private var pending: [UInt8] = []

    init(descriptor: Int32) {
        self.descriptor = descriptor
        _ = cposix_set_nonblocking(descriptor)
    }

    /// Connects, to `127.0.0.1:PORT` or `unix:PATH`.
    convenience init(to text: String, receiveBuffer: Int32? = nil) throws {
        let address = try SocketAddress(parsing: text)
        let descriptor = cposix_socket(address.family, Int32(CPOSIX_SOCK_STREAM | CPOSIX_SOCK_CLOEXEC), 0)
        if let receiveBuffer {
            _ = cposix_setsockopt_int(descriptor, SOL_SOCKET, SO_RCVBUF, receiveBuffer)
        }
        let result = unsafe address.withSockaddr { unsafe cposix_connect(descriptor, $0, $1) }
        guard result == 0 else {
            _ = cposix_close(descriptor)
            throw TestFailure("connecting to \(text): errno \(-result)")
        }
        if address.isIP { SocketOptions.setNoDelay(descriptor) }
        self.init(descriptor: descriptor)
    }

    deinit { close() }

    var deadline: Int64 { cposix_monotonic_nanoseconds() + Self.patience }

    // MARK: Sending

    func send(_ text: String) throws { try send(latin1(text)) }

    func send(_ bytes: [UInt8]) throws {
        let result = unsafe bytes.withUnsafeBytes { buffer in
            unsafe buffer.isEmpty
                ? 0 : cposix_send_until(descriptor, buffer.baseAddress!, buffer.count, deadline)
        }
        if result < 0 { throw TestFailure("sending \(bytes.count) bytes: errno \(-result)") }
    }

    /// Sends what the kernel takes at once; how much that was, or `-errno`.
    func sendSome(_ bytes: [UInt8]) -> Int {
        unsafe bytes.withUnsafeBytes { buffer in
            unsafe cposix_send(descriptor, buffer.baseAddress!, buffer.count, Int32(CPOSIX_MSG_NOSIGNAL))
        }
    }

    // MARK: Receiving

    /// Some bytes; nil at the end of the stream.
    func receive(atMost size: Int = 65_536) throws -> [UInt8]? {
        if !pending.isEmpty {
            let bytes = Array(pending.prefix(size))
            pending.removeFirst(bytes.count)
            return bytes
        }
        let size = min(size, 1 << 18)
        var bytes = [UInt8](repeating: 0, count: size)
        let result = unsafe bytes.withUnsafeMutableBytes { buffer in
            unsafe cposix_receive_until(descriptor, buffer.baseAddress!, size, deadline)
        }
        if result == -Int(ETIMEDOUT) { throw TestFailure("nothing came in time") }
        if result == -Int(ECONNRESET) { throw ConnectionReset() }
        if result < 0 { throw TestFailure("receiving: errno \(-result)") }
        return result == 0 ? nil : Array(bytes[..<result])
    }

    /// Exactly `count` bytes.
    func receive(exactly count: Int) throws -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < count {
            do {
                guard let more = try receive(atMost: count - bytes.count) else {
                    throw TestFailure("the stream ended")
                }
                bytes += more
            } catch {
                throw TestFailure(
                    "\(error) after \(bytes.count) of \(count) bytes: \(text(bytes).debugDescription)")
            }
        }
        return bytes
    }

    /// The next bytes, which have to be these.
    func expect(_ wanted: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
        var bytes: [UInt8] = []
        let wantedBytes = latin1(wanted)
        while bytes.count < wantedBytes.count, wantedBytes.starts(with: bytes) {
            do {
                guard let more = try receive(atMost: wantedBytes.count - bytes.count) else { break }
                bytes += more
            } catch {
                Issue.record("\(error) after \(text(bytes).debugDescription)", sourceLocation: sourceLocation)
                throw error
            }
        }
        #expect(text(bytes) == wanted, sourceLocation: sourceLocation)
        if bytes != wantedBytes { throw TestFailure("unexpected bytes") }
    }

    /// The path that the next request, which has no body, asks for.
    func receivePath() throws -> String { String(try receiveHead().split(separator: " ")[1]) }

    /// A whole head, up to its empty line.
    func receiveHead() throws -> String {
        var bytes: [UInt8] = []
        let end = latin1("\r\n\r\n")
        while true {
            guard let more = try receive() else {
                throw TestFailure("the stream ended in a head: \(text(bytes).debugDescription)")
            }
            let from = max(0, bytes.count - 3)
            bytes += more
            var index = from
            while index + 4 <= bytes.count {
                if Array(bytes[index..<index + 4]) == end {
                    pending = Array(bytes[(index + 4)...]) + pending
                    return text(Array(bytes[..<(index + 4)]))
                }
                index += 1
            }
        }
    }

    /// A response with Content-Length, or without a body if it has none.
    func receiveResponse() throws -> (head: String, body: String) {
        let head = try receiveHead()
        guard let length = contentLength(head) else { return (head, "") }
        return (head, text(try receive(exactly: length)))
    }

    /// Everything up to the end of the stream, which has to be an orderly one.
    func receiveAll() throws -> String {
        var bytes: [UInt8] = []
        while let more = try receive() { bytes += more }
        return text(bytes)
    }

    /// Everything up to the end, and whether that was a reset.
    func receiveUntilClosed() throws -> (text: String, isReset: Bool) {
        var bytes: [UInt8] = []
        do {
            while let more = try receive() { bytes += more }
        } catch is ConnectionReset {
            return (text(bytes), true)
        }
        return (text(bytes), false)
    }

    /// The stream has ended, in an orderly way, with nothing left in it.
    func expectEnd(sourceLocation: SourceLocation = #_sourceLocation) throws {
        let (text, isReset) = try receiveUntilClosed()
        #expect(text == "", sourceLocation: sourceLocation)
        #expect(!isReset, "the connection was reset", sourceLocation: sourceLocation)
    }

    // MARK: Ends

    /// Our side ends; the peer's goes on.
    func finish() { _ = cposix_shutdown(descriptor, Int32(CPOSIX_SHUT_WR)) }

    func close() {
        if isOpen { _ = cposix_close(descriptor) }
        isOpen = false
    }

    /// Ends with a reset.
    func reset() {
        _ = cposix_set_reset_on_close(descriptor)
        close()
    }
}

struct ConnectionReset: Error {}

// MARK: - Text

func latin1(_ text: String) -> [UInt8] { text.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) } }

func text(_ bytes: [UInt8]) -> String {
    var text = ""
    text.unicodeScalars.append(contentsOf: bytes.lazy.map { Unicode.Scalar($0) })
    return text
}

/// The first cookie that a response sets, as requests have it: `NAME=VALUE`.
func setCookie(_ head: String) -> String? {
    let line = head.split(separator: "\r\n").first { $0.hasPrefix("Set-Cookie: ") }
    return line.map { String($0.dropFirst("Set-Cookie: ".count).prefix { $0 != ";" }) }
}

func contentLength(_ head: String) -> Int? {
    for line in head.split(separator: "\r\n") {
        let parts = line.split(separator: ":", maxSplits: 1)
        if parts.count == 2, parts[0].lowercased() == "content-length" {
            return Int(parts[1].trimmingPrefix(while: { $0 == " " }))
        }
    }
    return nil
}
