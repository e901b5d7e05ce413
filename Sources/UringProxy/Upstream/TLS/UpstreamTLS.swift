/// How the endpoints of a cluster are spoken to over TLS. Never changes.
struct UpstreamTLS: Sendable {
    let context: UpstreamTLSContext

    /// Whom an endpoint's certificate has to be for.
    func host(of endpoint: FixedUpstream) -> TLSHost {
        // What is resolved, or connected to, is a name or an address.
        TLSHost(context.identity.configuration.serverName ?? endpoint.host) ?? Self.localhost
    }

    private static let localhost = TLSHost("localhost")!

    /// What connections to an endpoint have to have in common, beside the address.
    func identity(of endpoint: FixedUpstream) -> String { "\(context.serial) \(host(of: endpoint).text)" }
}

extension FixedUpstream {
    /// Its host alone: a name, or an address.
    var host: String {
        guard let address, !isOfName, !address.isUnix else { return name }
        // Its name has its port in it, and may have brackets and a zone.
        let host = name.prefix { $0 != "[" && $0 != ":" }
        return host.isEmpty ? address.address?.description ?? name : String(host)
    }
}
