import TestSupport
import Testing

@testable import UringProxy

@Suite("TLS sessions")
struct TLSSessionTests {
    private static let ok = TLSSession.Outcome.done(1)

    private func connected(_ client: TLSClient = TLSClient("example.org")) throws -> (
        TLSClient, TLSServer
    ) {
        let server = try TLSServer(try TLSContext(TestCertificate("example.org")))
        #expect(try shakeHands(client, server) == Self.ok)
        return (client, server)
    }

    @Test("Bytes pass both ways", arguments: [Int32(12), 13])
    func exchange(_ version: Int32) throws {
        let (client, server) = try connected(TLSClient("example.org", versions: version...version))
        #expect(client.version == version)
        try client.write(Array("to the server".utf8))
        #expect(server.read(client.take()).plaintext == Array("to the server".utf8))
        #expect(server.write(Array("to the client".utf8)) == .done(13))
        client.give(server.take())
        #expect(try client.read() == Array("to the client".utf8))
    }

    @Test("A handshake may come in pieces, and leave in pieces", arguments: [Int32(12), 13])
    func pieces(_ version: Int32) throws {
        let context = try TLSContext(TestCertificate("example.org"))
        for (pieces, room) in [(1, nil), (7, nil), (Int.max, 1), (Int.max, 100), (1, 1)] as [(Int, Int?)] {
            let client = TLSClient(versions: version...version)
            let server = try TLSServer(context)
            #expect(try shakeHands(client, server, pieces: pieces, room: room) == Self.ok)
            try client.write([1, 2, 3])
            #expect(server.read(client.take()).plaintext == [1, 2, 3])
        }
    }

    @Test("Records are decrypted to where they came from", arguments: [Int32(12), 13])
    func inPlace(_ version: Int32) throws {
        let (client, server) = try connected(TLSClient(versions: version...version))
        var random = SplitMix(seed: 5)
        for size in [1, 100, 16_384, 16_385, 100_000] {
            let bytes = (0..<size).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            try client.write(bytes)
            let (plaintext, outcome) = server.read(client.take())
            #expect(plaintext == bytes)
            #expect(outcome == .wantsInput)
        }
    }

    @Test("A record of the largest size fits the room that is kept for one", arguments: [Int32(12), 13])
    func largest(_ version: Int32) throws {
        for ciphers in ["ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-SHA384"] {
            let context = try TLSContext(TestCertificate("example.org")) {
                $0.ciphers = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-SHA384"
            }
            let client = TLSClient(versions: version...version, ciphers: ciphers)
            let server = try TLSServer(context)
            #expect(try shakeHands(client, server) == Self.ok)
            _ = server.take()
            let bytes = [UInt8](repeating: 7, count: TLSWire.recordSize)
            #expect(server.write(bytes) == .done(TLSWire.recordSize))
            client.give(server.take())
            #expect(try client.read() == bytes)
        }
    }

    @Test("A session is taken up again by its ticket", arguments: [Int32(12), 13])
    func resumption(_ version: Int32) throws {
        let context = try TLSContext(TestCertificate("example.org"))
        let first = TLSClient("example.org", versions: version...version)
        let server = try TLSServer(context)
        #expect(try shakeHands(first, server) == Self.ok)
        #expect(!first.isResumed && !server.session.isResumed)
        // The tickets of TLS 1.3 come behind the handshake.
        client(first, reads: server)
        let second = TLSClient("example.org", versions: version...version, after: first)
        let next = try TLSServer(context)
        #expect(try shakeHands(second, next) == Self.ok)
        #expect(second.isResumed && next.session.isResumed)
    }

    private func client(_ client: TLSClient, reads server: TLSServer) {
        client.give(server.take())
        _ = try? client.read()
    }

    @Test("Either side says that it ends, and the other may go on", arguments: [Int32(12), 13])
    func ends(_ version: Int32) throws {
        let (client, server) = try connected(TLSClient(versions: version...version))
        try client.write([1])
        client.end()
        let (plaintext, outcome) = server.read(client.take())
        #expect(plaintext == [1])
        #expect(outcome == .ended)
        #expect(server.write([2]) == .done(1))
        #expect(server.end() == .done(1))
        client.give(server.take())
        #expect(try client.read() == [2])
        #expect(try client.read() == nil)
    }

    @Test("New keys are taken, and answered with new keys")
    func newKeys() throws {
        let (client, server) = try connected(TLSClient(versions: 13...13))
        client.give(server.take())
        _ = try client.read()
        client.updateKeys()
        try client.write([1, 2])
        let (plaintext, outcome) = server.read(client.take())
        #expect(plaintext == [1, 2])
        #expect(outcome == .wantsInput)
        // The answer leaves with what is written next.
        #expect(server.write([3]) == .done(1))
        client.give(server.take())
        #expect(try client.read() == [3])
    }

    @Test("HTTP/1.1 is spoken, or 1.0, and nothing else, where ALPN asks")
    func protocols() throws {
        for name in ["http/1.1", "http/1.0"] {
            let (client, _) = try connected(TLSClient(alpn: name))
            #expect(client.alpn == name)
        }
        let context = try TLSContext(TestCertificate("example.org"))
        #expect(
            try shakeHands(TLSClient(alpn: "h2"), TLSServer(context)) == .failed(.incompatible))
        let any = try TLSContext(
            TLSConfiguration(), certificates: [try TLSCertificate(TestCertificate("example.org"))],
            tickets: TLSTicketKeys(), identity: [1], protocols: .any)
        let client = TLSClient(alpn: "h2")
        #expect(try shakeHands(client, TLSServer(any)) == Self.ok)
        #expect(client.alpn == "")
    }

    @Test("Old versions are not spoken")
    func versions() throws {
        let both = try TLSContext(TestCertificate("example.org"))
        let newer = try TLSContext(TestCertificate("example.org")) { $0.minVersion = .tls13 }
        #expect(
            try shakeHands(TLSClient(versions: 10...11), TLSServer(both)) == .failed(.incompatible))
        #expect(
            try shakeHands(TLSClient(versions: 12...12), TLSServer(newer)) == .failed(.incompatible))
        #expect(try shakeHands(TLSClient(), TLSServer(newer)) == Self.ok)
    }

    @Test("What is not TLS, or an alert, is told apart, and alerted")
    func failures() throws {
        let context = try TLSContext(TestCertificate("example.org"))
        let garbage = try TLSServer(context)
        #expect(garbage.shakeHands([22, 3, 1, 0, 4, 9, 9, 9, 9]) == .failed(.malformed))
        // A fatal alert is two bytes behind the header, the first one 2.
        #expect(garbage.output.first == 21)
        // handshake_failure(40)
        let alert = try TLSServer(context)
        let hello = TLSClient()
        _ = try hello.shakeHands()
        #expect(alert.shakeHands(hello.take()) == .wantsInput)
        #expect(alert.shakeHands([21, 3, 3, 0, 2, 2, 40]) == .failed(.alerted))
        let (client, server) = try connected()
        try client.write([1, 2, 3])
        var bytes = client.take()
        bytes[bytes.count - 1] ^= 1
        #expect(server.read(bytes).outcome == .failed(.malformed))
        #expect(server.output.first != nil)
    }
}
