/// How the endpoints of a cluster are checked. Never changes. Times in nanoseconds.
struct HealthCheck: Sendable, Equatable {
    let kind: HealthCheckConfiguration.Kind
    let path: String
    /// nil: the endpoint's own.
    let host: String?
    let statuses: [StatusRange]
    /// What the body has to hold; empty: nothing in particular.
    let body: [UInt8]
    let interval: Int64
    /// Part of the interval.
    let jitter: Double
    let timeout: Int64
    let rise: Int
    let fall: Int
    /// Endpoints expect each connection to begin with a header: a check's says that it is nobody's.
    let proxyHeader: ProxyHeader.Version?

    init(_ configuration: HealthCheckConfiguration, proxyHeader: ProxyHeader.Version?) {
        kind = configuration.kind
        path = configuration.path
        host = configuration.host
        statuses = configuration.statuses
        body = Array((configuration.body ?? "").utf8)
        interval = configuration.interval.rawValue
        jitter = Double(configuration.jitter) / 100
        timeout = configuration.timeout.rawValue
        rise = configuration.rise
        fall = configuration.fall
        self.proxyHeader = proxyHeader
    }

    /// What a connection to an endpoint begins with, before TLS.
    var header: [UInt8] { proxyHeader.map(Self.header) ?? [] }

    /// What is asked behind that; empty: nothing is.
    func request(to upstream: FixedUpstream, isSecure: Bool) -> [UInt8] {
        guard kind == .http else { return [] }
        let name = host ?? upstream.hostText(isSecure: isSecure)
        return Array(
            "GET \(path) HTTP/1.1\r\nHost: \(name)\r\nUser-Agent: uproxy-health\r\nConnection: close\r\n\r\n"
                .utf8)
    }

    private static func header(_ version: ProxyHeader.Version) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 64)
        let size = unsafe bytes.withUnsafeMutableBufferPointer { buffer in
            var writer = unsafe ByteWriter(base: buffer.baseAddress!, capacity: buffer.count)
            writer.append(proxyHeader: version, nil)
            return writer.count
        }
        return Array(bytes[..<size])
    }
}

extension FixedUpstream {
    /// What a request to the endpoint itself has in its Host field.
    fileprivate func hostText(isSecure: Bool) -> String {
        guard let address, !isOfName else { return port == (isSecure ? 443 : 80) ? name : "\(name):\(port)" }
        return address.isUnix ? "localhost" : address.description
    }
}
