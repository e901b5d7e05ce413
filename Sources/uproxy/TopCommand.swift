internal import ArgumentParser
internal import CPosix
internal import UringProxy

struct TopCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "top",
        abstract:
            "Show what a running process does now: rates, latency, pools, and which exchanges wait for what.",
        discussion: """
            Asks the admin listener of the process again and again. 1 to 5 or Tab choose a view, arrows a row, Enter opens it; h tells \
            all keys. Without a terminal, or with --once, it prints one report as text and ends, with status 1 if the process cannot \
            be asked.
            """)

    @OptionGroup var process: AdminOptions

    @Option(
        help: ArgumentHelp(
            "What rates are of; up to 1s, the process is asked twice in it.", valueName: "duration"),
        transform: duration)
    var interval = Nanoseconds.seconds(1)

    @Flag(
        name: [.customLong("once"), .customLong("plain")],
        help: "Print one report as text, of one interval, and end.")
    var isOnce = false

    func run() throws {
        guard TopSession.intervals.contains(interval) else {
            throw ValidationError(
                "--interval \(interval): it is from \(TopSession.intervals.lowerBound) to \(TopSession.intervals.upperBound)"
            )
        }
        let client = try process.client()
        let session = TopSession(
            client, interval: interval, palette: palette, now: cposix_monotonic_nanoseconds())
        do throws(StartError) {
            try wait(for: \.isKnown, of: session)
            if isOnce || isatty(1) == 0 {
                try wait(for: \.hasRates, of: session)
                writeAll(session.report ?? "", to: 1)
            } else {
                try show(session)
            }
        } catch { throw fail(error) }
    }

    /// What the environment says of the terminal.
    private var palette: TopPalette {
        let colours: TopPalette.Colours =
            variable("TERM") == "dumb" ? .none : variable("NO_COLOR").isEmpty ? .ansi : .monochrome
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].map(variable).first { !$0.isEmpty } ?? ""
        let encoding = locale.lowercased().filter { $0 != "-" }
        return TopPalette(colours: colours, isUnicode: encoding.contains("utf8"))
    }

    private func variable(_ name: String) -> String {
        guard let value = unsafe getenv(name) else { return "" }
        return unsafe String(cString: value)
    }

    // MARK: - Without a terminal

    private func wait(for isThere: KeyPath<TopSession, Bool>, of session: TopSession) throws(StartError) {
        while !session[keyPath: isThere] {
            _ = session.goOn(cposix_monotonic_nanoseconds())
            guard session.problem.isEmpty else { throw StartError(session.problem) }
            if !session[keyPath: isThere] { _ = wait(session, keys: -1, signals: -1) }
        }
    }

    /// Until something has come, or something is due.
    private func wait(_ session: TopSession, keys: Int32, signals: Int32) -> Int32 {
        let next = session.nextAt
        let left = next == .max ? -1 : max(0, next - cposix_monotonic_nanoseconds())
        return cposix_wait_for_terminal(keys, signals, session.descriptor, session.isWriting ? 1 : 0, left)
    }

    // MARK: - On a terminal

    private func show(_ session: TopSession) throws(StartError) {
        var terminal = try Terminal()
        var isNews = true
        while !session.isDone {
            if isNews {
                let size = terminal.size
                terminal.show(session.frame(width: size.columns, height: size.rows))
            }
            let came = wait(session, keys: terminal.input, signals: terminal.signals)
            isNews = false
            if came & Int32(CPOSIX_CAME_SIGNAL) != 0 {
                while let signal = terminal.nextSignal() {
                    isNews = true
                    switch signal {
                    case .end: return
                    case .resize: terminal.clear()
                    case .stop: try terminal.stop()
                    case .go: try terminal.go()
                    }
                }
                // What was typed may be gone by now.
                continue
            }
            if came & Int32(CPOSIX_CAME_KEYS) != 0 {
                guard let bytes = terminal.keys() else { return }
                session.typed(bytes, now: cposix_monotonic_nanoseconds())
                isNews = true
            }
            if session.goOn(cposix_monotonic_nanoseconds()) { isNews = true }
        }
    }
}
