import Testing

@testable import UringProxy

@Suite("Durations, sizes and rates")
struct ParserTests {
    @Test("A duration is a whole number with a unit, or a bare 0")
    func durations() throws {
        let table: [(String, Int64)] = [
            ("0", 0), ("0s", 0), ("30s", 30_000_000_000), ("500ms", 500_000_000), ("1h", 3_600_000_000_000),
            ("2m", 120_000_000_000), ("100us", 100_000),
            ("50µs", 50_000), ("7ns", 7), ("1d", 86_400_000_000_000),
        ]
        for (text, expected) in table {
            #expect(try Nanoseconds(parsing: text).rawValue == expected, "\(text)")
        }
    }

    @Test("A duration that cannot be read says what to write")
    func brokenDurations() {
        let table = [
            ("30", "write 30s, 30ms or 30m"), ("", "write for example"), ("s", "write for example"),
            ("-1s", "negative"), ("1.5s", "smaller unit"), ("1 s", "not a unit"), ("1S", "not a unit"),
            ("1min", "not a unit"), ("99999999999999999999s", "too large"),
            ("9223372036854775807h", "ten years"),
            ("4000d", "ten years"), ("1h30m", "not a unit"), ("٣s", "write for example"),
            ("1s\n", "not a unit"),
        ]
        for (text, part) in table {
            #expect(
                message { () throws(OptionSyntaxError) in _ = try Nanoseconds(parsing: text) }.contains(part),
                "\(text)")
        }
    }

    @Test("A duration is described so that it can be read back")
    func durationDescriptions() throws {
        let table = [
            ("0", "0"), ("60s", "60s"), ("75s", "75s"), ("1h", "1h"), ("60m", "1h"), ("20m", "20m"),
            ("1500ms", "1500ms"),
            ("24h", "24h"), ("1d", "24h"), ("90m", "90m"), ("1us", "1us"),
        ]
        for (text, expected) in table {
            let value = try Nanoseconds(parsing: text)
            #expect(value.description == expected)
            #expect(try Nanoseconds(parsing: value.description) == value)
        }
    }

    @Test("A size knows powers of 1024 from powers of 1000")
    func sizes() throws {
        let table: [(String, UInt64)] = [
            ("0", 0), ("512", 512), ("512B", 512), ("32KiB", 32768), ("1MiB", 1_048_576),
            ("10MB", 10_000_000),
            ("1kb", 1000), ("2GiB", 2 << 30), ("1TiB", 1 << 40), ("3gb", 3_000_000_000),
        ]
        for (text, expected) in table {
            #expect(try ByteSize.parse(text) == expected, "\(text)")
        }
    }

    @Test("A size that cannot be read says what to write")
    func brokenSizes() {
        let table = [
            ("32K", "32KiB"), ("10m", "10MB"), ("KiB", "write for example"), ("1.5MiB", "smaller unit"),
            ("-1", "negative"),
            ("1PiB", "not a unit"), ("8388608TiB", "larger than any size"),
            ("18446744073709551616", "too large"),
            ("", "write for example"), ("1 KiB", "not a unit"),
        ]
        for (text, part) in table {
            #expect(
                message { () throws(OptionSyntaxError) in _ = try ByteSize.parse(text) }.contains(part),
                "\(text)")
        }
    }

    @Test("A size is described in the largest unit that stays whole")
    func sizeDescriptions() {
        let table: [(UInt64, String)] = [
            (0, "0"), (500, "500"), (1000, "1000"), (1024, "1KiB"), (1536, "1536"), (1 << 20, "1MiB"),
            (1536 << 10, "1536KiB"), (1 << 40, "1TiB"),
        ]
        for (bytes, expected) in table { #expect(ByteSize.describe(bytes) == expected) }
    }

    @Test("A rate is a size a second, and after a colon its grace time")
    func rates() throws {
        let table: [(String, MinimumRate)] = [
            ("240:10s", MinimumRate(bytesPerSecond: 240, grace: .seconds(10))),
            ("1KiB:500ms", MinimumRate(bytesPerSecond: 1024, grace: .milliseconds(500))),
            ("240/s:2m", MinimumRate(bytesPerSecond: 240, grace: .minutes(2))),
            ("300", MinimumRate(bytesPerSecond: 300, grace: .seconds(10))),
            ("300:0", MinimumRate(bytesPerSecond: 300, grace: .zero)), ("0", .off), ("0:5s", .off),
        ]
        for (text, expected) in table {
            #expect(try MinimumRate(parsing: text) == expected, "\(text)")
        }
        for text in ["", ":", "240:", "240:10", "x:10s", "240:10s:1"] {
            #expect(
                !message { () throws(OptionSyntaxError) in _ = try MinimumRate(parsing: text) }.isEmpty,
                "\(text)")
        }
        #expect(MinimumRate(bytesPerSecond: 240, grace: .seconds(10)).description == "240:10s")
    }

    @Test("What the user wrote is shown without its control characters")
    func quoting() {
        #expect(quoted("a\u{1B}[31m\n") == "'a\\u{1B}[31m\\n'")
        #expect(quoted(String(repeating: "x", count: 100)).count == 83)
    }

    private func message(_ body: () throws(OptionSyntaxError) -> Void) -> String {
        do {
            try body()
            return ""
        } catch {
            return error.message
        }
    }
}
