internal import CTestTLS

/// A certificate that a test has made, and its key, in PEM.
public struct TestCertificate: Sendable {
    public enum Kind: Int32, Sendable { case rsa, ecdsa, ed25519, smallRSA }

    public let certificate: String
    public let key: String

    /// - Parameters:
    ///   - names: hosts that it is for; the first one is its common name.
    ///   - hasAlternatives: whether they are its subject alternative names as well.
    ///   - begin: from when on it is valid, in seconds from now.
    public init(
        _ names: String..., kind: Kind = .ecdsa, hasAlternatives: Bool = true, begin: Int = -3600,
        end: Int = 86400
    ) {
        self.init(names, key: Self.key(kind), hasAlternatives: hasAlternatives, begin: begin, end: end)
    }

    public init(
        _ names: [String], key: String, hasAlternatives: Bool = true, begin: Int = -3600, end: Int = 86400
    ) {
        self.key = key
        let text = unsafe ctest_certificate(
            key, names.joined(separator: ","), hasAlternatives ? 1 : 0, begin, end)
        certificate = unsafe Self.take(text)
    }

    /// One with a number that another one has signed, or that signs itself.
    ///
    /// - Parameter isAuthority: whether it may sign others.
    public init(
        _ name: String, signedBy issuer: TestCertificate?, isAuthority: Bool = false, number: Int = 1,
        begin: Int = -3600, end: Int = 86400
    ) {
        key = Self.key(.ecdsa)
        let text = unsafe ctest_signed_certificate(
            key, name, issuer?.certificate, issuer?.key, isAuthority ? 1 : 0, number, begin, end)
        certificate = unsafe Self.take(text)
    }

    /// A list of what it has revoked, in PEM.
    ///
    /// - Parameter number: of the one that was; 0: none.
    public func revocations(_ number: Int, end: Int = 3600) -> String {
        unsafe Self.take(ctest_revocations(certificate, key, number, end))
    }

    /// An OCSP response about one that it has signed, in DER.
    public func response(
        for other: TestCertificate, isRevoked: Bool = false, begin: Int = -600, end: Int = 3600
    ) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = unsafe ctest_response(
            other.certificate, certificate, key, isRevoked ? 1 : 0, begin, end, &bytes, bytes.count)
        return Array(bytes[..<count])
    }

    /// A new key; of RSA, which takes long to make, the same one each time.
    public static func key(_ kind: Kind, passphrase: String? = nil) -> String {
        if kind == .rsa && passphrase == nil { return rsaKey }
        return unsafe take(ctest_key(kind.rawValue, passphrase))
    }

    private static let rsaKey = unsafe take(ctest_key(Kind.rsa.rawValue, nil))

    private static func take(_ text: UnsafeMutablePointer<CChar>?) -> String {
        guard let text = unsafe text else { preconditionFailure("OpenSSL makes no certificate") }
        defer { unsafe ctest_free(text) }
        return unsafe String(cString: text)
    }
}
