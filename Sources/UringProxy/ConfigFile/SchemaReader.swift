/// Takes values out of the tree of a file, as a schema says; notes every problem, and where each value came from.
struct SchemaReader {
    private(set) var problems: [FileProblem] = []
    /// Where the value of a key stands, by the key's path.
    private(set) var origins: [String: SourcePosition] = [:]
    /// The value of an environment variable; nil if it is not set.
    let environment: (String) -> String?

    init(environment: @escaping (String) -> String?) { self.environment = environment }

    mutating func note(_ problem: FileProblem) { problems.append(problem) }

    mutating func noteOrigin(of path: String, _ position: SourcePosition) { origins[path] = position }

    /// The keys of a mapping; unknown ones are problems, and so are required ones that are missing.
    mutating func object<Target>(
        _ node: YAMLNode, _ path: String, _ keys: [SchemaKey<Target>], into target: inout Target
    ) {
        origins[path] = node.position
        guard case .mapping(let entries) = node.value else {
            let names = keys.filter { !$0.isRefused }.map(\.name).joined(separator: ", ")
            note(
                FileProblem(
                    node.position, path: path, "\(node.kind) stands where keys are expected",
                    "write some of \(names)"))
            return
        }
        let names = keys.filter { !$0.isRefused }.map(\.name)
        for (name, value) in entries {
            let keyPath = path.isEmpty ? name.name : "\(path).\(name.name)"
            guard let key = keys.first(where: { $0.name == name.name }) else {
                let near = NearestName.of(name.name, among: names)
                note(
                    FileProblem(
                        name.position, path: keyPath, "there is no such key",
                        near.map { "did you mean '\($0)'?" } ?? "known here: \(names.joined(separator: ", "))"
                    ))
                continue
            }
            origins[keyPath] = value.position
            key.read(value, keyPath, &target, &self)
        }
        for key in keys where key.isRequired && !entries.contains(where: { $0.key.name == key.name }) {
            note(
                FileProblem(
                    node.position, path: path, "the key '\(key.name)' is missing",
                    "add it: \(key.summary.prefix(1).lowercased())\(key.summary.dropFirst())"))
        }
    }

    /// One scalar, with what it takes from the environment; nil if it is a problem.
    mutating func value<Value>(_ node: YAMLNode, _ path: String, _ syntax: ValueSyntax<Value>) -> Value? {
        noteOrigin(of: path, node.position)
        guard case .scalar(let text, let isPlain) = node.value, !(text.isEmpty && isPlain) else {
            note(FileProblem(node.position, path: path, "\(node.kind) stands here", "write \(syntax.kind)"))
            return nil
        }
        do throws(OptionSyntaxError) {
            return try syntax.read(try Interpolation.expand(text, environment: environment))
        } catch {
            let (message, remedy) = error.parts(otherwise: "write \(syntax.kind)")
            note(FileProblem(node.position, path: path, message, remedy))
            return nil
        }
    }

    /// The items of a list and their paths; a value that is none is a list of one.
    mutating func items(_ node: YAMLNode, _ path: String) -> [(YAMLNode, String)] {
        switch node.value {
        case .sequence(let items):
            return items.enumerated().map { index, item in
                let itemPath = "\(path)[\(index)]"
                origins[itemPath] = item.position
                return (item, itemPath)
            }
        case .scalar("", isPlain: true):
            note(
                FileProblem(
                    node.position, path: path, "there is nothing", "write a list, each item after a '-'"))
            return []
        case .scalar: return [(node, path)]
        case .mapping:
            note(
                FileProblem(
                    node.position, path: path, "a mapping stands where a list is expected",
                    "begin each item with '- '"))
            return []
        }
    }

    /// The entries of a mapping whose keys are names of the user's.
    mutating func entries(_ node: YAMLNode, _ path: String) -> [(key: YAMLKey, value: YAMLNode)] {
        guard case .mapping(let entries) = node.value else {
            note(
                FileProblem(
                    node.position, path: path, "\(node.kind) stands where names are expected",
                    "write each name as a key, and what it has below it"))
            return []
        }
        return entries
    }

    /// Names go into logs, metrics and paths of keys: letters, digits, hyphens, underscores.
    mutating func checkName(_ key: YAMLKey, _ path: String) -> Bool {
        let fits =
            (1...64).contains(key.name.utf8.count)
            && key.name.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                    || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
            }
        if !fits {
            note(
                FileProblem(
                    key.position, path: path, "\(quoted(key.name)) is no name",
                    "use up to 64 letters, digits, hyphens and underscores"))
        }
        return fits
    }
}
