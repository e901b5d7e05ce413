/// A JSON text as values (RFC 8259), as strictly as the RFC has it: what the admin listener of another process answers.
enum JSONValue: Sendable, Equatable {
    case null
    case boolean(Bool)
    /// As a double: counts are exact up to 2^53.
    case number(Double)
    case string(String)
    case array([JSONValue])
    case object([String: JSONValue])

    /// Why a text is none of JSON.
    struct Problem: Error, Equatable {
        /// Of the byte that is wrong, from 0.
        var offset: Int
        var message: String
    }

    init(parsing text: [UInt8]) throws(Problem) {
        var reader = JSONReader(text)
        self = try reader.document()
    }

    // MARK: - What is there, if it is of the kind

    /// A member of an object.
    subscript(name: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members[name]
    }

    var number: Double? {
        guard case .number(let number) = self else { return nil }
        return number
    }

    var string: String? {
        guard case .string(let string) = self else { return nil }
        return string
    }

    var boolean: Bool? {
        guard case .boolean(let boolean) = self else { return nil }
        return boolean
    }

    /// Of an array; of all else none.
    var items: [JSONValue] {
        guard case .array(let items) = self else { return [] }
        return items
    }

    /// The numbers among an object's members.
    var numbers: [String: Double] {
        guard case .object(let members) = self else { return [:] }
        return members.compactMapValues(\.number)
    }
}

/// One text that is read from its beginning to its end.
private struct JSONReader {
    /// No answer is nearly as deep.
    private static let depthLimit = 64

    private let bytes: [UInt8]
    private var place = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    mutating func document() throws(JSONValue.Problem) -> JSONValue {
        let value = try value(depth: 0)
        skipSpace()
        guard place == bytes.count else { throw problem("something follows the value") }
        return value
    }

    private func problem(_ message: String) -> JSONValue.Problem {
        JSONValue.Problem(offset: place, message: message)
    }

    /// 0 behind the end, which no text has elsewhere but in vain.
    private var next: UInt8 { place < bytes.count ? bytes[place] : 0 }

    private mutating func skipSpace() {
        while place < bytes.count, [0x20, 0x0A, 0x0D, 0x09].contains(bytes[place]) { place += 1 }
    }

    private mutating func take(_ byte: UInt8, _ expected: String) throws(JSONValue.Problem) {
        guard next == byte, place < bytes.count else { throw problem("\(expected) is missing") }
        place += 1
    }

    private mutating func value(depth: Int) throws(JSONValue.Problem) -> JSONValue {
        guard depth < Self.depthLimit else { throw problem("more than \(Self.depthLimit) levels of nesting") }
        skipSpace()
        switch next {
        case UInt8(ascii: "{"): return try object(depth)
        case UInt8(ascii: "["): return try array(depth)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .boolean(true))
        case UInt8(ascii: "f"): return try word("false", .boolean(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        default: return .number(try number())
        }
    }

    private mutating func word(_ word: StaticString, _ value: JSONValue) throws(JSONValue.Problem)
        -> JSONValue
    {
        for byte in "\(word)".utf8 { try take(byte, "\(word)") }
        return value
    }

    private mutating func object(_ depth: Int) throws(JSONValue.Problem) -> JSONValue {
        place += 1
        var members: [String: JSONValue] = [:]
        skipSpace()
        if next == UInt8(ascii: "}") {
            place += 1
            return .object(members)
        }
        while true {
            skipSpace()
            guard next == UInt8(ascii: "\"") else { throw problem("a name is missing") }
            let start = place
            let name = try string()
            skipSpace()
            try take(UInt8(ascii: ":"), "a colon")
            guard members.updateValue(try value(depth: depth + 1), forKey: name) == nil else {
                place = start
                throw problem("a name is there a second time")
            }
            skipSpace()
            if next == UInt8(ascii: ",") {
                place += 1
                continue
            }
            try take(UInt8(ascii: "}"), "a comma or }")
            return .object(members)
        }
    }

    private mutating func array(_ depth: Int) throws(JSONValue.Problem) -> JSONValue {
        place += 1
        var items: [JSONValue] = []
        skipSpace()
        if next == UInt8(ascii: "]") {
            place += 1
            return .array(items)
        }
        while true {
            items.append(try value(depth: depth + 1))
            skipSpace()
            if next == UInt8(ascii: ",") {
                place += 1
                continue
            }
            try take(UInt8(ascii: "]"), "a comma or ]")
            return .array(items)
        }
    }

    // MARK: - Numbers

    private mutating func digits() throws(JSONValue.Problem) {
        guard isDigit(next) else { throw problem("a value is missing") }
        while isDigit(next) { place += 1 }
    }

    private func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }

