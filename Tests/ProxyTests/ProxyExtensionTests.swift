import TestSupport
import Testing

@testable import UringProxy

@Suite("Extensions of PROXY headers that are sent", .blocking)
struct ProxyExtensionTests {
    private static let all = Configuration.UpstreamProxyTLV.allCases
    private static let authority = TestCertificate("An Authority", signedBy: nil, isAuthority: true)
    private static let ann = TestCertificate("ann.example", signedBy: authority)

    private func send(_ configuration: inout Configuration, _ extensions: [Configuration.UpstreamProxyTLV]) {
        configuration.upstreamProxyProtocol = .v2
        configuration.upstreamProxyTLVs = extensions
    }

    /// The header that a connection begins with, which has to be right.
    private func block(_ socket: TestSocket) throws -> ProxyBlock {
        let start = try socket.receive(exactly: ProxyBlock.startSize)
        let bytes = start + (try socket.receive(exactly: ProxyBlock.restSize(start)))
        let isRight = withView(bytes) {
            if case .complete(let header) = ProxyHeader.parse($0, limit: 4096) {
                header.size == bytes.count
            } else {
                false
            }
        }
        #expect(isRight)
        guard let block = ProxyBlock(bytes) else { throw TestFailure("no header: \(bytes)") }
        return block
    }

    private func withView<Result>(_ bytes: [UInt8], _ body: (ByteView) -> Result) -> Result {
        unsafe bytes.withUnsafeBytes { body(unsafe ByteView($0)) }
    }

    private func tls(_ block: ProxyBlock) throws -> (flags: [UInt8], texts: [UInt8: String]) {
        let value = try #require(block[0x20])
        let parts = try #require(ProxyBlock.extensions(Array(value[5...])))
        return (
            Array(value[..<5]), Dictionary(uniqueKeysWithValues: parts.map { ($0.type, text($0.value)) })
        )
    }

    private static let last = "GET /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"

    /// A request over TLS, answered behind its header.
    private func ask(_ client: TLSSocket, _ origin: TestOrigin) throws -> ProxyBlock {
        try client.send("GET /a HTTP/1.1\r\nHost: h\r\n\r\n")
        let upstream = try origin.accept()
        let header = try block(upstream)
        try upstream.expect(Self.last)
        try upstream.send(Messages.ok)
        try client.expect(Messages.ok)
        return header
    }

    @Test(
        "What TLS says of a client is told, whichever connection it goes on with",
        arguments: TestDriver.offered)
    func everything(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let ca = try TemporaryFile(Self.authority.certificate)
        let proxy = try TLSProxy(driver, origin.address) {
            var asked = TLSConfiguration.ClientCertificates(authorityPath: ca.path)
            asked.mode = .optional
            $0.listeners[0].tls?.clientCertificates = asked
            send(&$0, Self.all)
        }
        for version in [Int32(12), 13] {
            let name = "TLSv1.\(version - 10)"
            func client(_ made: TestCertificate?, after earlier: TLSClient? = nil) -> TLSClient {
                let client = TLSClient(
                    "example.org", versions: version...version, alpn: "http/1.1", after: earlier)
                if let made { client.certify(made) }
                return client
            }
            let session = client(Self.ann)
            let first = try proxy.connect(session)
            for _ in 0..<2 {
                let header = try ask(first, origin)
                #expect(header[0x01].map(text) == "http/1.1")
                #expect(header[0x02].map(text) == "example.org")
                #expect(header[0x03]?.count == 4)
                let (flags, texts) = try tls(header)
                #expect(flags == [7, 0, 0, 0, 0])
                #expect(texts[0x21] == name && texts[0x22] == "ann.example")
                #expect(texts[0x23]?.contains("AES") == true || texts[0x23]?.contains("CHACHA20") == true)
            }
            let resumed = client(Self.ann, after: session)
            let (flags, texts) = try tls(try ask(try proxy.connect(resumed), origin))
            #expect(resumed.isResumed)
            #expect(flags == [5, 0, 0, 0, 0] && texts[0x22] == "ann.example")
            let (none, others) = try tls(try ask(try proxy.connect(client(nil)), origin))
            #expect(none == [1, 0, 0, 0, 1])
            #expect(others[0x21] == name && others[0x22] == nil)
        }
    }

