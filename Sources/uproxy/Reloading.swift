internal import Synchronization
internal import UringProxy

/// Reads the configuration file again, as it was read at the start, and lets the server go on by it.
final class Reloading: Sendable {
    private let server: Server
    private let options: ServerOptions
    private let file: Mutex<ConfigurationFile?>
    /// Held from a reload until its file is known, so that files are in the order of reloads.
    private let turn = Mutex(())

    /// - Parameter file: what the server was started by.
    init(server: Server, options: ServerOptions, file: ConfigurationFile?) {
        self.server = server
        self.options = options
        self.file = Mutex(file)
    }

    /// The file as it was when it was last taken up.
    @Sendable func fileInUse() -> ConfigurationFile? { file.withLock { $0 } }

    /// Whether there is a file to read.
    var isPossible: Bool { options.config != nil }

    /// - Returns: whether it was taken up, and the lines that say what has changed, or why nothing has. All of it is printed.
    @Sendable func run() -> ReloadOutcome {
        let outcome = attempt()
        for line in outcome.lines { printError("uproxy: \(line)") }
        return outcome
    }

    private func attempt() -> ReloadOutcome {
        guard let path = options.config else {
            return ReloadOutcome(
                isDone: false, lines: ["nothing to reload: the process was started without --config FILE"])
        }
        func refused(_ lines: [String]) -> ReloadOutcome {
            ReloadOutcome(isDone: false, lines: lines + ["\(path) was not taken up; nothing has changed"])
        }
        let configuration: Configuration
        let file: ConfigurationFile?
        do throws(Refusal) { (configuration, file) = try options.read() } catch {
            server.countRefusedReload()
            return refused(error.lines)
        }
        do throws(Server.ReloadError) {
            let change = try turn.withLock { _ throws(Server.ReloadError) in
                let change = try server.reload(configuration)
                self.file.withLock { $0 = file }
                return change
            }
            return ReloadOutcome(isDone: true, lines: ["\(path) reloaded: \(change)"])
        } catch {
            switch error {
            case .needsNewProcess(let problems):
                return refused(file?.placed(problems).map { "\($0)" } ?? problems.map { "\($0)" })
            case .failed(let error): return refused([error.message])
            case .isEnding: return refused(["the process is about to end"])
            case .isHandingOver: return refused(["an upgrade is under way"])
            }
        }
    }
}
