import TestSupport
import Testing

@testable import UringProxy

@Suite("TLS contexts")
struct TLSContextTests {
    /// What a client that asks for a host is shown.
    private func shown(
        _ context: TLSContext, _ host: String?, ciphers: String? = nil, versions: ClosedRange<Int32> = 12...13
    ) throws -> TLSClient {
        let client = TLSClient(host, versions: versions, ciphers: ciphers)
        #expect(try shakeHands(client, TLSServer(context)) == .done(1))
        return client
    }

    @Test("The name decides: exact, then wildcard, then the first certificate")
    func names() throws {
        let context = try TLSContext(
            TestCertificate("first.example", "www.first.example"),
            TestCertificate("*.example.org", "example.org"),
            TestCertificate("a.example.org"))
        let wanted: [(host: String?, name: String, index: Int)] = [
            (nil, "first.example", 0), ("nowhere.test", "first.example", 0),
            ("www.first.example", "first.example", 0), ("example.org", "*.example.org", 1),
            ("b.example.org", "*.example.org", 1), ("A.Example.ORG", "a.example.org", 2),
            ("a.b.example.org", "first.example", 0), ("b.example.org.", "*.example.org", 1),
        ]
        for (host, name, index) in wanted {
            #expect(try shown(context, host).peerName == name, "\(host ?? "nobody")")
            if let host { #expect(context.certificates(for: host) == [index], "\(host)") }
        }
    }

    @Test("Of two kinds under one name the client is shown the one that it can check")
    func kinds() throws {
        let context = try TLSContext(
            TestCertificate("example.org", kind: .rsa), TestCertificate("example.org", kind: .ecdsa),
            TestCertificate("other.example", kind: .ed25519))
        #expect(context.certificates(for: "example.org") == [0, 1])
        for host in ["example.org", nil] {
            for (ciphers, kind) in [
                ("ECDHE-RSA-AES128-GCM-SHA256", TestCertificate.Kind.rsa),
                ("ECDHE-ECDSA-AES128-GCM-SHA256", .ecdsa),
            ] {
                let client = try shown(context, host, ciphers: ciphers, versions: 12...12)
                #expect(client.peerKind == kind)
            }
        }
        #expect(try shown(context, "other.example", versions: 13...13).peerKind == .ed25519)
    }

    @Test("Where a name has none of a kind, the one for all names beside it is shown")
    func wildcardOfOtherKind() throws {
        let context = try TLSContext(
            TestCertificate("*.example.org", kind: .rsa), TestCertificate("a.example.org", kind: .ecdsa),
            TestCertificate("*.example.org", kind: .ecdsa))
        #expect(context.certificates(for: "a.example.org") == [1, 0])
        let rsa = try shown(
            context, "a.example.org", ciphers: "ECDHE-RSA-AES128-GCM-SHA256", versions: 12...12)
        #expect(rsa.peerName == "*.example.org")
        let ecdsa = try shown(
            context, "a.example.org", ciphers: "ECDHE-ECDSA-AES128-GCM-SHA256", versions: 12...12)
        #expect(ecdsa.peerName == "a.example.org")
    }

    @Test("Certificates that nobody is ever shown are known")
    func unused() throws {
        let certificates = try [
            TestCertificate("a.example", "b.example"), TestCertificate("b.example"),
            TestCertificate("b.example", kind: .rsa), TestCertificate("c.example", "a.example"),
        ].map { try TLSCertificate($0) }
        #expect(TLSContext.unused(of: certificates) == [1])
    }

    @Test("Ciphers and suites are what they are said to be, and refused where there are none such")
    func ciphers() throws {
        let made = TestCertificate("example.org")
        let context = try TLSContext(made) {
            $0.ciphers = "ECDHE-ECDSA-AES256-GCM-SHA384"
            $0.cipherSuites = "TLS_AES_128_GCM_SHA256"
        }
        let client = TLSClient(versions: 12...12, ciphers: "ECDHE-ECDSA-AES128-GCM-SHA256")
        #expect(try shakeHands(client, TLSServer(context)) == .failed(.incompatible))
        _ = try shown(context, nil, ciphers: "ECDHE-ECDSA-AES256-GCM-SHA384", versions: 12...12)
        #expect(throws: TLSContextError.noCipher) { try TLSContext(made) { $0.ciphers = "NONSENSE" } }
        #expect(throws: TLSContextError.noSuite) { try TLSContext(made) { $0.cipherSuites = "NONSENSE" } }
        #expect(TLSContext.unknownCipher(in: "HIGH:!aNULL:NONSENSE:@SECLEVEL=2") == "NONSENSE")
        #expect(TLSContext.unknownCipher(in: TLSContext.defaultCiphers) == nil)
    }

    @Test("A key that is too weak is refused, with OpenSSL's word for it")
    func weak() throws {
        let certificate = try TLSCertificate(TestCertificate("example.org", kind: .smallRSA))
        #expect(throws: TLSContextError.certificateRefused(index: 0, reason: "ee key too small")) {
            try TLSContext(
                TLSConfiguration(), certificates: [certificate], tickets: TLSTicketKeys(), identity: [])
        }
    }

    @Test("Sessions outlive the context that they began with")
    func lifetime() throws {
        var context: TLSContext? = try TLSContext(
            TestCertificate("first.example"), TestCertificate("second.example"))
        let server = try TLSServer(context!)
        context = nil
        let client = TLSClient("second.example")
        #expect(try shakeHands(client, server) == .done(1))
        #expect(client.peerName == "second.example")
    }

    @Test("A session is taken up in another context with the same keys and identity, and in no other")
    func tickets() throws {
        let certificate = try TLSCertificate(TestCertificate("example.org"))
        let keys = TLSTicketKeys()
        func server(_ tickets: TLSTicketKeys, _ identity: UInt8) throws -> TLSServer {
            try TLSServer(
                TLSContext(
                    TLSConfiguration(), certificates: [certificate], tickets: tickets, identity: [identity]))
        }
        for version in [Int32(12), 13] {
            let first = TLSClient(versions: version...version)
            let begun = try server(keys, 1)
            #expect(try shakeHands(first, begun) == .done(1))
            _ = try first.read()
            for (next, isResumed) in [
                (try server(keys, 1), true), (try server(keys, 2), false),
                (try server(TLSTicketKeys(), 1), false),
            ] {
                let second = TLSClient(versions: version...version, after: first)
                #expect(try shakeHands(second, next) == .done(1))
                #expect(second.isResumed == isResumed)
            }
        }
    }
}
