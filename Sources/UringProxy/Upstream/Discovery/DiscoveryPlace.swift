/// Where endpoints are found.
enum DiscoveryPlace: Hashable, Sendable {
    /// The addresses of a host, each with this port.
    case addresses(host: String, port: UInt16)
    /// SRV records.
    case services(name: String)
    /// A list of endpoints.
    case file(path: String)

    /// Of a configuration that can work.
    init(_ configuration: DiscoveryConfiguration) {
        if let dns = configuration.dns, let colon = dns.lastIndex(of: ":") {
            self = .addresses(
                host: String(dns[..<colon]), port: UInt16(dns[dns.index(after: colon)...]) ?? 0)
        } else if let srv = configuration.srv {
            self = .services(name: srv)
        } else {
            self = .file(path: configuration.file ?? "")
        }
    }

    /// As the operator called it.
    var name: String {
        switch self {
        case .addresses(let host, _): host
        case .services(let name): name
        case .file(let path): path
        }
    }
}
