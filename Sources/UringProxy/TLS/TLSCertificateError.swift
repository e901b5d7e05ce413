internal import COpenSSL

/// Why two files make no certificate and key.
enum TLSCertificateError: Error, Equatable {
    case outOfMemory
    case noCertificate, badCertificate
    case noKey, badKey, encryptedKey, otherKey, unknownKind
    /// With the time from which, or until which, it would be valid.
    case notYetValid(String)
    case expired(String)

    init(code: Int32) {
        self =
            switch Int(code) {
            case COPENSSL_NO_CERTIFICATE: .noCertificate
            case COPENSSL_BAD_CERTIFICATE: .badCertificate
            case COPENSSL_NO_KEY: .noKey
            case COPENSSL_BAD_KEY: .badKey
            case COPENSSL_ENCRYPTED_KEY: .encryptedKey
            case COPENSSL_OTHER_KEY: .otherKey
            case COPENSSL_UNKNOWN_KIND: .unknownKind
            default: .outOfMemory
            }
    }

    /// Whether the file with the key is to blame.
    var isOfKey: Bool {
        switch self {
        case .outOfMemory, .noCertificate, .badCertificate, .notYetValid, .expired: false
        case .noKey, .badKey, .encryptedKey, .otherKey, .unknownKind: true
        }
    }

    /// Behind the name of the file.
    var reason: String {
        switch self {
        case .outOfMemory: "does not fit into memory"
        case .noCertificate: "holds no certificate in PEM"
        case .badCertificate: "holds a certificate that cannot be read"
        case .noKey: "holds no private key in PEM"
        case .badKey: "holds a private key that cannot be read"
        case .encryptedKey: "holds a private key that takes a passphrase"
        case .otherKey: "holds the key of another certificate"
        case .unknownKind: "holds a key that is neither RSA nor ECDSA nor EdDSA"
        case .notYetValid(let time): "holds a certificate that is valid from \(time) on only"
        case .expired(let time): "holds a certificate that has expired at \(time)"
        }
    }

    var remedy: String {
        switch self {
        case .outOfMemory: "check that it is the right file"
        case .noCertificate, .badCertificate:
            "give the certificate, and those that lead to its root behind it, as PEM: -----BEGIN CERTIFICATE-----"
        case .noKey, .badKey: "give the certificate's private key as PEM: -----BEGIN PRIVATE KEY-----"
        case .encryptedKey: "take the passphrase off with 'openssl pkey -in FILE -out FILE'"
        case .otherKey: "give the key that the certificate was made with"
        case .unknownKind: "make an ECDSA or RSA key and a certificate for it"
        case .notYetValid: "check the clock of this machine, or give one that is valid"
        case .expired: "give one that is valid"
        }
    }
}
