/// What a worker believes of the proxies before it. One for all listeners; nothing in it is a listener's or a connection's, so
/// that there may be one for each.
struct Trust: ~Copyable {
    /// As the configuration says it.
    struct Policy: Sendable {
        var requiresHeader = false
        var headerSenders: [AddressPrefix] = []
        var proxies: [AddressPrefix] = []
        var field = FieldName.xForwardedFor
    }

    /// Each connection begins with a PROXY protocol header.
    let requiresHeader: Bool
    /// Who may send it; empty: anybody.
    let headerSenders: AddressSet
    /// Whose word on the hops before it is taken; empty: nobody was named, and anybody's is passed on.
    let proxies: AddressSet
    /// The field in which they tell of them.
    let field: FieldName

    init(_ policy: Policy) {
        requiresHeader = policy.requiresHeader
        headerSenders = AddressSet(policy.headerSenders)
        proxies = AddressSet(policy.proxies)
        field = policy.field
    }
}

extension Trust.Policy {
    init(_ trust: ProxyTrust) throws(OptionSyntaxError) {
        requiresHeader = trust.proxyProtocol == .require
        headerSenders = try AddressList.parse(trust.proxyProtocolFrom)
        proxies = try AddressList.parse(trust.trustedProxies)
        field = trust.trustedField == .forwarded ? .forwarded : .xForwardedFor
    }
}
