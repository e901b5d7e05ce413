/// Reads templates of field values: text with placeholders in braces; `{{` and `}}` are the braces themselves.
struct FieldTemplate {
    /// The place of the route in the file, for `{route}`.
    var route: String
    /// For `{cluster}`; nil: the route has several, and the request tells.
    var cluster: String?
    /// Whether the route has a cluster at all.
    var proxies: Bool
    /// The names of the path's captures, in their order.
    var captures: [String]
    var isResponse: Bool

    private static let variables: [(name: String, variable: TemplateVariable)] =
        [
            ("client_address", .clientAddress), ("host", .host), ("path", .path), ("query", .query),
            ("method", .method), ("request_id", .requestID), ("time", .time),
        ] + TemplateVariable.places + TemplateVariable.ofCertificate

    func parse(_ text: String) throws(OptionSyntaxError) -> [TemplatePart] {
        if text.first?.isWhitespace == true || text.last?.isWhitespace == true {
            throw OptionSyntaxError(
                "\(quoted(text)) begins or ends with white space, which no field value has: leave it out")
        }
        var parts: [TemplatePart] = []
        var literal: [UInt8] = []
        let bytes = Array(text.utf8)
        var index = 0
        while index < bytes.count {
            let byte = bytes[index]
            if byte.isControl {
                throw OptionSyntaxError(
                    "\(quoted(text)) has a control character, which no field value may: leave it out")
            }
            let isDoubled = index + 1 < bytes.count && bytes[index + 1] == byte
            guard byte == UInt8(ascii: "{") || byte == UInt8(ascii: "}") else {
                literal.append(byte)
                index += 1
                continue
            }
            if isDoubled {
                literal.append(byte)
                index += 2
                continue
            }
            guard byte == UInt8(ascii: "{"), let end = bytes[index...].firstIndex(of: UInt8(ascii: "}"))
            else {
                throw OptionSyntaxError(
                    "\(quoted(text)) has a brace without its other one: write {{ or }} for the character itself"
                )
            }
            if !literal.isEmpty { parts.append(.literal(literal)) }
            literal = []
            parts.append(try placeholder(String(decoding: bytes[index + 1..<end], as: UTF8.self)))
            index = end + 1
        }
        if !literal.isEmpty { parts.append(.literal(literal)) }
        return parts
    }

    private func placeholder(_ name: String) throws(OptionSyntaxError) -> TemplatePart {
        if let index = captures.firstIndex(of: name) { return .capture(index) }
        if let known = Self.variables.first(where: { $0.name == name }) { return .variable(known.variable) }
        switch name {
        case "route": return .literal(Array(route.utf8))
        case "cluster" where proxies: return cluster.map { .literal(Array($0.utf8)) } ?? .variable(.cluster)
        case "endpoint" where proxies:
            guard isResponse else {
                throw OptionSyntaxError(
                    "'{endpoint}' is not certain when a request is written, for another may have to take it: use it in the response"
                )
            }
            return .variable(.endpoint)
        default: break
        }
        let words = name.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(
            String.init)
        if words.count == 2, words[1].utf8.count <= FieldNameList.nameLimit, Self.isToken(words[1]) {
            if words[0] == "header" { return .header(words[1].lowercased()) }
            if words[0] == "cookie" { return .cookie(words[1]) }
        }
        var known = captures + Self.variables.map(\.name) + ["route"]
        if proxies { known.append("cluster") }
        if proxies && isResponse { known.append("endpoint") }
        known += ["header:NAME", "cookie:NAME"]
        let near = NearestName.of(name, among: known).map { "did you mean {\($0)}? " } ?? ""
        throw OptionSyntaxError(
            "\(quoted("{" + name + "}")) stands for nothing here: \(near)known are "
                + known.map { "{\($0)}" }.joined(separator: ", "))
    }

    static func isToken(_ text: String) -> Bool { !text.isEmpty && text.utf8.allSatisfy(\.isTokenByte) }
}
