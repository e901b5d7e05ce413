/// The templates of a set of routes, as arrays of plain numbers.
final class TemplateTable: Sendable {
    /// Some of the parts.
    struct Template: BitwiseCopyable, Sendable {
        var start: UInt32 = 0
        var end: UInt32 = 0

        static var none: Template { Template() }
        var isEmpty: Bool { start == end }
    }

    fileprivate enum Kind: UInt8, BitwiseCopyable, Sendable {
        case literal, variable, pathWithoutPrefix, capture, header, cookie, line, lineEnd
    }

    fileprivate struct Part: BitwiseCopyable, Sendable {
        var kind: Kind
        var variable = TemplateVariable.host
        /// Of a header.
        var id = FieldName.other
        /// Of the texts; of a capture its place and of a prefix its size, as the offset.
        var range = ByteRange.empty
    }

    /// Whether any template asks where the client is.
    let asksLocation: Bool
    /// Whether any template asks for what the client's certificate says.
    let asksCertificate: Bool
    private let parts: FixedArray<Part>
    private let texts: FixedBytes

    fileprivate init(parts: [Part], texts: [UInt8]) {
        asksLocation = parts.contains { $0.kind == .variable && $0.variable.isPlace }
        asksCertificate = parts.contains { $0.kind == .variable && $0.variable.isOfCertificate }
        self.parts = FixedArray(parts)
        self.texts = FixedBytes(texts)
    }

    /// Bytes that were added to the texts.
    func text(_ range: ByteRange) -> ByteView { texts.view[range] }

    /// Whether a template asks for what this is.
    func uses(_ template: Template, _ variable: TemplateVariable) -> Bool {
        for index in template.start..<template.end {
            let part = parts[Int(index)]
            if part.kind == .variable && part.variable == variable { return true }
        }
        return false
    }

    /// Writes what a template makes of a request. Whatever a placeholder stands for, it adds no control character.
    ///
    /// - Parameter fields: of the head that the request was made from.
    func write(
        _ template: Template, for source: TemplateSource, fields: borrowing FieldTable,
        into writer: inout ByteWriter
    ) {
        let start = writer.count
        var lineStart = 0
        var valueStart = 0
        for index in template.start..<template.end {
            let part = parts[Int(index)]
            switch part.kind {
            case .literal: writer.append(texts.view[part.range])
            case .variable: Self.write(part.variable, source, &writer)
            case .pathWithoutPrefix:
                let path = source.request.path
                let rest = path.dropFirst(min(Int(part.range.offset), path.count))
                if rest.isEmpty && writer.count == start { writer.append("/") }
                writer.append(field: rest)
            case .capture:
                writer.append(field: source.request.path[source.match.capture(Int(part.range.offset))])
            case .header: writer.append(field: header(part, source.request.head, fields))
            case .cookie: writer.append(field: cookie(part, source.request.head, fields))
            case .line:
                lineStart = writer.count
                writer.append(texts.view[part.range])
                writer.append(": ")
                valueStart = writer.count
            case .lineEnd:
                if writer.count == valueStart {
                    writer.truncate(to: lineStart)
                } else {
                    writer.append("\r\n")
                }
            }
        }
    }

    private static func write(
        _ variable: TemplateVariable, _ source: TemplateSource, _ writer: inout ByteWriter
    ) {
        let request = source.request
        switch variable {
        case .host:
            // Without its brackets an IPv6 address would end at its first colon.
            let isIPv6 = request.hostIsIPv6
            if isIPv6 { writer.append("[") }
            writer.append(field: request.host)
            if isIPv6 { writer.append("]") }
        case .path: writer.append(field: request.receivedPath)
        case .normalPath:
            writer.append(field: request.path)
            if request.path.isEmpty { writer.append("/") }
        case .query:
            if request.query.isEmpty { break }
            writer.append("?")
            writer.append(field: request.query)
        case .method: writer.append(field: request.methodName)
        case .clientAddress: writer.append(request.source)
        case .requestID: writer.append(field: source.requestID)
        case .cluster: writer.append(source.cluster)
        case .time:
            let milliseconds = UInt64(max(0, source.milliseconds))
            writer.append(decimal: milliseconds / 1000)
            let rest = milliseconds % 1000
            writer.append(rest < 10 ? ".00" : rest < 100 ? ".0" : ".")
            writer.append(decimal: rest)
        case .country: writer.append(request.location.country)
        case .region: writer.append(request.location.region)
        case .autonomousSystem:
            let number = request.location.autonomousSystem
            if number != 0 { writer.append(decimal: UInt64(number)) }
        case .clientSubject: writer.append(field: source.session.peerText(.subject))
        case .clientIssuer: writer.append(field: source.session.peerText(.issuer))
        case .clientSerial: writer.append(field: source.session.peerText(.serial))
        case .clientFingerprint: writer.append(field: source.session.peerText(.fingerprint))
        case .clientCertificate: writer.append(field: source.session.peerText(.field))
        case .clientVerified: writer.append(source.session.hasPeerCertificate ? "yes" : "no")
        case .endpoint: writer.append(byte: ResponseLines.endpointMark)
        }
    }

    /// Of the lines that go further: what ends at this hop, or was taken off, is not brought back.
    private func header(_ part: Part, _ head: ByteView, _ fields: borrowing FieldTable) -> ByteView {
        let name = texts.view[part.range]
        return fields.first(part.id, name, in: head, goesFurther: true).map { head[fields[$0].value] }
            ?? .empty
    }

    private func cookie(_ part: Part, _ head: ByteView, _ fields: borrowing FieldTable) -> ByteView {
        CookieField.value(of: texts.view[part.range], among: fields, head) ?? .empty
    }
}

/// Collects templates and texts.
struct TemplateTableBuilder {
    private var parts: [TemplateTable.Part] = []
    private var texts: [UInt8] = []

    mutating func add(_ parts: [TemplatePart]) -> TemplateTable.Template {
        let start = UInt32(self.parts.count)
        for part in parts { self.parts.append(compiled(part)) }
        return TemplateTable.Template(start: start, end: UInt32(self.parts.count))
    }

    mutating func add(text: [UInt8]) -> ByteRange {
        texts += text
        return ByteRange(texts.count - text.count..<texts.count)
    }

    private mutating func compiled(_ part: TemplatePart) -> TemplateTable.Part {
        switch part {
        case .literal(let bytes): return TemplateTable.Part(kind: .literal, range: add(text: bytes))
        case .variable(let variable): return TemplateTable.Part(kind: .variable, variable: variable)
        case .pathWithoutPrefix(let size):
            return TemplateTable.Part(
                kind: .pathWithoutPrefix, range: ByteRange(offset: UInt32(size), size: 0))
        case .capture(let index):
            return TemplateTable.Part(kind: .capture, range: ByteRange(offset: UInt32(index), size: 0))
        case .header(var name):
            let id = name.withUTF8 { FieldName.lookup(unsafe ByteView(UnsafeRawBufferPointer($0))) }
            return TemplateTable.Part(kind: .header, id: id, range: add(text: Array(name.utf8)))
        case .cookie(let name): return TemplateTable.Part(kind: .cookie, range: add(text: Array(name.utf8)))
        case .line(let name): return TemplateTable.Part(kind: .line, range: add(text: Array(name.utf8)))
        case .lineEnd: return TemplateTable.Part(kind: .lineEnd)
        }
    }

    func table() -> TemplateTable { TemplateTable(parts: parts, texts: texts) }
}
