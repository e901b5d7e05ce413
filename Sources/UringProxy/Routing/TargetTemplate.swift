/// A place to redirect to, made of what the request asked for.
///
/// A URL (`https://{host}{path}{query}`) or a path (`/new{path}`) with placeholders: `{host}`, without port; `{path}`, as received;
/// `{query}`, with its "?" or nothing; and the names of the path pattern's captures, from the normalised path.
final class TargetTemplate: Sendable {
    private enum Part: BitwiseCopyable {
        case literal(ByteRange)
        case host, path, query
        case capture(Int)
    }

    private let parts: FixedArray<Part>
    private let text: FixedBytes
    /// A request without a host cannot be redirected by it.
    let needsHost: Bool

    /// - Parameter captures: the names of captures, in their order.
    init(parsing text: String, captures: [String]) throws(OptionSyntaxError) {
        guard text.hasPrefix("http://") || text.hasPrefix("https://") || text.hasPrefix("/") else {
            throw OptionSyntaxError(
                "\(quoted(text)) is neither a URL nor a path: begin with https://, http:// or /, as in https://{host}{path}{query}"
            )
        }
        var parts: [Part] = []
        var literal: [UInt8] = []
        func endLiteral(_ bytes: inout [UInt8], from start: Int) {
            if bytes.count > start { parts.append(.literal(ByteRange(start..<bytes.count))) }
        }
        var start = 0
        var rest = Substring(text)
        while let first = rest.first {
            guard first == "{" else {
                guard first.isASCII, first > " ", first != "\u{7F}", !"\"<>\\^`|}".contains(first) else {
                    throw OptionSyntaxError(
                        "\(quoted(text)) has \(quoted(String(first))), which no URL can have: write it percent-encoded"
                    )
                }
                literal += Array(String(first).utf8)
                rest = rest.dropFirst()
                continue
            }
            guard let end = rest.firstIndex(of: "}") else {
                throw OptionSyntaxError(
                    "\(quoted(text)) has a '{' without its '}': close it, or write %7B for the character")
            }
            let name = String(rest[rest.index(after: rest.startIndex)..<end])
            endLiteral(&literal, from: start)
            start = literal.count
            // What a client chooses must not become part of the host, nor make one of a path ("//evil.example").
            let written = String(decoding: literal, as: UTF8.self)
            let isAtStart = written == "/" && parts.count == 1
            let schemeEnd = written.firstRange(of: "://")?.upperBound
            let isInHost = schemeEnd.map { !written[$0...].contains("/") } ?? false
            let isOpen = isInHost && name != "host" && name != "path" && name != "query"
            if isOpen || isAtStart && (name == "path" || name.allSatisfy(\.isNumber)) {
                throw OptionSyntaxError(
                    "\(quoted("{" + name + "}")) could become part of the host in \(quoted(text)): put text with a / before it"
                )
            }
            switch name {
            case "host": parts.append(.host)
            case "path": parts.append(.path)
            case "query": parts.append(.query)
            default:
                guard let index = captures.firstIndex(of: name) else {
                    let known = (["host", "path", "query"] + captures).map { "{\($0)}" }.joined(
                        separator: ", ")
                    throw OptionSyntaxError(
                        "\(quoted("{" + name + "}")) stands for nothing here: known are \(known)")
                }
                parts.append(.capture(index))
            }
            rest = rest[rest.index(after: end)...]
        }
        endLiteral(&literal, from: start)
        self.parts = FixedArray(parts)
        self.text = FixedBytes(literal)
        needsHost = parts.contains { if case .host = $0 { true } else { false } }
    }

    /// Bytes that `write` writes.
    func size(for request: RouteRequest, _ match: RouteMatch) -> Int {
        var size = 0
        for index in 0..<parts.count {
            switch parts[index] {
            case .literal(let range): size += Int(range.size)
            case .host: size += request.host.count + (request.hostIsIPv6 ? 2 : 0)
            case .path: size += request.receivedPath.count
            case .query: size += request.query.isEmpty ? 0 : request.query.count + 1
            case .capture(let index): size += Int(match.capture(index).size)
            }
        }
        return size
    }

    func write(for request: RouteRequest, _ match: RouteMatch, into writer: inout ByteWriter) {
        for index in 0..<parts.count {
            switch parts[index] {
            case .literal(let range): writer.append(text.view[range])
            case .host:
                // Without its brackets an IPv6 address would end at its first colon.
                let isIPv6 = request.hostIsIPv6
                if isIPv6 { writer.append("[") }
                writer.append(request.host)
                if isIPv6 { writer.append("]") }
            case .path: writer.append(request.receivedPath)
            case .query:
                if !request.query.isEmpty {
                    writer.append("?")
                    writer.append(request.query)
                }
            case .capture(let index): writer.append(request.path[match.capture(index)])
            }
        }
    }
}
