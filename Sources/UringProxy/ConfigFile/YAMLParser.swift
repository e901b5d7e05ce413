internal import CYaml

/// Reads a YAML document into a tree whose every node knows its line and column.
///
/// YAML as libyaml reads it (1.1), less what makes a configuration say something else than it seems to: keys that are there
/// twice, merge keys, tags and several documents are refused. All scalars are text here; what they mean is for the schema
/// to say.
@safe struct YAMLParser: ~Copyable {
    /// Aliases repeat what they name, so a small text can stand for a tree without end.
    private static let nodeLimit = 1_000_000
    private static let depthLimit = 64

    private let parser: UnsafeMutablePointer<yaml_parser_t>
    private let file: String
    private var anchors: [String: (node: YAMLNode, count: Int, height: Int)] = [:]
    private var nodeCount = 0
    /// The deepest level since the node began that is being read.
    private var deepest = 0

    /// The document of a text; nil if it holds none.
    static func parse(_ text: String, file: String) throws(FileProblem) -> YAMLNode? {
        let bytes = Array(text.utf8)
        var parser = YAMLParser(file: file)
        // libyaml reads while it parses: the bytes have to stay where they are until it has ended.
        let result: Result<YAMLNode?, FileProblem> = unsafe bytes.withUnsafeBufferPointer { buffer in
            unsafe yaml_parser_set_input_string(parser.parser, buffer.baseAddress, buffer.count)
            do throws(FileProblem) { return .success(try parser.document()) } catch { return .failure(error) }
        }
        return try result.get()
    }

    private init(file: String) {
        self.file = file
        unsafe parser = .allocate(capacity: 1)
        unsafe parser.initialize(to: yaml_parser_t())
        let isReady = unsafe yaml_parser_initialize(parser)
        precondition(isReady == 1, "no memory for a parser")
        unsafe yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
    }

    deinit {
        unsafe yaml_parser_delete(parser)
        unsafe parser.deallocate()
    }

    // MARK: - Events

    private enum Event {
        case scalar(String, isPlain: Bool)
        case sequenceStart
        case mappingStart
        case end
        case alias(String)
        case documentStart
        case streamEnd
        case other
    }

    private struct Token {
        var event: Event
        var anchor: String?
        var hasTag: Bool
        var position: SourcePosition
    }

    private func next() throws(FileProblem) -> Token {
        var event = unsafe yaml_event_t()
        guard unsafe yaml_parser_parse(parser, &event) == 1 else { throw syntaxProblem() }
        defer { unsafe yaml_event_delete(&event) }
        let mark = unsafe event.start_mark
        var token = Token(
            event: .other, anchor: nil, hasTag: false,
            position: SourcePosition(file: file, line: mark.line + 1, column: mark.column + 1))
        switch unsafe event.type {
        case YAML_SCALAR_EVENT:
            let scalar = unsafe event.data.scalar
            let bytes = unsafe UnsafeBufferPointer(start: scalar.value, count: scalar.length)
            token.event = unsafe .scalar(
                String(decoding: bytes, as: UTF8.self), isPlain: scalar.style == YAML_PLAIN_SCALAR_STYLE)
            unsafe Self.note(anchor: scalar.anchor, tag: scalar.tag, &token)
        case YAML_SEQUENCE_START_EVENT:
            token.event = .sequenceStart
            let start = unsafe event.data.sequence_start
            unsafe Self.note(anchor: start.anchor, tag: start.tag, &token)
        case YAML_MAPPING_START_EVENT:
            token.event = .mappingStart
            let start = unsafe event.data.mapping_start
            unsafe Self.note(anchor: start.anchor, tag: start.tag, &token)
        case YAML_SEQUENCE_END_EVENT, YAML_MAPPING_END_EVENT: token.event = .end
        case YAML_ALIAS_EVENT: token.event = unsafe .alias(Self.text(event.data.alias.anchor) ?? "")
        case YAML_DOCUMENT_START_EVENT: token.event = .documentStart
        case YAML_STREAM_END_EVENT: token.event = .streamEnd
        default: break
        }
        return token
    }

    private static func note(
        anchor: UnsafeMutablePointer<UInt8>?, tag: UnsafeMutablePointer<UInt8>?, _ token: inout Token
    ) {
        token.anchor = unsafe text(anchor)
        token.hasTag = unsafe tag != nil
    }

    private static func text(_ bytes: UnsafeMutablePointer<UInt8>?) -> String? {
        guard let bytes = unsafe bytes else { return nil }
        return unsafe String(cString: bytes)
    }

