import TestSupport

@testable import UringProxy

/// Records to write and to read: what has not been said of them is as in a record of nothing.
enum LogSupport {
    typealias Text = (kind: AccessText, name: String, bytes: [UInt8])

    static func text(_ kind: AccessText, _ text: String) -> Text { (kind, "", Array(text.utf8)) }
    static func field(_ name: String, _ value: String, isResponse: Bool = false) -> Text {
        (isResponse ? .responseField : .requestField, name, Array(value.utf8))
    }

    /// - Parameter limit: of bytes that are kept of each text.
    static func record(
        _ texts: [Text] = [], limit: Int = .max, _ change: (inout AccessRecord) -> Void = { _ in }
    ) -> [UInt8] {
        let fixed = MemoryLayout<AccessRecord>.size
        let room = AccessRecord.sizeLimit - fixed
        var bytes = [UInt8](repeating: 0xFF, count: fixed + room)
        let size = unsafe bytes.withUnsafeMutableBytes { buffer in
            let base = unsafe buffer.baseAddress!.assumingMemoryBound(to: UInt8.self)
            var writer = unsafe AccessTextWriter(base: base + fixed, capacity: room)
            for text in texts {
                HTTPSupport.withView(Array(text.name.utf8)) { name in
                    HTTPSupport.withView(text.bytes) {
                        writer.append(text.kind, name: name, $0, limit: limit)
                    }
                }
            }
            writer.pad()
            var record = AccessRecord()
            change(&record)
            record.size = UInt32(fixed + writer.count)
            unsafe buffer.storeBytes(of: record, as: AccessRecord.self)
            return fixed + writer.count
        }
        return Array(bytes[..<size])
    }

    /// One of all that records can hold.
    static let full = record([
        text(.method, "GET"), text(.target, "/a?b=c"), text(.host, "example.com"),
        text(.referer, "https://example.com/"), text(.userAgent, "curl/8 \"x\""), text(.listener, "edge"),
        text(.route, "main"), text(.cluster, "app"), text(.endpoint, "app-1:8080"), text(.user, "ann"),
        text(.failure, "upstream_reset"), text(.country, "DE"), text(.region, "BE"),
        text(.autonomousSystem, "3320"),
        text(.trace, "0af7651916cd43dd8448eb211c80319c"), field("X-A", "1"), field("x-a", "2"),
        field("X-B", "é"), field("Server", "nginx", isResponse: true),
    ]) {
        $0.flags = [.isSecure, .isReused, .isCut, .isKept]
        $0.startedAt = 1_796_063_904_123_456_789
        $0.id = 0x0123_4567_89AB_CDEF
        $0.times[.read] = 12_345
        $0.times[.connect] = 412_345
        $0.times[.wait] = 1_212_412_345
        $0.retries = 1_500_000
        $0.requestBytes = 12
        $0.responseBytes = 51_234
        $0.client = IPAddress(ipv4: 0x0A01_0203)
        $0.upstream = .loopback6
        $0.upstreamPort = 8080
        $0.weight = 10
        $0.status = 502
        $0.upstreamStatus = 200
        $0.attempts = 2
        $0.worker = 3
        $0.version = 20
    }

    static func withRecord<Result>(_ bytes: [UInt8], _ body: (AccessRecordView) -> Result) -> Result {
        HTTPSupport.withView(bytes) { bytes in
            guard let view = AccessRecordView(bytes) else { preconditionFailure("no record") }
            return body(view)
        }
    }

    static func write(_ bytes: [UInt8], as format: AccessLogFormat) -> [UInt8] {
        var output: [UInt8] = []
        withRecord(bytes) { format.append($0, to: &output) }
        return output
    }

    static func line(_ bytes: [UInt8], as format: String) throws -> String {
        String(decoding: write(bytes, as: try AccessLogFormat(parsing: format)), as: UTF8.self)
    }

