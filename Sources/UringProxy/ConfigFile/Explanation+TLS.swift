// What a listener that speaks TLS shows of itself, and what endpoints that are spoken to over TLS have to show.
extension Explanation {
    /// - Parameter host: that the client asks for; empty where nobody knows.
    mutating func explainTLS(_ listener: ListenerConfiguration, host: String) {
        guard let place = configuration.allListeners.firstIndex(of: listener), let asked = listener.tls,
            place < tables.tls.count, let context = tables.tls[place]
        else { return }
        let shown = context.certificates(for: host).map { index in
            "\(asked.certificates[index].certificatePath) (until \(context.ends[index]))"
        }
        add(
            "tls",
            "\(asked.minVersion.rawValue) and newer; \(host.isEmpty ? "who asks for no host" : host) is shown \(shown.joined(separator: " or "))",
            "\(path(of: listener)).tls")
        if configuration.kernelTLS != .off {
            add(
                "kernel tls",
                "the kernel encrypts the rest of long bodies over TLS 1.3 and HTTP/1.1\(configuration.kernelTLS == .auto ? ", where it can" : "")",
                "engine.kernel_tls")
        }
        guard let clients = asked.clientCertificates else { return }
        add(
            "client certificate",
            clients.mode == .required
                ? "required, of \(clients.authorityPath)"
                : "asked for, of \(clients.authorityPath); who shows none is served as well",
            "\(path(of: listener)).tls.client_certificates")
    }

    /// What is asked of the endpoints of a cluster.
    mutating func explainTLS(_ tls: UpstreamTLSConfiguration, of cluster: ClusterConfiguration) {
        let path = "clusters.\(cluster.name).tls"
        let name = tls.serverName ?? "the endpoint's host"
        let authorities = tls.rootsPath.map { "in \($0)" } ?? "of the system"
        let shown = tls.certificatePath.map { "; who asks for a certificate is shown \($0)" } ?? ""
        let demand =
            tls.verifies
            ? "the certificate has to be for \(name), by an authority \(authorities)"
            : "no certificate is verified: anybody on the way may answer"
        add("tls to it", "\(tls.minVersion.rawValue) and newer; \(demand)\(shown)", path)
    }

    /// Which version the endpoints of a cluster are spoken to in, if it is not HTTP/1.1 alone.
    mutating func explainHTTP2(_ cluster: ClusterConfiguration) {
        let streams = "\(cluster.limits.streams) requests at a time on each connection"
        switch cluster.http2 {
        case .off: return
        case .auto:
            add(
                "version", "HTTP/2 where the endpoint chooses it, \(streams)",
                "clusters.\(cluster.name).http2")
        case .on: add("version", "HTTP/2 alone, \(streams)", "clusters.\(cluster.name).http2")
        }
    }

    /// The host of a URL, or else of the Host field, without its port; empty for an address, which SNI does not name.
    static func host(_ target: String, _ fields: [String]) -> String {
        var authority = parts(ofURL: target)?.authority ?? ""
        if authority.isEmpty, let field = fields.first(where: { $0.lowercased().hasPrefix("host:") }) {
            authority = String(trimmed(field.dropFirst("host:".count)))
        }
        let host = authority.hasPrefix("[") ? "" : String(authority.prefix { $0 != ":" })
        return IPAddress(host) == nil ? host : ""
    }
}
