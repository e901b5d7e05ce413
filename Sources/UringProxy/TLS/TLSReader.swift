/// Reads files for TLS, and finds what is wrong with them.
struct TLSReader {
    /// Each by the path of its key.
    private(set) var problems: [ConfigurationProblem] = []

    /// Larger files hold no certificates.
    private static let sizeLimitBytes = 4 << 20

    mutating func note(_ option: String, _ message: String, _ remedy: String) {
        problems.append(ConfigurationProblem(option: option, message: message, remedy: remedy))
    }

    // MARK: - The whole

    /// Reads all files; nil if one cannot be used.
    mutating func material(_ blank: TLSMaterial, _ registry: TLSTicketRegistry) -> TLSMaterial? {
        let before = problems.count
        var material = blank
        let wanted = material.configuration
        if wanted.certificates.isEmpty {
            note("\(blank.path).certificates", "there is no certificate", "name one with 'cert:' and 'key:'")
        }
        checkCiphers(wanted.ciphers, wanted.minVersion, blank.path)
        checkTickets(wanted, blank.path)
        checkDepth(wanted, blank.path)
        for part in material.parts where part != .ticketKeys { _ = read(part, into: &material) }
        // Others may share them: what cannot work changes nothing of theirs.
        if problems.count == before {
            material.tickets = TLSTicketKeys.Source(wanted).map { registry.keys(of: $0) }
        }
        if material.parts.contains(.ticketKeys) { _ = read(.ticketKeys, into: &material) }
        return problems.count == before ? material : nil
    }

    /// Reads a part anew; false, and nothing is changed, if it cannot be used.
    mutating func read(_ part: TLSMaterial.Part, into material: inout TLSMaterial) -> Bool {
        switch part {
        case .certificate(let index):
            guard let certificate = certificate(index, material) else { return false }
            // The first time they come one after the other.
            if index < material.certificates.count {
                material.certificates[index] = certificate
            } else {
                material.certificates.append(certificate)
            }
        case .clients:
            guard let clients = clients(material) else { return false }
            material.clients = clients
        case .ticketKeys:
            guard let keys = ticketKeys(material) else { return false }
            material.tickets?.use(keys)
        }
        return true
    }

    /// What handshakes begin with; nil if it cannot be made.
    mutating func context(_ material: TLSMaterial) -> TLSContext? {
        let before = problems.count
        checkNames(material)
        guard problems.count == before else { return nil }
        do throws(TLSContextError) {
            return try TLSContext(
                material.configuration, certificates: material.certificates, tickets: material.tickets,
                identity: material.identity, clients: material.clients, protocols: material.protocols)
        } catch {
            note(error, material.configuration, material.path)
            return nil
        }
    }

    // MARK: - Files

    mutating func bytes(of path: String, _ option: String) -> [UInt8]? {
        do throws(SystemCallError) {
            return try WholeFile.read(path, limitBytes: Self.sizeLimitBytes)
        } catch {
            note(
                option, "\(quoted(path)) \(error.reasonOfFile(limitBytes: Self.sizeLimitBytes))",
                "check the path")
            return nil
        }
    }

    private mutating func certificate(_ index: Int, _ material: TLSMaterial) -> TLSCertificate? {
        certificate(
            material.configuration.certificates[index], "\(material.path).certificates[\(index)]")
    }

    /// - Parameter path: of the keys that name the files.
    mutating func certificate(_ files: TLSConfiguration.Certificate, _ path: String) -> TLSCertificate? {
        guard let chain = bytes(of: files.certificatePath, "\(path).cert"),
            var key = bytes(of: files.keyPath, "\(path).key")
        else { return nil }
        var response: [UInt8]?
        if let file = files.responsePath {
            response = bytes(of: file, "\(path).ocsp")
            if response == nil { return nil }
        }
        do throws(TLSCertificateError) {
            return try TLSCertificate(chain: chain, key: &key, response: response)
        } catch {
            let (name, file) =
                switch error.file {
                case .certificate, .revocations: ("cert", files.certificatePath)
                case .key: ("key", files.keyPath)
                case .response: ("ocsp", files.responsePath ?? "")
                }
            note("\(path).\(name)", "\(quoted(file)) \(error.reason)", error.remedy)
            return nil
        }
    }

    private mutating func clients(_ material: TLSMaterial) -> TLSClientAuthorities? {
        guard let files = material.configuration.clientCertificates else { return nil }
        let path = "\(material.path).client_certificates"
        guard let roots = bytes(of: files.authorityPath, "\(path).ca") else { return nil }
        var revocations: [UInt8]?
        if let file = files.revocationsPath {
            revocations = bytes(of: file, "\(path).crl")
            if revocations == nil { return nil }
        }
        do throws(TLSCertificateError) {
            return try TLSClientAuthorities(roots: roots, revocations: revocations)
        } catch {
            let isOfLists = error.file == .revocations
            note(
                isOfLists ? "\(path).crl" : "\(path).ca",
                "\(quoted(isOfLists ? files.revocationsPath ?? "" : files.authorityPath)) \(error.reason)",
                isOfLists ? error.remedy : "give the certificates of who signs those of clients, as PEM")
            return nil
        }
    }

