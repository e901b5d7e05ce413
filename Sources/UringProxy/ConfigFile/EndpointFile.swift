/// A file that lists a cluster's endpoints: one a line, with comments behind `#`, or a list in YAML.
struct EndpointFile {
    /// A file with more bad lines than that is not what it should be.
    private static let problemLimit = 5

    let path: String
    /// `HOST:PORT` or `unix:PATH`, and `,weight=N`, `,zone=NAME` and `,priority=N` after it. Empty if there are problems.
    private(set) var endpoints: [String] = []
    /// What is wrong with it, each with its place, and what to do about it.
    private(set) var problems: [(message: String, remedy: String)] = []

    /// Reads it. Blocks.
    init(reading path: String) {
        self.path = path
        do throws(OptionSyntaxError) {
            let text = try ListFile.text(of: path)
            let lines = ListFile.lines(in: text)
            if lines.first.map({ Self.isListBegin($0.text) }) ?? false {
                readList(text)
            } else {
                for (number, line) in lines { readLine(String(line), number) }
            }
        } catch {
            note(error, place: "")
        }
        if problems.isEmpty { checkCount() }
        if !problems.isEmpty { endpoints = [] }
    }

    /// Whether a file whose first line it is is a list in YAML. `[2001:db8::1]:80` begins like one, and is an endpoint.
    private static func isListBegin(_ line: some StringProtocol) -> Bool {
        guard line.hasPrefix("[") else { return line.hasPrefix("-") }
        let word = String(line.prefix { !" \t#".contains($0) })
        guard let address = try? UpstreamText(parsing: word).address else { return true }
        return (try? AddressText(parsing: address)) == nil
    }

    private mutating func readLine(_ line: String, _ number: Int) {
        let words = line.prefix { $0 != "#" }.split { $0 == " " || $0 == "\t" }
        guard words.count == 1 else {
            let error = OptionSyntaxError(
                "\(quoted(line)) has a space in it: write one endpoint a line, such as 10.0.0.5:9000,weight=3"
            )
            note(error, place: "\(path):\(number): ")
            return
        }
        add(String(words[0]), line: number)
    }

    private mutating func readList(_ text: String) {
        do throws(FileProblem) {
            guard let node = try YAMLParser.parse(text, file: path) else { return }
            guard case .sequence(let items) = node.value else {
                throw FileProblem(
                    node.position, "\(node.kind) stands where a list is expected", "write '- HOST:PORT' lines"
                )
            }
            for item in items {
                guard case .scalar(let text, _) = item.value else {
                    throw FileProblem(
                        item.position, "\(item.kind) stands where an endpoint is expected",
                        "write HOST:PORT or unix:PATH")
                }
                add(text, line: item.position.line)
            }
        } catch {
            problems.append(("\(error.place): \(error.message)", error.remedy))
        }
    }

    private mutating func add(_ text: String, line: Int) {
        do throws(OptionSyntaxError) {
            let address = try UpstreamText(parsing: text).address
            try AddressText(parsing: address).checkConnectable(address)
            endpoints.append(text)
        } catch {
            note(error, place: "\(path):\(line): ")
        }
    }

    private mutating func checkCount() {
        let limit = ClusterConfiguration.endpointLimit
        if endpoints.isEmpty {
            problems.append(
                ("\(quoted(path)) names no endpoint", "write a line for each, such as 10.0.0.5:9000"))
        } else if endpoints.count > limit {
            problems.append(
                (
                    "\(quoted(path)) names \(endpoints.count) endpoints, more than \(limit)",
                    "put several of them behind one address"
                ))
        }
    }

    private mutating func note(_ error: OptionSyntaxError, place: String) {
        guard problems.count < Self.problemLimit else { return }
        let (message, remedy) = error.parts(otherwise: "write HOST:PORT or unix:PATH")
        problems.append((place + message, remedy))
    }

    /// What is wrong with the files that a configuration names.
    static func problems(of configuration: Configuration) -> [ConfigurationProblem] {
        configuration.clusters.flatMap { cluster in
            guard let path = cluster.discovery?.file else { return [ConfigurationProblem]() }
            return EndpointFile(reading: path).problems.map {
                ConfigurationProblem(
                    option: "clusters.\(cluster.name).discovery.file", message: $0.message, remedy: $0.remedy)
            }
        }
    }
}
