internal import CPosix

/// syslog: each record is a message of RFC 5424 in a datagram, of the facility local7 and the severity informational.
final class AccessLogSyslogSink: AccessLogSink {
    /// More than RFC 5424 §6.1 wants every receiver to take (2048), and what rsyslog and syslog-ng take as they come.
    static let sizeLimit = 8192

    let name: String
    private var datagrams: AccessLogDatagrams
    /// Behind the time.
    private let middle: [UInt8]

    init(name: String, address: SocketAddress) throws(AccessLogError) {
        self.name = name
        datagrams = AccessLogDatagrams(address)
        middle = Array(" \(Self.hostName) uproxy \(getpid()) access - ".utf8)
        let errno = datagrams.connect()
        if errno != 0 {
            throw AccessLogError(
                message:
                    "access_log.to \(name): nobody listens there (errno \(errno)); start the syslog daemon, or log to a file"
            )
        }
    }

    deinit { datagrams.close() }

    /// RFC 5424 §6.2.4: printable ASCII, "-" if it is not known.
    private static var hostName: String {
        var bytes = [CChar](repeating: 0, count: 256)
        guard unsafe cposix_host_name(&bytes, bytes.count) == 0 else { return "-" }
        let name = bytes.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        return name.isEmpty || !name.allSatisfy { (33...126).contains($0) }
            ? "-" : String(decoding: name, as: UTF8.self)
    }

    func begin(_ record: borrowing AccessRecord, in bytes: inout [UInt8]) {
        bytes += "<190>1 ".utf8
        bytes += Self.time(record.startedAt).utf8
        bytes += middle
    }

    /// RFC 3339 with microseconds, as RFC 5424 §6.2.3 has it.
    static func time(_ nanoseconds: Int64) -> String {
        let (seconds, micros) = (nanoseconds / 1_000_000_000, nanoseconds / 1000 % 1_000_000)
        let s = Array(AccessLogRotation.stamp(seconds).utf8)
        func part(_ range: Range<Int>) -> String { String(decoding: s[range], as: UTF8.self) }
        let fraction = "\(micros)"
        return
            "\(part(0..<4))-\(part(4..<6))-\(part(6..<8))T\(part(9..<11)):\(part(11..<13)):\(part(13..<15))."
            + String(repeating: "0", count: 6 - fraction.utf8.count) + fraction + "Z"
    }

    func write(_ batch: inout AccessLogBatch, _ counters: AccessLogCounters) -> AccessLogOutcome {
        datagrams.write(&batch, counters) { record, bytes in
            var end = record.upperBound
            // The message's end is the datagram's.
            if bytes[end - 1] == UInt8(ascii: "\n") { end -= 1 }
            if end - record.lowerBound > Self.sizeLimit {
                end = record.lowerBound + Self.sizeLimit
                // Within no character of UTF-8.
                while bytes[end] & 0xC0 == 0x80 { end -= 1 }
            }
            return record.lowerBound..<end
        }
    }
}
