internal import COpenSSL

/// Why files make no certificate and key, or nothing to check certificates by.
enum TLSCertificateError: Error, Equatable {
    case outOfMemory
    case noCertificate, badCertificate
    case noKey, badKey, encryptedKey, otherKey, unknownKind
    /// With the time from which, or until which, it would be valid.
    case notYetValid(String)
    case expired(String)
    case badRevocations, oldRevocations
    case badResponse, failedResponse, otherResponse, revokedResponse, oldResponse

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
            case COPENSSL_BAD_REVOCATIONS: .badRevocations
            case COPENSSL_OLD_REVOCATIONS: .oldRevocations
            case COPENSSL_BAD_RESPONSE: .badResponse
            case COPENSSL_FAILED_RESPONSE: .failedResponse
            case COPENSSL_OTHER_RESPONSE: .otherResponse
            case COPENSSL_REVOKED_RESPONSE: .revokedResponse
            case COPENSSL_OLD_RESPONSE: .oldResponse
            default: .outOfMemory
            }
    }

    /// Which file is to blame.
    enum File { case certificate, key, revocations, response }

    var file: File {
        switch self {
        case .outOfMemory, .noCertificate, .badCertificate, .notYetValid, .expired: .certificate
        case .noKey, .badKey, .encryptedKey, .otherKey, .unknownKind: .key
        case .badRevocations, .oldRevocations: .revocations
        case .badResponse, .failedResponse, .otherResponse, .revokedResponse, .oldResponse: .response
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
        case .badRevocations: "holds no list of revoked certificates in PEM that can be read"
        case .oldRevocations:
            "holds a list of revoked certificates in whose place a newer one should be by now"
        case .badResponse: "holds no OCSP response in DER"
        case .failedResponse: "holds an OCSP response that tells an error"
        case .otherResponse: "holds an OCSP response that says nothing of this certificate"
        case .revokedResponse: "holds an OCSP response that says that the certificate was revoked"
        case .oldResponse: "holds an OCSP response that is not valid now"
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
        case .badRevocations: "give one of each issuer: -----BEGIN X509 CRL-----"
        case .oldRevocations: "fetch the newest list of each issuer"
        case .badResponse, .failedResponse, .otherResponse, .oldResponse:
            "ask again with 'openssl ocsp -issuer ISSUER -cert CERT -url URL -respout FILE'"
        case .revokedResponse: "have another certificate made"
        }
    }
}
