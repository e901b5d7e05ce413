/// Makes spans of records, as OTLP has them (opentelemetry-proto, `trace.proto`) and the semantic conventions for HTTP name what they
/// say.
struct SpanEncoder {
    private enum Kind: UInt64 {
        case server = 2
        case client = 3
    }

    /// Fields of messages, by their numbers.
    private enum Field {
        static let resourceSpans: UInt64 = 1
        static let resource: UInt64 = 1
        static let scopeSpans: UInt64 = 2
        static let scope: UInt64 = 1
        static let spans: UInt64 = 2
        static let resourceAttributes: UInt64 = 1
        static let scopeName: UInt64 = 1
        static let scopeVersion: UInt64 = 2
        static let spanAttributes: UInt64 = 9
    }

    /// `ResourceSpans` less the spans, and `ScopeSpans` likewise.
    private let resource: [UInt8]
    private let scope: [UInt8]
    private var writer = ProtobufWriter()

    /// - Parameters:
    ///   - instance: `service.instance.id`.
    ///   - version: of this program.
    init(_ configuration: TracingConfiguration, instance: String, version: String) {
        var writer = ProtobufWriter()
        writer.append(Field.resource) { resource in
            func append(_ key: String, _ value: String) {
                resource.append(Field.resourceAttributes) { Self.pair(key, value, &$0) }
            }
            append("service.name", configuration.service)
            append("service.instance.id", configuration.instance ?? instance)
            append("service.version", version)
            for entry in configuration.attributes { append(entry.name, entry.value) }
        }
        resource = writer.bytes
        writer.removeAll()
        writer.append(Field.scope) { scope in
            scope.append(Field.scopeName, "uproxy")
            scope.append(Field.scopeVersion, version)
        }
        scope = writer.bytes
    }

    /// An `ExportTraceServiceRequest`.
    ///
    /// - Parameter spans: as `append` has written them.
    func request(_ spans: ArraySlice<UInt8>) -> [UInt8] {
        let ofScope = scope.count + spans.count
        var inner = ProtobufWriter()
        inner.append(messages: resource)
        inner.append(Field.scopeSpans, sizeOfMessage: ofScope)
        var outer = ProtobufWriter()
        outer.append(Field.resourceSpans, sizeOfMessage: inner.bytes.count + ofScope)
        outer.append(messages: inner.bytes)
        outer.append(messages: scope)
        outer.append(messages: spans)
        return outer.bytes
    }

    /// How many spans an answer says were not taken: an `ExportTraceServiceResponse`, and why.
    static func rejected(_ answer: ArraySlice<UInt8>) -> (count: Int, reason: String) {
        var count = 0
        var reason = ""
        var reader = ProtobufReader(answer)
        while let (field, value) = reader.next() {
            // partial_success
            guard field == 1, case .bytes(let message) = value else { continue }
            var inner = ProtobufReader(message)
            while let (field, value) = inner.next() {
                switch (field, value) {
                case (1, .number(let number)): count = max(0, Int(truncatingIfNeeded: number))
                case (2, .bytes(let text)): reason = String(decoding: text.prefix(200), as: UTF8.self)
                default: break
                }
            }
        }
        return (count, reason)
    }

    // MARK: - Spans

    /// Appends the spans of a record, and the size of each.
    mutating func append(_ view: SpanRecordView, to bytes: inout [UInt8], sizes: inout [Int]) {
        let texts = AccessLogTexts(view.texts)
        append(to: &bytes, &sizes) { Self.server(view, texts, &$0) }
        if view.notes.attemptedAt != 0 { append(to: &bytes, &sizes) { Self.client(view, texts, &$0) } }
    }

    private mutating func append(
        to bytes: inout [UInt8], _ sizes: inout [Int], _ write: (inout ProtobufWriter) -> Void
    ) {
        writer.removeAll()
        writer.append(Field.spans, write)
        bytes += writer.bytes
        sizes.append(writer.bytes.count)
    }

