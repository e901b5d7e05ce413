import TestSupport
import Testing

@testable import UringProxy

@Suite("TLS certificates")
struct TLSCertificateTests {
    private let made = TestCertificate("example.org", "*.example.org", "WWW.Example.Com")

    private func problem(_ certificate: String, _ key: String) -> TLSCertificateError? {
        var key = Array(key.utf8)
        do throws(TLSCertificateError) {
            _ = try TLSCertificate(chain: Array(certificate.utf8), key: &key)
            return nil
        } catch {
            return error
        }
    }

    @Test("Names, kind and end are known; the key is overwritten")
    func facts() throws {
        var key = Array(made.key.utf8)
        let certificate = try TLSCertificate(chain: Array(made.certificate.utf8), key: &key)
        #expect(certificate.names == ["example.org", "*.example.org", "www.example.com"])
        #expect(certificate.kind == .ecdsa)
        #expect(certificate.end.hasSuffix(" UTC") && certificate.end.count == 23)
        #expect(key.allSatisfy { $0 == 0 })
        #expect(try TLSCertificate(TestCertificate("a.test", kind: .rsa)).kind == .rsa)
        #expect(try TLSCertificate(TestCertificate("a.test", kind: .ed25519)).kind == .eddsa)
    }

    @Test("The common name counts where there is no alternative one")
    func commonName() throws {
        let named = TestCertificate("old.example", hasAlternatives: false)
        #expect(try TLSCertificate(named).names == ["old.example"])
        let odd = TestCertificate("An Organisation", hasAlternatives: false)
        #expect(try TLSCertificate(odd).names == [])
        let partial = TestCertificate("f*.example.org", "*", "a.*.example.org", "ok.example.org")
        #expect(try TLSCertificate(partial).names == ["ok.example.org"])
    }

    @Test("A chain and a key may stand in one file, in either order")
    func oneFile() {
        let chain = made.certificate + TestCertificate("An Authority", hasAlternatives: false).certificate
        #expect(problem(made.key + chain, made.key + chain) == nil)
        #expect(problem(chain + made.key, chain + made.key) == nil)
    }

    @Test("What is wrong with the files is told")
    func problems() {
        let cut = String(made.certificate.dropLast(200))
        let garbled = made.certificate.replacing("MI", with: "!!", maxReplacements: 1)
        #expect(problem("", made.key) == .noCertificate)
        #expect(problem("nothing of the kind\n", made.key) == .noCertificate)
        #expect(problem(made.key, made.key) == .noCertificate)
        #expect(problem(cut, made.key) == .badCertificate)
        #expect(problem(garbled, made.key) == .badCertificate)
        #expect(problem(made.certificate + cut, made.key) == .badCertificate)
        #expect(problem(made.certificate, "") == .noKey)
        #expect(problem(made.certificate, made.certificate) == .noKey)
        #expect(problem(made.certificate, String(made.key.dropLast(60))) == .badKey)
        #expect(problem(made.certificate, TestCertificate.key(.ecdsa)) == .otherKey)
        #expect(problem(made.certificate, TestCertificate.key(.rsa)) == .otherKey)
        #expect(problem(made.certificate, TestCertificate.key(.ecdsa, passphrase: "x")) == .encryptedKey)
        let old = TestCertificate("a.test", begin: -7200, end: -3600)
        let new = TestCertificate("a.test", begin: 3600)
        guard case .expired(let end) = problem(old.certificate, old.key),
            case .notYetValid(let begin) = problem(new.certificate, new.key)
        else {
            Issue.record("times are not looked at")
            return
        }
        #expect(end < begin)
    }
}
