/// What of a record can be written in a template, and asked for by a filter.
///
/// The names are those of JSON lines; what stands in an object there has the object's name and a dot before its own.
enum AccessLogVariable: Equatable, BitwiseCopyable {
    enum TimeForm { case rfc3339, common, unix, unixMilliseconds }
    enum Count { case status, requestBytes, responseBytes, upstreamStatus, attempts, weight, worker }
    enum Span: Equatable {
        case duration, added, retries
        case stage(Ledger.Stage)
    }
    enum Address { case client, upstream }
    /// Words that the record has no text for.
    enum Word { case scheme, version, isReused, isUpstreamSecure }

    case time(TimeForm)
    case id
    case text(AccessText)
    case count(Count)
    case span(Span)
    case address(Address)
    case word(Word)
    case flags

    /// A name and what it stands for, but for fields: those of what was captured have names of the user's.
    static let named: [(name: String, variable: AccessLogVariable)] =
        [
            ("time", .time(.rfc3339)), ("time.common", .time(.common)), ("time.unix", .time(.unix)),
            ("time.unix_ms", .time(.unixMilliseconds)), ("id", .id), ("listener", .text(.listener)),
            ("client", .address(.client)), ("user", .text(.user)), ("method", .text(.method)),
            ("scheme", .word(.scheme)), ("host", .text(.host)), ("target", .text(.target)),
            ("protocol", .word(.version)), ("status", .count(.status)),
            ("request_bytes", .count(.requestBytes)), ("response_bytes", .count(.responseBytes)),
            ("duration_ms", .span(.duration)), ("added_ms", .span(.added)), ("retries_ms", .span(.retries)),
            ("upstream.endpoint", .text(.endpoint)), ("upstream.address", .address(.upstream)),
            ("upstream.status", .count(.upstreamStatus)), ("upstream.attempts", .count(.attempts)),
            ("upstream.reused", .word(.isReused)), ("upstream.tls", .word(.isUpstreamSecure)),
            ("cluster", .text(.cluster)), ("route", .text(.route)), ("referer", .text(.referer)),
            ("user_agent", .text(.userAgent)), ("failure", .text(.failure)), ("country", .text(.country)),
            ("region", .text(.region)), ("asn", .text(.autonomousSystem)), ("trace_id", .text(.trace)),
            ("span_id", .text(.span)), ("flags", .flags), ("weight", .count(.weight)),
            ("worker", .count(.worker)),
        ] + Ledger.Stage.allCases.map { ("stages_ms.\($0.label)", .span(.stage($0))) }

    /// Shorter ways to say some of them.
    private static let short: [(name: String, variable: AccessLogVariable)] =
        [
            ("duration", .span(.duration)), ("added", .span(.added)), ("retries", .span(.retries)),
            ("trace", .text(.trace)), ("span", .text(.span)),
        ]
        + Ledger.Stage.allCases.map { ("stage.\($0.label)", .span(.stage($0))) }

    init?(name: String) {
        guard let found = (Self.named + Self.short).first(where: { $0.name == name }) else { return nil }
        self = found.variable
    }

    /// For those who wrote a name that does not exist.
    static func remedy(for name: String) -> String {
        let known = named.map(\.name)
        let names = known + short.map(\.name)
        let near = NearestName.of(name, among: names).map { "did you mean '\($0)'? " } ?? ""
        return near
            + "known are \(known.joined(separator: ", ")), request_fields.NAME and response_fields.NAME"
    }
}

/// A captured field, by the name it is asked for.
struct AccessLogField: Equatable, Sendable {
    let isResponse: Bool
    let name: String

    /// - Parameter text: `request_fields.NAME`, or shorter `request.NAME`; the same for the response's.
    init?(parsing text: String) {
        let prefixes = [
            ("request_fields.", false), ("request.", false), ("response_fields.", true), ("response.", true),
        ]
        guard let (prefix, isResponse) = prefixes.first(where: { text.hasPrefix($0.0) }) else { return nil }
        let name = text.dropFirst(prefix.count)
        guard (1...FieldNameSyntax.limit).contains(name.utf8.count), name.utf8.allSatisfy(\.isTokenByte)
        else { return nil }
        self.isResponse = isResponse
        self.name = String(name)
    }

    private enum FieldNameSyntax {
        /// As with the fields that rules edit.
        static var limit: Int { 255 }
    }
}

