/// How far a listener believes the proxies before it about who its clients are.
public struct ProxyTrust: Sendable, Equatable {
    /// Whether connections begin with a PROXY protocol header. Never found out from the bytes: then anybody could send one.
    public enum ProxyProtocol: String, Sendable, CaseIterable { case off, require }

    /// A field in which proxies tell of the hops before them.
    public enum Field: String, Sendable, CaseIterable {
        case xForwardedFor = "x-forwarded-for"
        case forwarded
    }

    public var proxyProtocol = ProxyProtocol.off
    /// Who may send a PROXY protocol header: addresses and CIDR blocks, `unix:`; empty: anybody.
    public var proxyProtocolFrom: [String] = []
    /// Whose account of a request's hops is believed: addresses and CIDR blocks, `unix:`; empty: nobody is looked at, and
    /// what comes is passed on as the fields' own options say.
    public var trustedProxies: [String] = []
    /// Where they give it. One field: a client could send what they do not write.
    public var trustedField = Field.xForwardedFor

    public init() {}
}
