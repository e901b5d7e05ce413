/// How a cluster's next endpoint is chosen.
public enum BalancingPolicy: String, Sendable, CaseIterable, BitwiseCopyable {
    /// In turn, by weight.
    case roundRobin = "round-robin"
    /// The one with the fewest exchanges under way, by weight.
    case leastRequests = "least-requests"
    /// The better of two drawn ones: by how long they took lately, and how much is under way there.
    case peakEWMA = "peak-ewma"
    /// By a key of the request, on a ring: what one endpoint had moves to many when it leaves.
    case ringHash = "ring-hash"
    /// By a key of the request, in a table: more even than a ring, and one load to look up.
    case maglev
    /// Drawn, by weight.
    case random

    /// Whether the choice depends on a key of the request.
    public var isHashed: Bool { self == .ringHash || self == .maglev }
}
