internal import ArgumentParser
internal import UringProxy

struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "A forward and reverse HTTP proxy on io_uring.",
        usage: """
            uproxy [--threads N] [options]                    a forward proxy on \(Configuration.defaultForwardAddress)
            uproxy --listen ADDRESS --upstream HOST:PORT …    a reverse proxy
            uproxy --config FILE                              what a file says
            uproxy check FILE                                 whether a file can work, and what cannot
            uproxy explain METHOD URL --config FILE           what becomes of a request, and why
            uproxy config print|schema                        what is in effect; the file's schema for editors
            uproxy reload --config FILE                       let the running process read the file again
            uproxy doctor [options]                           what this machine offers, and what to mend
            uproxy origin [options]                           a small origin server to try things with
            """,
        discussion: """
            Durations take a unit (500ms, 30s, 2m, 1h), and so may sizes (512, 32KiB, 10MB). 0 switches a limit or a \
            timeout off. The first SIGTERM or SIGINT drains: running exchanges finish, then the proxy exits with 0. A \
            second one ends it at once. SIGHUP reads the file again.
            """)

    @OptionGroup var options: ServerOptions

    func run() throws {
        let configuration = try options.checkedConfiguration()
        blockSignals()
        let server: Server
        let admin: AdminServer?
        var summary: [String]
        do {
            server = try Server(configuration: configuration)
            // Bound first: the start may give up the right to.
            admin = try configuration.adminAddress.map { address throws(StartError) in
                try AdminServer(
                    address: address, server: server, reload: Reloading(server: server, options: options).run)
            }
            try server.start()
            summary = server.summary
            if let admin {
                try admin.start()
                summary.append("metrics and health on \(admin.boundAddress)")
            }
        } catch {
            throw fail(error)
        }
        let reloading = Reloading(server: server, options: options)
        let service = Service(
            drain: { [admin] in
                admin?.isDraining = true
                server.drain()
            }, stop: { server.stop() }, wait: { server.wait() },
            isAlive: { server.isAlive(patience: $0) },
            timeoutDrain: { server.configuration.timeoutDrain },
            reload: reloading.isPossible ? reloading.run : nil)
        superviseUntilExit(service, summary: summary)
    }
}
