/// An upstream of the configuration: a name to resolve, or an address.
struct FixedUpstream: Sendable {
    var name: String
    var port: UInt16
    /// nil: the name is resolved.
    var address: SocketAddress?
    /// Its share of the requests, next to those of the cluster's others; at least 1.
    var weight: UInt32 = 1

    /// What it is called wherever several instances have to mean the same.
    var identity: String { address?.description ?? "\(name):\(port)" }
}
