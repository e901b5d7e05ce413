internal import ArgumentParser
internal import UringProxy

/// All that is wrong with a configuration, a line each, and the exit status that says so.
struct Refusal: Error, Sendable {
    let lines: [String]
    private let status: ExitCode

    /// Of options: the status of wrong usage.
    init(_ problems: [ConfigurationProblem]) {
        lines = problems.map { "\($0)" }
        status = .validationFailure
    }

    /// Of a file: the status of a configuration that cannot work (sysexits' EX_CONFIG), by which a supervisor can tell that to
    /// start again is in vain.
    init(_ problems: [FileProblem]) {
        lines = problems.map { "\($0)" }
        status = ExitCode(78)
    }

    /// Prints the lines, and tells a process that waits for this one to serve; the error to end with.
    func told() -> ExitCode {
        for line in lines { printError("uproxy: \(line)") }
        Predecessor.ofThisProcess?.refuse(lines.joined(separator: "\n"))
        return status
    }
}

/// Tells all problems at once and ends with the status of wrong usage, if there is any.
func refuse(_ problems: [ConfigurationProblem]) throws {
    if !problems.isEmpty { throw Refusal(problems).told() }
}

/// The same for a file.
func refuse(_ problems: [FileProblem]) throws {
    if !problems.isEmpty { throw Refusal(problems).told() }
}

/// A configuration file as it can be read, or all that is wrong with it.
func readFile(_ path: String) throws -> ConfigurationFile {
    do throws(FileProblems) { return try ConfigurationFile(reading: path) } catch {
        throw Refusal(error.all).told()
    }
}

/// Who asks a running process.
///
/// - Parameters:
///   - tokenFile: where the token stands that has to be known there.
///   - config: a file that may say both.
///   - otherwise: what else can be done.
func adminClient(
    _ address: String?, tokenFile: String?, config: String?, otherwise: String = ""
) throws -> AdminClient {
    let file = try config.map(readFile)?.configuration
    guard let address = address ?? file?.adminAddress else {
        throw ValidationError(
            "where is the process? give --admin ADDRESS, or --config FILE with admin.address\(otherwise)")
    }
    do throws(StartError) {
        return try AdminClient(address: address, tokenFile: tokenFile ?? file?.adminTokenFile)
    } catch {
        throw fail(error)
    }
}