    private func syntaxProblem() -> FileProblem {
        let mark = unsafe parser.pointee.problem_mark
        var problem = "something cannot be read"
        if let words = unsafe parser.pointee.problem { problem = unsafe String(cString: words) }
        if let words = unsafe parser.pointee.context {
            let line = unsafe parser.pointee.context_mark.line + 1
            problem = unsafe "\(String(cString: words)) (line \(line)), \(problem)"
        }
        let position = SourcePosition(file: file, line: mark.line + 1, column: mark.column + 1)
        if unsafe parser.pointee.error == YAML_READER_ERROR {
            let offset = unsafe parser.pointee.problem_offset
            return FileProblem(
                position, "byte \(offset) is no text: \(problem)",
                "write the file in UTF-8, without control characters")
        }
        let remedy =
            problem.contains("cannot start any token")
            ? "indent with spaces, never with tabs, and put text that begins with a special character into quotes"
            : "see the line before as well: indentation, a colon or a quote is often what is missing"
        return FileProblem(position, "this is no YAML: \(problem)", remedy)
    }

    // MARK: - The tree

    private mutating func document() throws(FileProblem) -> YAMLNode? {
        var root: YAMLNode?
        while true {
            let token = try next()
            switch token.event {
            case .streamEnd: return root
            case .documentStart:
                guard root == nil else {
                    throw FileProblem(
                        token.position, "a second document begins",
                        "write one document; several files are joined by 'include'")
                }
                let first = try next()
                root = try node(first, depth: 0)
            case .other: continue
            case .scalar, .sequenceStart, .mappingStart, .end, .alias:
                preconditionFailure("nodes come inside of documents")
            }
        }
    }

    private mutating func node(_ token: Token, depth: Int) throws(FileProblem) -> YAMLNode {
        guard depth < Self.depthLimit else {
            throw FileProblem(
                token.position, "more than \(Self.depthLimit) levels of nesting", "no setting is that deep")
        }
        if token.hasTag {
            throw FileProblem(token.position, "tags ('!…') have no meaning here", "leave the tag out")
        }
        let before = nodeCount
        let deepestBefore = deepest
        deepest = depth
        defer { deepest = max(deepest, deepestBefore) }
        try countNodes(1, token.position)
        let result: YAMLNode
        switch token.event {
        case .scalar(let text, let isPlain):
            result = YAMLNode(value: .scalar(text, isPlain: isPlain), position: token.position)
        case .sequenceStart: result = try sequence(token, depth)
        case .mappingStart: result = try mapping(token, depth)
        case .alias(let name):
            guard let anchor = anchors[name] else {
                throw FileProblem(
                    token.position, "the anchor '&\(name)' is not defined, or not yet",
                    "define it before it is used")
            }
            try countNodes(anchor.count, token.position)
            deepest = depth + anchor.height
            guard deepest < Self.depthLimit else {
                throw FileProblem(
                    token.position, "more than \(Self.depthLimit) levels of nesting",
                    "no setting is that deep")
            }
            // Where it is used and not where it is defined: there is the place that a reader looks at.
            return YAMLNode(value: anchor.node.value, position: token.position)
        case .end, .documentStart, .streamEnd, .other: preconditionFailure("libyaml nests its events")
        }
        if let name = token.anchor { anchors[name] = (result, nodeCount - before, deepest - depth) }
        return result
    }

    private mutating func countNodes(_ count: Int, _ position: SourcePosition) throws(FileProblem) {
        nodeCount += count
        guard nodeCount <= Self.nodeLimit else {
            throw FileProblem(
                position, "more than \(Self.nodeLimit) values, those repeated by aliases counted",
                "use fewer aliases (*name)")
        }
    }

    private mutating func sequence(_ start: Token, _ depth: Int) throws(FileProblem) -> YAMLNode {
        var items: [YAMLNode] = []
        while true {
            let token = try next()
            if case .end = token.event { break }
            items.append(try node(token, depth: depth + 1))
        }
        return YAMLNode(value: .sequence(items), position: start.position)
    }

    private mutating func mapping(_ start: Token, _ depth: Int) throws(FileProblem) -> YAMLNode {
        var entries: [(key: YAMLKey, value: YAMLNode)] = []
        var lines: [String: Int] = [:]
        while true {
            let token = try next()
            if case .end = token.event { break }
            guard case .scalar(let name, let isPlain) = token.event else {
                throw FileProblem(
                    token.position, "a key is a word, not a list or a mapping",
                    "quote it if it begins with '[', '{' or '*'")
            }
            if name == "<<" && isPlain {
                throw FileProblem(
                    token.position, "merge keys ('<<') are not supported",
                    "name the whole value by an alias (*name), or write it out")
            }
            if let line = lines[name] {
                throw FileProblem(
                    token.position, "the key '\(name)' is here a second time, first in line \(line)",
                    "keep one of them")
            }
            lines[name] = token.position.line
            let value = try node(try next(), depth: depth + 1)
            entries.append((YAMLKey(name: name, position: token.position), value))
        }
        return YAMLNode(value: .mapping(entries), position: start.position)
    }
}
