/// A place in a configuration file, as editors and compilers name it.
struct SourcePosition: Sendable, Hashable, CustomStringConvertible {
    var file: String
    /// From 1.
    var line: Int
    /// From 1, in characters.
    var column: Int

    var description: String { "\(file):\(line):\(column)" }
}
