/// A configuration read from a file and those it includes, and where each value of it stands.
public struct ConfigurationFile: Sendable {
    public let path: String
    /// What the file says, over the defaults; not yet checked for what cannot work (`problems(with:)`).
    public let configuration: Configuration
    /// All files that were read, in order.
    public let files: [String]
    /// By the path of a key.
    let origins: [String: SourcePosition]

    /// Reads a file and everything it includes.
    ///
    /// - Parameter environment: the value of an environment variable; nil if it is not set.
    /// - Throws: all that is wrong with the text, the keys and their values.
    public init(
        reading path: String, environment: @escaping (String) -> String? = environmentVariable
    ) throws(FileProblems) {
        try self.init(reading: path, from: .system, environment: environment)
    }

    init(
        reading path: String, from texts: ConfigurationText, environment: @escaping (String) -> String?
    ) throws(FileProblems) {
        var includer = Includer(texts: texts, environment: environment)
        let root = includer.load(path)
        var reader = SchemaReader(environment: environment)
        var configuration = Configuration()
        if let root { reader.object(root, "", ConfigurationSchema.keys, into: &configuration) }
        let problems = includer.problems + reader.problems
        guard problems.isEmpty else { throw FileProblems(problems) }
        self.path = path
        self.configuration = configuration
        origins = reader.origins
        files = includer.files
    }

    /// What cannot work in a configuration that began as this file's, each problem at the place that it comes from.
    public func problems(with configuration: Configuration) -> [FileProblem] {
        let found =
            configuration.validate() + AccessCompiler.problems(of: configuration)
            + GeoCompiler(configuration).problems + StickyKeys(configuration).problems
            + RouteCompiler.problems(of: configuration) + EndpointFile.problems(of: configuration)
            + ZoneCompiler.problems(of: configuration)
            + TLSCompiler(configuration, tickets: TLSTicketRegistry()).problems
            + ServerNameCompiler(configuration, seed: 0).problems
            + UpstreamTLSCompiler(configuration, UpstreamTLSRegistry()).problems
            + Self.destinationProblems(of: configuration)
        return placed(found)
    }

    /// Problems at the places of the file that they come from.
    public func placed(_ problems: [ConfigurationProblem]) -> [FileProblem] {
        problems.map { problem in
            let keyPath = ConfigurationSchema.pathOfOption[problem.option] ?? problem.option
            guard let position = origin(of: keyPath) else {
                return FileProblem(place: path, path: problem.option, problem.message, problem.remedy)
            }
            return FileProblem(
                position, path: keyPath, Self.inKeys(problem.message), Self.inKeys(problem.remedy))
        }
    }

    private static func destinationProblems(of configuration: Configuration) -> [ConfigurationProblem] {
        var problems: [ConfigurationProblem] = []
        for (option, texts) in [
            ("--allow-destinations", configuration.allowDestinations),
            ("--deny-destinations", configuration.denyDestinations),
        ] {
            // What is empty or a URL is told already.
            for text in texts where !text.isEmpty && !text.contains(" ") && !text.contains("://") {
                do throws(DestinationRuleError) { _ = try DestinationPolicy(allow: [text], deny: []) } catch {
                    let parts = error.message.split(separator: "; ", maxSplits: 1).map(String.init)
                    let remedy = parts.count == 2 ? parts[1] : "give a CIDR, a name, *.NAME or a port"
                    problems.append(ConfigurationProblem(option: option, message: parts[0], remedy: remedy))
                }
            }
        }
        return problems
    }

    /// Where a key stands; for one that is missing, what it is missing from.
    func origin(of keyPath: String) -> SourcePosition? {
        if let position = origins[keyPath] { return position }
        guard let end = keyPath.lastIndex(where: { $0 == "." || $0 == "[" }) else { return nil }
        return origins[String(keyPath[..<end])]
    }

    /// Options that a text names, as the file calls them.
    private static func inKeys(_ text: String) -> String {
        guard text.contains("--") else { return text }
        // Longest first: --limit-connections is the beginning of another one.
        let paths = ConfigurationSchema.pathOfOption.sorted { $0.key.utf8.count > $1.key.utf8.count }
        return paths.reduce(text) { $0.replacing($1.key, with: $1.value) }
    }
}

/// All that is wrong with a configuration file.
public struct FileProblems: Error, Sendable {
    public let all: [FileProblem]

    init(_ all: [FileProblem]) { self.all = all }
}
