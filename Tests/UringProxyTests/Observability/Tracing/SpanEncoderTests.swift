import TestSupport
import Testing

@testable import UringProxy

@Suite("Spans")
struct SpanEncoderTests {
    /// The fields of a message, by their numbers.
    private func fields(_ bytes: ArraySlice<UInt8>) -> [UInt64: [ProtobufReader.Value]] {
        var reader = ProtobufReader(bytes)
        var all: [UInt64: [ProtobufReader.Value]] = [:]
        while let (field, value) = reader.next() { all[field, default: []].append(value) }
        return all
    }

    private func bytes(_ value: ProtobufReader.Value?) -> ArraySlice<UInt8> {
        if case .bytes(let bytes) = value { bytes } else { [] }
    }
    private func text(_ value: ProtobufReader.Value?) -> String {
        String(decoding: bytes(value), as: UTF8.self)
    }
    private func number(_ value: ProtobufReader.Value?) -> UInt64? {
        if case .number(let number) = value { number } else { nil }
    }

    private func attributes(_ span: ArraySlice<UInt8>) -> [String: String] {
        var all: [String: String] = [:]
        for pair in fields(span)[9] ?? [] {
            let parts = fields(bytes(pair))
            let value = fields(bytes(parts[2]?.first))
            var text = self.text(value[1]?.first)
            if let whole = number(value[3]?.first) { text = "\(whole)" }
            if let fraction = number(value[4]?.first) { text = "\(Double(bitPattern: fraction))" }
            if let flag = number(value[2]?.first) { text = flag == 1 ? "true" : "false" }
            all[self.text(parts[1]?.first)] = text
        }
        return all
    }

    /// What a record with such texts becomes.
    private func spans(
        _ record: AccessRecord, _ notes: SpanNotes, _ texts: [(AccessText, String)]
    ) -> [ArraySlice<UInt8>] {
        var room = [UInt8](repeating: 0, count: 4096)
        let count = unsafe room.withUnsafeMutableBufferPointer { buffer in
            var writer = unsafe AccessTextWriter(base: buffer.baseAddress!, capacity: buffer.count)
            for (kind, text) in texts {
                unsafe Array(text.utf8).withUnsafeBytes { writer.append(kind, unsafe ByteView($0)) }
            }
            writer.pad()
            return writer.count
        }
        var whole = SpanRecord(record: record, notes: notes)
        whole.record.size = UInt32(MemoryLayout<SpanRecord>.size + count)
        let raw = unsafe withUnsafeBytes(of: whole) { unsafe Array($0) } + room.prefix(count)
        return unsafe raw.withUnsafeBytes { buffer in
            guard let view = SpanRecordView(unsafe ByteView(buffer)) else { return [] }
            var encoder = SpanEncoder(TracingConfiguration(), instance: "me", version: "1")
            var (spans, sizes): ([UInt8], [Int]) = ([], [])
            encoder.append(view, to: &spans, sizes: &sizes)
            #expect(sizes.reduce(0, +) == spans.count)
            // As they are sent.
            let resource = fields(bytes(fields(encoder.request(spans[...])[...])[1]?.first))
            return (fields(bytes(resource[2]?.first))[2] ?? []).map { self.bytes($0) }
        }
    }

    private func record(_ change: (inout AccessRecord) -> Void) -> AccessRecord {
        var record = AccessRecord()
        record.startedAt = 1_000_000_000_000
        record.version = 11
        record.times[.wait] = 5_000_000
        change(&record)
        return record
    }

    private func notes(attempted: Bool) -> SpanNotes {
        SpanNotes(
            context: TraceParent(high: 1, low: 2, span: 16, flags: .isSampled), parent: 0,
            attemptedAt: attempted ? 1_000_001_000_000 : 0, endedAt: 1_000_004_000_000)
    }

    @Test("Layouts have no padding that would stand in rings")
    func layout() {
        #expect(MemoryLayout<SpanRecord>.size % 8 == 0)
        #expect(MemoryLayout<SpanRecord>.size + TracePlan.textBytes < AccessRecord.sizeLimit)
    }

    @Test("Numbers of all sizes are written and read, and messages of all sizes")
    func numbers() {
        for value: UInt64 in [0, 1, 127, 128, 300, 1 << 31, 1 << 63, .max] {
            var writer = ProtobufWriter()
            writer.append(5, varint: value)
            writer.append(6, fixed64: value)
            writer.append(20_000, fixed32: UInt32(truncatingIfNeeded: value))
            let found = fields(writer.bytes[...])
            #expect(number(found[5]?.first) == value)
            #expect(number(found[6]?.first) == value)
            #expect(number(found[20_000]?.first) == value & 0xFFFF_FFFF)
        }
        for size in [0, 1, 126, 127, 128, 129, 16_383, 16_384, 70_000] {
            var writer = ProtobufWriter()
            writer.append(1) { $0.append(2) { $0.append(messages: [UInt8](repeating: 0x08, count: size)) } }
            writer.append(3, varint: 7)
            let found = fields(writer.bytes[...])
            #expect(bytes(fields(bytes(found[1]?.first))[2]?.first).count == size)
            #expect(number(found[3]?.first) == 7)
        }
        // Cut anywhere, it is read up to there.
        var writer = ProtobufWriter()
        writer.append(1, "text")
        writer.append(2, fixed64: 1)
        for size in 0..<writer.bytes.count { _ = fields(writer.bytes.prefix(size)) }
    }

