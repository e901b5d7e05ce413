internal import COpenSSL

/// Who has to have signed the certificates of clients, and which of them were revoked. Nothing is written to it once it is read.
@safe final class TLSClientAuthorities: @unchecked Sendable {
    /// `struct copenssl_clients`.
    let pointer: OpaquePointer
    /// Of what it was read from: sessions that were checked by something else do not go on.
    let digest: [UInt8]

    /// - Parameters:
    ///   - roots: certificates in PEM.
    ///   - revocations: lists in PEM; nil: nothing was revoked.
    init(roots: [UInt8], revocations: [UInt8]?) throws(TLSCertificateError) {
        var problem: Int32 = 0
        let opened = unsafe roots.withUnsafeBytes { roots in
            let lists = revocations ?? []
            return unsafe lists.withUnsafeBytes { lists in
                unsafe copenssl_clients_read(
                    roots.baseAddress, roots.count,
                    revocations == nil ? nil : lists.baseAddress ?? roots.baseAddress,
                    lists.count, &problem)
            }
        }
        guard let opened = unsafe opened else { throw TLSCertificateError(code: problem) }
        unsafe pointer = opened
        digest = Digest(of: Digest(of: roots).bytes + Digest(of: revocations ?? []).bytes).bytes
    }

    deinit { unsafe copenssl_clients_free(pointer) }
}
