internal import CPosix

/// The standard output, or the standard error, as whoever started the process made it.
final class AccessLogStandardSink: AccessLogSink {
    let name: String
    private let stream: AccessLogStream
    private let isBinary: Bool
    private var hasBegun = false

    init(isError: Bool, isBinary: Bool) throws(AccessLogError) {
        name = isError ? "stderr" : "stdout"
        self.isBinary = isBinary
        let descriptor: Int32 = isError ? 2 : 1
        var facts = AccessLogFileFacts()
        let kind = facts.read(descriptor)
        if kind < 0 {
            throw AccessLogError(
                message: "access_log.to \(name): it is closed (errno \(-kind)); log to a file")
        }
        stream = AccessLogStream(descriptor, kind: kind)
    }

    func write(_ batch: inout AccessLogBatch, _ counters: AccessLogCounters) -> AccessLogOutcome {
        if isBinary && !hasBegun && !batch.isEmpty {
            batch.insert(AccessLogFile.header)
            hasBegun = true
        }
        return stream.write(&batch, counters)
    }
}
