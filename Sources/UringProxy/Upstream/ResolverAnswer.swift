/// What became of a query.
struct ResolverAnswer: BitwiseCopyable, Sendable {
    static let maximumAddresses = 16

    /// The query's.
    let token: UInt64
    let status: ResolverStatus
    /// How long the addresses may still be used: the least of all records, and what remains of it in the
    /// cache.
    let ttlSeconds: UInt32
    /// How many of `addresses` are valid: 1 to 16 if the status is `.ok`, 0 otherwise.
    let count: UInt8
    /// In the order to try them in: families alternate (RFC 8305 §4), each family in the order of the server.
    let addresses: InlineArray<16, IPAddress>

    init(token: UInt64, status: ResolverStatus, ttlSeconds: UInt32, addresses list: [IPAddress] = []) {
        precondition(list.count <= ResolverAnswer.maximumAddresses)
        self.token = token
        self.status = status
        self.ttlSeconds = ttlSeconds
        count = UInt8(list.count)
        addresses = InlineArray { $0 < list.count ? list[$0] : .unspecified }
    }
}
