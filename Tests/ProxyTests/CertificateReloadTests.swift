import TestSupport
import Testing

@testable import UringProxy

@Suite("Certificates that change", .blocking)
struct CertificateReloadTests {
    @Test(
        "New ones are shown once their files have changed, and connections go on",
        arguments: TestDriver.offered)
    func replaced(_ driver: TestDriver) throws {
        let origin = try ServedOrigin { _, _ in Messages.ok }
        let proxy = try TLSProxy(driver, origin.address)
        let before = try proxy.connect()
        #expect(before.session.peerName == "example.org")
        try proxy.replace(with: TestCertificate("new.example"))
        proxy.look()
        let after = try proxy.connect()
        #expect(after.session.peerName == "new.example")
        try before.send(Messages.get)
        try before.expect(Messages.ok)
        #expect(proxy.proxy.log.withLock { $0 }.filter { $0.hasSuffix(" were read again") }.count == 1)
        let metrics = MetricsReport.render(proxy.proxy.server)
        #expect(metrics.contains("\nuproxy_tls_file_reloads_total 1\n"))
        #expect(metrics.contains("\nuproxy_tls_certificate_expires_timestamp_seconds{file=\"/tmp/"))
        try proxy.proxy.wait(for: "the gauge") {
            MetricsReport.render(proxy.proxy.server).contains("\nuproxy_tls_sessions 2\n")
        }
        proxy.proxy.end()
        origin.end()
    }

    @Test(
        "What cannot be used is refused, with its reason, and the old ones stay",
        arguments: TestDriver.offered)
    func refused(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TLSProxy(driver, origin.address)
        let other = TestCertificate("other.example")
        let old = TestCertificate("old.example", begin: -7200, end: -60)
        let good = TLSProxy.certificate
        let cases: [(certificate: String, key: String, reason: String)] = [
            (old.certificate, old.key, "holds a certificate that has expired at "),
            (other.certificate, good.key, "holds the key of another certificate; "),
            ("nothing", other.key, "holds no certificate in PEM; "),
            (other.certificate, TestCertificate.key(.ecdsa, passphrase: "x"), "takes a passphrase; "),
        ]
        for (index, bad) in cases.enumerated() {
            try proxy.replace(certificate: bad.certificate, key: bad.key)
            proxy.look()
            // Told once.
            proxy.look()
            #expect(try proxy.connect().session.peerName == "example.org")
            let lines = proxy.proxy.log.withLock { $0 }
            #expect(lines.count == index + 1, "\(lines)")
            let line = lines.last ?? ""
            #expect(line.hasPrefix("tls: '/tmp/") && line.contains(bad.reason), "\(line)")
            #expect(line.hasSuffix("; what was read before stays in use"), "\(line)")
        }
        #expect(
            MetricsReport.render(proxy.proxy.server).contains("\nuproxy_tls_file_reload_failures_total 4\n"))
        // Nor does it keep later ones from being taken.
        try proxy.replace(with: other)
        proxy.look()
        #expect(try proxy.connect().session.peerName == "other.example")
    }

    @Test("One that cannot be used keeps no other from being replaced", arguments: TestDriver.offered)
    func apart(_ driver: TestDriver) throws {
        let origin = try TestOrigin()
        let proxy = try TLSProxy(
            driver, origin.address, [TestCertificate("first.example"), TestCertificate("second.example")])
        try proxy.replace(0, certificate: "nothing", key: "nothing")
        let renewed = TestCertificate("second.example", "third.example")
        try proxy.replace(1, with: renewed)
        proxy.look()
        #expect(try proxy.connect(TLSClient("third.example")).session.peerName == "second.example")
        #expect(try proxy.connect(TLSClient("first.example")).session.peerName == "first.example")
        // A reload takes all or nothing, and what it has taken is watched.
        #expect(throws: TestFailure.self) { try proxy.proxy.reload { _ in } }
        #expect(try proxy.connect().session.peerName == "first.example")
        try proxy.replace(0, with: TestCertificate("first.example"))
        try proxy.proxy.reload { _ in }
        try proxy.replace(0, with: TestCertificate("fourth.example", "first.example"))
        proxy.look()
        #expect(try proxy.connect(TLSClient("first.example")).session.peerName == "fourth.example")
    }

    @Test(
        "A thousand replacements under load fail no handshake, and leave nothing behind",
        arguments: TestDriver.offered)
    func manyTimes(_ driver: TestDriver) throws {
        let origin = try ServedOrigin { _, _ in Messages.ok }
        let proxy = try TLSProxy(driver, origin.address) { $0.threads = 2 }
        // Of different lengths: a clock that stands still between two of them does not hide one.
        let made = [TestCertificate("example.org"), TestCertificate("another.example.org")]
        let isOver = Locked(false)
        let failures = Locked<[String]>([])
        let served = Locked(0)
        let address = proxy.proxy.address()
        let clients = spawn {
            while !isOver.withLock({ $0 }) {
                do {
                    let client = try TLSSocket(TestSocket(to: address))
                    try client.send(Messages.get)
                    try client.expect(Messages.ok)
                    served.withLock { $0 += 1 }
                } catch { failures.withLock { $0.append("\(error)") } }
            }
        }
        // Of all drivers together.
        let rounds = 1000 / TestDriver.offered.count
        var contexts: [WeakContext] = []
        for round in 1...rounds {
            let next = made[round % 2]
            try proxy.replace(with: next)
            proxy.look()
            contexts.append(WeakContext(proxy.proxy.server.tlsSource?.current.contexts[0]))
            guard round % 100 == 0 else { continue }
            #expect(
                try proxy.connect().session.peerName
                    == (round % 2 == 0 ? "example.org" : "another.example.org"))
        }
        isOver.withLock { $0 = true }
        clients.join()
        #expect(failures.withLock { $0 } == [])
        #expect(served.withLock { $0 } > 0)
        #expect(
            MetricsReport.render(proxy.proxy.server).contains("\nuproxy_tls_file_reloads_total \(rounds)\n"))
        // Workers look once a second, also where nobody comes.
        try proxy.proxy.wait(for: "the end of old contexts") {
            contexts.count { $0.context != nil } == 1
        }
        proxy.proxy.end()
        origin.end()
    }

    private struct WeakContext {
        weak var context: TLSContext?
        init(_ context: TLSContext?) { self.context = context }
    }
}
