/// Something in a configuration file that cannot work: where, what, and what to write instead.
public struct FileProblem: Error, Sendable, Equatable, CustomStringConvertible {
    /// `FILE:LINE:COLUMN`, or the option that has to do with it.
    public let place: String
    /// The path of the key, such as `timeouts.head` or `listeners[0].address`; empty for the file as a whole.
    public let path: String
    public let message: String
    public let remedy: String

    init(_ position: SourcePosition, path: String = "", _ message: String, _ remedy: String) {
        place = position.description
        self.path = path
        self.message = message
        self.remedy = remedy
    }

    init(place: String, path: String, _ message: String, _ remedy: String) {
        self.place = place
        self.path = path
        self.message = message
        self.remedy = remedy
    }

    public var description: String { "\(place): \(path.isEmpty ? "" : path + ": ")\(message); \(remedy)" }
}
