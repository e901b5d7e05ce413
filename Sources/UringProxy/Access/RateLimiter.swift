internal import CPosix
internal import Synchronization

/// The buckets of one rate limit, shared by all workers, without locks and never more of them.
///
/// They are found by a seeded hash of the key, of 64 bits: two keys share a bucket once in far more keys than there are.
@safe final class RateLimiter: @unchecked Sendable {
    /// What is counted, of all workers together: only what exceeds the limit, so that what does not shares no line.
    enum Count: Int, CaseIterable { case exceeded, observed, evicted }

    let name: String
    private let configuration: RateLimitConfiguration
    private let seed: UInt64
    private let groups: Int
    private let cells: UnsafeMutablePointer<Atomic<UInt64>>
    private let fieldName: FixedBytes
    private let lines: FixedBytes

    /// - Parameters:
    ///   - configuration: valid; its mode is `limit`'s.
    ///   - seed: random, so that nobody can choose keys that all fall into one group.
    init(_ configuration: RateLimitConfiguration, seed: UInt64) {
        self.configuration = configuration
        self.seed = seed
        name = configuration.name
        var groups = 1
        if configuration.key != .all {
            while groups * RateLimit.groupSize < configuration.size { groups *= 2 }
        }
        self.groups = groups
        // Pages are there once they are written to, as zeros.
        guard let memory = unsafe cposix_map(Self.sizeBytes(groups)) else {
            preconditionFailure("no address space for the rate limit \(configuration.name)")
        }
        unsafe cells = memory.assumingMemoryBound(to: Atomic<UInt64>.self)
        if case .header(let name) = configuration.key {
            fieldName = FixedBytes(Array(name.utf8))
        } else {
            fieldName = FixedBytes([])
        }
        let rate = configuration.rate
        lines = FixedBytes(
            Array(
                "RateLimit-Policy: \"\(name)\";q=\(rate.count);w=\(rate.unit.seconds)\r\nRateLimit: \"\(name)\";r=0;t="
                    .utf8))
    }

    deinit { unsafe _ = cposix_unmap(cells, Self.sizeBytes(groups)) }

    private static func sizeBytes(_ groups: Int) -> Int {
        (groups * RateLimit.groupSize * 2 + Count.allCases.count) * MemoryLayout<Atomic<UInt64>>.stride
    }

    private var counts: UnsafeMutablePointer<Atomic<UInt64>> {
        unsafe cells + groups * RateLimit.groupSize * 2
    }

    subscript(count: Count) -> UInt64 { unsafe counts[count.rawValue].load(ordering: .relaxed) }

    /// The limit for a plan, which has to keep this limiter as well.
    func limit(_ mode: RateLimitConfiguration.Mode) -> RateLimit {
        var key = RateLimit.Key.address
        var ipv4Length = 32
        var ipv6Length = 128
        switch configuration.key {
        case .address: break
        case .prefix(let ipv4, let ipv6):
            ipv4Length = ipv4
            ipv6Length = ipv6
        case .header: key = .field
        case .route: key = .place
        case .all: key = .all
        }
        return unsafe RateLimit(
            key: key, observes: mode == .observe, field: FieldName.lookup(fieldName.view),
            fieldName: fieldName.view, ipv4Mask: .max << UInt32(32 - ipv4Length),
            ipv6Mask: AddressPrefix(IPAddress(high: .max, low: .max), length: ipv6Length).canonicalBase,
            lines: lines.view, seed: seed, interval: configuration.rate.interval,
            span: configuration.rate.interval * Int64(configuration.burstInEffect), groupMask: groups - 1,
            cells: cells, counts: counts)
    }
}
