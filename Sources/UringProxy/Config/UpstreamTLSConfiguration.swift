/// How a cluster's endpoints are spoken to over TLS.
public struct UpstreamTLSConfiguration: Sendable, Equatable {
    /// The name, or the address, that is asked for (SNI) and that certificates have to be for; nil: the endpoint's host.
    public var serverName: String?
    /// The authorities that certificates have to lead to, in PEM; nil: the system's.
    public var rootsPath: String?
    /// Whether certificates are looked at; if not, anybody on the way may answer for an endpoint.
    public var verifies = true
    /// The certificate that is shown to endpoints which ask for one, and behind it those that lead to its root; nil: none.
    public var certificatePath: String?
    /// Its private key, without a passphrase.
    public var keyPath: String?
    public var minVersion = TLSConfiguration.Version.tls12
    /// Of TLS 1.2, as OpenSSL writes lists of them; nil: `TLSContext.defaultCiphers`.
    public var ciphers: String?
    /// Of TLS 1.3; nil: all that OpenSSL takes by default.
    public var cipherSuites: String?

    public init() {}
}
