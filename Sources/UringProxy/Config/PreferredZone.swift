/// A zone of a cluster whose endpoints come first for some clients; for all, if it does not say for whom.
public struct PreferredZone: Sendable, Equatable {
    public var zone: String
    /// Addresses, CIDR blocks and names of address sets.
    public var sources: [String] = []
    /// Codes of ISO 3166-1, of ISO 3166-2 behind the hyphen, and numbers of autonomous systems; each with `!` for any but it.
    public var countries: [String] = []
    public var regions: [String] = []
    public var autonomousSystems: [String] = []

    /// Of a cluster at most: exchanges name theirs by one byte.
    static let limit = 255

    public init(zone: String) { self.zone = zone }
}
