internal import ArgumentParser
internal import UringProxy

struct TimeoutOptions: ParsableArguments {
    @Option(
        help: durationHelp("Until a whole request head has come, else 408", defaults.timeoutHead),
        transform: duration)
    var timeoutHead: Nanoseconds?

    @Option(
        help: durationHelp(
            "Until a TLS handshake is done, from the connection's start, else close",
            defaults.timeoutTLSHandshake),
        transform: duration)
    var timeoutTLSHandshake: Nanoseconds?

    @Option(
        help: durationHelp("Between two pieces of a request body, else 408", defaults.timeoutBodyIdle),
        transform: duration)
    var timeoutBodyIdle: Nanoseconds?

    @Option(
        help: durationHelp(
            "While a peer takes nothing of what is sent, else close", defaults.timeoutSendIdle),
        transform: duration)
    var timeoutSendIdle: Nanoseconds?

    @Option(
        help: durationHelp("Between two requests of a connection, else close", defaults.timeoutKeepalive),
        transform: duration)
    var timeoutKeepalive: Nanoseconds?

    @Option(
        help: durationHelp("To connect upstream, else 504", defaults.timeoutConnect), transform: duration)
    var timeoutConnect: Nanoseconds?

    @Option(
        help: durationHelp("To the first byte of a response, else 504", defaults.timeoutUpstream),
        transform: duration)
    var timeoutUpstream: Nanoseconds?

    @Option(
        help: durationHelp("For a whole exchange, else 504 or close", defaults.timeoutTotal),
        transform: duration)
    var timeoutTotal: Nanoseconds?

    @Option(
        help: durationHelp("Without a byte in a tunnel, else close", defaults.timeoutTunnelIdle),
        transform: duration)
    var timeoutTunnelIdle: Nanoseconds?

    @Option(
        help: durationHelp("For running exchanges to finish in a drain", defaults.timeoutDrain),
        transform: duration)
    var timeoutDrain: Nanoseconds?

    @Option(
        help: durationHelp(
            "How long a drain goes on accepting while /ready says 503 already", defaults.timeoutDrainDelay),
        transform: duration)
    var timeoutDrainDelay: Nanoseconds?

    @Option(
        help: durationHelp(
            "For a new process to serve in an upgrade; then the old one goes on", defaults.timeoutUpgrade),
        transform: duration)
    var timeoutUpgrade: Nanoseconds?

    func apply(to configuration: inout Configuration) {
        set(&configuration.timeoutHead, to: timeoutHead)
        set(&configuration.timeoutTLSHandshake, to: timeoutTLSHandshake)
        set(&configuration.timeoutBodyIdle, to: timeoutBodyIdle)
        set(&configuration.timeoutSendIdle, to: timeoutSendIdle)
        set(&configuration.timeoutKeepalive, to: timeoutKeepalive)
        set(&configuration.timeoutConnect, to: timeoutConnect)
        set(&configuration.timeoutUpstream, to: timeoutUpstream)
        set(&configuration.timeoutTotal, to: timeoutTotal)
        set(&configuration.timeoutTunnelIdle, to: timeoutTunnelIdle)
        set(&configuration.timeoutDrain, to: timeoutDrain)
        set(&configuration.timeoutDrainDelay, to: timeoutDrainDelay)
        set(&configuration.timeoutUpgrade, to: timeoutUpgrade)
    }
}
