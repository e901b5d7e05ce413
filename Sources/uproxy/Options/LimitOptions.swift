internal import ArgumentParser
internal import UringProxy

struct LimitOptions: ParsableArguments {
    @Option(
        help: sizeHelp("A whole head, 1KiB to 256KiB, else 431", UInt64(defaults.limitHeadBytes)),
        transform: size)
    var limitHead: UInt64?

    @Option(help: countHelp("Fields of a head, else 431", defaults.limitFields))
    var limitFields: Int?

    @Option(help: sizeHelp("A request target, else 414", UInt64(defaults.limitURIBytes)), transform: size)
    var limitURI: UInt64?

    @Option(help: sizeHelp("A request body, else 413", UInt64(defaults.limitBodyBytes)), transform: size)
    var limitBody: UInt64?

    @Option(
        help: ArgumentHelp(
            """
            Bytes a second that a body must bring on average after a grace time, else 408 or close (default: \
            \(defaults.limitRateMin)).
            """, valueName: "size:duration"),
        transform: rate)
    var limitRateMin: MinimumRate?

    @Option(
        help: ArgumentHelp(
            "Downstream connections; beyond them accepting pauses (default: what --memory has room for).",
            valueName: "n"))
    var limitConnections: Int?

    @Option(
        help: countHelp("Connections from one address, else close", defaults.limitConnectionsPerClient))
    var limitConnectionsPerClient: Int?

    @Option(
        help: countHelp("TLS handshakes under way at a time, else close", defaults.limitHandshakes))
    var limitHandshakes: Int?

    @Option(
        help: countHelp(
            "TLS handshakes under way from one address, else close", defaults.limitHandshakesPerClient))
    var limitHandshakesPerClient: Int?

    @Option(
        help: countHelp(
            "Requests on a connection, the last answered with Connection: close",
            defaults.limitRequestsPerConnection))
    var limitRequestsPerConnection: Int?

    @Option(
        help: ArgumentHelp(
            "Requests of an HTTP/2 connection at a time; those beyond it are refused (default: \(defaults.limitStreams)).",
            valueName: "n"))
    var limitHTTP2Streams: Int?

    @Option(
        help: countHelp(
            "Mirrored requests under way at a time, of each thread; others are not mirrored",
            defaults.limitMirrored))
    var limitMirrored: Int?

    func apply(to configuration: inout Configuration) {
        set(&configuration.limitHeadBytes, to: limitHead.map { Int(clamping: $0) })
        set(&configuration.limitFields, to: limitFields)
        set(&configuration.limitURIBytes, to: limitURI.map { Int(clamping: $0) })
        set(&configuration.limitBodyBytes, to: limitBody.map { Int64(clamping: $0) })
        set(&configuration.limitRateMin, to: limitRateMin)
        if let limitConnections {
            configuration.limitConnections = limitConnections == 0 ? nil : limitConnections
        }
        set(&configuration.limitConnectionsPerClient, to: limitConnectionsPerClient)
        set(&configuration.limitHandshakes, to: limitHandshakes)
        set(&configuration.limitHandshakesPerClient, to: limitHandshakesPerClient)
        set(&configuration.limitRequestsPerConnection, to: limitRequestsPerConnection)
        set(&configuration.limitStreams, to: limitHTTP2Streams)
        set(&configuration.limitMirrored, to: limitMirrored)
    }
}