    /// The request as it was received, and answered.
    private static func server(
        _ view: SpanRecordView, _ texts: AccessLogTexts, _ span: inout ProtobufWriter
    ) {
        let record = view.record
        let context = view.notes.context
        let isRemote = view.notes.parent != 0
        begin(
            .server, view, texts, span: context.span, parent: view.notes.parent, isRemote: isRemote,
            from: record.startedAt, to: record.startedAt + record.times.total, &span)
        let target = RequestTarget(texts[.target], host: texts[.host])
        method(texts[.method], &span)
        if !target.path.isEmpty { attribute("url.path", text: target.path, &span) }
        attribute("url.scheme", text: ByteView(record.word(.scheme)), &span)
        if !target.host.isEmpty { attribute("server.address", text: target.host, &span) }
        let port = target.port != 0 ? target.port : view.notes.port
        if port != 0 { attribute("server.port", number: UInt64(port), &span) }
        if record.client != .unspecified { attribute("client.address", record.client.description, &span) }
        version(record, &span)
        if record.status != 0 { attribute("http.response.status_code", number: UInt64(record.status), &span) }
        attribute("user_agent.original", text: texts[.userAgent], &span)
        attribute("http.request.body.size", number: record.requestBytes, &span)
        attribute("http.response.body.size", number: record.responseBytes, &span)
        attribute("uproxy.id", exchangeID(record.id), &span)
        attribute("uproxy.listener", text: texts[.listener], &span)
        attribute("uproxy.route", text: texts[.route], &span)
        attribute("uproxy.cluster", text: texts[.cluster], &span)
        attribute("uproxy.added_ms", milliseconds: record.times.added, &span)
        for stage in Ledger.Stage.allCases where record.times[stage] != 0 {
            attribute("uproxy.stage.\(stage.label)_ms", milliseconds: record.times[stage], &span)
        }
        if record.retries != 0 { attribute("uproxy.retries_ms", milliseconds: record.retries, &span) }
        let isFailed = record.status >= 500 || record.status == 0 || record.flags.contains(.isCut)
        let error =
            !texts[.failure].isEmpty
            ? texts[.failure].string
            : record.flags.contains(.isAborted)
                ? "client_aborted" : record.status >= 500 ? "\(record.status)" : ""
        end(error, isFailed: isFailed, &span)
    }

    /// The request as it was sent, the last time.
    private static func client(
        _ view: SpanRecordView, _ texts: AccessLogTexts, _ span: inout ProtobufWriter
    ) {
        let record = view.record
        let notes = view.notes
        begin(
            .client, view, texts, span: notes.sentSpan, parent: notes.context.span, isRemote: false,
            from: notes.attemptedAt, to: max(notes.attemptedAt, notes.endedAt), &span)
        let target = RequestTarget(texts[.target], host: texts[.host])
        let endpoint = RequestTarget(.empty, host: texts[.endpoint])
        method(texts[.method], &span)
        if !endpoint.host.isEmpty {
            attribute("server.address", text: endpoint.host, &span)
            if endpoint.port != 0 { attribute("server.port", number: UInt64(endpoint.port), &span) }
            if !texts[.endpoint].hasPrefix("unix:") {
                let scheme = record.flags.contains(.isUpstreamSecure) ? "https" : "http"
                attribute("url.full", "\(scheme)://\(texts[.endpoint].string)\(target.path.string)", &span)
            }
        }
        if record.upstream != .unspecified {
            attribute("network.peer.address", record.upstream.description, &span)
            attribute("network.peer.port", number: UInt64(record.upstreamPort), &span)
        }
        if record.upstreamStatus != 0 {
            attribute("http.response.status_code", number: UInt64(record.upstreamStatus), &span)
        }
        if record.attempts > 1 {
            attribute("http.request.resend_count", number: UInt64(record.attempts) - 1, &span)
        }
        attribute("uproxy.cluster", text: texts[.cluster], &span)
        if record.attempts > 0 {
            attribute("uproxy.connection.reused", isTrue: record.flags.contains(.isReused), &span)
        }
        // Of an answer to a client all of 4xx are errors, unlike of one that we gave (semantic conventions, "Status").
        let isFailed =
            record.upstreamStatus >= 400 || record.upstreamStatus == 0 || record.flags.contains(.isCut)
        let error =
            record.upstreamStatus >= 400
            ? "\(record.upstreamStatus)"
            : !texts[.failure].isEmpty ? texts[.failure].string : isFailed ? "_OTHER" : ""
        let isAborted = record.flags.contains(.isAborted) && texts[.failure].isEmpty
        end(isAborted ? "client_aborted" : error, isFailed: isFailed && !isAborted, &span)
    }

    // MARK: - Parts

    private static func begin(
        _ kind: Kind, _ view: SpanRecordView, _ texts: AccessLogTexts, span id: UInt64, parent: UInt64,
        isRemote: Bool, from start: Int64, to end: Int64, _ span: inout ProtobufWriter
    ) {
        let context = view.notes.context
        span.append(1, id: context.high, context.low)
        span.append(2, id: id)
        if !texts[.traceState].isEmpty { span.append(3, text: texts[.traceState]) }
        if parent != 0 { span.append(4, id: parent) }
        let method = knownMethod(texts[.method])
        var name = method == "_OTHER" ? "HTTP" : method
        if kind == .server && !texts[.route].isEmpty { name += " " + texts[.route].string }
        span.append(5, name)
        span.append(6, varint: kind.rawValue)
        span.append(7, fixed64: UInt64(max(0, start)))
        span.append(8, fixed64: UInt64(max(0, end)))
        // The flags of W3C, and whether the parent is of another process: that it is known (bit 8), and so (bit 9).
        span.append(16, fixed32: UInt32(context.flags.rawValue) | 1 << 8 | (isRemote ? 1 << 9 : 0))
    }

