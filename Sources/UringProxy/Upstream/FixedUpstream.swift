/// An upstream of the configuration, or one that was found: a name to resolve, or an address.
struct FixedUpstream: Sendable {
    var name: String
    var port: UInt16
    /// nil: the name is resolved.
    var address: SocketAddress?
    /// Its share of the requests, next to those of the cluster's others; at least 1.
    var weight: UInt32 = 1
    /// The address is one of those that the name was resolved to: whoever is told a host there is told the name.
    var isOfName = false
    /// Where it stands; nil: nobody said.
    var zone: String?
    /// Those with the least come first, and others only while none of them can be used.
    var priority: UInt16 = 0

    /// What it is called wherever several instances have to mean the same.
    var identity: String { address?.description ?? "\(name):\(port)" }

    /// Whether requests are spread over both alike.
    func isSame(as other: FixedUpstream) -> Bool {
        identity == other.identity && weight == other.weight && zone == other.zone
            && priority == other.priority
    }
}
