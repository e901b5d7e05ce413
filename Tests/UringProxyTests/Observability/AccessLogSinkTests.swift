import CPosix
import Synchronization
import TestSupport
import Testing

@testable import UringProxy

@Suite("Access log: where it goes")
struct AccessLogSinkTests {
    // MARK: - Messages

    @Test("syslog: a message of RFC 5424 for each record, cut to the size that receivers take")
    func syslog() throws {
        let directory = try TemporaryDirectory()
        let end = try DatagramEnd(directory.path + "log")
        let logged = try LoggedWriter()
        let log = try logged.log("syslog:" + end.path, format: "{target} {user_agent}") {
            $0.recordBytes = 16 << 10
        }
        logged.publish(log, "/a", padding: 1)
        let message = try #require(end.receive())
        let parts = message.split(separator: " ", maxSplits: 7).map(String.init)
        #expect(parts.count == 8)
        #expect(parts[0] == "<190>1")
        #expect(parts[1] == "2026-11-30T18:38:24.123456Z")
        #expect(parts[2].utf8.allSatisfy { (33...126).contains($0) })
        #expect(parts[3...6] == ["uproxy", "\(getpid())", "access", "-"])
        #expect(parts[7] == "/a x")
        logged.publish(log, "/b", padding: 12_000)
        #expect(end.receive()?.utf8.count == AccessLogSyslogSink.sizeLimit)
        #expect(logged.dropped == 0)
    }

    @Test("syslog that goes and comes back: records wait for it")
    func syslogComesBack() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "log"
        let logged = try LoggedWriter()
        var end: DatagramEnd? = try DatagramEnd(path)
        let log = try logged.log("syslog:" + path)
        logged.publish(log, "/0")
        #expect(end?.receive()?.hasSuffix("/0") == true)
        end = nil
        logged.publish(log, "/1")
        try logged.wait(for: "the failure") { logged.lines.count == 1 }
        #expect(logged.lines[0].contains("nobody listens"))
        end = try DatagramEnd(path)
        #expect(end?.receive()?.hasSuffix("/1") == true)
        try logged.wait(for: "the word of it") { logged.lines.count == 2 }
        #expect(logged.lines[1].contains("written again"))
        #expect(logged.dropped == 0)
    }

    @Test("syslog that takes its time: messages wait for room")
    func slowSyslog() throws {
        let directory = try TemporaryDirectory()
        let end = try DatagramEnd(directory.path + "log", receiveBuffer: 4096)
        let logged = try LoggedWriter()
        let log = try logged.log("syslog:" + end.path)
        for number in 0..<500 { logged.publish(log, "/\(number)") }
        for number in 0..<500 { try #require(end.receive()?.hasSuffix("/\(number)") == true) }
        #expect(logged.dropped == 0)
    }

    @Test("journald: the fields of its own protocol")
    func journal() throws {
        let directory = try TemporaryDirectory()
        let end = try DatagramEnd(directory.path + "socket")
        let sink = try AccessLogJournalSink(path: end.path)
        let format = try AccessLogFormat(parsing: "{target}")
        var batch = AccessLogBatch()
        for status: UInt16 in [200, 503] {
            let record = LogSupport.record([LogSupport.text(.target, "/a")]) { $0.status = status }
            LogSupport.withRecord(record) { view in
                sink.begin(view.record, in: &batch.bytes)
                format.append(view, to: &batch.bytes)
            }
            batch.endRecord()
        }
        let counters = AccessLogCounters()
        #expect(sink.write(&batch, counters) == .done)
        #expect(
            end.receive() == "PRIORITY=6\nSYSLOG_IDENTIFIER=uproxy\nUPROXY_STATUS=200\nMESSAGE=/a\n")
        #expect(
            end.receive() == "PRIORITY=3\nSYSLOG_IDENTIFIER=uproxy\nUPROXY_STATUS=503\nMESSAGE=/a\n")
        #expect(counters.records.load(ordering: .relaxed) == 2)
    }

    // MARK: - Files

    @Test("A file that cannot be used is told of at once, and why")
    func refused() throws {
        let directory = try TemporaryDirectory()
        let logged = try LoggedWriter()
        func refusal(_ to: String, _ format: String = "json") -> String {
            do { _ = try logged.log(to, format: format) } catch let error as AccessLogError {
                return error.message
            } catch {
                return "\(error)"
            }
            return ""
        }
        let path = directory.path
        #expect(
            refusal("\(path)b/a.log") == "access_log.to \(path)b/a.log: its directory is not there; make it")
        #expect(refusal(String(path.dropLast())).hasSuffix("it is a directory; name a file in it"))
        #expect(refusal("syslog:\(path)none").contains("nobody listens there (errno 2)"))
        let text = try TemporaryFile("a line\n")
        #expect(refusal(text.path, "binary").contains("there is a file that is no binary log"))
        let binary = try TemporaryFile(AccessLogFile.header)
        #expect(refusal(binary.path).contains("there is a binary log"))
    }

    @Test("A binary file begins with a header, once")
    func binary() throws {
        let directory = try TemporaryDirectory()
        for number in 0..<2 {
            let logged = try LoggedWriter()
            let log = try logged.log(directory.path + "a.log", format: "binary")
            logged.publish(log, "/\(number)")
            logged.writer.stop()
        }
        let bytes = directory.bytes("a.log")
        let record = LogSupport.record([LogSupport.text(.target, "/0"), LogSupport.text(.userAgent, "")]) {
            $0.startedAt = 1_796_063_904_123_456_789
        }
        #expect(bytes.starts(with: AccessLogFile.header + record))
        #expect(bytes.count == AccessLogFile.headerSize + 2 * record.count)
    }

    @Test("Opened anew, the log goes to the file that has the name then")
    func reopened() throws {
        let directory = try TemporaryDirectory()
        let logged = try LoggedWriter()
        let log = try logged.log(directory.path + "a.log")
        logged.publish(log, "/0")
        try logged.wait(for: "the first one") { logged.written == 1 }
        let isRenamed = unsafe rename(directory.path + "a.log", directory.path + "b.log") == 0
        #expect(isRenamed)
        logged.publish(log, "/1")
        try logged.wait(for: "the second one") { logged.written == 2 }
        logged.writer.reopen()
        try logged.wait(for: "the new file") { logged.writer.counters.reopens.load(ordering: .relaxed) == 1 }
        logged.publish(log, "/2")
        logged.writer.stop()
        #expect(directory.text("b.log") == "/0\n/1\n")
        #expect(directory.text("a.log") == "/2\n")
        #expect(logged.lines == ["access log \(directory.path)a.log: opened anew"])
    }

    // MARK: - Pieces

    @Test("What is written in pieces is cut between records, where they fit")
    func pieces() {
        var batch = AccessLogBatch()
        for size in [3, 4, 20, 2] {
            batch.bytes += [UInt8](repeating: UInt8(size), count: size)
            batch.endRecord()
        }
        #expect(batch.piece(limit: 10) == 0..<7)
        #expect(batch.took(7) == 2)
        #expect(batch.isAtRecord)
        #expect(batch.piece(limit: 10) == 7..<17)
        #expect(batch.took(10) == 0)
        #expect(!batch.isAtRecord)
        batch.restartRecord()
        #expect(batch.isAtRecord && batch.nextRecord == 7..<27)
        batch.insert([1, 1])
        #expect(batch.nextRecord == 7..<29)
        #expect(batch.piece(limit: 100) == 7..<31)
        #expect(batch.took(24) == 2)
        #expect(batch.isEmpty && batch.bytes.isEmpty)
    }
}
