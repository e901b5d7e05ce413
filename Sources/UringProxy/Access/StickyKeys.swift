/// The secrets of clusters' sticky cookies, and what is wrong with their files.
struct StickyKeys {
    /// Shorter ones can be guessed as addresses can.
    private static let shortest = 16

    private var keys: [String: [UInt8]] = [:]
    private(set) var problems: [ConfigurationProblem] = []

    /// - Parameter keys: by the name of a cluster.
    init(_ keys: [String: [UInt8]]) { self.keys = keys }

    /// Reads the files that the clusters name. Blocks.
    init(_ configuration: Configuration) {
        for cluster in configuration.clusters {
            guard let path = cluster.sticky?.keyFile else { continue }
            let option = "clusters.\(cluster.name).sticky.key_file"
            do throws(OptionSyntaxError) {
                let lines = try ListFile.lines(of: path)
                guard lines.count == 1, lines[0].text.utf8.count >= Self.shortest else {
                    problems.append(
                        ConfigurationProblem(
                            option: option,
                            message:
                                "\(quoted(path)) has no line of \(Self.shortest) characters, or several lines",
                            remedy: "write it with 'openssl rand -hex 32'"))
                    continue
                }
                keys[cluster.name] = Array(lines[0].text.utf8)
            } catch {
                let (message, remedy) = error.parts(otherwise: "check the path")
                problems.append(ConfigurationProblem(option: option, message: message, remedy: remedy))
            }
        }
    }

    /// A cluster's; empty if it has none.
    func key(_ cluster: String) -> [UInt8] { keys[cluster] ?? [] }

    /// What a cluster's cookie calls endpoints of these identities; none is called 0.
    func names(_ cluster: String, of endpoints: [String]) -> [UInt64] {
        endpoints.map { identity in
            let digest = Digest(authenticating: Array(identity.utf8), key: key(cluster))
            return max(1, UInt64(bigEndian: digest.first))
        }
    }
}
