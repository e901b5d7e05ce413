internal import ArgumentParser
internal import UringProxy

/// Where a running process is asked, for the commands that do.
struct AdminOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The admin listener: HOST:PORT or unix:PATH.", valueName: "address"))
    var admin: String?

    @Option(help: ArgumentHelp("A file whose first line is its token.", valueName: "file"))
    var adminTokenFile: String?

    @Option(help: ArgumentHelp("The process's configuration file, which has both.", valueName: "file"))
    var config: String?

    var isGiven: Bool { admin != nil || config != nil }

    /// - Parameter otherwise: what can be done without an admin listener.
    func client(otherwise: String = "") throws -> AdminClient {
        try adminClient(admin, tokenFile: adminTokenFile, config: config, otherwise: otherwise)
    }
}
