import TestSupport
import Testing

@testable import UringProxy

@Suite("Extensions of PROXY headers")
struct ProxyExtensionsTests {
    private static let addresses = AddressPair(
        source: IPAddress("192.168.0.1")!, destination: IPAddress("192.168.0.11")!, sourcePort: 56324,
        destinationPort: 443)

    /// What is written of texts of these sizes.
    private func written(
        authority: Int = 0, alpn: Int = 0, tls: (version: Int, cipher: Int, commonName: Int)? = nil,
        hasCertificate: Bool = false, isResumed: Bool = false, checksum: Bool = false, capacity: Int = 2048,
        _ addresses: AddressPair? = ProxyExtensionsTests.addresses
    ) -> [UInt8]? {
        HTTPSupport.withView([UInt8](repeating: 0x61, count: 1000)) { text in
            var extensions = ProxyExtensions()
            extensions.authority = text[0..<authority]
            extensions.alpn = text[0..<alpn]
            extensions.hasChecksum = checksum
            if let tls {
                extensions.tls = ProxyExtensions.TLS(
                    version: text[0..<tls.version], cipher: text[0..<tls.cipher],
                    commonName: text[0..<tls.commonName], hasCertificate: hasCertificate, isResumed: isResumed
                )
            }
            return HTTPSupport.written(capacity: capacity) {
                $0.append(proxyHeader: .v2, addresses, extensions)
            }.map(HTTPSupport.bytes)
        }
    }

    private func a(_ count: Int) -> [UInt8] { [UInt8](repeating: 0x61, count: count) }

    @Test("Each is written with its type and its length, and the header's length counts them")
    func layout() throws {
        let all = try #require(
            written(
                authority: 255, alpn: 2, tls: (7, 22, 64), hasCertificate: true, checksum: true))
        let block = try #require(ProxyBlock(all))
        #expect(block.extensions.map(\.type) == [0x01, 0x02, 0x20, 0x03])
        #expect(block[0x01] == a(2) && block[0x02] == a(255) && block[0x03]?.count == 4)
        let tls = try #require(block[0x20])
        #expect(Array(tls[..<5]) == [0x07, 0, 0, 0, 0])
        #expect(
            ProxyBlock.extensions(Array(tls[5...])) == [
                ProxyBlock.Extension(0x21, a(7)), ProxyBlock.Extension(0x22, a(64)),
                ProxyBlock.Extension(0x23, a(22)),
            ])
        // As it is read here, the checksum included.
        HTTPSupport.withView(all) {
            #expect(
                ProxyHeader.parse($0, limit: 4096)
                    == .complete(ProxyHeader(size: all.count, subject: .relayed(Self.addresses))))
        }
        var wrong = all
        wrong[40] ^= 1
        HTTPSupport.withView(wrong) {
            #expect(ProxyHeader.parse($0, limit: 4096) == .invalid(.wrongChecksum))
        }
    }

    @Test("Whose certificate it is is told by the specification's flags")
    func flags() throws {
        for (hasCertificate, isResumed, wanted) in [
            (false, false, [1, 0, 0, 0, 1]), (false, true, [1, 0, 0, 0, 1]), (true, false, [7, 0, 0, 0, 0]),
            (true, true, [5, 0, 0, 0, 0]),
        ] as [(Bool, Bool, [UInt8])] {
            let bytes = try #require(
                written(tls: (0, 0, 0), hasCertificate: hasCertificate, isResumed: isResumed))
            #expect(ProxyBlock(bytes)?[0x20] == wanted)
        }
    }

    @Test("What there is not, or is too long, is left out; and nothing is ever half written")
    func limits() throws {
        #expect(written() == written(authority: 256, alpn: 256))
        #expect(ProxyBlock(try #require(written(tls: (0, 0, 256))))?[0x20]?.count == 5)
        let most = try #require(
            written(
                authority: 255, alpn: 255, tls: (10, 60, 255), hasCertificate: true, checksum: true,
                AddressPair(
                    source: IPAddress("2001:db8::1")!, destination: IPAddress("2001:db8::2")!, sourcePort: 1,
                    destinationPort: 2)))
        #expect(most.count <= ProxyExtensions.headerLimit)
        for capacity in 0..<most.count {
            #expect(
                written(
                    authority: 255, alpn: 255, tls: (10, 60, 255), checksum: true, capacity: capacity,
                    AddressPair(
                        source: IPAddress("2001:db8::1")!, destination: IPAddress("2001:db8::2")!,
                        sourcePort: 1, destinationPort: 2)) == nil)
        }
        // Receivers drop it all.
        #expect(written(authority: 3, checksum: true, nil) == written(nil))
    }
}
