internal import CPosix
internal import UringProxy

/// A terminal whose whole screen is written to: it is as it was before once the process ends, whichever way.
struct Terminal: ~Copyable {
    /// The other screen (xterm's, which all have), no cursor, no line that goes on in the next one.
    private static let begin: StaticString = "\u{1B}[?1049h\u{1B}[?25l\u{1B}[?7l\u{1B}[2J"
    private static let end: StaticString = "\u{1B}[0m\u{1B}[?7h\u{1B}[?25h\u{1B}[?1049l"

    private static let output: Int32 = 1

    let input: Int32
    let signals: Int32
    /// What stands there.
    private var shown: [String] = []

    enum Signal { case end, resize, stop, go }

    init() throws(StartError) {
        let input = cposix_open_terminal()
        guard input >= 0 else {
            throw StartError("there is no terminal to take keys from: --once prints one report")
        }
        let signals = cposix_open_terminal_signals()
        guard signals >= 0 else { throw StartError("no signals can be waited for, errno \(-signals)") }
        try Self.enter(input)
        self.input = input
        self.signals = signals
    }

    private static func enter(_ input: Int32) throws(StartError) {
        let result = unsafe cposix_enter_terminal(
            input, output, UnsafeRawPointer(begin.utf8Start).assumingMemoryBound(to: CChar.self),
            UnsafeRawPointer(end.utf8Start).assumingMemoryBound(to: CChar.self))
        guard result == 0 else { throw StartError("the terminal cannot be taken over, errno \(-result)") }
    }

    deinit { cposix_leave_terminal() }

    // MARK: - What comes

    /// - Returns: nil: none is left.
    func nextSignal() -> Signal? {
        while true {
            switch cposix_next_terminal_signal(signals) {
            case 0: return nil
            case SIGWINCH: return .resize
            case SIGTSTP: return .stop
            case SIGCONT: return .go
            default: return .end
            }
        }
    }

    /// What was typed; nil: nobody types there any more.
    func keys() -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: 256)
        let size = unsafe bytes.withUnsafeMutableBytes { unsafe cposix_read(input, $0.baseAddress, $0.count) }
        if size == -EAGAIN || size == -EINTR { return [] }
        return size > 0 ? Array(bytes[..<size]) : nil
    }

    /// Gives the terminal back and stops, as any other program does at Ctrl-Z; takes it again when it goes on.
    mutating func stop() throws(StartError) {
        cposix_leave_terminal()
        kill(getpid(), SIGSTOP)
        try go()
    }

    /// Somebody may have used the terminal meanwhile.
    mutating func go() throws(StartError) {
        cposix_leave_terminal()
        try Self.enter(input)
        shown = []
    }

    // MARK: - The screen

    /// Columns and rows; those of a VT100 if nobody knows them.
    var size: (columns: Int, rows: Int) {
        var (columns, rows): (Int32, Int32) = (80, 24)
        _ = unsafe cposix_terminal_size(Self.output, &columns, &rows)
        return (Int(columns), Int(rows))
    }

    /// All of it has to be written anew.
    mutating func clear() { shown = [] }

    /// Writes those lines that are not there already: little goes over a slow line.
    mutating func show(_ lines: [String]) {
        var text = ""
        if shown.count != lines.count {
            text = "\u{1B}[0m\u{1B}[2J"
            shown = Array(repeating: "", count: lines.count)
        }
        for (row, line) in lines.enumerated() where line != shown[row] {
            text += "\u{1B}[\(row + 1);1H\(line)\u{1B}[K"
        }
        shown = lines
        writeAll(text, to: Self.output)
    }
}

/// Writes a text as a whole, if somebody takes it.
func writeAll(_ text: String, to descriptor: Int32) {
    let bytes = Array(text.utf8)
    var written = 0
    while written < bytes.count {
        let size = unsafe bytes.withUnsafeBytes {
            unsafe cposix_write(descriptor, $0.baseAddress! + written, $0.count - written)
        }
        if size == -EAGAIN || size == -EINTR {
            // A terminal that its owner has made non-blocking.
            _ = cposix_await_until(
                descriptor, Int16(CPOSIX_POLLOUT), cposix_monotonic_nanoseconds() + 1_000_000_000)
            continue
        }
        if size <= 0 { return }
        written += size
    }
}
