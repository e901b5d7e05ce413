internal import ArgumentParser
internal import UringProxy

struct ListenerOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Reverse proxy: listen here, 127.0.0.1:8081, [::]:80, unix:PATH or fd:NAME. Repeatable.",
            valueName: "address"))
    var listen: [String] = []

    @Option(
        help: ArgumentHelp(
            "Reverse proxy: send requests here, HOST:PORT or unix:PATH, with a weight HOST:PORT,weight=3. Repeatable.",
            valueName: "endpoint"))
    var upstream: [String] = []

    @Option(
        help: ArgumentHelp(
            """
            Forward proxy: listen here. Repeatable (default: \(Configuration.defaultForwardAddress) unless there is a \
            reverse proxy).
            """, valueName: "address"))
    var forward: [String] = []

    @Option(
        help: ArgumentHelp(
            "Serve health, metrics, the admin API and the status page here (default: off).",
            valueName: "address"))
    var admin: String?

    @Option(
        help: ArgumentHelp(
            "Whoever asks there has to know the first line of this file, but for /ready and /healthz (default: nobody has to).",
            valueName: "file"))
    var adminTokenFile: String?

    @Option(
        help: ArgumentHelp(
            "Tell in /metrics how long exchanges take, by listener, route, cluster and endpoint (default: on).",
            valueName: "on|off"))
    var histograms: Toggle?

    func apply(to configuration: inout Configuration) {
        configuration.listenAddresses = listen
        configuration.upstreams = upstream
        configuration.forwardAddresses = forward
        if let admin { configuration.adminAddress = admin }
        if let adminTokenFile { configuration.adminTokenFile = adminTokenFile }
        if let histograms { configuration.histograms = histograms == .on }
    }
}
