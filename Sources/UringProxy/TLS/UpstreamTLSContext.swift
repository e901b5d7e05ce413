internal import COpenSSL

/// What handshakes with a cluster's endpoints begin with: roots, the certificate that is shown to them, and policy. It never
/// changes, any thread begins sessions by it, and these go on when it is gone.
@safe final class UpstreamTLSContext: @unchecked Sendable {
    /// What tells one from another: connections made with one are of no use where another is asked for.
    struct Identity: Sendable, Equatable {
        var configuration: UpstreamTLSConfiguration
        /// Of the roots' and the certificate's contents; empty: there are none.
        var digests: [[UInt8]]
    }

    /// `SSL_CTX`.
    private let context: OpaquePointer
    let identity: Identity
    /// No other one of the process has it.
    let serial: UInt64
    /// Until when the certificate that is shown is valid, as `YYYY-MM-DD HH:MM:SS UTC`; nil: none is shown.
    let end: String?

    /// - Parameters:
    ///   - roots: nil: certificates are not looked at.
    ///   - certificate: what is shown to endpoints that ask for one.
    init(
        _ identity: Identity, serial: UInt64, roots: TLSRoots?, certificate: TLSCertificate?
    ) throws(TLSContextError) {
        let configuration = identity.configuration
        let version: Int32 = configuration.minVersion == .tls13 ? 13 : 12
        let made = unsafe copenssl_client_context_make(version, roots.map { unsafe $0.pointer })
        guard let made = unsafe made else { throw .outOfMemory }
        do throws(TLSContextError) {
            try unsafe TLSContext.setCiphers(configuration.ciphers, configuration.cipherSuites, of: made)
            if let certificate { try unsafe TLSContext.add(certificate, 0, to: made) }
        } catch {
            unsafe copenssl_context_free(made)
            throw error
        }
        unsafe context = made
        self.identity = identity
        self.serial = serial
        end = certificate?.end
    }

    deinit { unsafe copenssl_context_free(context) }

    /// A client's session; nil without memory.
    ///
    /// - Parameters:
    ///   - protocols: what ALPN offers.
    ///   - ticket: of an earlier session with the same host.
    func makeSession(
        _ wire: borrowing TLSWire, host: TLSHost, protocols: ApplicationProtocols, ticket: TLSTicket?
    )
        -> TLSSession?
    {
        unsafe copenssl_client_session_make(
            context, wire.io, host.text, host.isAddress ? 1 : 0, protocols.list.utf8Start,
            protocols.list.utf8CodeUnitCount, ticket.map { unsafe $0.pointer }
        ).map { unsafe TLSSession($0) }
    }
}
