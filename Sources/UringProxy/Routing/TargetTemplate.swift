/// Reads templates of places: what redirections lead to, and what paths become.
///
/// A URL (`https://{host}{path}{query}`) or a path (`/new{path}`) with placeholders: `{host}`, without port; `{path}`; `{query}`,
/// with its "?" or nothing; `{geo:country}` and the like; and the names of the path pattern's captures, from the normalised path.
enum TargetTemplate {
    /// The place of a redirection: a URL or a path; `{path}` is the path as received.
    ///
    /// - Parameter captures: the names of captures, in their order.
    static func redirection(
        _ text: String, captures: [String]
    ) throws(OptionSyntaxError) -> [TemplatePart] {
        guard text.hasPrefix("http://") || text.hasPrefix("https://") || text.hasPrefix("/") else {
            throw OptionSyntaxError(
                "\(quoted(text)) is neither a URL nor a path: begin with https://, http:// or /, as in https://{host}{path}{query}"
            )
        }
        return try parse(text, captures: captures, path: .path)
    }

    /// The path that an upstream is asked for, with the query as received unless the text has one; `{path}` is the normal path:
    /// with dot segments in it an upstream could be led out of what stands before it.
    static func rewrite(_ text: String, captures: [String]) throws(OptionSyntaxError) -> [TemplatePart] {
        guard text.hasPrefix("/") || text.hasPrefix("{path}") else {
            throw OptionSyntaxError(
                "\(quoted(text)) is no path: begin with a slash, as in /new{path}, or with {path}")
        }
        let path = text.prefix { $0 != "?" }
        if text.contains("#") {
            throw OptionSyntaxError("\(quoted(text)) has a fragment, which no request has: leave it out")
        }
        let segments = path.split(separator: "/", omittingEmptySubsequences: false)
        if segments.contains(".") || segments.contains("..") || path.contains("//") {
            throw OptionSyntaxError(
                "\(quoted(text)) has dot segments or doubled slashes: write the path that is meant")
        }
        var parts = try parse(text, captures: captures, path: .normalPath)
        if !text.contains("?") && !parts.contains(.variable(.query)) { parts.append(.variable(.query)) }
        return parts
    }

    /// What stands before the rest of a path; nothing for "/", for the rest begins with a slash.
    static func prefix(_ text: String) throws(OptionSyntaxError) -> [TemplatePart] {
        guard !text.contains("{"), !text.contains("?") else {
            throw OptionSyntaxError(
                "\(quoted(text)) is more than the beginning of a path: rewrite the whole path for placeholders and queries"
            )
        }
        let parts = try rewrite(text, captures: [])
        guard case .literal(var bytes)? = parts.first else { return [] }
        while bytes.last == UInt8(ascii: "/") { bytes.removeLast() }
        return bytes.isEmpty ? [] : [.literal(bytes)]
    }

    private static func parse(
        _ text: String, captures: [String], path: TemplateVariable
    ) throws(OptionSyntaxError) -> [TemplatePart] {
        var parts: [TemplatePart] = []
        var literal: [UInt8] = []
        var written: [UInt8] = []
        var rest = Substring(text)
        while let first = rest.first {
            guard first == "{" else {
                guard first.isASCII, first > " ", first != "\u{7F}", !"\"<>\\^`|}".contains(first) else {
                    throw OptionSyntaxError(
                        "\(quoted(text)) has \(quoted(String(first))), which no URL can have: write it percent-encoded"
                    )
                }
                literal += Array(String(first).utf8)
                written += Array(String(first).utf8)
                rest = rest.dropFirst()
                continue
            }
            guard let end = rest.firstIndex(of: "}") else {
                throw OptionSyntaxError(
                    "\(quoted(text)) has a '{' without its '}': close it, or write %7B for the character")
            }
            let name = String(rest[rest.index(after: rest.startIndex)..<end])
            if !literal.isEmpty { parts.append(.literal(literal)) }
            literal = []
            let isAtStart = written == [UInt8(ascii: "/")] && parts.count == 1
            if isOpen(name, behind: String(decoding: written, as: UTF8.self))
                || isAtStart
                    && (name == "path" || name.hasPrefix("geo:") || name.allSatisfy(\.isNumber))
            {
                throw OptionSyntaxError(
                    path == .path
                        ? "\(quoted("{" + name + "}")) could become part of the host in \(quoted(text)): put text with a / before it"
                        : "\(quoted("{" + name + "}")) could begin with a second slash in \(quoted(text)): put text before it"
                )
            }
            switch name {
            case "host": parts.append(.variable(.host))
            case "path": parts.append(.variable(path))
            case "query": parts.append(.variable(.query))
            default:
                let places = TemplateVariable.places
                if let place = places.first(where: { $0.name == name }) {
                    parts.append(.variable(place.variable))
                    break
                }
                guard let index = captures.firstIndex(of: name) else {
                    let known = (["host", "path", "query"] + places.map(\.name) + captures).map { "{\($0)}" }
                        .joined(
                            separator: ", ")
                    throw OptionSyntaxError(
                        "\(quoted("{" + name + "}")) stands for nothing here: known are \(known)")
                }
                parts.append(.capture(index))
            }
            rest = rest[rest.index(after: end)...]
        }
        if !literal.isEmpty { parts.append(.literal(literal)) }
        return parts
    }

    /// Whether the placeholder stands in the host of a URL: what a client chooses must not become part of it, nor make one of
    /// a path ("//evil.example").
    private static func isOpen(_ name: String, behind written: String) -> Bool {
        guard let schemeEnd = written.firstRange(of: "://")?.upperBound else { return false }
        return !written[schemeEnd...].contains("/") && name != "host" && name != "path" && name != "query"
    }
}
