/// What a database may tell of an address.
struct GeoKinds: OptionSet, Sendable {
    let rawValue: Int32

    static let country = GeoKinds(rawValue: 1)
    static let region = GeoKinds(rawValue: 2)
    static let autonomousSystem = GeoKinds(rawValue: 4)

    /// For a sentence: "countries and regions".
    var text: String {
        let names: [(GeoKinds, String)] = [
            (.country, "countries"), (.region, "regions"), (.autonomousSystem, "autonomous systems"),
        ]
        return names.filter { contains($0.0) }.map(\.1).joined(separator: " and ")
    }
}
