/// Reads a path pattern that is no regular expression, closely enough to say what is wrong with it.
struct PathPatternParser {
    private let text: String
    private let parts: [Substring]

    init(_ text: String) throws(OptionSyntaxError) {
        self.text = text
        guard !text.isEmpty else {
            throw OptionSyntaxError(
                "a path is empty: leave it out for any path, or write / for the root alone")
        }
        if text == "*" { throw OptionSyntaxError("'*' would be any path: leave the path out, or write /*") }
        guard text.hasPrefix("/") else {
            if text.contains("://") {
                throw OptionSyntaxError("\(quoted(text)) is a URL: write its path alone")
            }
            throw OptionSyntaxError(
                "\(quoted(text)) does not begin with a slash: write \(quoted("/" + text))")
        }
        if text.contains("?") {
            throw OptionSyntaxError(
                "\(quoted(text)) has a query: write the path alone, and match the query's parameters")
        }
        if text.contains("#") {
            throw OptionSyntaxError("\(quoted(text)) has a fragment, which no request has: leave it out")
        }
        parts = text.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count <= PathPattern.segmentLimit else {
            throw OptionSyntaxError(
                "\(quoted(text)) has \(parts.count) segments of at most \(PathPattern.segmentLimit): end it earlier"
                    + " with /*")
        }
    }

    func parse() throws(OptionSyntaxError) -> PathPattern.Kind {
        let isPrefix = parts.last == "*"
        var segments: [PathPattern.Segment] = []
        var names: Set<Substring> = []
        for (index, part) in parts.enumerated() where !(isPrefix && index == parts.count - 1) {
            let segment = try segment(part, isLast: index == parts.count - 1)
            segments.append(segment)
            switch segment {
            case .literal: break
            case .placeholder(let name), .rest(let name):
                guard names.insert(name[...]).inserted else {
                    throw OptionSyntaxError(
                        "\(quoted(text)) has two placeholders \(quoted(name)): rename one")
                }
            }
        }
        guard names.count <= RouteMatch.captureLimit else {
            throw OptionSyntaxError(
                "\(quoted(text)) has \(names.count) placeholders of at most \(RouteMatch.captureLimit): end it earlier"
                    + " with {rest...}")
        }
        if isPrefix && !names.isEmpty {
            throw OptionSyntaxError(
                "\(quoted(text)) has placeholders before its *: write {rest...} for the *")
        }
        let normal = try normalised(segments, isPrefix: isPrefix)
        if isPrefix { return .prefix(normal) }
        if names.isEmpty { return .exact(normal) }
        return .template(
            zip(segments, normal).map { segment, text in
                if case .literal = segment { .literal(text) } else { segment }
            })
    }

    private func segment(_ part: Substring, isLast: Bool) throws(OptionSyntaxError) -> PathPattern.Segment {
        if part.contains("*") {
            throw OptionSyntaxError(
                "\(quoted(text)) has a * that is not its whole last segment: write for example /a/* for all below /a,"
                    + " {name} for one segment, or a regular expression behind ~")
        }
        guard part.contains("{") || part.contains("}") else { return .literal(String(part)) }
        let inner = part.dropFirst().dropLast()
        guard part.hasPrefix("{"), part.hasSuffix("}"), !inner.contains("{"), !inner.contains("}") else {
            throw OptionSyntaxError(
                "\(quoted(text)) has a brace within a segment: a placeholder is a whole segment, as in /users/{id};"
                    + " for the character itself write %7B or %7D")
        }
        let isRest = inner.hasSuffix("...")
        let name = isRest ? inner.dropLast(3) : inner
        guard !name.isEmpty, name.utf8.allSatisfy({ $0.isTokenByte && $0 != UInt8(ascii: ".") }) else {
            throw OptionSyntaxError(
                "\(quoted(text)) has a placeholder without a plain name: write for example {id}, or {rest...} at the end"
            )
        }
        guard isLast || !isRest else {
            throw OptionSyntaxError(
                "\(quoted(text)) goes on behind \(quoted(String(part))): what takes the rest is the last segment"
            )
        }
        return isRest ? .rest(String(name)) : .placeholder(String(name))
    }

    /// The segments' texts as they stand in a normal path; those of placeholders mean nothing.
    private func normalised(
        _ segments: [PathPattern.Segment], isPrefix: Bool
    ) throws(OptionSyntaxError) -> [String] {
        guard !segments.isEmpty else { return [] }
        let path = segments.map { segment in
            if case .literal(let text) = segment { "/" + Self.encoded(text) } else { "/x" }
        }.joined()
        let normal: String
        do {
            normal = try Self.normalised(path)
        } catch {
            switch error {
            case .badEncoding:
                throw OptionSyntaxError(
                    "\(quoted(text)) has a % that no two hexadecimal digits follow: write %25 for the character itself"
                )
            case .nul: throw OptionSyntaxError("\(quoted(text)) has a NUL, which no path may: leave it out")
            case .ambiguous: throw surplus(nil)
            }
        }
        let result = normal.dropFirst().split(separator: "/", omittingEmptySubsequences: false).map(
            String.init)
        let hasNewEnd = result.last == "" && (isPrefix || parts.last != "")
        guard result.count == segments.count && !hasNewEnd else {
            let isLiteral = segments.allSatisfy { if case .literal = $0 { true } else { false } }
            let end = isPrefix ? normal.hasSuffix("/") ? "*" : "/*" : ""
            throw surplus(isLiteral ? normal + end : nil)
        }
        return result
    }

    private func surplus(_ suggestion: String?) -> OptionSyntaxError {
        OptionSyntaxError(
            "\(quoted(text)) has dot segments or doubled slashes, which are removed from a path before it is matched: "
                + (suggestion.map { "write \(quoted($0))" } ?? "leave them out"))
    }

    /// With every byte that no request has unencoded in a path encoded: people write `/café`, requests `/caf%C3%A9`.
    private static func encoded(_ text: String) -> String {
        var result = ""
        for byte in text.utf8 {
            switch byte {
            case 0x21...0x7E
            where byte != UInt8(ascii: "<") && byte != UInt8(ascii: ">") && byte != UInt8(ascii: "\\"):
                result.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                result += byte < 16 ? "%0" + digits : "%" + digits
            }
        }
        return result
    }

    private static func normalised(_ path: String) throws(PathProblem) -> String {
        var path = path
        return try path.withUTF8 { bytes in
            let path = unsafe ByteView(UnsafeRawBufferPointer(bytes))
            return unsafe withUnsafeTemporaryAllocation(of: UInt8.self, capacity: path.count) { buffer in
                Result { () throws(PathProblem) in
                    try unsafe PathNormalizer.normalised(
                        path, into: buffer.baseAddress!, capacity: buffer.count
                    ).string
                }
            }
        }.get()
    }
}