    private mutating func ticketKeys(_ material: TLSMaterial) -> [[UInt8]]? {
        var keys: [[UInt8]] = []
        for (index, file) in material.configuration.ticketKeyPaths.enumerated() {
            let path = "\(material.path).ticket_keys[\(index)]"
            guard let key = bytes(of: file, path) else { return nil }
            guard TLSTicketKeys.sizes.contains(key.count) else {
                note(
                    path, "\(quoted(file)) holds \(key.count) bytes, and a key has 48 or 80",
                    "make one with 'openssl rand 80'")
                return nil
            }
            keys.append(key)
        }
        return keys
    }

    // MARK: - Checks

    /// Certificates that are never shown are there by mistake.
    private mutating func checkNames(_ material: TLSMaterial) {
        let certificates = material.certificates
        for index in TLSContext.unused(of: certificates) {
            let file = quoted(material.configuration.certificates[index].certificatePath)
            let names = certificates[index].names
            note(
                "\(material.path).certificates[\(index)].cert",
                names.isEmpty
                    ? "\(file) holds a certificate for no host, which no client asks for"
                    : "\(file) holds a certificate that is never shown: those before it are for all of its hosts",
                names.isEmpty
                    ? "put it first, to be shown to who asks for no host, or leave it out" : "leave it out")
        }
    }

    mutating func checkCiphers(_ ciphers: String?, _ minVersion: TLSConfiguration.Version, _ path: String) {
        guard let ciphers else { return }
        if minVersion == .tls13 {
            note(
                "\(path).ciphers", "they are those of TLS 1.2, which is not spoken here",
                "leave it out, or write 'cipher_suites:' for those of TLS 1.3")
        } else if let unknown = TLSContext.unknownCipher(in: ciphers) {
            note(
                "\(path).ciphers", "there is no cipher \(quoted(unknown)) of TLS 1.2",
                "see 'openssl ciphers -tls1_2 -s -v'; those of TLS 1.3 stand in 'cipher_suites:'")
        }
    }

    private mutating func checkTickets(_ wanted: TLSConfiguration, _ path: String) {
        let range = TLSConfiguration.ticketRotationRange
        if !wanted.sessionTickets && !wanted.ticketKeyPaths.isEmpty {
            note("\(path).ticket_keys", "there are no tickets", "leave it out, or 'session_tickets: off'")
        }
        if wanted.ticketKeyPaths.count > TLSTicketKeys.limit {
            note(
                "\(path).ticket_keys",
                "\(wanted.ticketKeyPaths.count) keys are more than \(TLSTicketKeys.limit)",
                "keep the one that seals, and those of the last two hours")
        }
        guard let rotation = wanted.ticketRotation else { return }
        if !wanted.ticketKeyPaths.isEmpty {
            note(
                "\(path).ticket_rotation", "keys come from files, which their owner replaces", "leave it out")
        } else if !wanted.sessionTickets {
            note(
                "\(path).ticket_rotation", "there are no tickets", "leave it out, or 'session_tickets: off'")
        } else if !range.contains(rotation) {
            note("\(path).ticket_rotation", "\(rotation) is outside 1h to 7d", "give some hours, such as 8h")
        }
    }

    private mutating func checkDepth(_ wanted: TLSConfiguration, _ path: String) {
        let range = TLSConfiguration.ClientCertificates.depthRange
        guard let depth = wanted.clientCertificates?.depth, !range.contains(depth) else { return }
        note(
            "\(path).client_certificates.depth",
            "\(depth) is outside \(range.lowerBound) to \(range.upperBound)",
            "give how many certificates may stand between a client's and one of 'ca'")
    }

    private mutating func note(_ error: TLSContextError, _ wanted: TLSConfiguration, _ path: String) {
        switch error {
        case .certificateRefused(let index, let reason):
            noteRefused(
                wanted.certificates[index].certificatePath, reason, "\(path).certificates[\(index)].cert")
        case .outOfMemory, .noCipher, .noSuite:
            note(error, ciphers: wanted.ciphers, suites: wanted.cipherSuites, path)
        }
    }

    mutating func noteRefused(_ file: String, _ reason: String, _ option: String) {
        note(
            option, "\(quoted(file)) is not taken by OpenSSL (\(reason))",
            "give one with a stronger key and signature")
    }

    /// What has nothing to do with certificates.
    mutating func note(_ error: TLSContextError, ciphers: String?, suites: String?, _ path: String) {
        switch error {
        case .outOfMemory, .certificateRefused: note(path, "there is no memory for it", "free some")
        case .noCipher:
            note(
                "\(path).ciphers", "\(quoted(ciphers ?? "")) leaves no cipher of TLS 1.2",
                "see 'openssl ciphers -tls1_2 -s -v'")
        case .noSuite:
            note(
                "\(path).cipher_suites", "\(quoted(suites ?? "")) are not all suites of TLS 1.3",
                "write some of TLS_AES_128_GCM_SHA256, TLS_AES_256_GCM_SHA384 and TLS_CHACHA20_POLY1305_SHA256, with ':' between them"
            )
        }
    }
}
