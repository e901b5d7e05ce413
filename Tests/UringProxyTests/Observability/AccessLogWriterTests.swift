import CPosix
import Synchronization
import TestSupport
import Testing

@testable import UringProxy

@Suite("Access log: its writer")
struct AccessLogWriterTests {
    private func numbers(_ text: String, from prefix: String = "/") -> [Int] {
        text.split(separator: "\n").filter { $0.hasPrefix(prefix) }.compactMap {
            Int($0.dropFirst(prefix.count))
        }
    }

    private func makePipe(_ path: String) throws {
        let result = unsafe mkfifo(path, 0o600)
        try #require(result == 0)
    }

    @Test("What workers publish stands in the file, in the order of each")
    func ordered() throws {
        let directory = try TemporaryDirectory()
        let logged = try LoggedWriter()
        let log = try logged.log(directory.path + "a.log", workers: 3)
        for number in 0..<3000 {
            for worker in 0..<3 {
                while !logged.publish(log, worker: worker, "\(worker)/\(number)") {}
            }
        }
        logged.writer.stop()
        let text = directory.text("a.log")
        for worker in 0..<3 { #expect(numbers(text, from: "\(worker)/") == Array(0..<3000)) }
        #expect(logged.written == 9000)
    }

    @Test("A record is written though nothing follows it, whenever it comes")
    func alone() throws {
        let directory = try TemporaryDirectory()
        let logged = try LoggedWriter()
        let log = try logged.log(directory.path + "a.log")
        var random = SplitMix(seed: 3)
        for number in 0..<40 {
            #expect(logged.publish(log, "/\(number)"))
            try logged.wait(for: "record \(number)") { logged.written == UInt64(number + 1) }
            // Whatever the writer does meanwhile: it looks, it naps, it falls asleep.
            usleep(UInt32(random.next() % 30_000))
        }
        #expect(numbers(directory.text("a.log")) == Array(0..<40))
    }

    @Test("A pipe that nobody reads: what was dropped is counted, and the end does not wait for long")
    func pipeNobodyReads() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "pipe"
        try makePipe(path)
        let logged = try LoggedWriter()
        let log = try logged.log(path) { $0.bufferBytes = 64 << 10 }
        var refused: UInt64 = 0
        let count: UInt64 = 40_000
        for number in 0..<count where !logged.publish(log, "/\(number)", padding: 100) { refused += 1 }
        #expect(refused > 0)
        let start = cposix_monotonic_nanoseconds()
        logged.writer.stop(patience: 100_000_000)
        #expect(cposix_monotonic_nanoseconds() - start < 2_000_000_000)
        #expect(logged.written + logged.dropped == count)
        #expect(logged.dropped >= refused)
    }

    @Test("A pipe whose reader comes late gets whole lines, and nothing twice", arguments: [false, true])
    func lateReader(isReopened: Bool) throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "pipe"
        try makePipe(path)
        let logged = try LoggedWriter()
        let log = try logged.log(path)
        let count = 4000
        for number in 0..<count { try #require(logged.publish(log, "/\(number)")) }
        let descriptor = unsafe cposix_open_for_reading(path)
        try #require(descriptor >= 0)
        defer { _ = cposix_close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 1000)
        var all: [UInt8] = []
        if isReopened {
            // It has taken a part of a record, and is the same pipe afterwards.
            logged.writer.reopen()
            try logged.wait(for: "the pipe") { logged.writer.counters.reopens.load(ordering: .relaxed) == 1 }
        }
        while all.count(where: { $0 == UInt8(ascii: "\n") }) < count {
            let size = unsafe cposix_read(descriptor, &bytes, bytes.count)
            try #require(size > 0)
            all += bytes[..<size]
        }
        logged.writer.stop()
        #expect(numbers(String(decoding: all, as: UTF8.self)) == Array(0..<count))
        #expect(logged.written == UInt64(count))
    }

