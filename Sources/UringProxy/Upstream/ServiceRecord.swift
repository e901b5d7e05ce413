/// Where a service is to be found: an SRV record (RFC 2782).
struct ServiceRecord: Hashable, Sendable {
    /// The lowest is tried first.
    let priority: UInt16
    /// The share among those of the same priority; 0: next to nothing.
    let weight: UInt16
    let port: UInt16
    /// The name of a host, in lower case; empty: the service is decidedly not there.
    let target: String
}
