/// In which order the endpoints of a cluster are used: those of a level only while no level before it can be. Never changes.
///
/// (`backup` of nginx and HAProxy, the priority of an SRV record in RFC 2782.)
struct PriorityPlan: Sendable {
    /// Levels at most: of more priorities those behind share the last one.
    static let limit = 16

    /// By the index of an endpoint: its level, counted from 0.
    let levels: [UInt16]
    /// By the number of a level: its endpoints' priority, and how many they are.
    let priorities: [UInt16]
    let counts: [Int]

    /// nil if all endpoints have one priority.
    init?(_ endpoints: [FixedUpstream]) {
        let all = Set(endpoints.map(\.priority)).sorted()
        guard all.count > 1 else { return nil }
        priorities = Array(all.prefix(Self.limit))
        let numbers = Dictionary(
            uniqueKeysWithValues: all.enumerated().map { ($1, UInt16(min($0, Self.limit - 1))) })
        levels = endpoints.map { numbers[$0.priority] ?? 0 }
        var counts = [Int](repeating: 0, count: priorities.count)
        for level in levels { counts[Int(level)] += 1 }
        self.counts = counts
    }

    /// The level that is used; nil if so few are available of each that all are used, or none is.
    ///
    /// - Parameter isAvailable: by the index of an endpoint.
    func level(panicPercent: Int, _ isAvailable: (Int) -> Bool) -> Int? {
        var available = [Int](repeating: 0, count: counts.count)
        for (index, level) in levels.enumerated() where isAvailable(index) { available[Int(level)] += 1 }
        return counts.indices.first {
            !Self.isShort(available[$0], of: counts[$0], panicPercent: panicPercent)
        }
    }

    /// Whether so few of a level's endpoints are available that the next one is used.
    static func isShort(_ available: Int, of count: Int, panicPercent: Int) -> Bool {
        available == 0 || available < count && available * 100 < panicPercent * count
    }
}
