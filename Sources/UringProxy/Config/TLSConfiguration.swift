/// How a listener speaks TLS.
public struct TLSConfiguration: Sendable, Equatable {
    /// Two files in PEM.
    public struct Certificate: Sendable, Equatable {
        /// The certificate, and behind it those that lead to its root.
        public var certificatePath: String
        public var keyPath: String

        public init(certificatePath: String, keyPath: String) {
            self.certificatePath = certificatePath
            self.keyPath = keyPath
        }
    }

    public enum Version: String, Sendable, CaseIterable {
        case tls12 = "1.2"
        case tls13 = "1.3"
    }

    /// The first one is shown to who asks for no name, or for one that none has.
    public var certificates: [Certificate]
    public var minVersion = Version.tls12
    /// Of TLS 1.2, as OpenSSL writes lists of them; nil: `TLSContext.defaultCiphers`.
    public var ciphers: String?
    /// Of TLS 1.3; nil: all that OpenSSL takes by default.
    public var cipherSuites: String?

    public init(certificates: [Certificate] = []) { self.certificates = certificates }
}
