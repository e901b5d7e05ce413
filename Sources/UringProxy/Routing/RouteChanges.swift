/// What a route changes of requests and their answers, compiled: places in the set's `TemplateTable`.
struct RouteChanges: BitwiseCopyable, Sendable {
    var target: TemplateTable.Template
    /// Of the texts; empty: none.
    var host: ByteRange
    var hostIsEndpoint: Bool
    var requestNames: ByteRange
    var requestLines: TemplateTable.Template
    var tellsProto: Bool
    var tellsHost: Bool
    var responseNames: ByteRange
    var responseLines: TemplateTable.Template

    init(_ route: RouteDefinition, _ builder: inout TemplateTableBuilder) {
        target = builder.add(route.target)
        var fixed = ""
        if case .fixed(let name) = route.host { fixed = name }
        host = builder.add(text: Array(fixed.utf8))
        hostIsEndpoint = route.host == .ofEndpoint
        requestNames = builder.add(text: FieldNameList.encoded(route.request.dropped))
        requestLines = builder.add(route.request.lines)
        tellsProto = route.request.adds("x-forwarded-proto")
        tellsHost = route.request.adds("x-forwarded-host")
        responseNames = builder.add(text: FieldNameList.encoded(route.response.dropped))
        responseLines = builder.add(route.response.lines)
    }

    /// Whether what is written asks for the variable.
    func uses(_ variable: TemplateVariable, of templates: TemplateTable) -> Bool {
        templates.uses(requestLines, variable) || templates.uses(responseLines, variable)
    }

    /// Writes all of it for one request.
    ///
    /// - Parameter fields: of the head that the request was made from.
    func write(
        for source: TemplateSource, fields: borrowing FieldTable, templates: TemplateTable,
        into writer: inout ByteWriter
    ) -> WrittenChanges {
        var written = WrittenChanges()
        written.hostIsEndpoint = hostIsEndpoint
        written.tellsProto = tellsProto
        written.tellsHost = tellsHost
        // `OPTIONS *` has no path.
        if !target.isEmpty && source.request.path.hasPrefix("/") {
            written.target = Self.range(&writer) {
                templates.write(target, for: source, fields: fields, into: &$0)
            }
        }
        written.host = Self.range(&writer) { $0.append(templates.text(host)) }
        written.requestNames = Self.range(&writer) { $0.append(templates.text(requestNames)) }
        written.requestLines = Self.range(&writer) {
            templates.write(requestLines, for: source, fields: fields, into: &$0)
        }
        written.responseNames = Self.range(&writer) { $0.append(templates.text(responseNames)) }
        written.responseLines = Self.range(&writer) {
            templates.write(responseLines, for: source, fields: fields, into: &$0)
        }
        return written
    }

    private static func range(_ writer: inout ByteWriter, _ write: (inout ByteWriter) -> Void) -> ByteRange {
        let start = writer.count
        write(&writer)
        return ByteRange(start..<max(start, writer.count))
    }
}

/// What a route changes, written for one request: where each part stands in the bytes.
struct WrittenChanges: BitwiseCopyable {
    /// Most bytes of one request's, target and lines together.
    static var sizeLimit: Int { 64 << 10 }

    /// Empty: as received.
    var target = ByteRange.empty
    /// Empty: as received, or the endpoint's.
    var host = ByteRange.empty
    var hostIsEndpoint = false
    var requestNames = ByteRange.empty
    var requestLines = ByteRange.empty
    var tellsProto = false
    var tellsHost = false
    var responseNames = ByteRange.empty
    /// Right behind the names.
    var responseLines = ByteRange.empty

    /// Names and lines together.
    var response: ByteRange {
        ByteRange(offset: responseNames.offset, size: responseNames.size + responseLines.size)
    }
}
