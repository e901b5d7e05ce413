internal import ArgumentParser
internal import UringProxy

struct LogCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "log",
        abstract: "Read binary access logs.",
        subcommands: [Cat.self])

    struct Cat: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "Write the records of binary access logs in another format, or tell what they say as a whole.",
            discussion: """
                A filter is a name, a comparison (=, !=, <, <=, >, >=) and a value; records have to match all of them: 'status=5xx', \
                'duration>100ms', 'added>1ms', 'stage.connect>5ms', 'host=*.example.com', 'target=/api/*', 'client=10.0.0.0/8', \
                'cluster=NAME', 'failure=CAUSE', 'flags=kept', 'request.NAME=VALUE', 'time>=2026-11-30T18:00:00Z', 'id=ID'.

                A template is text with names in braces: '{time} {client} {status} {duration_ms}'.
                """)

        @Argument(
            help: ArgumentHelp(
                "Files, in their order; - is the standard input, and so is none.", valueName: "file"))
        var paths: [String] = []

        @Option(
            help: ArgumentHelp(
                "combined, json, logfmt, binary, or a template.", valueName: "format"))
        var format = "json"

        @Option(
            name: .customLong("filter"),
            help: ArgumentHelp("What records have to match. Repeatable.", valueName: "filter"))
        var filters: [String] = []

        @Flag(help: "Do not end, and take what is written next; also to another file that takes the name.")
        var follow = false

        @Flag(help: "Tell totals, percentiles and what is most frequent, in place of records.")
        var summary = false

        func run() throws {
            let cat: AccessLogCat
            do throws(OptionSyntaxError) {
                cat = try AccessLogCat(
                    format: format, filters: filters, summarizes: summary, follows: follow)
            } catch { throw ValidationError(error.message) }
            do throws(AccessLogCat.Failure) {
                try cat.run(paths) { printError("uproxy: \($0)") }
            } catch {
                printError("uproxy: \(error.message)")
                throw ExitCode.failure
            }
        }
    }
}