    /// `error.type`, and the status: an error, or unset.
    private static func end(_ error: String, isFailed: Bool, _ span: inout ProtobufWriter) {
        if !error.isEmpty { attribute("error.type", error, &span) }
        if isFailed { span.append(15) { $0.append(3, varint: 2) } }
    }

    /// Those of RFC 9110 and PATCH; `_OTHER`, so that whoever sends what he likes does not make attributes without end.
    private static func knownMethod(_ method: ByteView) -> String {
        Method.lookup(method) == .other ? "_OTHER" : method.string
    }

    private static func method(_ method: ByteView, _ span: inout ProtobufWriter) {
        let known = knownMethod(method)
        attribute("http.request.method", known, &span)
        if known == "_OTHER" { attribute("http.request.method_original", text: method, &span) }
    }

    private static func version(_ record: AccessRecord, _ span: inout ProtobufWriter) {
        let version: StaticString
        switch record.version {
        case 10: version = "1.0"
        case 11: version = "1.1"
        case 20: version = "2"
        default: return
        }
        attribute("network.protocol.version", text: ByteView(version), &span)
    }

    // `KeyValue`, and in it an `AnyValue`.
    private static func pair(_ key: String, _ value: String, _ pair: inout ProtobufWriter) {
        pair.append(1, key)
        pair.append(2) { $0.append(1, value) }
    }

    private static func attribute(_ key: String, _ value: String, _ span: inout ProtobufWriter) {
        span.append(Field.spanAttributes) { Self.pair(key, value, &$0) }
    }

    /// Empty: there is none.
    private static func attribute(_ key: String, text: ByteView, _ span: inout ProtobufWriter) {
        if text.isEmpty { return }
        span.append(Field.spanAttributes) { pair in
            pair.append(1, key)
            pair.append(2) { $0.append(1, text: text) }
        }
    }

    private static func attribute(_ key: String, number: UInt64, _ span: inout ProtobufWriter) {
        span.append(Field.spanAttributes) { pair in
            pair.append(1, key)
            pair.append(2) { $0.append(3, varint: number) }
        }
    }

    private static func attribute(_ key: String, isTrue: Bool, _ span: inout ProtobufWriter) {
        span.append(Field.spanAttributes) { pair in
            pair.append(1, key)
            pair.append(2) { $0.append(2, varint: isTrue ? 1 : 0) }
        }
    }

    private static func attribute(_ key: String, milliseconds time: Int64, _ span: inout ProtobufWriter) {
        span.append(Field.spanAttributes) { pair in
            pair.append(1, key)
            pair.append(2) { $0.append(4, double: Double(time) / 1_000_000) }
        }
    }
}

/// What a request's target and Host name, less its query: secrets stand there.
private struct RequestTarget {
    var path = ByteView.empty
    var host = ByteView.empty
    var port: UInt16 = 0

    init(_ target: ByteView, host: ByteView) {
        self.host = host
        if target.hasPrefix("/") || target.hasPrefix("*") {
            path = Self.path(target)
        } else if let start = Self.place(of: "://", in: target) {
            let rest = target.dropFirst(start + 3)
            var end = 0
            while end < rest.count, rest[end] != UInt8(ascii: "/"), rest[end] != UInt8(ascii: "?") {
                end += 1
            }
            if host.isEmpty { self.host = rest[0..<end] }
            path = Self.path(rest.dropFirst(end))
        } else if host.isEmpty {
            // That of a CONNECT.
            self.host = target
        }
        takePort()
    }

    private static func path(_ target: ByteView) -> ByteView {
        var end = 0
        while end < target.count, target[end] != UInt8(ascii: "?"), target[end] != UInt8(ascii: "#") {
            end += 1
        }
        return target[0..<end]
    }

    private static func place(of text: StaticString, in bytes: ByteView) -> Int? {
        let text = ByteView(text)
        guard bytes.count >= text.count else { return nil }
        for index in 0...bytes.count - text.count where bytes[index..<index + text.count].equals(text) {
            return index
        }
        return nil
    }

    private mutating func takePort() {
        if host.hasPrefix("unix:") { return }
        var colon = host.count - 1
        while colon >= 0, host[colon] != UInt8(ascii: ":"), host[colon] != UInt8(ascii: "]") { colon -= 1 }
        if colon >= 0, host[colon] == UInt8(ascii: ":"), let port = UInt16(host.dropFirst(colon + 1).string) {
            self.port = port
            host = host[0..<colon]
        }
        if host.hasPrefix("[") && host.count > 2 { host = host[1..<host.count - 1] }
    }
}
