import CPosix
import TestSupport
import Testing

@testable import UringProxy

@Suite struct AccessLogFileTests {
    private static let records: [[UInt8]] = {
        var random = SplitMix(seed: 3)
        return [LogSupport.full] + (0..<300).map { _ in LogSupport.random(&random) }
    }()
    private static var file: [UInt8] { AccessLogFile.header + records.joined() }

    @Test func theHeaderIsThatOfFiles() {
        #expect(AccessLogFile.header == Array("uproxylg".utf8) + [1, 0, 16, 0, 0, 0, 0, 0])
    }

    /// The proof of the binary format: another one made of it later is what it had been at once.
    @Test(arguments: ["json", "combined", "logfmt", "{id} {target}", "binary"])
    func otherFormatsCanBeMadeOfItLater(_ name: String) throws {
        let format = try AccessLogFormat(parsing: name)
        let file = try TemporaryFile(Self.file)
        let expected = Self.records.flatMap { LogSupport.write($0, as: format) }
        let (output, notes) = try Self.cat([file.path], format: name)
        #expect(output == (format.isBinary ? AccessLogFile.header : []) + expected)
        #expect(notes.isEmpty)
    }

    @Test func filesPutTogetherAreOne() throws {
        let file = try TemporaryFile(Self.file + Self.file + AccessLogFile.header + LogSupport.full)
        let (output, _) = try Self.cat([file.path, file.path], format: "{id}")
        #expect(output.count { $0 == 0x0A } == 2 * (2 * Self.records.count + 1))
    }

    /// In pieces of any size, as pipes have them.
    @Test func piecesOfAnySize() throws {
        let bytes = AccessLogFile.header + Self.records[..<4].joined()
        for size in [1, 7, 183, 1000] {
            var ends: (Int32, Int32) = (0, 0)
            #expect(unsafe cposix_pipe(&ends.0, &ends.1, 65_536) >= 0)
            defer { for end in [ends.0, ends.1] { _ = cposix_close(end) } }
            var reader = AccessLogFile.Reader()
            var found: [UInt64] = []
            for start in stride(from: 0, to: bytes.count, by: size) {
                let piece = bytes[start..<min(start + size, bytes.count)]
                unsafe piece.withUnsafeBytes { unsafe _ = cposix_write(ends.1, $0.baseAddress!, $0.count) }
                #expect(reader.fill(from: ends.0) == piece.count)
                try reader.drain {
                    found.append($0.record.id)
                    return true
                }
            }
            #expect(found == Self.records[..<4].map { LogSupport.withRecord($0) { $0.record.id } })
            let offset = reader.offset
            #expect(offset == UInt64(bytes.count))
        }
    }

