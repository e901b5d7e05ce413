/// Formats in which each value has its name: JSON, and logfmt with the same names.
extension AccessLogFormat {
    static func appendNamed<Notation: AccessLogNotation>(
        _ view: AccessRecordView, as notation: Notation.Type, to output: inout [UInt8]
    ) {
        // All names and numbers together take less than 2,048 bytes. A byte of a text becomes six at most, and so do the four of its
        // header: that makes up for what stands around a field.
        write(to: &output, atMost: 2048 + 6 * view.texts.count) { writer in
            appendNamed(view, as: notation, to: &writer)
        }
    }

    private static func appendNamed<Notation: AccessLogNotation>(
        _ view: AccessRecordView, as notation: Notation.Type, to writer: inout ByteWriter
    ) {
        let texts = AccessLogTexts(view.texts)
        let record = view.record

        @inline(__always)
        func append(_ name: StaticString, _ kind: AccessText) {
            guard !texts[kind].isEmpty else { return }
            notation.key(name, to: &writer)
            notation.text(texts[kind], to: &writer)
        }
        @inline(__always)
        func append(_ name: StaticString, count: UInt64) {
            notation.key(name, to: &writer)
            writer.append(decimal: count)
        }
        @inline(__always)
        func append(_ name: StaticString, span: Int64) {
            notation.key(name, to: &writer)
            writer.append(milliseconds: span)
        }
        @inline(__always)
        func append(_ name: StaticString, word: StaticString) {
            guard word.utf8CodeUnitCount > 0 else { return }
            notation.key(name, to: &writer)
            notation.quote(to: &writer)
            writer.append(word)
            notation.quote(to: &writer)
        }

        notation.begin(to: &writer)
        notation.quote(to: &writer)
        AccessLogTime(nanoseconds: record.startedAt).writeRFC3339(to: &writer)
        notation.quote(to: &writer)
        notation.key("id", to: &writer)
        notation.quote(to: &writer)
        writer.append(hexadecimal: record.id)
        notation.quote(to: &writer)
        append("listener", .listener)
        if record.client != .unspecified {
            notation.key("client", to: &writer)
            notation.quote(to: &writer)
            writer.append(record.client)
            notation.quote(to: &writer)
        }
        append("user", .user)
        append("method", .method)
        append("scheme", word: record.word(.scheme))
        append("host", .host)
        append("target", .target)
        append("protocol", word: record.word(.version))
        if record.status != 0 { append("status", count: UInt64(record.status)) }
        append("request_bytes", count: record.requestBytes)
        append("response_bytes", count: record.responseBytes)
        append("duration_ms", span: record.times.total)
        append("added_ms", span: record.times.added)
        appendStages(record.times, as: notation, to: &writer)
        if record.retries != 0 { append("retries_ms", span: record.retries) }
        appendUpstream(record, texts, as: notation, to: &writer)
        append("cluster", .cluster)
        append("route", .route)
        append("referer", .referer)
        append("user_agent", .userAgent)
        append("failure", .failure)
        append("country", .country)
        append("region", .region)
        append("asn", .autonomousSystem)
        append("trace_id", .trace)
        append("span_id", .span)
        if !record.flags.isDisjoint(with: .telling) {
            notation.key("flags", to: &writer)
            notation.flags(record.flags, to: &writer)
        }
        append("weight", count: UInt64(record.weight))
        append("worker", count: UInt64(record.worker))
        if texts.hasRequestFields {
            appendFields("request_fields", texts.all, isResponse: false, as: notation, to: &writer)
        }
        if texts.hasResponseFields {
            appendFields("response_fields", texts.all, isResponse: true, as: notation, to: &writer)
        }
        notation.end(to: &writer)
    }

    private static func appendStages<Notation: AccessLogNotation>(
        _ times: Ledger.Times, as notation: Notation.Type, to writer: inout ByteWriter
    ) {
        guard times != Ledger.Times() else { return }
        notation.open("stages_ms", to: &writer)
        var isFirst = true
        for stage in Ledger.Stage.allCases where times[stage] != 0 {
            notation.key(ByteView(stage.label), within: "stages_ms", isFirst: isFirst, to: &writer)
            writer.append(milliseconds: times[stage])
            isFirst = false
        }
        notation.close(to: &writer)
    }

    private static func appendUpstream<Notation: AccessLogNotation>(
        _ record: AccessRecord, _ texts: AccessLogTexts, as notation: Notation.Type,
        to writer: inout ByteWriter
    ) {
        let endpoint = texts[.endpoint]
        guard record.attempts > 0 || record.upstream != .unspecified || !endpoint.isEmpty else { return }

        @inline(__always)
        func key(_ name: StaticString, isFirst: Bool = false) {
            notation.key(ByteView(name), within: "upstream", isFirst: isFirst, to: &writer)
        }
        notation.open("upstream", to: &writer)
        key("attempts", isFirst: true)
        writer.append(decimal: UInt64(record.attempts))
        if !endpoint.isEmpty {
            key("endpoint")
            notation.text(endpoint, to: &writer)
        }
        if record.upstream != .unspecified {
            key("address")
            notation.quote(to: &writer)
            writer.append(record.upstream, port: record.upstreamPort)
            notation.quote(to: &writer)
        }
        if record.upstreamStatus != 0 {
            key("status")
            writer.append(decimal: UInt64(record.upstreamStatus))
        }
        if record.attempts > 0 {
            key("reused")
            writer.append(record.word(.isReused))
            key("tls")
            writer.append(record.word(.isUpstreamSecure))
        }
        notation.close(to: &writer)
    }

