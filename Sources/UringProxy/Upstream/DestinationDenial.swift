/// Why a destination was refused: for the log, and for downstream in the answer.
enum DestinationDenial: UInt8, BitwiseCopyable, Equatable, Sendable {
    case badHost, deniedByRule, notAllowedByRule, localName
    case thisNetwork, privateUse, sharedSpace, loopback, linkLocal, protocolAssignment, documentation
    case benchmarking, multicast, reserved, relayAnycast
    case unspecified, uniqueLocal, siteLocal, discard, notGlobal
    case embedsDenied, ambiguousTranslation, transition

    var text: StaticString {
        switch self {
        case .badHost: "the host is neither a name nor an address in standard form"
        case .deniedByRule: "denied by --deny-destinations"
        case .notAllowedByRule: "not among --allow-destinations"
        case .localName: "the name stands for this host or its metadata service"
        case .thisNetwork: "an address of this network (0.0.0.0/8)"
        case .privateUse: "a private address (RFC 1918)"
        case .sharedSpace: "an address of a carrier's shared space (100.64.0.0/10)"
        case .loopback: "a loopback address"
        case .linkLocal: "a link-local address, as metadata services use"
        case .protocolAssignment: "an address assigned to a protocol"
        case .documentation: "an address reserved for documentation"
        case .benchmarking: "an address reserved for benchmarks (198.18.0.0/15)"
        case .multicast: "a multicast address"
        case .reserved: "a reserved or broadcast address"
        case .relayAnycast: "an address of 6to4 relays (192.88.99.0/24)"
        case .unspecified: "the unspecified address"
        case .uniqueLocal: "a unique local address (fc00::/7)"
        case .siteLocal: "a site-local address (fec0::/10)"
        case .discard: "an address that discards (100::/64)"
        case .notGlobal: "not a global unicast address"
        case .embedsDenied: "embeds an IPv4 address that is not allowed"
        case .ambiguousTranslation: "embeds an IPv4 address in a way that cannot be told"
        case .transition:
            "an address of an IPv4 transition mechanism (NAT64, 6to4, Teredo or IPv4-compatible)"
        }
    }
}
