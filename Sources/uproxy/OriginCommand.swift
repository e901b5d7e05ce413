internal import ArgumentParser
internal import UringProxy

struct OriginCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "origin",
        abstract: "Run a small HTTP origin to try the proxy with.",
        discussion: """
            It answers with bodies of any size, delays, chunked framing, an echo of what it was sent, and swallows what \
            is posted to it. Not made for the open network: it listens on loopback unless told otherwise.
            """)

    @Option(help: ArgumentHelp("Where to listen (default: 127.0.0.1:9000).", valueName: "address"))
    var listen: String?

    @Option(help: ArgumentHelp("Worker threads (default: the CPUs available).", valueName: "n"))
    var threads: Int?

    @Option(help: ArgumentHelp("The driver (default: auto).", valueName: "driver"))
    var io: Configuration.IOChoice?

    func run() throws {
        let address = listen ?? "127.0.0.1:9000"
        // The proxy's own checks of the same three options.
        var configuration = Configuration()
        configuration.listenAddresses = [address]
        configuration.upstreams = [address]
        configuration.threads = threads
        configuration.io = io ?? .auto
        try refuse(configuration.validate().filter { $0.option != "--upstream" })
        blockSignals()
        let origin: Origin
        do {
            origin = try Origin(address: address, threads: threads, io: configuration.io)
            try origin.start()
        } catch {
            throw fail(error)
        }
        let service = Service(
            turnAway: {}, drain: { origin.drain() }, stop: { origin.stop() }, wait: { origin.wait() },
            isAlive: { _ in true }, timeoutDrain: { Configuration().timeoutDrain }, drainDelay: { .zero },
            reload: nil, reopenLogs: { false }, upgrades: nil)
        superviseUntilExit(service, summary: origin.summary)
    }
}
