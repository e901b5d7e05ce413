internal import ArgumentParser
internal import UringProxy

struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Say whether a configuration file can work, and all that cannot.",
        discussion: """
            Nothing is opened and nothing started. The exit status is 0 if the file can work and 78 if not; each problem is a \
            line with file, line, column, the path of the key, and what to write instead.
            """)

    @Argument(help: ArgumentHelp("The configuration file.", valueName: "file"))
    var path: String

    func run() throws {
        let file = try readFile(path)
        try refuse(file.problems(with: file.configuration))
        do { _ = try Server(configuration: file.configuration) } catch {
            printError("uproxy: \(path): \(error.message)")
            throw ExitCode(78)
        }
        print("\(path): the configuration can work")
    }
}
