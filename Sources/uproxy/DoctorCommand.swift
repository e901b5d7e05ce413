internal import ArgumentParser
internal import UringProxy

struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Report what this machine offers the proxy, what each lack costs, and how to mend it.",
        usage: "uproxy doctor [--json] [options of uproxy run]",
        discussion: """
            Takes every option of uproxy run (see uproxy --help) and looks at the machine with them in mind. Changes \
            nothing. The exit status is 0 unless something keeps the proxy from running as asked.
            """)

    @Flag(help: "Print the report as JSON.")
    var json = false

    @OptionGroup(visibility: .hidden) var options: ServerOptions

    func run() throws {
        let report = Doctor.examine(try options.checkedConfiguration())
        print(json ? report.json : report.text)
        if report.preventsRunning { throw ExitCode(1) }
    }
}
