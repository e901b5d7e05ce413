internal import ArgumentParser
internal import UringProxy

struct ReloadCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reload",
        abstract: "Let the running process read its configuration file again.",
        discussion: """
            Asks the process that serves the admin listener, and waits for what becomes of it: the exit status is 0 if the file \
            was taken up, and 1 with the reasons if nothing has changed. Send a process without an admin listener SIGHUP, \
            which does the same and tells its own standard error.
            """)

    @Option(help: ArgumentHelp("The file that has the admin listener's address.", valueName: "file"))
    var config: String?

    @Option(help: ArgumentHelp("The admin listener itself.", valueName: "address"))
    var admin: String?

    @Option(help: ArgumentHelp("A file whose first line is its token.", valueName: "file"))
    var adminTokenFile: String?

    func run() throws {
        let client = try adminClient(
            admin, tokenFile: adminTokenFile, config: config, otherwise: ", or send it SIGHUP")
        let outcome: ReloadOutcome
        do throws(StartError) { outcome = try client.reload() } catch {
            throw fail(error)
        }
        for line in outcome.lines { printError("uproxy: \(line)") }
        if !outcome.isDone { throw ExitCode(1) }
    }
}