    private mutating func number() throws(JSONValue.Problem) -> Double {
        let start = place
        // Most are counts: no text has to be made of them.
        var count: UInt64 = 0
        while isDigit(next), place - start < 15 {
            count = count * 10 + UInt64(next - 0x30)
            place += 1
        }
        let isCount = place > start && (bytes[start] != 0x30 || place == start + 1)
        if isCount, !isDigit(next), ![0x2E, 0x65, 0x45].contains(next) { return Double(count) }
        place = start
        if next == UInt8(ascii: "-") { place += 1 }
        if next == UInt8(ascii: "0") { place += 1 } else { try digits() }
        if next == UInt8(ascii: ".") {
            place += 1
            try digits()
        }
        if next == UInt8(ascii: "e") || next == UInt8(ascii: "E") {
            place += 1
            if next == UInt8(ascii: "+") || next == UInt8(ascii: "-") { place += 1 }
            try digits()
        }
        guard let number = Double(String(decoding: bytes[start..<place], as: UTF8.self)), number.isFinite
        else {
            place = start
            throw problem("a number is too large")
        }
        return number
    }

    // MARK: - Strings

    private mutating func string() throws(JSONValue.Problem) -> String {
        place += 1
        let start = place
        while place < bytes.count, bytes[place] != 0x22, bytes[place] != 0x5C, bytes[place] >= 0x20 {
            place += 1
        }
        if next == 0x22 {
            defer { place += 1 }
            return try text(bytes[start..<place])
        }
        var unescaped = Array(bytes[start..<place])
        while true {
            guard place < bytes.count else { throw problem("the string does not end") }
            switch bytes[place] {
            case 0x22:
                defer { place += 1 }
                return try text(unescaped[...])
            case 0x5C:
                place += 1
                unescaped += try escape()
            case 0..<0x20: throw problem("a control character is not escaped")
            case let byte:
                unescaped.append(byte)
                place += 1
            }
        }
    }

    private func text(_ bytes: ArraySlice<UInt8>) throws(JSONValue.Problem) -> String {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw problem("the string before is no UTF-8")
        }
        return text
    }

    /// What stands behind a backslash.
    private mutating func escape() throws(JSONValue.Problem) -> [UInt8] {
        let sign = next
        place += 1
        switch sign {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [sign]
        case UInt8(ascii: "b"): return [0x08]
        case UInt8(ascii: "f"): return [0x0C]
        case UInt8(ascii: "n"): return [0x0A]
        case UInt8(ascii: "r"): return [0x0D]
        case UInt8(ascii: "t"): return [0x09]
        case UInt8(ascii: "u"):
            var code = try fourDigits()
            if (0xD800..<0xDC00).contains(code), next == 0x5C {
                place += 1
                try take(UInt8(ascii: "u"), "the second half of a pair")
                let low = try fourDigits()
                guard (0xDC00..<0xE000).contains(low) else { throw problem("half of a pair stands alone") }
                code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
            }
            guard let scalar = Unicode.Scalar(code) else { throw problem("half of a pair stands alone") }
            return Array(String(scalar).utf8)
        default:
            place -= 1
            throw problem("there is no such escape")
        }
    }

    private mutating func fourDigits() throws(JSONValue.Problem) -> UInt32 {
        var code: UInt32 = 0
        for _ in 0..<4 {
            let byte = next
            switch byte {
            case 0x30...0x39: code = code << 4 | UInt32(byte - 0x30)
            case 0x41...0x46: code = code << 4 | UInt32(byte - 0x41 + 10)
            case 0x61...0x66: code = code << 4 | UInt32(byte - 0x61 + 10)
            default: throw problem("four hexadecimal digits are missing")
            }
            place += 1
        }
        return code
    }
}
