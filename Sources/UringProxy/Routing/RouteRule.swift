/// Which requests one route of the configuration takes. What is left empty holds for all.
struct RouteRule: Sendable {
    /// One of them.
    var hosts: [HostPattern] = []
    var path: PathPattern?
    /// One of them.
    var methods: [MethodPattern] = []
    /// All of them.
    var fields: [FieldPattern] = []
    /// All of them.
    var query: [QueryPattern] = []
    /// One of them.
    var sources: [AddressPrefix] = []
    /// All of them.
    var geo = GeoRule()
    /// Whether the client has shown a certificate; nil: no matter.
    var clientCertificate: Bool?
}

/// What a rule asks for beside host and path, without regard to the order in which it was written.
struct RouteConditions: Hashable {
    private let methods: Set<MethodPattern>
    private let fields: Set<FieldPattern>
    private let query: Set<QueryPattern>
    private let sources: Set<AddressPrefix>
    private let geo: GeoRule
    private let clientCertificate: Bool?

    init(_ rule: RouteRule) {
        methods = Set(rule.methods)
        fields = Set(rule.fields)
        query = Set(rule.query)
        sources = Set(rule.sources)
        geo = rule.geo
        clientCertificate = rule.clientCertificate
    }

    /// They hold for every request.
    var areNone: Bool {
        methods.isEmpty && fields.isEmpty && query.isEmpty && sources.isEmpty && geo.isEmpty
            && clientCertificate == nil
    }
}