extension AccessRecord {
    func count(_ count: AccessLogVariable.Count) -> UInt64 {
        switch count {
        case .status: UInt64(status)
        case .requestBytes: requestBytes
        case .responseBytes: responseBytes
        case .upstreamStatus: UInt64(upstreamStatus)
        case .attempts: UInt64(attempts)
        case .weight: UInt64(weight)
        case .worker: UInt64(worker)
        }
    }

    /// In nanoseconds.
    func span(_ span: AccessLogVariable.Span) -> Int64 {
        switch span {
        case .duration: times.total
        case .added: times.added
        case .retries: retries
        case .stage(let stage): times[stage]
        }
    }

    func address(_ address: AccessLogVariable.Address) -> IPAddress {
        switch address {
        case .client: client
        case .upstream: upstream
        }
    }

    /// Empty if it is not known.
    func word(_ word: AccessLogVariable.Word) -> StaticString {
        switch word {
        case .scheme: version == 0 ? "" : flags.contains(.isSecure) ? "https" : "http"
        case .version:
            switch version {
            case 10: "HTTP/1.0"
            case 11: "HTTP/1.1"
            case 20: "HTTP/2.0"
            default: ""
            }
        case .isReused: attempts == 0 ? "" : flags.contains(.isReused) ? "true" : "false"
        case .isUpstreamSecure: attempts == 0 ? "" : flags.contains(.isUpstreamSecure) ? "true" : "false"
        }
    }
}

extension AccessRecord.Flags {
    /// Those that tell what became of an exchange; the others are told as words of their own.
    static let named: [(name: StaticString, flag: AccessRecord.Flags)] = [
        ("tunnel", .isTunnel), ("relay", .isRelay), ("aborted", .isAborted), ("cut", .isCut),
        ("truncated", .isTruncated), ("kept", .isKept), ("local", .isLocal),
    ]
    static var telling: AccessRecord.Flags {
        [.isTunnel, .isRelay, .isAborted, .isCut, .isTruncated, .isKept, .isLocal]
    }
}

/// The texts of a record by their kinds; the first of each.
struct AccessLogTexts {
    private var views = InlineArray<18, ByteView>(repeating: .empty)
    /// All of them, for the fields.
    let all: ByteView
    private(set) var hasRequestFields = false
    private(set) var hasResponseFields = false

    init(_ texts: ByteView) {
        all = texts
        var reader = AccessTextReader(texts)
        while let next = reader.next() {
            if next.kind < 18 {
                if views[Int(next.kind)].isEmpty { views[Int(next.kind)] = next.text }
            } else if next.kind == AccessText.requestField.rawValue {
                hasRequestFields = true
            } else if next.kind == AccessText.responseField.rawValue {
                hasResponseFields = true
            }
        }
    }

    /// Not for fields.
    @inline(__always)
    subscript(kind: AccessText) -> ByteView { views[Int(kind.rawValue)] }
}

/// The captured fields of one side, each name once.
struct AccessLogFields {
    private let kind: AccessText
    private var reader: AccessTextReader
    private let texts: ByteView
    private var seen: [ByteView] = []

    init(_ texts: ByteView, isResponse: Bool) {
        kind = isResponse ? .responseField : .requestField
        self.texts = texts
        reader = AccessTextReader(texts)
    }

    /// The next name, and where its values begin.
    mutating func next() -> (name: ByteView, values: Values)? {
        while let text = reader.next() {
            guard text.kind == kind.rawValue, let (name, _) = Self.parts(text.text) else { continue }
            if seen.contains(where: { $0.equalsIgnoringCase(name) }) { continue }
            seen.append(name)
            return (name, Values(kind: kind, name: name, reader: AccessTextReader(texts)))
        }
        return nil
    }

    /// The values of a field, whose name may be in any case.
    static func values(_ texts: ByteView, isResponse: Bool, name: ByteView) -> Values {
        Values(
            kind: isResponse ? .responseField : .requestField, name: name, reader: AccessTextReader(texts))
    }

    /// A captured text without a colon is none.
    static func parts(_ text: ByteView) -> (name: ByteView, value: ByteView)? {
        for index in 0..<text.count where text[index] == UInt8(ascii: ":") {
            return (text[0..<index], text.dropFirst(index + 1))
        }
        return nil
    }

    /// What the lines of one name say, in their order.
    struct Values {
        let kind: AccessText
        let name: ByteView
        var reader: AccessTextReader

        mutating func next() -> ByteView? {
            while let text = reader.next() {
                guard text.kind == kind.rawValue, let (name, value) = AccessLogFields.parts(text.text),
                    name.equalsIgnoringCase(self.name)
                else { continue }
                return value
            }
            return nil
        }
    }
}