    @Test("A file that is full is told of once, and tried again")
    func full() throws {
        let logged = try LoggedWriter()
        let log = try logged.log("/dev/full")
        for number in 0..<10 { logged.publish(log, "/\(number)") }
        let failures = { logged.writer.counters.writeFailures.load(ordering: .relaxed) }
        try logged.wait(for: "three attempts") { failures() >= 3 }
        #expect(logged.lines.count == 1)
        #expect(logged.lines.first?.contains("errno 28 (no space is left)") == true)
        logged.writer.stop(patience: 10_000_000)
        #expect(logged.written == 0)
        #expect(logged.dropped == 10)
    }

    @Test("Another log: what was published before is written as it was wanted then, and nothing is lost")
    func switched() throws {
        let directory = try TemporaryDirectory()
        let logged = try LoggedWriter()
        let count = 300
        var log = try logged.log(directory.path + "0.log", workers: 2)
        var left: [AccessLog] = []
        for number in 0..<count {
            for worker in 0..<2 { while !logged.publish(log, worker: worker, "\(worker)/\(number)") {} }
            guard number % 50 == 49 else { continue }
            let name = number % 100 == 49 ? "0.log" : "1.log"
            let next = try logged.log(directory.path + name, format: "n{target}", workers: 2, after: log)
            // A worker goes over later than the other one.
            while !logged.publish(log, worker: 1, "late/\(number)") {}
            log.leave { true }
            left.append(log)
            log = next
        }
        logged.writer.stop()
        let files = directory.text("0.log") + directory.text("1.log")
        #expect(files.split(separator: "\n").count == 2 * count + left.count)
        #expect(logged.dropped == 0)
        let first = directory.text("0.log").split(separator: "\n").filter {
            $0.contains("0/") && !$0.contains("late")
        }
        let order = first.compactMap { Int($0[$0.index(after: $0.lastIndex(of: "/")!)...]) }
        #expect(order == order.sorted())
        // By the first one, in its format.
        #expect(directory.text("0.log").split(separator: "\n").count { !$0.hasPrefix("n") } == 101)
    }

    @Test("Two writers append whole lines to one file")
    func twoWriters() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "a.log"
        let (one, two) = (try LoggedWriter(), try LoggedWriter())
        let logs = (try one.log(path), try two.log(path))
        for number in 0..<2000 {
            while !one.publish(logs.0, "a/\(number)") {}
            while !two.publish(logs.1, "b/\(number)") {}
        }
        one.writer.stop()
        two.writer.stop()
        let text = directory.text("a.log")
        #expect(numbers(text, from: "a/") == Array(0..<2000))
        #expect(numbers(text, from: "b/") == Array(0..<2000))
        #expect(text.split(separator: "\n").count == 4000)
    }

    @Test("A worker waits for room if it is to, and no longer than the writer lives")
    func waits() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "pipe"
        try makePipe(path)
        let logged = try LoggedWriter()
        let log = try logged.log(path) {
            $0.bufferBytes = 64 << 10
            $0.whenFull = .wait
        }
        let isDone = Locked(false)
        let worker = SystemThread()
        try worker.start("worker") {
            for number in 0..<3000 { LoggedWriter.publish(log, "/\(number)", padding: 100) }
            isDone.withLock { $0 = true }
        }
        let descriptor = unsafe cposix_open_for_reading(path)
        defer { _ = cposix_close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 65_536)
        var count = 0
        while count < 2000 {
            let size = unsafe cposix_read(descriptor, &bytes, bytes.count)
            try #require(size > 0)
            count += bytes[..<size].count { $0 == UInt8(ascii: "\n") }
        }
        // Nobody reads any more.
        #expect(logged.dropped == 0)
        logged.writer.releaseWorkers()
        worker.join()
        let hasEnded = isDone.withLock { $0 }
        #expect(hasEnded)
    }

    @Test("The end writes what was published")
    func end() throws {
        let directory = try TemporaryDirectory()
        let logged = try LoggedWriter()
        let log = try logged.log(directory.path + "a.log", format: "json")
        for number in 0..<500 { #expect(logged.publish(log, "/\(number)")) }
        logged.writer.stop()
        #expect(directory.text("a.log").split(separator: "\n").count == 500)
        #expect(logged.written == 500 && logged.dropped == 0)
        #expect(log.plan.lanes[0].ring.waitingBytes == 0)
    }
}
