/// A place in a configuration file, as editors and compilers name it.
struct SourcePosition: Sendable, Hashable, CustomStringConvertible {
    var file: String
    /// From 1.
    var line: Int
    /// From 1, in characters.
    var column: Int

    /// A path as a text at this place means it: a relative one begins where the file is.
    func path(of name: String) -> String {
        if name.hasPrefix("/") { return name }
        return (file.lastIndex(of: "/").map { String(file[...$0]) } ?? "") + name
    }

    var description: String { "\(file):\(line):\(column)" }
}
