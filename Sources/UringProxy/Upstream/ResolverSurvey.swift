/// A question whose whole answer is wanted, asked of the servers whatever the cache knows: of those who follow a name. Asked
/// seldom, and so it may allocate.
final class ResolverSurvey: Sendable {
    enum Kind: Sendable {
        /// A and AAAA: `addresses` is the answer.
        case addresses
        /// SRV: `services` is the answer.
        case services
    }

    struct Answer: Sendable {
        let status: ResolverStatus
        /// How long it may be used.
        let ttlSeconds: UInt32
        /// At most 512 of each family.
        var addresses: [IPAddress] = []
        /// No server answered for one of the families, which may have addresses all the same.
        var isPartial = false
        /// At most 4096.
        var services: [ServiceRecord] = []
    }

    let name: String
    let kind: Kind
    /// Called once, on the resolver's thread; must not block.
    let answered: @Sendable (Answer) -> Void

    /// - Parameter name: of `services` one that stands as it is: the search list is for hosts.
    init(_ name: String, _ kind: Kind, answered: @escaping @Sendable (Answer) -> Void) {
        self.name = name
        self.kind = kind
        self.answered = answered
    }
}