    @Test("A text that is no UTF-8 makes no message invalid")
    func encoding() throws {
        var writer = ProtobufWriter()
        unsafe [UInt8]([0x61, 0xFF, 0xC3]).withUnsafeBytes { writer.append(1, text: unsafe ByteView($0)) }
        #expect(text(fields(writer.bytes[...])[1]?.first) == "a\u{FFFD}\u{FFFD}")
    }

    @Test("Targets in all forms, and what names the server")
    func targets() throws {
        let cases: [(target: String, host: String, path: String?, server: String?, port: String?)] = [
            ("/a?b=c", "h", "/a", "h", nil), ("/", "[::1]", "/", "::1", nil), ("*", "h", "*", "h", nil),
            ("http://e.org:81/p/q?x#y", "", "/p/q", "e.org", "81"), ("http://e.org?x", "", nil, "e.org", nil),
            ("e.org:443", "", nil, "e.org", "443"), ("", "", nil, nil, nil), ("[::2]:8", "", nil, "::2", "8"),
        ]
        for (target, host, path, server, port) in cases {
            let found = spans(
                record { $0.status = 200 }, notes(attempted: false),
                [(.method, "GET"), (.target, target), (.host, host)])
            #expect(found.count == 1)
            let told = attributes(try #require(found.first))
            #expect(told["url.path"] == path, "\(target)")
            #expect(told["server.address"] == server, "\(target)")
            #expect(told["server.port"] == port, "\(target)")
        }
    }

    @Test("What has failed, and for whom")
    func failures() throws {
        let texts: [(AccessText, String)] = [(.method, "GET"), (.target, "/"), (.endpoint, "127.0.0.1:80")]
        func both(_ change: (inout AccessRecord) -> Void, _ failure: String? = nil) -> [(String?, Bool)] {
            spans(record(change), notes(attempted: true), texts + (failure.map { [(.failure, $0)] } ?? []))
                .map {
                    (attributes($0)["error.type"], fields($0)[15] != nil)
                }
        }
        func expect(
            _ found: [(String?, Bool)], _ server: String?, _ isServer: Bool, _ client: String?,
            _ isClient: Bool
        ) {
            #expect(found.count == 2)
            #expect(found.first?.0 == server && found.first?.1 == isServer, "\(found)")
            #expect(found.last?.0 == client && found.last?.1 == isClient, "\(found)")
        }
        expect(both { ($0.status, $0.upstreamStatus) = (200, 200) }, nil, false, nil, false)
        expect(both { ($0.status, $0.upstreamStatus) = (404, 404) }, nil, false, "404", true)
        expect(both { ($0.status, $0.upstreamStatus) = (503, 503) }, "503", true, "503", true)
        expect(
            both({ $0.status = 504 }, "upstream_timeout"), "upstream_timeout", true, "upstream_timeout", true)
        expect(both({ $0.status = 413 }, "body_too_large"), "body_too_large", false, "body_too_large", true)
        expect(
            both({ ($0.status, $0.upstreamStatus, $0.flags) = (200, 200, .isCut) }, "upstream_truncated"),
            "upstream_truncated", true, "upstream_truncated", true)
        expect(
            both { ($0.status, $0.upstreamStatus, $0.flags) = (200, 200, .isAborted) }, "client_aborted",
            false,
            "client_aborted", false)
    }

    @Test("What a collector did not take is read out of its answer")
    func partial() {
        var writer = ProtobufWriter()
        writer.append(1) {
            $0.append(1, varint: 3)
            $0.append(2, "too old")
        }
        let (count, reason) = SpanEncoder.rejected(writer.bytes[...])
        #expect(count == 3 && reason == "too old")
        #expect(SpanEncoder.rejected([]).count == 0)
        #expect(SpanEncoder.rejected([0xFF, 0xFF, 0x0A]).count == 0)
    }

    @Test("Of random ids so many are sampled as are wanted, and all or none where that is wanted")
    func sampling() {
        var random = RandomWords(seed: 7)
        for sample in [0, 1, 2, 10, 1000] {
            var configuration = TracingConfiguration()
            configuration.sample = sample
            let rules = TraceRules(TracePlan(configuration, lanes: []))
            let count = (0..<100_000).count { _ in rules.samples(random.next()) }
            if sample < 2 {
                #expect(count == sample * 100_000)
            } else {
                let share = 1 / Double(sample)
                let spread = 3 * (100_000 * share * (1 - share)).squareRoot()
                #expect(abs(Double(count) - 100_000 * share) < spread, "\(count) of one in \(sample)")
            }
        }
    }

    @Test("Addresses of collectors")
    func addresses() throws {
        let cases: [(text: String, host: String, port: UInt16, authority: String, path: String)] = [
            ("http://127.0.0.1:4318/v1/traces", "127.0.0.1", 4318, "127.0.0.1:4318", "/v1/traces"),
            ("http://collector", "collector", 4318, "collector:4318", "/v1/traces"),
            ("http://[::1]:80/", "::1", 80, "[::1]:80", "/"),
            ("http://[::1]", "::1", 4318, "[::1]:4318", "/v1/traces"),
            ("http://a.b:9/x?y=z", "a.b", 9, "a.b:9", "/x?y=z"),
        ]
        for (text, host, port, authority, path) in cases {
            let address = try CollectorAddress(parsing: text)
            #expect(address.host == host && address.port == port && address.authority == authority)
            #expect(address.path == path)
        }
        for text in [
            "", "http://", "http:///v1", "http://a:b", "http://a:0", "http://a b", "ftp://a", "https://a",
            "http://a?b",
        ] {
            #expect(throws: OptionSyntaxError.self, "\(text)") { _ = try CollectorAddress(parsing: text) }
        }
    }
}
