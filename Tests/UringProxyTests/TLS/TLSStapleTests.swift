import TestSupport
import Testing

@testable import UringProxy

@Suite("OCSP responses")
struct TLSStapleTests {
    private static let authority = TestCertificate("An Authority", signedBy: nil, isAuthority: true)
    private static let made = TestCertificate("example.org", signedBy: authority, number: 5)
    private static let other = TestCertificate("example.org", signedBy: authority, number: 6)

    private func read(_ response: [UInt8], chain: String? = nil) -> (TLSCertificate?, TLSCertificateError?) {
        var key = Array(Self.made.key.utf8)
        let chain = chain ?? Self.made.certificate + Self.authority.certificate
        do throws(TLSCertificateError) {
            return (try TLSCertificate(chain: Array(chain.utf8), key: &key, response: response), nil)
        } catch {
            return (nil, error)
        }
    }

    @Test("Clients that ask for it are shown it, others are not", arguments: [Int32(12), 13])
    func shown(_ version: Int32) throws {
        let response = Self.authority.response(for: Self.made)
        // The issuer need not be there.
        for chain in [nil, Self.made.certificate] {
            let (certificate, problem) = read(response, chain: chain)
            #expect(problem == nil)
            let context = try TLSContext(
                TLSConfiguration(), certificates: [try #require(certificate)], tickets: nil, identity: [])
            let curious = TLSClient(versions: version...version)
            curious.askStatus()
            #expect(try shakeHands(curious, TLSServer(context)) == .done(1))
            #expect(curious.status == response)
            let plain = TLSClient(versions: version...version)
            #expect(try shakeHands(plain, TLSServer(context)) == .done(1))
            #expect(plain.status == [])
        }
    }

    @Test("What is no response, or is of no use, is refused")
    func refused() {
        let response = Self.authority.response(for: Self.made)
        #expect(read([]).1 == .badResponse)
        #expect(read(Array("nothing".utf8)).1 == .badResponse)
        #expect(read(Array(response.dropLast())).1 == .badResponse)
        #expect(read(response + [0]).1 == .badResponse)
        #expect(read(Self.authority.response(for: Self.other)).1 == .otherResponse)
        #expect(read(Self.authority.response(for: Self.made, isRevoked: true)).1 == .revokedResponse)
        #expect(read(Self.authority.response(for: Self.made, end: -400)).1 == .oldResponse)
        #expect(read(Self.authority.response(for: Self.made, begin: 3600, end: 7200)).1 == .oldResponse)
        // tryLater(3)
        #expect(read([0x30, 3, 0x0A, 1, 3]).1 == .failedResponse)
        let stranger = TestCertificate("Another", signedBy: nil, isAuthority: true)
        #expect(read(stranger.response(for: Self.made)).1 == .otherResponse)
    }
}
