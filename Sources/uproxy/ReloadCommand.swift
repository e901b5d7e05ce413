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

    @OptionGroup var process: AdminOptions

    func run() throws {
        let client = try process.client(otherwise: ", or send it SIGHUP")
        let outcome: ReloadOutcome
        do throws(StartError) { outcome = try client.reload() } catch {
            throw fail(error)
        }
        for line in outcome.lines { printError("uproxy: \(line)") }
        if !outcome.isDone { throw ExitCode(1) }
    }
}
