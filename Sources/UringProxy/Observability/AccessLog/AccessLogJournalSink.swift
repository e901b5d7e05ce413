internal import CPosix

/// systemd's journal, in its native protocol: a datagram of fields for each record (systemd.io/JOURNAL_NATIVE_PROTOCOL).
final class AccessLogJournalSink: AccessLogSink {
    static let systemPath = "/run/systemd/journal/socket"

    let name = "journald"
    private var datagrams: AccessLogDatagrams

    init(path: String = systemPath) throws(AccessLogError) {
        let bytes = Array(path.utf8)
        guard let address = unsafe bytes.withUnsafeBytes({ unsafe SocketAddress(unixPath: ByteView($0)) })
        else {
            throw AccessLogError(
                message: "access_log.to journald: \(path) is no path of a socket; use a shorter one")
        }
        datagrams = AccessLogDatagrams(address)
        let errno = datagrams.connect()
        if errno != 0 {
            throw AccessLogError(
                message:
                    "access_log.to journald: nobody listens on \(path) (errno \(errno)); log to a file where no systemd runs"
            )
        }
    }

    deinit { datagrams.close() }

    func begin(_ record: borrowing AccessRecord, in bytes: inout [UInt8]) {
        // What a response of 5xx is filtered by: journalctl -p err.
        bytes += (record.status >= 500 ? "PRIORITY=3" : "PRIORITY=6").utf8
        bytes += "\nSYSLOG_IDENTIFIER=uproxy\nUPROXY_STATUS=\(record.status)\nMESSAGE=".utf8
    }

    func write(_ batch: inout AccessLogBatch, _ counters: AccessLogCounters) -> AccessLogOutcome {
        // A line of the log ends as the field does.
        datagrams.write(&batch, counters) { record, _ in record }
    }
}
