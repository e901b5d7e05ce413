import TestSupport
import Testing

@testable import UringProxy

@Suite("ClientHello")
struct ClientHelloTests {
    /// What became of it: the name, or why there is none.
    private enum Outcome: Equatable {
        case complete(String)
        case incomplete, plain, tooLarge, malformed
    }

    private func parse(_ bytes: [UInt8]) -> Outcome {
        var name = GrowingBytes(capacity: ClientHello.nameLimit)
        return HTTPSupport.withView(bytes) { view in
            switch ClientHello.parse(view, name: &name) {
            case .complete(let size): .complete(unsafe ByteView(base: name.pointer, count: size).string)
            case .incomplete: .incomplete
            case .plain: .plain
            case .tooLarge: .tooLarge
            case .malformed: .malformed
            }
        }
    }

    /// The outcome of the whole, which no part of it gets before it is certain.
    private func outcome(_ bytes: [UInt8], sourceLocation: SourceLocation = #_sourceLocation)
        -> Outcome
    {
        let whole = parse(bytes)
        var isCertain = false
        for cut in 0..<bytes.count {
            let part = parse(Array(bytes[..<cut]))
            #expect(
                part == whole || !isCertain && part == .incomplete, "cut at \(cut)",
                sourceLocation: sourceLocation)
            isCertain = part != .incomplete
        }
        return whole
    }

    @Test("The host that a library asks for is read", arguments: [Int32(12), 13])
    func library(_ version: Int32) throws {
        for host in [nil, "example.org", "a.b.example.org"] as [String?] {
            let client = TLSClient(host, versions: version...version, alpn: "h2")
            _ = try client.shakeHands()
            let bytes = client.take()
            #expect(outcome(bytes) == .complete(host ?? ""))
            // Whatever follows.
            #expect(parse(bytes + [0, 1, 2]) == .complete(host ?? ""))
        }
    }

    @Test(
        "It may come in records of any size, and be cut anywhere", arguments: [1, 2, 3, 4, 5, 7, 50, 16_384])
    func records(_ size: Int) {
        let bytes = HelloMaker("www.example.org").records(of: size)
        #expect(outcome(bytes) == .complete("www.example.org"))
    }

    @Test("A name is as it came, but for a dot at its end")
    func names() {
        let long = String(repeating: "a123456.", count: 31) + "abcdef"
        for (asked, read) in [
            ("example.org", "example.org"), ("Example.ORG", "Example.ORG"), ("example.org.", "example.org"),
            ("a", "a"), ("xn--bcher-kva.example", "xn--bcher-kva.example"), ("a_b.example", "a_b.example"),
            // Against RFC 6066 §3, and of no harm.
            ("192.0.2.7", "192.0.2.7"), (long, long), (long + ".", long),
        ] {
            let bytes = HelloMaker(asked).records()
            #expect(parse(bytes) == .complete(read))
        }
        #expect(parse(HelloMaker().records()) == .complete(""))
        #expect(parse(HelloMaker(extensions: nil).records()) == .complete(""))
        #expect(parse(HelloMaker(extensions: []).records()) == .complete(""))
    }

    @Test(
        "A name that could be read in two ways is refused",
        arguments: [
            "", ".", "a..b", ".a", "a\0.example", "a b", "a\u{7F}", "ä.example", "a:443", "[::1]", "*.a",
            "a/b",
            "a%2e", String(repeating: "a", count: 256),
        ])
    func badNames(_ name: String) {
        #expect(outcome(HelloMaker(name).records()) == .malformed)
    }

