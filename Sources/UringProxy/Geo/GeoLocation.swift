/// Where an address is, as databases have it: plain numbers, each 0 where nothing is known.
struct GeoLocation: BitwiseCopyable, Hashable, Sendable, CustomStringConvertible {
    /// Of ISO 3166-1, two letters; where the network is registered, if it is nowhere else.
    var country = GeoCode.none
    /// Of ISO 3166-2, without the country and the hyphen: one to three letters or digits.
    var region = GeoCode.none
    /// The number of the autonomous system that announces the address; 0 is nobody's (RFC 7607).
    var autonomousSystem: UInt32 = 0

    static var unknown: GeoLocation { GeoLocation() }

    var description: String {
        var parts: [String] = []
        if country != .none { parts.append(country.description) }
        if region != .none { parts.append("region \(region)") }
        if autonomousSystem != 0 { parts.append("AS\(autonomousSystem)") }
        return parts.isEmpty ? "not known" : parts.joined(separator: ", ")
    }
}
