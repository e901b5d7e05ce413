import TestSupport
import Testing

@testable import UringProxy

/// One end of a connection over TLS: `TestSocket` with a session before it.
final class TLSSocket {
    let socket: TestSocket
    let session: TLSEnd
    /// Decrypted, and not asked for yet.
    private var pending: [UInt8] = []
    /// The other end's close_notify has come.
    private(set) var hasEnded = false

    /// Shakes hands.
    init(_ socket: TestSocket, _ session: TLSEnd = TLSClient()) throws {
        self.socket = socket
        self.session = session
        while true {
            let isDone = try session.shakeHands()
            try socket.send(session.take())
            if isDone { return }
            guard let bytes = try socket.receive() else {
                throw TestFailure("the stream ended in a handshake")
            }
            session.give(bytes)
        }
    }

    // MARK: Sending

    func send(_ text: String) throws { try send(latin1(text)) }

    func send(_ bytes: [UInt8]) throws {
        try session.write(bytes)
        try socket.send(session.take())
    }

    /// Ends our side: a close_notify, and nothing of the stream below.
    func end() throws {
        session.end()
        try socket.send(session.take())
    }

    // MARK: Receiving

    /// Some bytes; nil at the other end's close_notify.
    func receive() throws -> [UInt8]? {
        if !pending.isEmpty {
            defer { pending = [] }
            return pending
        }
        while !hasEnded {
            guard let bytes = try session.read() else {
                hasEnded = true
                break
            }
            // Answers to new keys.
            let answer = session.take()
            if !answer.isEmpty { try socket.send(answer) }
            if !bytes.isEmpty { return bytes }
            guard let more = try socket.receive() else {
                throw TestFailure("the stream ended without a close_notify")
            }
            session.give(more)
        }
        return nil
    }

    func receive(exactly count: Int) throws -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < count {
            guard let more = try receive() else { throw TestFailure("it ended after \(bytes.count) bytes") }
            bytes += more
        }
        pending = Array(bytes[count...])
        return Array(bytes[..<count])
    }

    /// The next bytes, which have to be these.
    func expect(_ wanted: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
        let bytes = try receive(exactly: wanted.unicodeScalars.count)
        #expect(text(bytes) == wanted, sourceLocation: sourceLocation)
        if text(bytes) != wanted { throw TestFailure("unexpected bytes") }
    }

    func receiveHead() throws -> String {
        var bytes: [UInt8] = []
        while true {
            if let end = text(bytes).firstRange(of: "\r\n\r\n") {
                let head = String(text(bytes)[..<end.upperBound])
                pending = Array(bytes[head.unicodeScalars.count...])
                return head
            }
            guard let more = try receive() else { throw TestFailure("the stream ended in a head") }
            bytes += more
        }
    }

    func receiveResponse() throws -> (head: String, body: String) {
        let head = try receiveHead()
        guard let length = contentLength(head) else { return (head, "") }
        return (head, text(try receive(exactly: length)))
    }

    /// Everything up to the other end's close_notify.
    func receiveAll() throws -> [UInt8] {
        var bytes: [UInt8] = []
        while let more = try receive() { bytes += more }
        return bytes
    }

    /// A close_notify is next, and then the end of the stream below.
    func expectEnd(sourceLocation: SourceLocation = #_sourceLocation) throws {
        #expect(try receiveAll() == [], sourceLocation: sourceLocation)
        try socket.expectEnd(sourceLocation: sourceLocation)
    }
}

extension TLSSocket {
    /// One request over it; the upstream's connection, which is a new one.
    @discardableResult
    func serve(by origin: TestOrigin) throws -> TestSocket {
        try send(Messages.get)
        let upstream = try origin.accept()
        try upstream.expect(Messages.get)
        try upstream.send(Messages.ok)
        try expect(Messages.ok)
        return upstream
    }
}
