internal import ArgumentParser
internal import UringProxy

struct TraceCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trace",
        abstract: "Show what the flight recorder knows of an exchange, a connection or a crash.",
        usage:
            "uproxy trace FILE | --admin ADDRESS | --config FILE [--id ID | --connection NAME | --slowest N | --list]",
        discussion: """
            A FILE is one that a slow exchange, a stall or a crash left in flight_recorder.directory; --admin asks a running process. \
            Alone either shows what it was made for. An ID is that of the access log, in hexadecimal; a connection is named as timelines \
            name it, WORKER.SLOT.GENERATION.
            """)

    @Argument(help: ArgumentHelp("A dump of the flight recorder.", valueName: "file"))
    var path: String?
    @OptionGroup var process: AdminOptions
    @Option(help: ArgumentHelp("The exchange with this id, as the access log writes it.", valueName: "id"))
    var id: String?
    @Option(help: ArgumentHelp("This connection, and all exchanges on it.", valueName: "name"))
    var connection: String?
    @Option(help: ArgumentHelp("The slowest exchanges that are there, those under way too.", valueName: "n"))
    var slowest: Int?
    @Flag(help: "All exchanges that are there.") var list = false
    @Option(help: ArgumentHelp("text or json.", valueName: "format")) var format = FlightTrace.Format.text

    func run() throws {
        let choices = [id != nil, connection != nil, slowest != nil, list].count { $0 }
        guard choices <= 1 else {
            throw ValidationError("one of --id, --connection, --slowest and --list tells what is shown")
        }
        if let slowest, slowest < 1 { throw ValidationError("--slowest \(slowest): it has to be 1 or more") }
        guard (path == nil) == process.isGiven else {
            throw ValidationError("what is to be shown? a FILE, --admin ADDRESS or --config FILE tells")
        }
        let client = path == nil ? try process.client() : nil
        let trace: FlightTrace
        do throws(StartError) {
            if let client {
                trace = try FlightTrace(asking: client)
            } else {
                trace = try FlightTrace(reading: path ?? "")
            }
        } catch { throw fail(error) }
        print(try text(trace), terminator: "")
    }

    private func text(_ trace: FlightTrace) throws -> String {
        if let id {
            guard let number = UInt64(id, radix: 16) else {
                throw ValidationError("--id \(id): it is no id: write it in hexadecimal, as logs have it")
            }
            return try found(trace.exchange(number, format), "exchange \(id)")
        }
        if let connection {
            let text: String?
            do throws(OptionSyntaxError) { text = try trace.connection(connection, format) } catch {
                throw ValidationError("--connection: \(error.message)")
            }
            return try found(text, "connection \(connection)")
        }
        if slowest != nil || list { return trace.list(slowest: slowest, format) }
        return trace.overview(format) + trace.subject(format)
    }

    private func found(_ text: String?, _ what: String) throws -> String {
        guard let text else {
            throw fail(
                StartError(
                    "no event of \(what) is there: it was of another process, or they are overwritten; flight_recorder.events keeps more"
                ))
        }
        return text
    }
}
