internal import CPosix

/// Reads binary access logs: writes their records in another format, or tells what they say as a whole.
public struct AccessLogCat: Sendable {
    /// Why it ends before the end: what a person has to know.
    public struct Failure: Error, Sendable, Equatable {
        public let message: String
    }

    private static var chunkSize: Int { 65_536 }
    /// How long is waited for more at most.
    private static var longestWait: Nanoseconds { .milliseconds(200) }

    private let format: AccessLogFormat
    private let filters: [AccessLogFilter]
    private let summarizes: Bool
    private let follows: Bool

    /// - Parameters:
    ///   - format: as in a configuration file.
    ///   - filters: a record has to match all of them.
    ///   - summarizes: in place of records it writes what they say as a whole.
    ///   - follows: it never ends, and takes what is written to the file next; and to another one that takes its name.
    public init(
        format: String = "json", filters: [String] = [], summarizes: Bool = false, follows: Bool = false
    ) throws(OptionSyntaxError) {
        guard !summarizes || !follows else {
            throw OptionSyntaxError("a summary needs an end: give --summary or --follow")
        }
        self.format = try AccessLogFormat(parsing: format)
        var parsed: [AccessLogFilter] = []
        for filter in filters { parsed.append(try AccessLogFilter(parsing: filter)) }
        self.filters = parsed
        self.summarizes = summarizes
        self.follows = follows
    }

    /// Reads the files in their order.
    ///
    /// - Parameters:
    ///   - paths: `-` is the standard input, and so is an empty list.
    ///   - output: where it writes.
    ///   - isEnded: asked while it waits for more; nil: it waits for ever.
    ///   - note: takes what a person has to know and what is no failure.
    public func run(
        _ paths: [String], to output: Int32 = 1, isEnded: (() -> Bool)? = nil, note: (String) -> Void
    ) throws(Failure) {
        if follows, paths.count != 1 || paths[0] == "-" {
            throw Failure(message: "--follow takes one file, by its name")
        }
        var run = Run(cat: self, output: output)
        if format.isBinary && !summarizes { run.pending += AccessLogFile.header }
        for path in paths.isEmpty ? ["-"] : paths {
            if follows {
                try follow(path, &run, isEnded, note)
            } else {
                try read(path, &run, note)
            }
        }
        if summarizes { run.pending += Array("\(run.summary.text)\n".utf8) }
        try run.flush()
    }

    private func read(_ path: String, _ run: inout Run, _ note: (String) -> Void) throws(Failure) {
        let descriptor = path == "-" ? 0 : try open(path)
        defer { if path != "-" { _ = cposix_close(descriptor) } }
        var reader = AccessLogFile.Reader()
        while try take(from: descriptor, path, &reader, &run) {}
        noteTorn(reader, path, note)
    }

    private func follow(
        _ path: String, _ run: inout Run, _ isEnded: (() -> Bool)?, _ note: (String) -> Void
    ) throws(Failure) {
        var descriptor = try open(path)
        defer { _ = cposix_close(descriptor) }
        var reader = AccessLogFile.Reader()
        var wait = Nanoseconds.milliseconds(1)
        while true {
            if try take(from: descriptor, path, &reader, &run) {
                wait = .milliseconds(1)
                continue
            }
            if let next = try replaced(path, descriptor, reader.offset + UInt64(reader.waitingCount)) {
                // What was written to it before it lost its name, and since the look above.
                if next != descriptor { while try take(from: descriptor, path, &reader, &run) {} }
                noteTorn(reader, path, note)
                if next != descriptor {
                    _ = cposix_close(descriptor)
                    descriptor = next
                }
                reader = AccessLogFile.Reader()
                continue
            }
            try run.flush()
            if isEnded?() == true { return }
            _ = usleep(UInt32(wait.rawValue / 1000))
            wait = min(Nanoseconds(wait.rawValue * 2), Self.longestWait)
        }
    }

    /// Whether another file has taken the name, which is opened then, or the file has been cut back, which is read anew then.
    private func replaced(_ path: String, _ descriptor: Int32, _ offset: UInt64) throws(Failure) -> Int32? {
        var (ours, named) = (stat(), stat())
        guard unsafe fstat(descriptor, &ours) == 0 else { return nil }
        // Between two files of a rotation there may be none.
        guard unsafe stat(path, &named) == 0 else { return nil }
        if ours.st_ino != named.st_ino || ours.st_dev != named.st_dev { return try open(path) }
        // What is no file has no size.
        let isFile = ours.st_mode & UInt32(S_IFMT) == UInt32(S_IFREG)
        guard isFile, ours.st_size >= 0, UInt64(ours.st_size) < offset else { return nil }
        _ = lseek(descriptor, 0, SEEK_SET)
        return descriptor
    }

    private func open(_ path: String) throws(Failure) -> Int32 {
        let descriptor = unsafe cposix_open_for_reading(path)
        guard descriptor >= 0 else {
            throw Failure(message: "\(path) cannot be opened: \(Self.reason(-descriptor))")
        }
        return descriptor
    }

    /// - Returns: whether there was anything to read.
    private func take(
        from descriptor: Int32, _ path: String, _ reader: inout AccessLogFile.Reader, _ run: inout Run
    ) throws(Failure) -> Bool {
        let size = reader.fill(from: descriptor)
        guard size >= 0 else {
            throw Failure(message: "\(path) cannot be read: \(Self.reason(Int32(-size)))")
        }
        var isMore = size > 0
        while isMore {
            isMore = false
            do throws(AccessLogFileError) {
                try reader.drain { view in
                    run.take(view)
                    isMore = run.pending.count >= Self.chunkSize
                    return !isMore
                }
            } catch {
                try run.flush()
                throw Failure(message: "\(path == "-" ? "the standard input" : path) \(error.message)")
            }
            if isMore { try run.flush() }
        }
        return size > 0
    }

    private func noteTorn(
        _ reader: borrowing AccessLogFile.Reader, _ path: String, _ note: (String) -> Void
    ) {
        guard reader.waitingCount > 0 else { return }
        note(
            "\(path) ends within a record, at byte \(reader.offset): its \(reader.waitingCount) bytes are left out"
        )
    }

    private static func reason(_ errno: Int32) -> String { unsafe String(cString: strerror(errno)) }

    /// What has been read so far, and waits to be written.
    private struct Run {
        let cat: AccessLogCat
        let output: Int32
        var pending: [UInt8] = []
        var summary = AccessLogSummary()

        mutating func take(_ view: AccessRecordView) {
            guard cat.filters.allSatisfy({ $0.matches(view) }) else { return }
            if cat.summarizes { summary.add(view) } else { cat.format.append(view, to: &pending) }
        }

        mutating func flush() throws(Failure) {
            var written = 0
            while written < pending.count {
                let size = unsafe pending.withUnsafeBytes {
                    unsafe cposix_write(output, $0.baseAddress! + written, $0.count - written)
                }
                if size == -Int(EINTR) { continue }
                guard size > 0 else {
                    throw Failure(
                        message: "what was read cannot be written: \(AccessLogCat.reason(Int32(-size)))")
                }
                written += size
            }
            pending.removeAll(keepingCapacity: true)
        }
    }
}
