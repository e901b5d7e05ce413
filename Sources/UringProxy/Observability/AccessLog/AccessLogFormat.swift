/// How records are written: as lines of text, or as they are.
struct AccessLogFormat: Sendable {
    private enum Kind: Sendable {
        case combined, json, logfmt, binary
        case template(AccessLogTemplate)
    }

    private static let names = ["combined", "json", "logfmt", "binary"]

    private let kind: Kind

    /// - Parameter text: the name of a format, or a template: text with variables in braces.
    init(parsing text: String) throws(OptionSyntaxError) {
        switch text {
        case "combined": kind = .combined
        case "json": kind = .json
        case "logfmt": kind = .logfmt
        case "binary": kind = .binary
        default:
            guard text.contains("{") || text.contains("}") else {
                let near = NearestName.of(text, among: Self.names).map { "did you mean '\($0)'? " } ?? ""
                throw OptionSyntaxError(
                    "\(quoted(text)) is no format: \(near)known are \(Self.names.joined(separator: ", ")), "
                        + "and templates such as '{client} {status}'")
            }
            kind = .template(try AccessLogTemplate(parsing: text))
        }
    }

    /// Whether what is written are records, for a file that begins with `AccessLogFile.header`.
    var isBinary: Bool {
        switch kind {
        case .binary: true
        case .combined, .json, .logfmt, .template: false
        }
    }

    /// Names of fields of the request that are written, whether they were asked for elsewhere or not.
    var requestFields: [String] {
        switch kind {
        case .template(let template): template.fields.filter { !$0.isResponse }.map(\.name)
        case .combined, .json, .logfmt, .binary: []
        }
    }

    /// The same of the response.
    var responseFields: [String] {
        switch kind {
        case .template(let template): template.fields.filter(\.isResponse).map(\.name)
        case .combined, .json, .logfmt, .binary: []
        }
    }

    /// Writes a line, its end included.
    func append(_ view: AccessRecordView, to output: inout [UInt8]) {
        switch kind {
        case .combined: Self.appendCombined(view, to: &output)
        case .json: Self.appendNamed(view, as: JSONNotation.self, to: &output)
        case .logfmt: Self.appendNamed(view, as: LogfmtNotation.self, to: &output)
        case .template(let template): template.append(view, to: &output)
        case .binary:
            write(to: &output, atMost: Int(view.record.size)) { writer in
                unsafe withUnsafeBytes(of: view.record) { writer.append(unsafe ByteView($0)) }
                writer.append(view.texts)
            }
        }
    }

    /// Runs `body` with a writer behind what `output` holds.
    ///
    /// - Parameter size: what it writes is no longer.
    @inline(__always)
    static func write(to output: inout [UInt8], atMost size: Int, _ body: (inout ByteWriter) -> Void) {
        output.append(addingCapacity: size) { span in
            unsafe span.withUnsafeMutableBufferPointer { buffer, count in
                let room = unsafe UnsafeMutableBufferPointer(rebasing: buffer[count...])
                guard let base = room.baseAddress else { return }
                var writer = unsafe ByteWriter(base: base, capacity: room.count)
                body(&writer)
                assert(!writer.overflowed)
                count += writer.count
            }
        }
    }

    @inline(__always)
    private func write(to output: inout [UInt8], atMost size: Int, _ body: (inout ByteWriter) -> Void) {
        Self.write(to: &output, atMost: size, body)
    }
}
