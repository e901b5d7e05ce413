/// What was read of a listener's files for TLS.
struct TLSMaterial: Sendable {
    /// What is read together, and replaced as a whole.
    enum Part: Sendable, Equatable {
        /// By its index: a certificate, its key and its OCSP response.
        case certificate(Int)
        case clients
        case ticketKeys
    }

    let configuration: TLSConfiguration
    /// Of the listener, as it is configured.
    let address: String
    /// Of `tls`, for messages.
    let path: String
    let protocols: TLSContext.Protocols
    var certificates: [TLSCertificate] = []
    var clients: TLSClientAuthorities?
    var tickets: TLSTicketKeys?

    init(_ configuration: TLSConfiguration, of listener: ListenerConfiguration, path: String) {
        self.configuration = configuration
        address = listener.address
        self.path = path
        protocols = listener.role == .tcp ? .any : listener.speaksHTTP2 ? .http2 : .http1
    }

    /// All that there is to be read.
    var parts: [Part] {
        var parts = configuration.certificates.indices.map { Part.certificate($0) }
        if configuration.clientCertificates != nil { parts.append(.clients) }
        if !configuration.ticketKeyPaths.isEmpty && configuration.sessionTickets { parts.append(.ticketKeys) }
        return parts
    }

    func files(of part: Part) -> [String] {
        switch part {
        case .certificate(let index):
            let files = configuration.certificates[index]
            return [files.certificatePath, files.keyPath] + (files.responsePath.map { [$0] } ?? [])
        case .clients:
            guard let files = configuration.clientCertificates else { return [] }
            return [files.authorityPath] + (files.revocationsPath.map { [$0] } ?? [])
        case .ticketKeys: return configuration.ticketKeyPaths
        }
    }

    /// Sessions go on where it is the same: whoever came by one address is known at no other, whoever was checked by one
    /// authority by no other, and nobody by what is not taken any more. Instances that share keys in files may have addresses of their own.
    var identity: [UInt8] {
        var text = configuration.ticketKeyPaths.isEmpty ? address : ""
        text +=
            " \(configuration.minVersion) \(configuration.ciphers ?? "") \(configuration.cipherSuites ?? "")"
        if let asked = configuration.clientCertificates { text += " \(asked.mode) \(asked.depth)" }
        return Digest(of: Array(text.utf8) + (clients?.digest ?? [])).bytes
    }
}
