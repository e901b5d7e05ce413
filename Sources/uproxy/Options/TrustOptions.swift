internal import ArgumentParser
internal import UringProxy

struct TrustOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            """
            Whether connections to --listen and --forward begin with a PROXY protocol header of version 1 or 2; one without \
            is then closed (default: off).
            """, valueName: "off|require"))
    var proxyProtocol: ProxyTrust.ProxyProtocol?

    @Option(
        help: ArgumentHelp(
            """
            Take PROXY protocol headers from these addresses, CIDR blocks or unix: alone, and close other connections. \
            Repeatable (default: from anybody, who may then claim any address).
            """, valueName: "addresses"))
    var proxyProtocolFrom: [String] = []

    @Option(
        help: ArgumentHelp(
            """
            Believe what these addresses, CIDR blocks or unix: say of a request's hops; what others say is dropped where \
            fields are appended. Repeatable (default: fields are appended to whatever comes).
            """, valueName: "addresses"))
    var trustedProxies: [String] = []

    @Option(
        help: ArgumentHelp(
            "The field in which they tell the client's address (default: x-forwarded-for).",
            valueName: "field"))
    var trustedField: ProxyTrust.Field?

    func apply(to configuration: inout Configuration) {
        set(&configuration.trust.proxyProtocol, to: proxyProtocol)
        if !proxyProtocolFrom.isEmpty { configuration.trust.proxyProtocolFrom = proxyProtocolFrom }
        if !trustedProxies.isEmpty { configuration.trust.trustedProxies = trustedProxies }
        set(&configuration.trust.trustedField, to: trustedField)
    }
}
