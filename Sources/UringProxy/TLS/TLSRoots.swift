internal import COpenSSL

/// The authorities that certificates have to lead to. Nothing is written to it once it is read.
@safe final class TLSRoots: @unchecked Sendable {
    /// `struct copenssl_roots`.
    let pointer: OpaquePointer

    /// - Parameter bytes: certificates in PEM.
    init(_ bytes: [UInt8]) throws(TLSCertificateError) {
        var problem: Int32 = 0
        guard let made = unsafe copenssl_roots_read(bytes, bytes.count, &problem) else {
            throw TLSCertificateError(code: problem)
        }
        unsafe pointer = made
    }

    private init(_ pointer: OpaquePointer) { unsafe self.pointer = pointer }

    deinit { unsafe copenssl_roots_free(pointer) }

    /// Those of this machine, where OpenSSL looks for them. Blocks: reads files.
    static func system() throws(TLSCertificateError) -> TLSRoots {
        var problem: Int32 = 0
        guard let made = unsafe copenssl_roots_system(&problem) else {
            throw TLSCertificateError(code: problem)
        }
        return unsafe TLSRoots(made)
    }

    /// Where those of this machine stand: in a file, or in a directory.
    static var systemPlaces: (file: String, directory: String) {
        unsafe (String(cString: copenssl_roots_file()), String(cString: copenssl_roots_directory()))
    }

    /// The same for the same certificates.
    var digest: [UInt8] {
        var digest = [UInt8](repeating: 0, count: 32)
        unsafe copenssl_roots_digest(pointer, &digest)
        return digest
    }
}
