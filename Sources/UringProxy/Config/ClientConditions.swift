/// What a route, or what else is for some clients alone, asks of where they are. What is left empty holds for all; the texts are read
/// by `ClientRule`.
protocol ClientConditions {
    /// Addresses, CIDR blocks and names of address sets.
    var sources: [String] { get set }
    /// Codes of ISO 3166-1, of ISO 3166-2 behind the hyphen, and numbers of autonomous systems; each with `!` for any but it.
    var countries: [String] { get set }
    var regions: [String] { get set }
    var autonomousSystems: [String] { get set }
}

extension RouteConfiguration: ClientConditions {}
extension PreferredZone: ClientConditions {}
