/// For which clients something is, by where they are. What is left empty holds for all.
struct ClientRule: Equatable, Sendable {
    /// One of them.
    var sources: [AddressPrefix] = []
    /// All of it.
    var geo = GeoRule()

    var isEmpty: Bool { sources.isEmpty && geo.isEmpty }
}
