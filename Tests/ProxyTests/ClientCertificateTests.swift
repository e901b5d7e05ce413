import TestSupport
import Testing

@testable import UringProxy

@Suite("Client certificates", .blocking)
struct ClientCertificateTests {
    private static let authority = TestCertificate("An Authority", signedBy: nil, isAuthority: true)
    private static let client = TestCertificate("ann.example", signedBy: authority, number: 0xBEEF)

    private func asked(_ ca: TemporaryFile, _ mode: TLSConfiguration.ClientCertificates.Mode)
        -> TLSConfiguration.ClientCertificates
    {
        var asked = TLSConfiguration.ClientCertificates(authorityPath: ca.path)
        asked.mode = mode
        return asked
    }

    /// What the client is told: nothing, or the alert.
    private func outcome(_ proxy: TLSProxy, _ made: TestCertificate?, version: Int32) throws -> TLSClient
        .Failure?
    {
        let session = TLSClient("example.org", versions: version...version)
        if let made { session.certify(made) }
        do {
            // Of 1.3 the client's part is over before the server has looked at its certificate.
            let client = try proxy.connect(session)
            try client.send(Messages.get)
            _ = try client.receiveResponse()
            return nil
        } catch let failure as TLSClient.Failure {
            return failure
        }
    }

    @Test(
        "Who has to show one and does not, or a wrong one, is refused, and counted by its cause",
        arguments: TestDriver.offered)
    func required(_ driver: TestDriver) throws {
        let origin = try ServedOrigin { _, _ in Messages.ok }
        let ca = try TemporaryFile(Self.authority.certificate)
        let crl = try TemporaryFile(Self.authority.revocations(7))
        let proxy = try TLSProxy(driver, origin.address) {
            $0.listeners[0].tls!.clientCertificates = asked(ca, .required)
            $0.listeners[0].tls!.clientCertificates?.revocationsPath = crl.path
        }
        let query = ExplanationQuery(target: "https://example.org/")
        do throws(OptionSyntaxError) {
            let text = try Explanation(query, configuration: proxy.proxy.configuration, file: nil).text
            #expect(text.contains("required, of \(ca.path)"), "\(text)")
        } catch { throw TestFailure(error.message) }
        let old = TestCertificate("old.example", signedBy: Self.authority, number: 2, begin: -7200, end: -60)
        let revoked = TestCertificate("revoked.example", signedBy: Self.authority, number: 7)
        let cases: [(made: TestCertificate?, counter: Counter)] = [
            (nil, .tlsCertificatesMissing), (old, .tlsCertificatesExpired),
            (revoked, .tlsCertificatesRevoked),
            (TestCertificate("mallory.example"), .tlsCertificatesUnknown),
        ]
        for version in [Int32(12), 13] {
            #expect(try outcome(proxy, Self.client, version: version) == nil)
            for (made, counter) in cases {
                let before = proxy[counter]
                #expect(try outcome(proxy, made, version: version) != nil)
                #expect(proxy[counter] == before + 1, "\(counter)")
            }
        }
        // The lists are read again when they change.
        try crl.replace(with: Self.authority.revocations(0xBEEF))
        proxy.look()
        #expect(try outcome(proxy, Self.client, version: 13) != nil)
        #expect(try outcome(proxy, revoked, version: 13) == nil)
        // One that is old does not take the place of one that is in use.
        try crl.replace(with: Self.authority.revocations(7, end: -60))
        proxy.look()
        #expect(try outcome(proxy, revoked, version: 13) == nil)
        let line = proxy.proxy.log.withLock { $0.last } ?? ""
        #expect(
            line.contains(
                " holds a list of revoked certificates in whose place a newer one should be by now; "))
        proxy.proxy.end()
        origin.end()
    }

    @Test(
        "Routes tell upstream what it says, and choose by whether there is one", arguments: TestDriver.offered
    )
    func routes(_ driver: TestDriver) throws {
        let origin = try ServedOrigin { head, _ in
            let told = head.split(separator: "\r\n").filter {
                $0.hasPrefix("X-") || $0.hasPrefix("Client-Cert")
            }
            let body = told.joined(separator: "\n")
            return "HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
        }
        let ca = try TemporaryFile(Self.authority.certificate)
        var secret = RouteConfiguration()
        secret.path = "/secret"
        secret.clientCertificate = false
        secret.response = .init(status: 403, body: "show a certificate")
        var open = RouteConfiguration()
        open.cluster = "origin"
        open.requestEdits = FieldEdits(
            set: [
                ("X-Subject", "{client_cert:subject}"), ("X-Issuer", "{client_cert:issuer}"),
                ("X-Serial", "{client_cert:serial}"), ("X-Fingerprint", "{client_cert:fingerprint}"),
                ("X-Verified", "{client_cert:verified}"), ("Client-Cert", "{client_cert:field}"),
            ].map { .init(name: $0.0, value: $0.1) })
        let proxy = try TLSProxy(driver, origin.address) {
            $0.listeners[0].tls!.clientCertificates = asked(ca, .optional)
            $0.listeners[0].cluster = nil
            $0.listeners[0].routes = "s"
            $0.routes = [RouteListConfiguration(name: "s", routes: [secret, open])]
        }
        func ask(_ client: TLSSocket, _ path: String) throws -> (head: String, body: String) {
            // What clients claim of themselves goes.
            try client.send(
                "GET \(path) HTTP/1.1\r\nHost: h\r\nX-Subject: CN=root\r\nX-Verified: yes\r\n\r\n")
            return try client.receiveResponse()
        }
        for version in [Int32(12), 13] {
            let stranger = try proxy.connect(TLSClient("example.org", versions: version...version))
            #expect(try ask(stranger, "/a").body == "X-Verified: no")
            #expect(try ask(stranger, "/secret").head.hasPrefix("HTTP/1.1 403 "))
            let session = TLSClient("example.org", versions: version...version)
            session.certify(Self.client)
            let known = try proxy.connect(session)
            for _ in 0..<2 {
                let told = try ask(known, "/secret").body.split(separator: "\n").map(String.init)
                #expect(
                    told.prefix(3) == [
                        "X-Subject: CN=ann.example", "X-Issuer: CN=An Authority", "X-Serial: BEEF",
                    ])
                #expect(told[3] == "X-Fingerprint: \(Self.fingerprint)")
                #expect(told[4] == "X-Verified: yes")
                #expect(told[5] == "Client-Cert: :\(Self.base64):")
            }
            // A session that goes on has shown it before.
            let resumed = TLSClient("example.org", versions: version...version, after: session)
            let again = try proxy.connect(resumed)
            #expect(resumed.isResumed)
            #expect(try ask(again, "/a").body.hasPrefix("X-Subject: CN=ann.example\n"))
            // A wrong one is refused also where none is asked for.
            #expect(try outcome(proxy, TestCertificate("mallory.example"), version: version) != nil)
        }
        // Who was checked by another authority is checked again.
        let session = TLSClient("example.org", versions: 12...12)
        session.certify(Self.client)
        _ = try proxy.connect(session)
        try ca.replace(with: TestCertificate("Another One", signedBy: nil, isAuthority: true).certificate)
        proxy.look()
        let resumed = TLSClient("example.org", versions: 12...12, after: session)
        let stranger = try proxy.connect(resumed)
        #expect(!resumed.isResumed)
        #expect(try ask(stranger, "/a").body == "X-Verified: no")
        proxy.proxy.end()
        origin.end()
    }

    /// The DER in the PEM.
    private static let base64 = client.certificate.split(separator: "\n").filter { !$0.hasPrefix("-") }
        .joined()

    private static let fingerprint = Digest(of: Base64.decode(latin1(base64))!).bytes
        .map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}
