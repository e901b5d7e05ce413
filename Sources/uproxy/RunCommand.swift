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
            uproxy explain METHOD URL --config FILE           what becomes of a request, and why; --running: there and now
            uproxy config print|schema                        what is in effect; the file's schema for editors
            uproxy reload --config FILE                       let the running process read the file again
            uproxy upgrade --pid N                            a new process in the place of a running one
            uproxy log cat [FILE…]                            binary access logs as text; filters, follows, summarises
            uproxy trace FILE|--admin ADDRESS                 what became of an exchange, a connection, a crash
            uproxy doctor [options]                           what this machine offers, and what to mend
            uproxy origin [options]                           a small origin server to try things with
            """,
        discussion: """
            Durations take a unit (500ms, 30s, 2m, 1h), and so may sizes (512, 32KiB, 10MB). 0 switches a limit or a \
            timeout off. The first SIGTERM or SIGINT drains: running exchanges finish, then the proxy exits with 0. A \
            second one ends it at once. SIGHUP reads the file again, SIGUSR2 upgrades, as uproxy reload and uproxy upgrade do; SIGUSR1 opens the \
            access log anew.
            """)

    @OptionGroup var options: ServerOptions

    func run() throws {
        let (configuration, file) = try options.checked()
        blockSignals()
        let server: Server
        let reloading: Reloading
        let admin: AdminServer?
        let pidFile: PIDFile?
        let predecessor = Predecessor.ofThisProcess
        var summary: [String]
        do {
            try predecessor?.receive()
            server = try Server(configuration: configuration)
            if let path = environmentVariable("SSLKEYLOGFILE"), !path.isEmpty {
                try server.logKeys(into: path)
            }
            reloading = Reloading(server: server, options: options, file: file)
            // Bound first: the start may give up the right to.
            admin = try configuration.adminAddress.map { [reloading] address throws(StartError) in
                try AdminServer(
                    address: address, server: server, tokenFile: configuration.adminTokenFile,
                    takingOver: predecessor, reload: reloading.run, file: reloading.fileInUse)
            }
            pidFile = try configuration.pidFile.map { path throws(StartError) in
                try PIDFile(path: path, user: configuration.user)
            }
            try server.start(takingOver: predecessor)
            summary = server.summary
            if let admin {
                try admin.start()
                summary.append("metrics and health on \(admin.boundAddress)")
            }
            pidFile?.write()
            predecessor?.serving()
        } catch {
            throw fail(error)
        }
        let upgrade = Upgrade(
            server: server, admin: admin, arguments: CommandLine.arguments,
            timeout: { server.configuration.timeoutUpgrade })
        let service = Service(
            turnAway: { [admin] in admin?.isDraining = true },
            drain: { server.drain() }, stop: { server.stop() },
            wait: { [pidFile] in
                server.wait()
                pidFile?.remove()
            },
            isAlive: { server.isAlive(patience: $0) },
            timeoutDrain: { server.configuration.timeoutDrain },
            drainDelay: { server.configuration.timeoutDrainDelay },
            reload: reloading.isPossible ? reloading.run : nil, reopenLogs: { server.reopenLogs() },
            upgrades: Upgrades(upgrade))
        superviseUntilExit(service, summary: summary)
    }
}