    /// Lines of one name are one field, whose values have commas between them (RFC 9110 §5.3).
    private static func appendFields<Notation: AccessLogNotation>(
        _ object: StaticString, _ texts: ByteView, isResponse: Bool, as notation: Notation.Type,
        to writer: inout ByteWriter
    ) {
        notation.open(object, to: &writer)
        var fields = AccessLogFields(texts, isResponse: isResponse)
        var isFirst = true
        while let field = fields.next() {
            notation.key(field.name, within: object, isFirst: isFirst, to: &writer)
            isFirst = false
            var values = field.values
            guard let first = values.next() else { continue }
            guard var next = values.next() else {
                notation.text(first, to: &writer)
                continue
            }
            var joined: [UInt8] = []
            joined.append(first)
            while true {
                joined += [UInt8(ascii: ","), UInt8(ascii: " ")]
                joined.append(next)
                guard let another = values.next() else { break }
                next = another
            }
            unsafe joined.withUnsafeBytes { notation.text(unsafe ByteView($0), to: &writer) }
        }
        notation.close(to: &writer)
    }
}

extension [UInt8] {
    mutating func append(_ bytes: ByteView) {
        unsafe append(contentsOf: UnsafeBufferPointer(start: bytes.pointer, count: bytes.count))
    }
}

/// How names and values are told apart.
protocol AccessLogNotation {
    /// The line's beginning, and the key `time`.
    static func begin(to writer: inout ByteWriter)
    static func end(to writer: inout ByteWriter)
    /// Begins a value that is not the line's first.
    static func key(_ name: StaticString, to writer: inout ByteWriter)
    /// Begins one within an object.
    static func key(_ name: ByteView, within object: StaticString, isFirst: Bool, to writer: inout ByteWriter)
    static func open(_ object: StaticString, to writer: inout ByteWriter)
    static func close(to writer: inout ByteWriter)
    /// What stands around words that need no escaping.
    static func quote(to writer: inout ByteWriter)
    static func text(_ text: ByteView, to writer: inout ByteWriter)
    static func flags(_ flags: AccessRecord.Flags, to writer: inout ByteWriter)
}

/// An object in a line (RFC 8259).
enum JSONNotation: AccessLogNotation {
    @inline(__always)
    static func begin(to writer: inout ByteWriter) { writer.append("{\"time\":") }
    @inline(__always)
    static func end(to writer: inout ByteWriter) { writer.append("}\n") }

    @inline(__always)
    static func key(_ name: StaticString, to writer: inout ByteWriter) {
        writer.append(",\"")
        writer.append(name)
        writer.append("\":")
    }

    static func key(
        _ name: ByteView, within object: StaticString, isFirst: Bool, to writer: inout ByteWriter
    ) {
        if !isFirst { writer.append(",") }
        writer.append(json: name)
        writer.append(":")
    }

    @inline(__always)
    static func open(_ object: StaticString, to writer: inout ByteWriter) {
        key(object, to: &writer)
        writer.append("{")
    }
    @inline(__always)
    static func close(to writer: inout ByteWriter) { writer.append("}") }
    @inline(__always)
    static func quote(to writer: inout ByteWriter) { writer.append("\"") }
    static func text(_ text: ByteView, to writer: inout ByteWriter) { writer.append(json: text) }

    static func flags(_ flags: AccessRecord.Flags, to writer: inout ByteWriter) {
        var isFirst = true
        writer.append("[")
        for (name, flag) in AccessRecord.Flags.named where flags.contains(flag) {
            writer.append(isFirst ? "\"" : ",\"")
            writer.append(name)
            writer.append("\"")
            isFirst = false
        }
        writer.append("]")
    }
}

/// `name=value`, with spaces between them; what is no plain word is written as a JSON string.
enum LogfmtNotation: AccessLogNotation {
    @inline(__always)
    static func begin(to writer: inout ByteWriter) { writer.append("time=") }
    @inline(__always)
    static func end(to writer: inout ByteWriter) { writer.append("\n") }

    @inline(__always)
    static func key(_ name: StaticString, to writer: inout ByteWriter) {
        writer.append(" ")
        writer.append(name)
        writer.append("=")
    }

    static func key(
        _ name: ByteView, within object: StaticString, isFirst: Bool, to writer: inout ByteWriter
    ) {
        writer.append(" ")
        writer.append(object)
        writer.append(".")
        for index in 0..<name.count { writer.append(byte: name[index].isTokenByte ? name[index] : 0x5F) }
        writer.append("=")
    }

    @inline(__always)
    static func open(_ object: StaticString, to writer: inout ByteWriter) {}
    @inline(__always)
    static func close(to writer: inout ByteWriter) {}
    @inline(__always)
    static func quote(to writer: inout ByteWriter) {}

    static func text(_ text: ByteView, to writer: inout ByteWriter) {
        if isPlain(text) { writer.append(text) } else { writer.append(json: text) }
    }

    private static func isPlain(_ text: ByteView) -> Bool {
        for index in 0..<text.count {
            let byte = text[index]
            if !byte.isPlainInLogs || byte == 0x20 || byte == UInt8(ascii: "=") { return false }
        }
        return !text.isEmpty
    }

    static func flags(_ flags: AccessRecord.Flags, to writer: inout ByteWriter) {
        var isFirst = true
        for (name, flag) in AccessRecord.Flags.named where flags.contains(flag) {
            if !isFirst { writer.append(",") }
            writer.append(name)
            isFirst = false
        }
    }
}