    @Test func aTornEndIsToldAndLeftOut() throws {
        let whole = AccessLogFile.header.count + LogSupport.full.count
        for size in [1, 7, 8, 100, LogSupport.full.count - 1] {
            let file = try TemporaryFile(AccessLogFile.header + LogSupport.full + LogSupport.full[..<size])
            let (output, notes) = try Self.cat([file.path], format: "{id}")
            #expect(output == Array("0123456789abcdef\n".utf8))
            #expect(
                notes == [
                    "\(file.path) ends within a record, at byte \(whole): its \(size) bytes are left out"
                ])
        }
        let file = try TemporaryFile(AccessLogFile.header[..<9].map { $0 })
        #expect(try Self.cat([file.path]).notes.count == 1)
        let empty = try TemporaryFile([UInt8]())
        #expect(try Self.cat([empty.path]).output.isEmpty)
    }

    @Test func whatIsNoLogIsRefused() throws {
        let text = try TemporaryFile("10.0.0.1 - - [")
        #expect(
            Self.failure([text.path])
                == "\(text.path) is no binary access log of uproxy's: it does not begin with \"uproxylg\" (text formats need no reading)"
        )
        var header = AccessLogFile.header
        header[8] = 9
        let other = try TemporaryFile(AccessLogFile.header + LogSupport.full + header)
        #expect(
            Self.failure([other.path])
                == "\(other.path) has records of schema 9 from byte \(16 + LogSupport.full.count) on, and this uproxy reads schema 1: read it with the version that wrote it"
        )
        #expect(Self.failure(["/nowhere/log"]) == "/nowhere/log cannot be opened: No such file or directory")
        #expect(Self.failure(["/tmp"]) == "/tmp cannot be read: Is a directory")
    }

    /// What came before the damage is written.
    @Test func damageIsToldWithItsPlace() throws {
        for change in [(0, UInt8(1)), (1, 0xFF), (2, 1), (4, 7)] {
            var record = LogSupport.full
            record[change.0] = change.1
            let file = try TemporaryFile(AccessLogFile.header + LogSupport.full + record)
            var output: [UInt8] = []
            let message = Self.failure([file.path], output: &output)
            #expect(
                message
                    == "\(file.path) is damaged at byte \(16 + LogSupport.full.count): no record stands there, and what follows cannot be told apart"
            )
            #expect(output == Array("0123456789abcdef\n".utf8))
        }
    }

    /// It takes what is written next, and the file that takes the name, and the same one when it is cut back.
    @Test func itFollowsRotations() throws {
        let file = try TemporaryFile(AccessLogFile.header + LogSupport.full)
        let moved = file.path + ".1"
        defer { unsafe _ = unlink(moved) }
        let cat = try AccessLogCat(format: "{status}", follows: true)
        let output = try TemporaryFile([UInt8]())
        let descriptor = unsafe cposix_open_for_appending(output.path)
        defer { _ = cposix_close(descriptor) }
        func record(_ status: UInt16) -> [UInt8] { LogSupport.record { $0.status = status } }
        func append(_ bytes: [UInt8], to path: String) {
            let file = unsafe cposix_open_for_appending(path)
            unsafe bytes.withUnsafeBytes { unsafe _ = cposix_write(file, $0.baseAddress!, $0.count) }
            _ = cposix_close(file)
        }
        // Each time that it has read all there is and waits, something else happens.
        var step = 0
        var notes: [String] = []
        try cat.run([file.path], to: descriptor) {
            step += 1
            switch step {
            case 1: append(Array(record(201)[..<50]), to: file.path)
            case 2: append(Array(record(201)[50...]), to: file.path)
            case 3:
                unsafe _ = rename(file.path, moved)
                append(record(202), to: moved)
            case 4: append(AccessLogFile.header + record(203) + record(204), to: file.path)
            case 5: try? file.replace(with: AccessLogFile.header + record(205))
            default: return true
            }
            return false
        } note: {
            notes.append($0)
        }
        #expect(Self.contents(output.path) == Array("502\n201\n202\n203\n204\n205\n".utf8))
        #expect(notes.isEmpty)
    }

    private static func cat(
        _ paths: [String], format: String = "{id}", filters: [String] = []
    ) throws -> (output: [UInt8], notes: [String]) {
        var notes: [String] = []
        var output: [UInt8] = []
        try run(AccessLogCat(format: format, filters: filters), paths, &output) { notes.append($0) }
        return (output, notes)
    }

    private static func failure(_ paths: [String]) -> String? {
        var output: [UInt8] = []
        return failure(paths, output: &output)
    }

    private static func failure(_ paths: [String], output: inout [UInt8]) -> String? {
        do {
            try run(AccessLogCat(format: "{id}"), paths, &output) { _ in }
            return nil
        } catch let error as AccessLogCat.Failure {
            return error.message
        } catch {
            return "\(error)"
        }
    }

    private static func run(
        _ cat: AccessLogCat, _ paths: [String], _ output: inout [UInt8], note: (String) -> Void
    ) throws {
        let file = try TemporaryFile([UInt8]())
        let descriptor = unsafe cposix_open_for_appending(file.path)
        defer {
            _ = cposix_close(descriptor)
            output = contents(file.path)
        }
        try cat.run(paths, to: descriptor, note: note)
    }

    private static func contents(_ path: String) -> [UInt8] {
        let descriptor = unsafe cposix_open_for_reading(path)
        defer { _ = cposix_close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let size = unsafe buffer.withUnsafeMutableBytes {
                unsafe cposix_read(descriptor, $0.baseAddress!, $0.count)
            }
            guard size > 0 else { return bytes }
            bytes += buffer[..<size]
        }
    }
}
