internal import ArgumentParser
internal import UringProxy

struct FieldOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "This proxy's name in Via fields, or off (default: uproxy- and 8 random digits).",
            valueName: "name|off"))
    var via: String?

    @Option(
        help: ArgumentHelp(
            "X-Forwarded-For, -Proto and -Host (default: append for the reverse proxy, off for the forward proxy).",
            valueName: "policy"))
    var xForwarded: Configuration.ForwardedFields?

    @Option(
        help: ArgumentHelp("The Forwarded field of RFC 7239 (default: off).", valueName: "policy"))
    var forwarded: Configuration.ForwardedFields?

    func apply(to configuration: inout Configuration) {
        if let via { configuration.via = via == "off" ? nil : via }
        set(&configuration.xForwarded, to: xForwarded)
        set(&configuration.forwarded, to: forwarded)
    }
}
