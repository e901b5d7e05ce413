internal import ArgumentParser
internal import UringProxy

@main struct Uproxy: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "uproxy",
        abstract: "A forward and reverse HTTP proxy on io_uring.",
        version: "uproxy \(UproxyVersion.current)",
        subcommands: [
            RunCommand.self, CheckCommand.self, ExplainCommand.self, ReloadCommand.self, UpgradeCommand.self,
            ConfigCommand.self, TopCommand.self, LogCommand.self, TraceCommand.self, DoctorCommand.self,
            OriginCommand.self,
        ],
        defaultSubcommand: RunCommand.self)

    static func main() {
        var arguments = Array(CommandLine.arguments.dropFirst())
        // What a newcomer asks first is what `run` can do; the parser alone would list three commands.
        if arguments.count == 1, ["--help", "-h", "help"].contains(arguments[0]) {
            arguments = ["run", "--help"]
        }
        do {
            var command = try parseAsRoot(arguments)
            try command.run()
        } catch {
            // The parser would print eight lines of usage below what is wrong; what is wrong says it better alone.
            guard exitCode(for: error) == .validationFailure, !message(for: error).isEmpty else {
                exit(withError: error)
            }
            printError("uproxy: \(message(for: error)); see uproxy --help")
            Predecessor.ofThisProcess?.refuse(message(for: error))
            exit(withError: ExitCode.validationFailure)
        }
    }
}
