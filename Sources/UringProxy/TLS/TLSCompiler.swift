/// Makes what listeners that speak TLS begin handshakes with: reads certificates and keys, and finds what is wrong with them.
struct TLSCompiler {
    /// Of each listener, in the order of the configuration's; nil where it speaks none, or cannot.
    private(set) var contexts: [TLSContext?] = []
    /// Each by the path of its key.
    private(set) var problems: [ConfigurationProblem] = []

    /// Larger files hold no certificates.
    private static let sizeLimitBytes = 4 << 20

    init(_ configuration: Configuration, tickets: TLSTicketKeys) {
        let all = configuration.allListeners
        // Those of options come first, and speak none.
        let ofOptions = all.count - configuration.listeners.count
        for (place, listener) in all.enumerated() {
            let path = "listeners[\(place - ofOptions)].tls"
            contexts.append(listener.tls.flatMap { context($0, listener, path, tickets) })
        }
    }

    private mutating func note(_ option: String, _ message: String, _ remedy: String) {
        problems.append(ConfigurationProblem(option: option, message: message, remedy: remedy))
    }

    private mutating func context(
        _ wanted: TLSConfiguration, _ listener: ListenerConfiguration, _ path: String,
        _ tickets: TLSTicketKeys
    ) -> TLSContext? {
        let before = problems.count
        if wanted.certificates.isEmpty {
            note("\(path).certificates", "there is no certificate", "name one with 'cert:' and 'key:'")
        }
        checkCiphers(wanted, path)
        var certificates: [TLSCertificate] = []
        for (index, files) in wanted.certificates.enumerated() {
            if let certificate = read(files, "\(path).certificates[\(index)]") {
                certificates.append(certificate)
            }
        }
        guard problems.count == before else { return nil }
        checkNames(certificates, wanted, path)
        guard problems.count == before else { return nil }
        do throws(TLSContextError) {
            // Whoever came by one address is known at no other.
            return try TLSContext(
                wanted, certificates: certificates, tickets: tickets,
                identity: Array(listener.address.utf8.suffix(32)),
                protocols: listener.role == .tcp ? .any : listener.speaksHTTP2 ? .http2 : .http1)
        } catch {
            note(error, wanted, path)
            return nil
        }
    }

    // MARK: - Certificates

    private mutating func read(_ files: TLSConfiguration.Certificate, _ path: String) -> TLSCertificate? {
        guard let chain = bytes(of: files.certificatePath, "\(path).cert"),
            var key = bytes(of: files.keyPath, "\(path).key")
        else { return nil }
        do throws(TLSCertificateError) {
            return try TLSCertificate(chain: chain, key: &key)
        } catch {
            let file = error.isOfKey ? files.keyPath : files.certificatePath
            note(
                error.isOfKey ? "\(path).key" : "\(path).cert", "\(quoted(file)) \(error.reason)",
                error.remedy)
            return nil
        }
    }

    private mutating func bytes(of path: String, _ option: String) -> [UInt8]? {
        do throws(SystemCallError) {
            return try WholeFile.read(path, limitBytes: Self.sizeLimitBytes)
        } catch {
            note(
                option, "\(quoted(path)) \(error.reasonOfFile(limitBytes: Self.sizeLimitBytes))",
                "check the path")
            return nil
        }
    }

    /// Certificates that are never shown are there by mistake.
    private mutating func checkNames(
        _ certificates: [TLSCertificate], _ wanted: TLSConfiguration, _ path: String
    ) {
        for index in certificates.isEmpty ? [] : TLSContext.unused(of: certificates) {
            let file = quoted(wanted.certificates[index].certificatePath)
            let names = certificates[index].names
            note(
                "\(path).certificates[\(index)].cert",
                names.isEmpty
                    ? "\(file) holds a certificate for no host, which no client asks for"
                    : "\(file) holds a certificate that is never shown: those before it are for all of its hosts",
                names.isEmpty
                    ? "put it first, to be shown to who asks for no host, or leave it out" : "leave it out")
        }
    }

    // MARK: - Ciphers

    private mutating func checkCiphers(_ wanted: TLSConfiguration, _ path: String) {
        guard let ciphers = wanted.ciphers else { return }
        if wanted.minVersion == .tls13 {
            note(
                "\(path).ciphers", "they are those of TLS 1.2, which is not spoken here",
                "leave it out, or write 'cipher_suites:' for those of TLS 1.3")
        } else if let unknown = TLSContext.unknownCipher(in: ciphers) {
            note(
                "\(path).ciphers", "there is no cipher \(quoted(unknown)) of TLS 1.2",
                "see 'openssl ciphers -tls1_2 -s -v'; those of TLS 1.3 stand in 'cipher_suites:'")
        }
    }

    private mutating func note(_ error: TLSContextError, _ wanted: TLSConfiguration, _ path: String) {
        switch error {
        case .outOfMemory: note(path, "there is no memory for it", "free some")
        case .certificateRefused(let index, let reason):
            note(
                "\(path).certificates[\(index)].cert",
                "\(quoted(wanted.certificates[index].certificatePath)) is not taken by OpenSSL (\(reason))",
                "give one with a stronger key and signature")
        case .noCipher:
            note(
                "\(path).ciphers", "\(quoted(wanted.ciphers ?? "")) leaves no cipher of TLS 1.2",
                "see 'openssl ciphers -tls1_2 -s -v'")
        case .noSuite:
            note(
                "\(path).cipher_suites", "\(quoted(wanted.cipherSuites ?? "")) are not all suites of TLS 1.3",
                "write some of TLS_AES_128_GCM_SHA256, TLS_AES_256_GCM_SHA384 and TLS_CHACHA20_POLY1305_SHA256, with ':' between them"
            )
        }
    }
}
