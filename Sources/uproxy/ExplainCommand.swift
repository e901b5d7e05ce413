internal import ArgumentParser
internal import UringProxy

struct ExplainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Say what becomes of a request, and which line of the file decides it.",
        usage: "uproxy explain METHOD URL [-H 'NAME: VALUE']… [--from ADDRESS] --config FILE",
        discussion:
            "No socket is opened and nothing sent; the answer is found by the tables that the proxy uses.")

    @Argument(help: "GET, POST, CONNECT…") var method: String
    @Argument(help: ArgumentHelp("A URL, a path, or HOST:PORT for CONNECT.", valueName: "url")) var target:
        String
    @Option(
        name: [.customShort("H"), .customLong("header")],
        help: ArgumentHelp("A header field of the request. Repeatable.", valueName: "field"))
    var fields: [String] = []
    @Option(help: ArgumentHelp("Where it comes from (default: 127.0.0.1).", valueName: "address"))
    var from: String = "127.0.0.1"
    @Option(
        help: ArgumentHelp(
            "The listener it comes to, as the file has its address (default: the first that takes such a request).",
            valueName: "address"))
    var on: String?

    @OptionGroup(visibility: .hidden) var options: ServerOptions

    func run() throws {
        let (configuration, file) = try options.checked()
        do throws(OptionSyntaxError) {
            print(
                try Explanation(
                    method: method, target: target, fields: fields, source: from, listener: on,
                    configuration: configuration, file: file
                ).text)
        } catch { throw ValidationError(error.message) }
    }
}