    private static let malformed: [(String, [UInt8])] = {
        typealias Make = HelloMaker
        func hello(_ change: (inout Make) -> Void) -> [UInt8] {
            var hello = Make("example.org")
            change(&hello)
            return hello.records()
        }
        func names(_ content: [UInt8]) -> [UInt8] {
            Make(extensions: Make.extension(0, content)).records()
        }
        let name = Make.extension(0, Make.names(Array("a.b".utf8)))
        let message = Make("example.org").message
        return [
            ("another message", hello { $0.type = 2 }),
            ("a version that never was", hello { $0.version = [2, 0] }),
            ("a session of 33 bytes", hello { $0.session = [33] + [UInt8](repeating: 1, count: 33) }),
            ("a session that leaves the message", hello { $0.session = [255] }),
            ("no suite", hello { $0.suites = [0, 0] }),
            ("half a suite", hello { $0.suites = [0, 3, 1, 2, 3] }),
            ("suites that leave the message", hello { $0.suites = [0xFF, 0xFE] }),
            ("no compression method", hello { $0.methods = [0] }),
            ("nothing of compression methods", hello { ($0.methods, $0.extensions) = ([], nil) }),
            ("half a length of extensions", hello { ($0.methods, $0.extensions) = ([1, 0, 0], nil) }),
            ("bytes behind the extensions", hello { ($0.methods, $0.extensions) = ([1, 0, 0, 0, 9], nil) }),
            (
                "extensions that leave the message",
                hello { ($0.methods, $0.extensions) = ([1, 0, 0, 9], nil) }
            ),
            ("an extension that leaves them", Make(extensions: [0, 10, 0, 1]).records()),
            ("half an extension", Make(extensions: [0, 10, 0]).records()),
            ("the name twice", Make(extensions: name + name).records()),
            (
                "another extension twice",
                Make(extensions: Make.extension(43, [0]) + name + Make.extension(43, [0])).records()
            ),
            (
                "GREASE twice",
                Make(extensions: Make.extension(0xFAFA, []) + Make.extension(0xFAFA, [])).records()
            ),
            ("an empty list of names", names([0, 0])), ("no list of names", names([])),
            ("a name of another type", names([0, 4, 1, 0, 1, 0x61])),
            ("two names", names([0, 8, 0, 0, 1, 0x61, 0, 0, 1, 0x62])),
            ("bytes behind the list", names([0, 4, 0, 0, 1, 0x61, 0])),
            ("a list that leaves its extension", names([0, 5, 0, 0, 1, 0x61])),
            ("a name that leaves its list", names([0, 4, 0, 0, 2, 0x61])),
            ("a name that does not fill its list", names([0, 5, 0, 0, 1, 0x61, 0x62])),
            ("an empty record", [22, 3, 1, 0, 0]),
            ("an empty record in between", Make.records(Array(message[..<9])) + [22, 3, 1, 0, 0]),
            ("a record that is too long", [22, 3, 1, 0x40, 1]),
            ("an alert before it", [21, 3, 1, 0, 2, 1, 0] + Make.records(message)),
            ("data before it", [23, 3, 3, 0, 1, 0]),
            ("an alert in between", Make.records(Array(message[..<9])) + [21, 3, 1, 0, 2, 1, 0]),
            ("another version in between", Make.records(Array(message[..<9])) + [22, 2, 1, 0, 2, 1, 0]),
        ]
    }()

    @Test("What breaks the rules is refused as soon as that is certain")
    func refused() {
        for (what, bytes) in Self.malformed {
            #expect(outcome(bytes) == .malformed, "\(what)")
            // In pieces no less, for which records are not what is wrong.
            if bytes.count > 20 && bytes[5] == 1 && bytes[4] != 9 {
                #expect(outcome(Self.inPieces(bytes)) == .malformed, "\(what), in pieces")
            }
        }
    }

    /// The same message in records of three bytes.
    private static func inPieces(_ bytes: [UInt8]) -> [UInt8] {
        HelloMaker.records(Array(bytes.dropFirst(5)), of: 3)
    }

    @Test("What is no TLS is known by its first bytes")
    func plain() {
        for bytes in [
            Array("GET / HTTP/1.1\r\n".utf8), Array("SSH-2.0-x\r\n".utf8), [0], [0x80, 0x2E, 1, 3, 1],
            [22, 2, 0],
        ] {
            #expect(outcome(bytes) == .plain)
        }
        #expect(outcome([]) == .incomplete)
        #expect(outcome([22, 3]) == .incomplete)
    }

    @Test("It may have 16 KiB with its records' headers, and no more")
    func sizes() {
        func hello(_ size: Int, records: Int) -> [UInt8] {
            let short = HelloMaker("a.b")
            let padding = size - short.records(of: records).count - 4
            var hello = short
            hello.extensions! += HelloMaker.extension(21, [UInt8](repeating: 0, count: padding))
            return hello.records(of: records)
        }
        let most = hello(ClientHello.limit, records: 16_384)
        #expect(most.count == ClientHello.limit)
        #expect(parse(most) == .complete("a.b"))
        #expect(parse(most.dropLast()) == .incomplete)
        #expect(parse(hello(ClientHello.limit + 100, records: 16_384)) == .tooLarge)
        // As soon as its length says so.
        #expect(outcome([22, 3, 1, 0, 4, 1, 0, 0x40, 1]) == .tooLarge)
        #expect(outcome([22, 3, 1, 0, 4, 1, 0xFF, 0xFF, 0xFF]) == .tooLarge)
        // Of which the headers are most.
        let drip = hello(12_000, records: 1)
        #expect(drip.count > ClientHello.limit)
        #expect(parse(drip) == .tooLarge)
        #expect(parse(Array(drip[..<(ClientHello.limit - 1)])) == .incomplete)
    }

    @Test("Whatever is changed, it is read within its bounds, and as certain as before", arguments: 0..<8)
    func changed(_ seed: UInt64) {
        var random = SplitMix(seed: seed)
        let good = HelloMaker("www.example.org").records(of: seed % 2 == 0 ? 16_384 : 11)
        for _ in 0..<60 {
            var bytes = good
            for _ in 0...Int.random(in: 0..<3, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8(
                    truncatingIfNeeded: random.next())
            }
            _ = outcome(bytes)
        }
    }
}