    @Test("Of what is told only that which was asked for, and which there is", arguments: TestDriver.offered)
    func chosen(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TLSProxy(driver, origin.address) { send(&$0, []) }
        for (kinds, types, parts) in [
            ([], [], []), ([.authority], [0x02], []), ([.alpn], [0x01], []), ([.crc32c], [0x03], []),
            ([.ssl], [0x20], [0x21]), ([.cipher], [0x20], [0x21, 0x23]), ([.commonName], [0x20], [0x21]),
            ([.authority, .alpn, .ssl], [0x01, 0x02, 0x20], [0x21]),
        ] as [([Configuration.UpstreamProxyTLV], [UInt8], [UInt8])] {
            try proxy.proxy.reload { $0.upstreamProxyTLVs = kinds }
            let client = try proxy.connect(TLSClient("example.org", alpn: "http/1.1"))
            let header = try ask(client, origin)
            #expect(header.extensions.map(\.type) == types)
            if !parts.isEmpty { #expect(try tls(header).texts.keys.sorted() == parts) }
        }
        try proxy.proxy.reload { $0.upstreamProxyTLVs = [.authority, .alpn] }
        #expect(try ask(try proxy.connect(TLSClient()), origin).extensions == [])
    }

    @Test(
        "Of a connection in clear nothing is known but its header's checksum", arguments: TestDriver.offered)
    func clear(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TestProxy(driver, origin) { send(&$0, Self.all) }
        let client = try proxy.connect()
        try client.send("GET /a HTTP/1.1\r\nHost: h\r\n\r\n")
        let upstream = try origin.accept()
        #expect(try block(upstream).extensions.map(\.type) == [0x03])
        try upstream.expect(Self.last)
    }

    @Test("A relay that takes TLS off tells of it", arguments: TestDriver.offered)
    func relay(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TLSProxy(driver, origin.address, role: .tcp) { send(&$0, Self.all) }
        let client = try proxy.connect(TLSClient("example.org"))
        try client.send("hello")
        let upstream = try origin.accept()
        let header = try block(upstream)
        #expect(header.extensions.map(\.type) == [0x02, 0x20, 0x03])
        #expect(header[0x02].map(text) == "example.org")
        try upstream.expect("hello")
    }

    @Test("TLS that is passed on tells whom it asks for", arguments: TestDriver.offered)
    func passthrough(_ driver: TestDriver) throws {
        let (origin, rest) = (try TestOrigin(), try TestOrigin())
        let proxy = try TestProxy(
            driver, cluster: ClusterConfiguration(name: "rest", endpoints: [rest.address])
        ) {
            // The second endpoint gets the header that the first one was not there to take.
            let nobody = try? TestOrigin.nobody()
            $0.clusters.append(
                ClusterConfiguration(name: "named", endpoints: [nobody ?? "", origin.address]))
            $0.listeners[0].role = .tcp
            $0.listeners[0].serverNames = [ServerNameRule(names: ["*.test"], cluster: "named")]
            send(&$0, Self.all)
        }
        for (bytes, at, name) in [
            (HelloMaker("A.test.").records(of: 9), origin, "A.test"),
            (HelloMaker("a.other").records(), rest, "a.other"), (HelloMaker().records(), rest, nil),
            (latin1("GET / HTTP/1.1\r\n\r\n"), rest, nil),
        ] as [([UInt8], TestOrigin, String?)] {
            let client = try proxy.connect()
            try client.send(bytes)
            let upstream = try at.accept()
            let header = try block(upstream)
            #expect(header[0x02].map(text) == name)
            #expect(header.extensions.count == (name == nil ? 1 : 2))
            #expect(try upstream.receive(exactly: bytes.count) == bytes)
        }
    }

    @Test(
        "A header of more than 255 bytes goes before TLS, and again with a request",
        arguments: TestDriver.offered)
    func long(_ driver: TestDriver) throws {
        let origin = try TLSOrigin()
        let proxy = try TLSProxy(driver, origin.origin.address) {
            $0.clusters[0].tls = origin.cluster.tls
            send(&$0, Self.all)
        }
        let host = String(repeating: "a123456.", count: 30) + "example"
        let client = try proxy.connect(TLSClient(host))
        for _ in 0..<2 {
            try client.send("GET /a HTTP/1.1\r\nHost: h\r\n\r\n")
            let socket = try origin.origin.accept()
            #expect(try block(socket)[0x02].map(text) == host)
            let upstream = try TLSSocket(socket, origin.identity.accept())
            try upstream.expect(Self.last)
            try upstream.send(Messages.ok)
            try client.expect(Messages.ok)
        }
        let plain = try TestOrigin()
        try proxy.proxy.reload {
            $0.clusters[0].tls = nil
            $0.clusters[0].endpoints = [plain.address]
        }
        #expect(try ask(client, plain)[0x02].map(text) == host)
    }
}
