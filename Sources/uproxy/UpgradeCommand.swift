internal import ArgumentParser
internal import CPosix
internal import UringProxy

struct UpgradeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "upgrade",
        abstract: "Replace a running uproxy by its program as it is now, without refusing a connection.",
        usage: "uproxy upgrade --pid N | --pid-file PATH | --config FILE",
        discussion: """
            The running process starts its program again, as it was started itself, and hands over its listening sockets; \
            when the new process serves, the old one drains. If the new one does not come to serve, the old one goes on as \
            before, and the exit status here is 1. kill -USR2 does the same, and tells the outcome only on the standard error \
            of the process.
            """)

    @Option(help: ArgumentHelp("The process to replace.", valueName: "n")) var pid: Int32?
    @Option(help: ArgumentHelp("A file with its number.", valueName: "path")) var pidFile: String?
    @Option(
        help: ArgumentHelp("The configuration file that names the file with its number.", valueName: "file"))
    var config: String?
    @Option(
        help: ArgumentHelp(
            "How long to wait for the outcome, which this changes nothing about (default: 2m).",
            valueName: "duration"),
        transform: duration)
    var timeout = Nanoseconds.seconds(120)

    func run() throws {
        let process = try findProcess()
        do throws(StartError) {
            // The default action of a signal that nobody waits for would end it.
            guard let waits = ProcessStatus(of: process)?.catches(SIGUSR2) else {
                throw StartError("there is no process \(process)")
            }
            guard waits else {
                throw StartError(
                    "process \(process) waits for no SIGUSR2: it is no uproxy that can be upgraded")
            }
            print("process \(try upgrade(process)) serves in the place of process \(process)")
        } catch { throw fail(error) }
    }

    private func findProcess() throws -> Int32 {
        switch (pid, pidFile, config) {
        case (let pid?, nil, nil):
            guard pid > 1 else {
                throw ValidationError("--pid \(pid): it has to be the number of one process")
            }
            return pid
        case (nil, let path?, nil): return try readProcess(path)
        case (nil, nil, let path?):
            guard let path = try readFile(path).configuration.pidFile else {
                throw ValidationError("--config \(path): it has no engine.pid_file; use --pid")
            }
            return try readProcess(path)
        default: throw ValidationError("which process? one of --pid, --pid-file and --config tells")
        }
    }

    private func readProcess(_ path: String) throws -> Int32 {
        guard let text = textFile(path), let process = Int32(text.split(separator: "\n").first ?? ""),
            process > 1
        else { throw fail(StartError("\(path) holds no number of a process; is it running?")) }
        return process
    }

    /// Where the process that is asked sends its answer: a name in the abstract namespace of unix sockets.
    static func mailbox(of asker: Int32) -> String { "uproxy-upgrade-\(asker)" }

    /// - Returns: the new process.
    private func upgrade(_ process: Int32) throws(StartError) -> Int32 {
        let mailbox = unsafe cposix_open_mailbox(Self.mailbox(of: getpid()))
        guard mailbox >= 0 else { throw StartError("no socket for the answer: errno \(-mailbox)") }
        defer { _ = cposix_close(mailbox) }
        guard kill(process, SIGUSR2) == 0 else {
            let why =
                cposix_errno() == EPERM
                ? "it is another user's; be that user, or root" : "errno \(cposix_errno())"
            throw StartError("process \(process) cannot be told: \(why)")
        }
        let deadline = cposix_monotonic_nanoseconds() + timeout.rawValue
        while cposix_monotonic_nanoseconds() < deadline {
            let step = min(deadline, cposix_monotonic_nanoseconds() + 200_000_000)
            if let words = receive(mailbox, from: process, until: step) {
                if words.count == 2, words[0] == "ok", let successor = Int32(words[1]) { return successor }
                throw StartError(words.count == 2 ? words[1] : "the answer makes no sense")
            }
            guard kill(process, 0) == 0 || cposix_errno() == EPERM else {
                throw StartError("process \(process) ended without an answer")
            }
        }
        throw StartError(
            "process \(process) has not answered within \(timeout); its standard error tells more")
    }

    private func receive(_ mailbox: Int32, from process: Int32, until deadline: Int64) -> [String]? {
        var bytes = [UInt8](repeating: 0, count: 64 << 10)
        var sender: Int32 = 0
        let size = unsafe bytes.withUnsafeMutableBytes {
            unsafe cposix_receive_mail(mailbox, $0.baseAddress, $0.count, &sender, deadline)
        }
        // Anybody may write to a name that anybody can guess.
        guard size > 0, sender == process else { return nil }
        return String(decoding: bytes[..<size], as: UTF8.self).split(separator: "\0").map(String.init)
    }
}

/// What /proc tells of a process.
private struct ProcessStatus {
    private let text: String

    /// nil if there is no such process.
    init?(of process: Int32) {
        guard let text = textFile("/proc/\(process)/status") else { return nil }
        self.text = text
    }

    /// Whether a signal means something to it, and does not just end it.
    func catches(_ signal: Int32) -> Bool {
        for line in text.split(separator: "\n") where line.hasPrefix("SigCgt:") {
            let digits = line.dropFirst("SigCgt:".count).filter { !$0.isWhitespace }
            return UInt64(digits, radix: 16).map { $0 >> UInt64(signal - 1) & 1 == 1 } ?? false
        }
        return false
    }
}

/// A small file, as text; nil if it cannot be read.
private func textFile(_ path: String) -> String? {
    var bytes = [UInt8](repeating: 0, count: 16 << 10)
    let size = unsafe bytes.withUnsafeMutableBytes { unsafe cposix_read_file(path, $0.baseAddress, $0.count) }
    return size < 0 ? nil : String(decoding: bytes[..<size], as: UTF8.self)
}
