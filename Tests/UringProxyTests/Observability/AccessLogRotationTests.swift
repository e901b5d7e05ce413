import CPosix
import Synchronization
import TestSupport
import Testing

@testable import UringProxy

@Suite("Access log: rotation")
struct AccessLogRotationTests {
    /// 2026-11-30 18:38:24, UTC.
    private static let start: Int64 = 1_796_063_904

    /// A file with a clock of ours.
    private final class Sink {
        var now = AccessLogRotationTests.start
        let counters = AccessLogCounters()
        private(set) var sink: AccessLogFileSink?

        init(
            _ path: String, size: Int64 = 0, every: Int64 = 0, keep: Int = 0, isBinary: Bool = false,
            log: @escaping @Sendable (String) -> Void = { _ in }
        ) throws {
            sink = try AccessLogFileSink(
                path: path, isBinary: isBinary,
                rotation: AccessLogRotation(sizeBytes: size, everySeconds: every, keep: keep),
                log: DiagnosticLog(write: log), now: { [unowned self] in now })
        }

        func write(_ text: String) {
            var batch = AccessLogBatch()
            batch.bytes += text.utf8
            batch.endRecord()
            #expect(sink?.write(&batch, counters) == .done)
        }
    }

    @Test("By size: no file is larger, and each has the time in its name")
    func size() throws {
        let directory = try TemporaryDirectory()
        let sink = try Sink(directory.path + "a.log", size: 10)
        for text in ["one\n", "two\n", "three\n", "longer than all\n", "four\n"] {
            sink.write(text)
            if text == "three\n" { sink.now += 1 }
        }
        #expect(
            directory.names == [
                "a.log", "a.log.20261130T183824Z", "a.log.20261130T183825Z", "a.log.20261130T183825Z.1",
            ])
        #expect(directory.text("a.log.20261130T183824Z") == "one\ntwo\n")
        #expect(directory.text("a.log.20261130T183825Z") == "three\n")
        #expect(directory.text("a.log.20261130T183825Z.1") == "longer than all\n")
        #expect(directory.text("a.log") == "four\n")
        #expect(sink.counters.rotations.load(ordering: .relaxed) == 3)
    }

    @Test("By time: at the full hour, whenever the next record comes")
    func time() throws {
        let directory = try TemporaryDirectory()
        let sink = try Sink(directory.path + "a.log", every: 3600)
        sink.write("18:38\n")
        sink.now = 1_796_065_199
        sink.write("18:59\n")
        sink.now += 1
        sink.write("19:00\n")
        // Hours without a record leave no files.
        sink.now += 3 * 3600
        sink.write("22:00\n")
        #expect(directory.names == ["a.log", "a.log.20261130T190000Z", "a.log.20261130T200000Z"])
        #expect(directory.text("a.log.20261130T190000Z") == "18:38\n18:59\n")
        #expect(directory.text("a.log.20261130T200000Z") == "19:00\n")
    }

    @Test("Those that are too many are deleted, and nothing else")
    func keep() throws {
        let directory = try TemporaryDirectory()
        let others = [
            "a.log.20261130T183824Z.gz", "a.log.1", "b.log.20261130T183824Z", "a.log.20261130T183824Z.01",
            "a.log.2026113AT183824Z",
        ]
        for name in others { _ = cposix_close(unsafe cposix_open_log(directory.path + name)) }
        let sink = try Sink(directory.path + "a.log", size: 1, keep: 2)
        for number in 0..<14 { sink.write("\(number)\n") }
        let left = directory.names.filter { !others.contains($0) }
        // Numbers are numbers: .10 is younger than .9.
        #expect(left == ["a.log", "a.log.20261130T183824Z.11", "a.log.20261130T183824Z.12"])
        #expect(directory.text("a.log.20261130T183824Z.12") == "12\n")
        #expect(directory.names.count == others.count + 3)
    }

    @Test("Of two processes one rotates, and the other follows")
    func twoProcesses() throws {
        let directory = try TemporaryDirectory()
        let (one, two) = (
            try Sink(directory.path + "a.log", size: 10), try Sink(directory.path + "a.log", size: 10)
        )
        one.write("one 1\n")
        two.write("two 1\n")
        one.write("one 2\n")
        two.write("two 2\n")
        two.write("two 3\n")
        #expect(
            one.counters.rotations.load(ordering: .relaxed) + two.counters.rotations.load(ordering: .relaxed)
                >= 1)
        let all = directory.names.map { directory.text($0) }.joined().split(separator: "\n").map(String.init)
        #expect(all.sorted() == ["one 1", "one 2", "two 1", "two 2", "two 3"])
    }

    @Test("Each binary file has its header")
    func binary() throws {
        let directory = try TemporaryDirectory()
        let sink = try Sink(directory.path + "a.log", size: 20, isBinary: true)
        for text in ["one", "two", "three"] { sink.write(text) }
        let header = String(decoding: AccessLogFile.header, as: UTF8.self)
        let texts = directory.names.map { directory.text($0) }
        #expect(texts.allSatisfy { $0.hasPrefix(header) })
        #expect(texts.map { $0.dropFirst(header.count) }.sorted() == ["one", "three", "two"])
    }

    @Test("Where a file cannot be renamed it is told, and the log goes on")
    func cannotRename() throws {
        let directory = try TemporaryDirectory()
        let told = Locked<[String]>([])
        let sink = try Sink(directory.path + "a.log", size: 1) { line in told.withLock { $0.append(line) } }
        sink.write("one\n")
        // As somebody has put a directory in its place: it is not ours to rename, nor a log to open.
        let isGone = unsafe unlink(directory.path + "a.log") == 0
        let isThere = unsafe mkdir(directory.path + "a.log", 0o700) == 0
        #expect(isGone && isThere)
        sink.write("two\n")
        sink.write("three\n")
        #expect(told.withLock { $0.count } == 1)
        #expect(sink.counters.records.load(ordering: .relaxed) == 3)
        unsafe _ = rmdir(directory.path + "a.log")
    }
}
