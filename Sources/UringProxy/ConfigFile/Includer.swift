internal import CPosix

/// Reads a file and puts what it includes into its tree.
///
/// `include` stands at the top of a file and names others, relative to its own place: paths, or patterns of the shell's. What is
/// in them is as if it stood in the file itself: lists are joined, sections come together, and what is given twice is a
/// problem.
struct Includer {
    private static let key = "include"
    private static let depthLimit = 16

    let texts: ConfigurationText
    private let environment: (String) -> String?
    private(set) var problems: [FileProblem] = []
    private(set) var files: [String] = []
    /// The files that are being read, each included by the one before.
    private var chain: [String] = []

    init(texts: ConfigurationText, environment: @escaping (String) -> String?) {
        self.texts = texts
        self.environment = environment
    }

    /// The tree of a file; nil if there is none, which is a problem that was noted.
    mutating func load(_ path: String) -> YAMLNode? {
        load(path, includedAt: nil)
    }

    private mutating func load(_ path: String, includedAt place: SourcePosition?) -> YAMLNode? {
        let start = SourcePosition(file: path, line: 1, column: 1)
        guard let text = text(of: path, includedAt: place) else { return nil }
        files.append(path)
        let root: YAMLNode?
        do throws(FileProblem) { root = try YAMLParser.parse(text, file: path) } catch {
            problems.append(error)
            return nil
        }
        // An empty file is more often cut off than meant.
        guard let root else {
            problems.append(
                FileProblem(start, "the file is empty", "write at least one key, or leave the file out"))
            return nil
        }
        guard case .mapping(var entries) = root.value else {
            problems.append(
                FileProblem(
                    root.position, "\(root.kind) stands where keys are expected",
                    "begin with a key such as 'listeners:'"))
            return nil
        }
        guard let index = entries.firstIndex(where: { $0.key.name == Self.key }) else { return root }
        let include = entries.remove(at: index).value
        chain.append(path)
        for (included, position) in includedPaths(include, directory: Self.directory(of: path)) {
            guard let tree = load(included, includedAt: position), case .mapping(let more) = tree.value else {
                continue
            }
            merge(more, into: &entries)
        }
        chain.removeLast()
        return YAMLNode(value: .mapping(entries), position: root.position)
    }

    private mutating func text(of path: String, includedAt place: SourcePosition?) -> String? {
        let position = place ?? SourcePosition(file: path, line: 1, column: 1)
        func problem(_ message: String, _ remedy: String) -> FileProblem {
            FileProblem(position, path: place == nil ? "" : Self.key, message, remedy)
        }
        let name = Self.normal(path)
        if chain.contains(where: { Self.normal($0) == name }) {
            problems.append(
                problem(
                    "\(quoted(path)) includes itself, by way of others or not", "take it out of one of them"))
            return nil
        }
        guard chain.count < Self.depthLimit else {
            problems.append(
                problem("more than \(Self.depthLimit) files include each other", "include them from one file")
            )
            return nil
        }
        if files.contains(where: { Self.normal($0) == name }) {
            problems.append(problem("\(quoted(path)) is included already", "include each file once"))
            return nil
        }
        switch texts.read(path) {
        case .failure(let failure):
            let name = place == nil ? "the file" : quoted(path)
            switch failure.errno {
            case ENOENT: problems.append(problem("\(name) does not exist", "check the path"))
            case EACCES:
                problems.append(problem("\(name) may not be read", "give this user the right to read it"))
            case EISDIR:
                problems.append(
                    problem("\(name) is a directory", "name the file, or write \(path)/*.yaml in an include"))
            case EFBIG:
                problems.append(
                    problem(
                        "\(name) is larger than \(ConfigurationText.sizeLimitBytes >> 20) MiB",
                        "check the path"))
            default:
                problems.append(problem("\(name) cannot be read (errno \(failure.errno))", "check the path"))
            }
            return nil
        case .success(let bytes):
            guard let text = String(validating: bytes, as: UTF8.self) else {
                problems.append(problem("\(quoted(path)) is no text in UTF-8", "save it in UTF-8"))
                return nil
            }
            return text
        }
    }

    private mutating func includedPaths(
        _ node: YAMLNode, directory: String
    ) -> [(path: String, position: SourcePosition)] {
        let items: [YAMLNode]
        switch node.value {
        case .sequence(let list): items = list
        case .scalar(_, isPlain: _): items = [node]
        case .mapping: items = []
        }
        var paths: [(String, SourcePosition)] = []
        for item in items {
            guard case .scalar(let written, isPlain: _) = item.value, !written.isEmpty else { continue }
            let text: String
            do throws(OptionSyntaxError) {
                text = try Interpolation.expand(written, environment: environment)
            } catch {
                let (message, remedy) = error.parts(otherwise: "write a path")
                problems.append(FileProblem(item.position, path: Self.key, message, remedy))
                continue
            }
            let path = text.hasPrefix("/") ? text : directory + text
            guard path.contains(where: { "*?[".contains($0) }) else {
                paths.append((path, item.position))
                continue
            }
            // A pattern may match nothing: a directory for what somebody may add.
            for found in texts.match(path) { paths.append((found, item.position)) }
        }
        if items.isEmpty || paths.isEmpty && items.contains(where: { $0.kind == "nothing" }) {
            problems.append(
                FileProblem(
                    node.position, path: Self.key, "\(node.kind) stands here",
                    "write a path, or a list of paths"))
        }
        return paths
    }

    /// Without what does not change the file that a path names.
    private static func normal(_ path: String) -> String {
        let parts = path.split(separator: "/").filter { $0 != "." }
        return (path.hasPrefix("/") ? "/" : "") + parts.joined(separator: "/")
    }

    private static func directory(of path: String) -> String {
        path.lastIndex(of: "/").map { String(path[...$0]) } ?? ""
    }

    // MARK: - Merging

    private mutating func merge(
        _ more: [(key: YAMLKey, value: YAMLNode)], into entries: inout [(key: YAMLKey, value: YAMLNode)]
    ) {
        for (key, value) in more {
            guard let index = entries.firstIndex(where: { $0.key.name == key.name }) else {
                entries.append((key, value))
                continue
            }
            switch (entries[index].value.value, value.value) {
            case (.sequence(let before), .sequence(let after)):
                entries[index].value.value = .sequence(before + after)
            case (.mapping(var before), .mapping(let after)):
                for (name, item) in after {
                    if let first = before.first(where: { $0.key.name == name.name }) {
                        noteRepeated(name, path: "\(key.name).\(name.name)", first: first.key.position)
                    } else {
                        before.append((name, item))
                    }
                }
                entries[index].value.value = .mapping(before)
            case (.scalar, _), (.sequence, _), (.mapping, _):
                noteRepeated(key, path: key.name, first: entries[index].key.position)
            }
        }
    }

    private mutating func noteRepeated(_ key: YAMLKey, path: String, first: SourcePosition) {
        problems.append(
            FileProblem(key.position, path: path, "it is given already at \(first)", "keep one of them"))
    }
}
