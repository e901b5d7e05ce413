/// A value of a configuration file, and where it stands.
struct YAMLNode: Sendable {
    indirect enum Value: Sendable {
        /// Its text; `isPlain` if it stood there without quotes.
        case scalar(String, isPlain: Bool)
        case sequence([YAMLNode])
        /// In the order of the file; no key is there twice.
        case mapping([(key: YAMLKey, value: YAMLNode)])
    }

    var value: Value
    var position: SourcePosition

    /// What it is, for a message that expected something else.
    var kind: String {
        switch value {
        case .scalar(let text, let isPlain): text.isEmpty && isPlain ? "nothing" : quoted(text)
        case .sequence: "a list"
        case .mapping: "a mapping"
        }
    }
}

struct YAMLKey: Sendable {
    var name: String
    var position: SourcePosition
}
