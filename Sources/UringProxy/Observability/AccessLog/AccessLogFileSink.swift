internal import CPosix
internal import Synchronization

/// A file, or a named pipe. Whole records are appended in one write each time, so that several processes may log into one file.
final class AccessLogFileSink: AccessLogSink {
    /// Before a rotation that has failed is tried again.
    private static let rotationPause: Int64 = 10_000_000_000

    let path: String
    private let isBinary: Bool
    private let rotation: AccessLogRotation?
    private let log: DiagnosticLog
    /// The time, in seconds since 1970.
    private let now: () -> Int64
    private var stream: AccessLogStream
    private var isRegular: Bool
    private var size: Int64
    /// When what is in the file was begun: what rotation by time counts from.
    private var begunAt: Int64
    private var needsHeader: Bool
    /// CLOCK_MONOTONIC.
    private var nextRotation: Int64 = 0

    var name: String { path }

    /// - Throws: why the file cannot be used, for whoever has to mend it.
    init(
        path: String, isBinary: Bool, rotation: AccessLogRotation?, log: DiagnosticLog,
        now: @escaping () -> Int64 = { cposix_realtime_seconds() }
    ) throws(AccessLogError) {
        let descriptor = unsafe cposix_open_log(path)
        var facts = AccessLogFileFacts()
        let kind = descriptor < 0 ? descriptor : facts.read(descriptor)
        guard kind >= 0 else {
            if descriptor >= 0 { _ = cposix_close(descriptor) }
            throw AccessLogError(message: "access_log.to \(path): \(Self.describe(-kind))")
        }
        if kind == Int32(CPOSIX_SINK_FILE), facts.size > 0, let isOther = Self.isBinary(path),
            isOther != isBinary
        {
            _ = cposix_close(descriptor)
            throw AccessLogError(
                message: isBinary
                    ? "access_log.to \(path): there is a file that is no binary log; move it away, or log to another one"
                    : "access_log.to \(path): there is a binary log; move it away, or log to another file")
        }
        self.path = path
        self.isBinary = isBinary
        self.rotation = rotation
        self.log = log
        self.now = now
        stream = AccessLogStream(descriptor, kind: kind)
        isRegular = kind == Int32(CPOSIX_SINK_FILE)
        size = facts.size
        begunAt = facts.size > 0 ? facts.modified : now()
        needsHeader = isBinary && facts.size == 0
    }

    deinit { _ = cposix_close(stream.descriptor) }

    private static func describe(_ errno: Int32) -> String {
        switch errno {
        case ENOENT, ENOTDIR: "its directory is not there; make it"
        case EACCES, EPERM: "it may not be written to; give the process's user the right to"
        case EISDIR: "it is a directory; name a file in it"
        case EROFS: "its file system is read-only; choose another place"
        case ENXIO: "it is a socket, or a device without a driver; name a file"
        default: "it cannot be opened (errno \(errno))"
        }
    }

    /// Whether a file begins as a binary log does; nil if it cannot be read.
    private static func isBinary(_ path: String) -> Bool? {
        let header = AccessLogFile.header
        var start = [UInt8](repeating: 0, count: header.count)
        let size = unsafe start.withUnsafeMutableBytes {
            unsafe cposix_read_file(path, $0.baseAddress, $0.count)
        }
        if size < 0 { return nil }
        return size == header.count && start.prefix(8) == header.prefix(8)
    }

    // MARK: - Writing

    func write(_ batch: inout AccessLogBatch, _ counters: AccessLogCounters) -> AccessLogOutcome {
        if let rotation, isRegular, batch.isAtRecord, size > 0,
            rotation.isDue(size: size, more: batch.bytes.count, begunAt: begunAt, now: now())
        {
            rotate(rotation, counters)
        }
        if needsHeader && batch.isAtRecord {
            batch.insert(AccessLogFile.header)
            needsHeader = false
        }
        let before = counters.bytes.load(ordering: .relaxed)
        let outcome = stream.write(&batch, counters)
        size += Int64(counters.bytes.load(ordering: .relaxed) - before)
        return outcome
    }

    /// Renames the file and begins another one; goes on with it where that cannot be done.
    private func rotate(_ rotation: AccessLogRotation, _ counters: AccessLogCounters) {
        guard cposix_monotonic_nanoseconds() >= nextRotation else { return }
        var (ours, named) = (AccessLogFileFacts(), AccessLogFileFacts())
        // Another process may have rotated it already, or somebody moved it.
        let isOurs = ours.read(stream.descriptor) >= 0 && named.read(path) >= 0 && ours.isSameFile(as: named)
        var errno: Int32 = 0
        if isOurs { errno = rotation.rename(path, begunAt: begunAt, now: now()) }
        if errno == 0, case .failed(let failure) = reopen() { errno = failure }
        guard errno == 0 else {
            nextRotation = cposix_monotonic_nanoseconds() + Self.rotationPause
            log.write(
                "access log \(path) cannot be rotated (errno \(errno)), and goes on; may the process's user write to its directory?"
            )
            return
        }
        if isOurs {
            counters.rotations.wrappingAdd(1, ordering: .relaxed)
            rotation.deleteOld(path)
        }
    }

    func reopen() -> AccessLogReopening {
        let descriptor = unsafe cposix_open_log(path)
        if descriptor < 0 { return .failed(errno: -descriptor) }
        var (facts, old) = (AccessLogFileFacts(), AccessLogFileFacts())
        let kind = facts.read(descriptor)
        if kind < 0 {
            _ = cposix_close(descriptor)
            return .failed(errno: -kind)
        }
        let isSame = old.read(stream.descriptor) >= 0 && facts.isSameFile(as: old)
        _ = cposix_close(stream.descriptor)
        stream = AccessLogStream(descriptor, kind: kind)
        isRegular = kind == Int32(CPOSIX_SINK_FILE)
        size = facts.size
        begunAt = facts.size > 0 ? facts.modified : now()
        needsHeader = isBinary && facts.size == 0
        return isSame ? .same : .another
    }
}
