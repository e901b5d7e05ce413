/// Makes of what a configuration says about fields what is dropped and which lines are added.
struct FieldEditCompiler {
    private static let editLimit = 128
    /// Bytes of a value's template.
    private static let valueLimit = 8192

    private var template: FieldTemplate
    private var dropped: [String] = []
    private var lines: [(name: String, parts: [TemplatePart])] = []
    /// What is wrong: key below the edits' own, problem, remedy.
    private(set) var problems: [(key: String, message: String, remedy: String)] = []

    init(_ template: FieldTemplate) { self.template = template }

    var fields: RouteDefinition.Fields {
        RouteDefinition.Fields(
            dropped: dropped, lines: lines.flatMap { [.line($0.name)] + $0.parts + [.lineEnd] })
    }

    /// The same edits, for others on top of them that are read in another way; what was wrong with these is left behind.
    func continued(with template: FieldTemplate) -> FieldEditCompiler {
        var result = self
        result.template = template
        result.problems = []
        return result
    }

    /// Applies edits on top of those before: what is set or removed takes the place of what they did with the name.
    mutating func apply(_ edits: FieldEdits) {
        let count = edits.set.count + edits.add.count + edits.remove.count
        if count > Self.editLimit {
            note("", "\(count) fields are more than \(Self.editLimit)", "edit fewer")
            return
        }
        for (index, name) in edits.remove.enumerated() {
            let key = "remove[\(index)]"
            guard check(name, key) else { continue }
            drop(name)
        }
        var names: Set<String> = []
        for field in edits.set {
            let key = "set.\(field.name)"
            guard check(field.name, key) else { continue }
            if !names.insert(field.name.lowercased()).inserted {
                note(
                    key, "\(quoted(field.name)) is set twice, for letter case means nothing",
                    "keep one of them")
            }
            if edits.remove.contains(where: { $0.lowercased() == field.name.lowercased() }) {
                note(
                    key, "\(quoted(field.name)) is removed as well",
                    "leave it out of 'remove': what is set takes the place of what was there")
            }
            guard let parts = value(field.value, key) else { continue }
            drop(field.name)
            lines.append((field.name, parts))
        }
        for field in edits.add {
            let key = "add.\(field.name)"
            guard check(field.name, key), let parts = value(field.value, key) else { continue }
            lines.append((field.name, parts))
        }
    }

    private mutating func drop(_ name: String) {
        let name = name.lowercased()
        if !dropped.contains(name) { dropped.append(name) }
        lines.removeAll { $0.name.lowercased() == name }
    }

    private mutating func value(_ text: String, _ key: String) -> [TemplatePart]? {
        if text.utf8.count > Self.valueLimit {
            note(key, "\(text.utf8.count) bytes are more than \(Self.valueLimit)", "shorten it")
            return nil
        }
        do throws(OptionSyntaxError) { return try template.parse(text) } catch {
            let (message, remedy) = error.parts(otherwise: "see the README")
            note(key, message, remedy)
            return nil
        }
    }

    private mutating func note(_ key: String, _ message: String, _ remedy: String) {
        problems.append((key, message, remedy))
    }

    // MARK: - Names

    /// Whether a field of the name is the route's to edit; if not, that is noted.
    private mutating func check(_ name: String, _ key: String) -> Bool {
        guard FieldTemplate.isToken(name), name.utf8.count <= FieldNameList.nameLimit else {
            note(key, "\(quoted(name)) is no field name", "write for example X-Version")
            return false
        }
        guard let remedy = Self.refusal(of: name.lowercased(), isResponse: template.isResponse) else {
            return true
        }
        note(key, "\(quoted(name)) is not a route's to edit", remedy)
        return false
    }

    /// Why a field is the proxy's own, as what to do instead; nil if it is not.
    private static func refusal(of name: String, isResponse: Bool) -> String? {
        var lower = name
        let id = lower.withUTF8 { FieldName.lookup(unsafe ByteView(UnsafeRawBufferPointer($0))) }
        switch id {
        case .contentLength, .transferEncoding, .trailer:
            return "leave it out: it says how the message is framed, which the proxy sees to"
        case .via: return "set 'via' below 'fields'"
        case .host where !isResponse: return "write 'rewrite: {host: NAME}'"
        case .xForwardedFor where !isResponse: return "set 'x_forwarded' below 'fields'"
        case .forwarded where !isResponse: return "set 'forwarded' below 'fields'"
        case .expect where !isResponse, .maxForwards where !isResponse:
            return "leave it out: it is between the client and the proxy"
        default:
            return id.isHopByHop ? "leave it out: it belongs to a connection, and ends here" : nil
        }
    }
}
