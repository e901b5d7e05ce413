internal import ArgumentParser
internal import UringProxy

struct PoolOptions: ParsableArguments {
    @Option(help: countHelp("Idle connections kept for each endpoint and thread", defaults.poolIdle))
    var poolIdle: Int?

    @Option(
        help: durationHelp("How long an idle connection is kept", defaults.poolIdleTimeout),
        transform: duration)
    var poolIdleTimeout: Nanoseconds?

    @Option(
        help: ArgumentHelp("Let threads lend each other idle connections (default: on).", valueName: "switch")
    )
    var poolLend: Toggle?

    @Option(
        help: ArgumentHelp(
            """
            Begin each connection to an --upstream with a PROXY protocol header that names the client; it then carries \
            one request: off, v1 or v2 (default: off).
            """, valueName: "version"))
    var upstreamProxyProtocol: Configuration.UpstreamProxyProtocol?

    @Option(
        help: ArgumentHelp(
            """
            What such a header, of version 2, tells beside addresses: authority, alpn, ssl, cert-cn, ssl-cipher or crc32c. \
            Repeatable (default: nothing).
            """, valueName: "kind"))
    var upstreamProxyTlvs: [Configuration.UpstreamProxyTLV] = []

    func apply(to configuration: inout Configuration) {
        set(&configuration.poolIdle, to: poolIdle)
        set(&configuration.poolIdleTimeout, to: poolIdleTimeout)
        set(&configuration.poolLend, to: poolLend.map { $0 == .on })
        set(&configuration.upstreamProxyProtocol, to: upstreamProxyProtocol)
        if !upstreamProxyTlvs.isEmpty { configuration.upstreamProxyTLVs = upstreamProxyTlvs }
    }
}
