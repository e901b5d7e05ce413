internal import ArgumentParser
internal import UringProxy

struct ExplainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Say what becomes of a request, and which line of the file decides it.",
        usage: "uproxy explain METHOD URL [-H 'NAME: VALUE']… [--from ADDRESS] [--running] --config FILE",
        discussion: """
            Nothing is sent anywhere; the answer is found by the tables that the proxy uses. With --running it is the process that \
            serves the admin listener who answers, by the configuration that it has in use, and says how endpoints do.
            """)

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

    @Flag(help: "Ask the running process, at --admin ADDRESS or the file's admin.address.")
    var running = false

    @OptionGroup(visibility: .hidden) var options: ServerOptions

    func run() throws {
        var query = ExplanationQuery(target: target)
        query.method = method
        query.fields = fields
        query.source = from
        query.listener = on
        if running {
            let client = try adminClient(
                options.listeners.admin, tokenFile: options.listeners.adminTokenFile, config: options.config)
            do throws(StartError) { print(try client.explain(query)) } catch {
                throw fail(error)
            }
            return
        }
        let (configuration, file) = try options.checked()
        do throws(OptionSyntaxError) {
            print(try Explanation(query, configuration: configuration, file: file).text)
        } catch { throw ValidationError(error.message) }
    }
}
