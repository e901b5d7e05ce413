/// Whom a certificate has to be for: a name, or an address, which SNI does not name (RFC 6066 §3).
struct TLSHost: Sendable, Equatable {
    /// In lower case, without a dot at the end; an address without brackets and zone.
    let text: String
    let isAddress: Bool
}
