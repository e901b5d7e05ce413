import CPosix
import Synchronization
import TestSupport
import Testing

@testable import UringProxy

/// A writer, and workers' ends of the logs that it writes.
final class LoggedWriter {
    let writer: AccessLogWriter
    let told = Locked<[String]>([])
    /// For all that has to come to pass by itself.
    static let patience: Int64 = 10_000_000_000

    init() throws {
        writer = try AccessLogWriter(log: DiagnosticLog { [told] line in told.withLock { $0.append(line) } })
        try writer.start()
    }

    deinit { writer.stop(patience: 0) }

    /// - Parameter before: is left by its workers at once.
    func log(
        _ to: String, format: String = "{target}", workers: Int = 1, after before: AccessLog? = nil,
        change: (inout AccessLogConfiguration) -> Void = { _ in }
    ) throws -> AccessLog {
        var configuration = AccessLogConfiguration(to: to)
        configuration.format = format
        change(&configuration)
        let log = try AccessLog(
            configuration, workers: workers, bell: writer.bell,
            log: DiagnosticLog { [told] line in told.withLock { $0.append(line) } }, beside: before)
        writer.follow(log)
        return log
    }

    /// As a worker does at the end of an exchange.
    ///
    /// - Returns: whether there was room.
    @discardableResult
    func publish(_ log: AccessLog, worker: Int = 0, _ text: String, padding: Int = 0) -> Bool {
        Self.publish(log, worker: worker, text, padding: padding)
    }

    @discardableResult
    static func publish(_ log: AccessLog, worker: Int = 0, _ text: String, padding: Int = 0) -> Bool {
        let texts = [
            LogSupport.text(.target, text),
            LogSupport.text(.userAgent, String(repeating: "x", count: padding)),
        ]
        let record = LogSupport.record(texts) { $0.startedAt = 1_796_063_904_123_456_789 }
        let lane = log.plan.lanes[worker]
        guard let place = unsafe lane.reserve(record.count) else { return false }
        unsafe record.withUnsafeBytes {
            unsafe place.copyMemory(from: $0.baseAddress!, byteCount: record.count)
        }
        lane.ring.publish(record.count)
        lane.ring()
        return true
    }

    func wait(for what: String, _ condition: () -> Bool) throws {
        let deadline = cposix_monotonic_nanoseconds() + Self.patience
        while !condition() {
            try #require(cposix_monotonic_nanoseconds() < deadline, "in vain: \(what)")
            usleep(500)
        }
    }

    var written: UInt64 { writer.counters.records.load(ordering: .relaxed) }
    var dropped: UInt64 { writer.droppedCount }
    var lines: [String] { told.withLock { $0 } }
}

/// A unix datagram socket that messages are sent to.
final class DatagramEnd {
    let descriptor: Int32
    let path: String

    init(_ path: String, receiveBuffer: Int32? = nil) throws {
        self.path = path
        descriptor = cposix_socket(AF_UNIX, Int32(CPOSIX_SOCK_DGRAM), 0)
        if let receiveBuffer { _ = cposix_setsockopt_int(descriptor, SOL_SOCKET, SO_RCVBUF, receiveBuffer) }
        let bytes = Array(path.utf8)
        let address = try #require(
            unsafe bytes.withUnsafeBytes { unsafe SocketAddress(unixPath: ByteView($0)) })
        let result = unsafe address.withSockaddr { unsafe cposix_bind(descriptor, $0, $1) }
        try #require(result == 0)
    }

    /// The next message; nil if there is none for too long.
    func receive() -> String? {
        var bytes = [UInt8](repeating: 0, count: 65_536)
        let deadline = cposix_monotonic_nanoseconds() + LoggedWriter.patience
        let count = unsafe cposix_receive_until(descriptor, &bytes, bytes.count, deadline)
        return count < 0 ? nil : String(decoding: bytes[..<count], as: UTF8.self)
    }

    deinit {
        _ = cposix_close(descriptor)
        unsafe _ = unlink(path)
    }
}
