/// Which endpoint a key belongs to: places in a circle, each an endpoint's. Made once, read by every worker.
///
/// Where an endpoint's places are depends on its name and weight alone, so that instances with the same endpoints agree,
/// in whatever order they were given.
@safe final class HashTable: @unchecked Sendable {
    private let owners: UnsafeMutablePointer<UInt16>
    /// A ring's places, ascending. nil: places are numbered, as in maglev's table.
    private let points: UnsafeMutablePointer<UInt64>?
    let count: Int

    /// Places are named by 16 bits.
    static let endpointLimit = ClusterConfiguration.endpointLimit

    private init(owners: [UInt16], points: [UInt64]?) {
        count = owners.count
        unsafe self.owners = .allocate(capacity: owners.count)
        for (place, owner) in owners.enumerated() { unsafe self.owners[place] = owner }
        unsafe self.points = points.map { _ in .allocate(capacity: owners.count) }
        for (place, point) in (points ?? []).enumerated() { unsafe self.points?[place] = point }
    }

    deinit {
        unsafe owners.deallocate()
        unsafe points?.deallocate()
    }

    /// For workers' state, which counts no references; the plan keeps the table.
    @inline(__always)
    var view: View { unsafe View(owners: owners, points: points, count: count) }

    /// The table as a choice reads it; good as long as the table.
    @safe struct View: BitwiseCopyable {
        fileprivate let owners: UnsafeMutablePointer<UInt16>
        fileprivate let points: UnsafeMutablePointer<UInt64>?
        fileprivate let count: Int

        /// The first endpoint from the key's place on that may be chosen and has room; nil if all are excluded.
        func choose(
            _ hash: UInt64, _ loads: EndpointLoads, excluding excluded: EndpointMask, bound: LoadBound
        ) -> Int? {
            guard let share = bound.share(loads, excluding: excluded) else { return nil }
            var place = start(hash)
            // Each step finds another endpoint with a fair chance: this many steps miss one only if hardly any has a place.
            for _ in 0..<min(count, loads.count &* 8 &+ 64) {
                let index = unsafe Int(owners[place])
                if !excluded.contains(index) && share.hasRoom(loads[index]) { return index }
                place = place &+ 1 < count ? place &+ 1 : 0
            }
            var index = Int(truncatingIfNeeded: hash % UInt64(loads.count))
            for _ in 0..<loads.count {
                if !excluded.contains(index) && share.hasRoom(loads[index]) { return index }
                index = index &+ 1 < loads.count ? index &+ 1 : 0
            }
            return nil
        }

        /// The endpoint that the key belongs to while all may be chosen and have room.
        func owner(of hash: UInt64) -> Int { unsafe Int(owners[start(hash)]) }

        /// The key's place.
        private func start(_ hash: UInt64) -> Int {
            guard let points = unsafe points else { return Int(truncatingIfNeeded: hash % UInt64(count)) }
            // The first point that is not before the hash; behind the last one the ring begins again.
            var low = 0
            var high = count
            while low < high {
                let middle = (low &+ high) &>> 1
                if unsafe points[middle] < hash { low = middle &+ 1 } else { high = middle }
            }
            return low < count ? low : 0
        }
    }
}

/// An endpoint as a table sees it.
struct HashedEndpoint {
    /// The same in every instance.
    var identity: UInt64
    /// 0: no key belongs to it.
    var weight: UInt32
}

// MARK: - Ring

extension HashTable {
    /// An endpoint's points on the ring for each unit of weight: as ketama has them. The share of an endpoint strays by
    /// about 1/√160, 8 %.
    private static let pointsPerWeight = 160
    /// Large weights get fewer for each unit.
    private static let mostPoints = 1 << 20

    /// Each endpoint at many points of a ring (Karger et al. 1997). When one leaves, what it had goes to its neighbours, all
    /// over the ring, and nothing else moves.
    static func ring(_ endpoints: [HashedEndpoint]) -> HashTable {
        let weights = endpoints.reduce(0) { $0 + Int($1.weight) }
        let perWeight = max(1, min(pointsPerWeight, mostPoints / weights))
        var places: [(point: UInt64, owner: UInt16)] = []
        for (owner, endpoint) in endpoints.enumerated() {
            for number in 0..<perWeight * Int(endpoint.weight) {
                places.append((KeyHash.derive(endpoint.identity, number), UInt16(owner)))
            }
        }
        places.sort { $0.point < $1.point }
        return HashTable(owners: places.map(\.owner), points: places.map(\.point))
    }
}

// MARK: - Maglev

extension HashTable {
    /// Prime, so that every step visits every place; so large that 1,000 endpoints get shares within 2 % of each other.
    private static let placeCount = 65_537

    /// Endpoints take turns to claim the next free place of an order of their own (Eisenbud et al. 2016, §3.4); a lighter
    /// one misses turns. When one leaves, its places are claimed by the others, and few of theirs move with them.
    static func maglev(_ endpoints: [HashedEndpoint]) -> HashTable {
        var owners = [UInt16](repeating: .max, count: placeCount)
        // Who comes first claims first: by identity, so that the order in the configuration does not matter.
        let order = endpoints.indices.filter { endpoints[$0].weight > 0 }
            .sorted { endpoints[$0].identity < endpoints[$1].identity }
        var next = endpoints.map { Int($0.identity % UInt64(placeCount)) }
        let step = endpoints.map { Int(KeyHash.derive($0.identity, 1) % UInt64(placeCount - 1)) + 1 }
        let heaviest = endpoints.map { Int($0.weight) }.max() ?? 1
        var credit = [Int](repeating: 0, count: endpoints.count)
        var left = placeCount
        while left > 0 {
            for index in order where left > 0 {
                credit[index] += Int(endpoints[index].weight)
                guard credit[index] >= heaviest else { continue }
                credit[index] -= heaviest
                while owners[next[index]] != .max { next[index] = (next[index] + step[index]) % placeCount }
                owners[next[index]] = UInt16(index)
                left -= 1
            }
        }
        return HashTable(owners: owners, points: nil)
    }
}