    /// A record whose texts are any bytes.
    static func random(_ random: inout SplitMix) -> [UInt8] {
        var texts: [Text] = []
        for kind in AccessText.allCases where random.next() % 4 > 0 {
            let isField = kind == .requestField || kind == .responseField
            for _ in 0..<(isField ? random.next() % 4 : 1) {
                let name = isField ? ["X-A", "x-a", "X-B", "\"", "\u{1}"][Int(random.next() % 5)] : ""
                texts.append((kind, name, randomBytes(&random)))
            }
        }
        return record(texts) {
            $0.id = random.next()
            $0.startedAt = Int64(bitPattern: random.next() >> (1 + random.next() % 40))
            for stage in Ledger.Stage.allCases {
                $0.times[stage] = Int64(random.next() >> (16 + random.next() % 44))
            }
            $0.flags = AccessRecord.Flags(rawValue: UInt16(truncatingIfNeeded: random.next()))
            $0.status = UInt16(random.next() % 600)
            $0.responseBytes = random.next()
            $0.client = IPAddress(high: random.next(), low: random.next())
            $0.upstream = random.next() % 2 == 0 ? .unspecified : .loopback4
            $0.attempts = UInt16(random.next() % 3)
            $0.version = [0, 10, 11, 20, 99][Int(random.next() % 5)]
        }
    }

    private static func randomBytes(_ random: inout SplitMix) -> [UInt8] {
        let pool: [UInt8] = [
            0x22, 0x5C, 0x0A, 0x0D, 0x00, 0x1B, 0x7F, 0x20, 0x3D, 0xC2, 0x85, 0xE2, 0x80, 0xA8, 0xF0, 0x9F,
        ]
        return (0..<random.next() % 40).map { _ in
            let choice = random.next()
            switch choice % 4 {
            case 0: return UInt8(truncatingIfNeeded: choice >> 8)
            case 1: return pool[Int(choice >> 8) & 15]
            default: return UInt8(0x61 + choice >> 8 % 26)
            }
        }
    }
}

/// Reads JSON as strictly as RFC 8259 has it; nil is what is none.
struct StrictJSON {
    indirect enum Value: Equatable {
        case text(String)
        case number(String)
        case word(String)
        case list([Value])
        case object([String: Value])
    }

    private var bytes: ArraySlice<UInt8>

    static func parse(_ bytes: some Sequence<UInt8>) -> Value? {
        var reader = StrictJSON(bytes: Array(bytes)[...])
        guard String(validating: reader.bytes, as: UTF8.self) != nil, let value = reader.value(),
            reader.bytes.isEmpty
        else { return nil }
        return value
    }

    private mutating func take(_ byte: Unicode.Scalar) -> Bool {
        guard bytes.first == UInt8(ascii: byte) else { return false }
        bytes = bytes.dropFirst()
        return true
    }

    private mutating func value() -> Value? {
        switch bytes.first.map({ Character(Unicode.Scalar($0)) }) {
        case "\"": return string().map { .text($0) }
        case "[":
            bytes = bytes.dropFirst()
            var values: [Value] = []
            repeat {
                guard let next = value() else { return nil }
                values.append(next)
            } while take(",")
            return take("]") ? .list(values) : nil
        case "{":
            bytes = bytes.dropFirst()
            var values: [String: Value] = [:]
            repeat {
                guard let name = string(), take(":"), let next = value(),
                    values.updateValue(next, forKey: name) == nil
                else { return nil }
            } while take(",")
            return take("}") ? .object(values) : nil
        case "t", "f":
            for word in ["true", "false"] where bytes.starts(with: word.utf8) {
                bytes = bytes.dropFirst(word.utf8.count)
                return .word(word)
            }
            return nil
        default:
            let digits = bytes.prefix { "-0123456789.".utf8.contains($0) }
            bytes = bytes.dropFirst(digits.count)
            let text = String(decoding: digits, as: UTF8.self)
            return Double(text) != nil && !text.hasSuffix(".") ? .number(text) : nil
        }
    }

    private mutating func string() -> String? {
        guard take("\"") else { return nil }
        var text: [UInt8] = []
        while let byte = bytes.popFirst() {
            switch byte {
            case UInt8(ascii: "\""): return String(decoding: text, as: UTF8.self)
            case 0..<0x20: return nil
            case UInt8(ascii: "\\"):
                switch bytes.popFirst().map({ Character(Unicode.Scalar($0)) }) {
                case "\"": text.append(0x22)
                case "\\": text.append(0x5C)
                case "n": text.append(0x0A)
                case "r": text.append(0x0D)
                case "t": text.append(0x09)
                case "u":
                    let digits = String(decoding: bytes.prefix(4), as: UTF8.self)
                    guard digits.utf8.count == 4, let code = UInt32(digits, radix: 16),
                        let scalar = Unicode.Scalar(code)
                    else { return nil }
                    text += Array(String(scalar).utf8)
                    bytes = bytes.dropFirst(4)
                default: return nil
                }
            default: text.append(byte)
            }
        }
        return nil
    }
}
