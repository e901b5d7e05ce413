import TestSupport
import Testing

@testable import UringProxy

/// The server's end of TLS in the hands of a test, which carries the bytes.
final class TLSServer {
    let wire = TLSWire()
    let session: TLSSession
    /// For the client.
    private(set) var output: [UInt8] = []

    init(_ context: TLSContext) throws {
        let session = context.makeSession(wire)
        self.session = try #require(session)
    }

    deinit { session.free() }

    func take() -> [UInt8] {
        defer { output = [] }
        return output
    }

    /// Gives the session what the client sent.
    ///
    /// - Parameter room: for so many bytes it writes at once; nil: as many as the wire has room for.
    func shakeHands(_ bytes: [UInt8], room: Int? = nil) -> TLSSession.Outcome {
        unsafe bytes.withUnsafeBytes { buffer in
            wire.offer(unsafe ByteView(buffer))
            while true {
                let outcome = writing(room: room) { session.shakeHands() }
                if outcome != .wantsRoom { return outcome }
            }
        }
    }

    /// Decrypts all that the client sent, each record to where it came from.
    func read(_ bytes: [UInt8]) -> (plaintext: [UInt8], outcome: TLSSession.Outcome) {
        var bytes = bytes
        return unsafe bytes.withUnsafeMutableBytes { buffer in
            guard let base = unsafe buffer.baseAddress?.assumingMemoryBound(to: UInt8.self) else {
                return ([], .wantsInput)
            }
            let size = buffer.count
            wire.offer(unsafe ByteView(base: base, count: size))
            var count = 0
            while true {
                let outcome = writing {
                    unsafe session.read(into: base + count, size: size - count)
                }
                guard case .done(let more) = outcome else {
                    let plaintext = unsafe UnsafeBufferPointer(start: base, count: count)
                    return (unsafe Array(plaintext), outcome)
                }
                count += more
            }
        }
    }

    func write(_ bytes: [UInt8]) -> TLSSession.Outcome {
        unsafe bytes.withUnsafeBytes { buffer in
            let view = unsafe ByteView(buffer)
            return writing { session.write(view) }
        }
    }

    func end() -> TLSSession.Outcome { writing { session.end() } }

    private func writing(room: Int? = nil, _ body: () -> TLSSession.Outcome) -> TLSSession.Outcome {
        guard let room else {
            wire.collect()
            let outcome = body()
            output += bytes(of: wire.written)
            return outcome
        }
        let memory = UnsafeMutablePointer<UInt8>.allocate(capacity: room)
        defer { unsafe memory.deallocate() }
        unsafe wire.collect(into: memory, size: room)
        let outcome = body()
        output += bytes(of: wire.written)
        return outcome
    }

    private func bytes(of view: ByteView) -> [UInt8] { (0..<view.count).map { view[$0] } }
}

/// Goes on until both have shaken hands, or one will not.
///
/// - Parameter pieces: so many bytes of the client's come to the server at a time.
func shakeHands(_ client: TLSClient, _ server: TLSServer, pieces: Int = .max, room: Int? = nil) throws
    -> TLSSession.Outcome
{
    var outcome = TLSSession.Outcome.wantsInput
    for _ in 0..<10 {
        let isDone = try client.shakeHands()
        var bytes = client.take()[...]
        while !bytes.isEmpty && outcome == .wantsInput {
            outcome = server.shakeHands(Array(bytes.prefix(pieces)), room: room)
            bytes = bytes.dropFirst(pieces)
        }
        client.give(server.take())
        if case .failed = outcome { return outcome }
        if isDone, case .done = outcome { return outcome }
    }
    return outcome
}

extension TLSCertificate {
    convenience init(_ made: TestCertificate) throws {
        var key = Array(made.key.utf8)
        try self.init(chain: Array(made.certificate.utf8), key: &key)
    }
}

extension TLSContext {
    convenience init(_ made: TestCertificate..., change: (inout TLSConfiguration) -> Void = { _ in }) throws {
        var configuration = TLSConfiguration()
        change(&configuration)
        try self.init(
            configuration, certificates: made.map { try TLSCertificate($0) }, tickets: TLSTicketKeys(),
            identity: Array("test".utf8))
    }
}
