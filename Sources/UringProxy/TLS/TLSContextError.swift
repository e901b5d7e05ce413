/// Why TLS cannot be as it is asked for.
enum TLSContextError: Error, Equatable {
    case outOfMemory
    /// OpenSSL does not take the certificate with this index.
    case certificateRefused(index: Int, reason: String)
    /// No cipher of TLS 1.2 goes by these names.
    case noCipher
    /// Not all are suites of TLS 1.3.
    case noSuite
}
