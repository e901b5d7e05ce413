/// A line as the user wants it: text, and variables in braces. `{{` and `}}` are the braces themselves.
struct AccessLogTemplate: Sendable {
    private enum Part: Sendable {
        case literal([UInt8])
        case variable(AccessLogVariable)
        /// Its name in bytes.
        case field(isResponse: Bool, [UInt8])
    }

    private var parts: [Part] = []
    /// The captured fields that it needs, each once.
    private(set) var fields: [AccessLogField] = []

    init(parsing text: String) throws(OptionSyntaxError) {
        var literal: [UInt8] = []
        let bytes = Array(text.utf8)
        var index = 0
        while index < bytes.count {
            let byte = bytes[index]
            if byte.isControl {
                throw OptionSyntaxError(
                    "\(quoted(text)) has a control character at byte \(index + 1): leave it out, a record is a line"
                )
            }
            let isBrace = byte == UInt8(ascii: "{") || byte == UInt8(ascii: "}")
            let isDoubled = index + 1 < bytes.count && bytes[index + 1] == byte
            if !isBrace || isDoubled {
                literal.append(byte)
                index += isBrace ? 2 : 1
                continue
            }
            let end = bytes[index...].firstIndex(of: UInt8(ascii: "}"))
            let inner = bytes[index + 1..<max(index + 1, end ?? 0)]
            guard byte == UInt8(ascii: "{"), let end, !inner.contains(byte) else {
                throw OptionSyntaxError(
                    "\(quoted(text)) has a brace at byte \(index + 1) without its other one: "
                        + "write {{ or }} for the character itself")
            }
            if !literal.isEmpty { parts.append(.literal(literal)) }
            literal = []
            parts.append(try part(String(decoding: inner, as: UTF8.self), at: index + 1))
            index = end + 1
        }
        literal.append(0x0A)
        parts.append(.literal(literal))
    }

    private mutating func part(_ name: String, at place: Int) throws(OptionSyntaxError) -> Part {
        if let variable = AccessLogVariable(name: name) { return .variable(variable) }
        guard let field = AccessLogField(parsing: name) else {
            throw OptionSyntaxError(
                "\(quoted("{" + name + "}")) at byte \(place) stands for nothing: "
                    + AccessLogVariable.remedy(for: name))
        }
        let isKnown = fields.contains {
            $0.isResponse == field.isResponse && $0.name.lowercased() == field.name.lowercased()
        }
        if !isKnown { fields.append(field) }
        return .field(isResponse: field.isResponse, Array(field.name.utf8))
    }

    /// Writes a line. What peers chose is escaped as in the combined format; `-` stands for what is not there.
    func append(_ view: AccessRecordView, to output: inout [UInt8]) {
        let texts = AccessLogTexts(view.texts)
        AccessLogFormat.write(to: &output, atMost: size(of: view, texts)) { writer in
            for part in parts {
                switch part {
                case .literal(let bytes):
                    unsafe bytes.withUnsafeBytes { writer.append(unsafe ByteView($0)) }
                case .variable(let variable): writer.append(variable, of: view.record, texts)
                case .field(let isResponse, let name):
                    unsafe name.withUnsafeBytes {
                        writer.append(fieldOf: texts.all, isResponse: isResponse, unsafe ByteView($0))
                    }
                }
            }
        }
    }

    /// What the line takes at most.
    private func size(of view: AccessRecordView, _ texts: AccessLogTexts) -> Int {
        var size = 0
        for part in parts {
            switch part {
            case .literal(let bytes): size += bytes.count
            case .variable(.text(let kind)): size += 1 + AccessLogFormat.escapedSize * texts[kind].count
            case .variable: size += 64
            case .field: size += 1 + AccessLogFormat.escapedSize * view.texts.count
            }
        }
        return size
    }
}

extension ByteWriter {
    fileprivate mutating func append(
        _ variable: AccessLogVariable, of record: AccessRecord, _ texts: AccessLogTexts
    ) {
        switch variable {
        case .text(let kind): append(escapedOrDash: texts[kind])
        case .id: append(hexadecimal: record.id)
        case .count(.status): append(countOrDash: UInt64(record.status))
        case .count(.upstreamStatus): append(countOrDash: UInt64(record.upstreamStatus))
        case .count(let count): append(decimal: record.count(count))
        case .span(let span): append(milliseconds: record.span(span))
        case .address(.client): append(record.client, otherwise: "-")
        case .address(.upstream):
            if record.upstream == .unspecified {
                append("-")
            } else {
                append(record.upstream, port: record.upstreamPort)
            }
        case .word(let word):
            let text = record.word(word)
            append(text.utf8CodeUnitCount == 0 ? "-" : text)
        case .flags:
            if record.flags.isDisjoint(with: .telling) {
                append("-")
            } else {
                LogfmtNotation.flags(record.flags, to: &self)
            }
        case .time(let form): append(time: record.startedAt, form)
        }
    }

    private mutating func append(countOrDash count: UInt64) {
        if count == 0 { append("-") } else { append(decimal: count) }
    }

    private mutating func append(time nanoseconds: Int64, _ form: AccessLogVariable.TimeForm) {
        let time = UInt64(max(nanoseconds, 0))
        switch form {
        case .rfc3339: AccessLogTime(nanoseconds: nanoseconds).writeRFC3339(to: &self)
        case .common: AccessLogTime(nanoseconds: nanoseconds).writeCommon(to: &self)
        case .unix:
            append(decimal: time / 1_000_000_000)
            append(".")
            append(digits: time / 1000 % 1_000_000, 6)
        case .unixMilliseconds: append(decimal: time / 1_000_000)
        }
    }

    /// Values of several lines with commas between them.
    fileprivate mutating func append(fieldOf texts: ByteView, isResponse: Bool, _ name: ByteView) {
        var values = AccessLogFields.values(texts, isResponse: isResponse, name: name)
        let start = count
        while let value = values.next() {
            if count > start { append(", ") }
            append(escaped: value)
        }
        if count == start { append("-") }
    }
}
