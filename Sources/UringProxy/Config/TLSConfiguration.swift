/// How a listener speaks TLS.
public struct TLSConfiguration: Sendable, Equatable {
    /// Two files in PEM, and one in DER.
    public struct Certificate: Sendable, Equatable {
        /// The certificate, and behind it those that lead to its root.
        public var certificatePath: String
        /// Its private key, without a passphrase.
        public var keyPath: String
        /// An OCSP response, for clients that ask for it; nil: none.
        public var responsePath: String?

        public init(certificatePath: String, keyPath: String, responsePath: String? = nil) {
            self.certificatePath = certificatePath
            self.keyPath = keyPath
            self.responsePath = responsePath
        }
    }

    /// Certificates that clients are asked for.
    public struct ClientCertificates: Sendable, Equatable {
        /// What becomes of who shows none.
        public enum Mode: String, Sendable, CaseIterable {
            /// Who has none is refused.
            case required
            /// Who has none is served as well; who shows a wrong one is refused.
            case optional
        }

        /// Those of who signs them, in PEM.
        public var authorityPath: String
        /// Lists of those that were revoked, in PEM; nil: none was.
        public var revocationsPath: String?
        public var mode = Mode.required
        /// Certificates at most between a client's and one of the authorities'.
        public var depth = 4

        static let depthRange = 0...100

        public init(authorityPath: String) { self.authorityPath = authorityPath }
    }

    /// The oldest that is spoken.
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

    /// nil: none are asked for.
    public var clientCertificates: ClientCertificates?
    /// Whether clients are given tickets to take sessions up again with.
    public var sessionTickets = true
    /// Files with the keys of tickets, the first one's seals; empty: keys are the process's own.
    public var ticketKeyPaths: [String] = []
    /// After how long another of the process's own keys seals; nil: `defaultTicketRotation`.
    public var ticketRotation: Nanoseconds?

    static let defaultTicketRotation = Nanoseconds.hours(8)
    static let ticketRotationRange = Nanoseconds.hours(1)...Nanoseconds.hours(24 * 7)

    public init(certificates: [Certificate] = []) { self.certificates = certificates }
}
