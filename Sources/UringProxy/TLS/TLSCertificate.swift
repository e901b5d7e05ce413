internal import COpenSSL

/// A certificate, those that lead from it to its root, and its key. Nothing is written to it once it is read.
@safe final class TLSCertificate: @unchecked Sendable {
    /// What it signs with.
    enum Kind: Int32, Sendable { case rsa, ecdsa, eddsa }

    /// `struct copenssl_certificate`.
    let pointer: OpaquePointer
    let kind: Kind
    /// The hosts that it is for, in lower case; `*.example.org` is for all that are a label longer than `example.org`.
    let names: [String]
    /// Until when it is valid, as `YYYY-MM-DD HH:MM:SS UTC`, and in seconds since 1970.
    let end: String
    let endSeconds: Int64

    /// - Parameters:
    ///   - chain: in PEM, the certificate first.
    ///   - key: in PEM; it is overwritten.
    ///   - response: of OCSP, in DER, for clients that ask for it; nil: none.
    init(chain: [UInt8], key: inout [UInt8], response: [UInt8]? = nil) throws(TLSCertificateError) {
        var problem: Int32 = 0
        let opened = unsafe chain.withUnsafeBytes { chain in
            unsafe key.withUnsafeMutableBytes { key in
                let certificate = unsafe copenssl_certificate_read(
                    chain.baseAddress, chain.count, key.baseAddress, key.count, &problem)
                if let base = key.baseAddress { unsafe copenssl_cleanse(base, key.count) }
                return unsafe certificate
            }
        }
        guard let opened = unsafe opened else { throw TLSCertificateError(code: problem) }
        unsafe pointer = opened
        kind = unsafe Kind(rawValue: copenssl_certificate_kind(opened)) ?? .rsa
        var names: [String] = []
        while let name = unsafe copenssl_certificate_name(opened, names.count) {
            unsafe names.append(String(cString: name))
        }
        self.names = names
        var (begin, end) = ([CChar](repeating: 0, count: 32), [CChar](repeating: 0, count: 32))
        unsafe copenssl_certificate_times(opened, &begin, &end)
        self.end = Self.text(end)
        endSeconds = unsafe copenssl_certificate_end(opened)
        let age = unsafe copenssl_certificate_age(opened)
        if age < 0 { throw .notYetValid(Self.text(begin)) }
        if age > 0 { throw .expired(Self.text(end)) }
        guard let response else { return }
        problem = unsafe copenssl_certificate_staple(opened, response, response.count)
        if problem != 0 { throw TLSCertificateError(code: problem) }
    }

    deinit { unsafe copenssl_certificate_free(pointer) }

    /// The same for the same certificate and chain: SHA-256.
    var digest: [UInt8] {
        var digest = [UInt8](repeating: 0, count: 32)
        unsafe copenssl_certificate_digest(pointer, &digest)
        return digest
    }

    private static func text(_ characters: [CChar]) -> String {
        String(decoding: characters.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
