/// Who may ask for something by what they know, under a name that listeners and routes use.
public struct AuthenticationConfiguration: Sendable, Equatable {
    public var name: String
    /// What clients are told that they need to be let into.
    public var realm = "restricted"
    /// A file of lines `NAME:HASH`, for Basic; nil: nobody is let in that way.
    public var usersFile: String?
    /// A file of lines `NAME:SHA256` or `SHA256`, for Bearer; nil: nobody is let in that way.
    public var tokensFile: String?
    /// The field in which upstream is told the user's name; nil: it is not.
    public var userField: String?
    /// Whether upstream sees the credentials too.
    public var passesCredentials = false
    /// How long a worker remembers that credentials are right.
    public var cache = Nanoseconds.minutes(5)

    /// In the place of a name: nobody is asked.
    static let off = "off"
    static let cacheRange = Nanoseconds.seconds(1)...Nanoseconds.hours(24)

    public init(name: String) { self.name = name }
}
