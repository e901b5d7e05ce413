@testable import UringProxy

/// The endpoints of one cluster, and a worker's choices among them.
final class Choices {
    let table: ClusterTable
    private let count: Int

    init(
        _ policy: BalancingPolicy, weights: [UInt32], names: [String]? = nil, worker: Int = 0,
        loadBound: Double = 1.25,
        exchanges: Int = 16, health: ClusterHealth? = nil, zones: [String] = [], own: String? = "own",
        rules: ZoneRules? = nil, threshold: Int = 70, priorities: [UInt16] = [], limits: LimitPlan? = nil
    ) {
        let endpoints = weights.enumerated().map { index, weight in
            FixedUpstream(
                name: names?[index] ?? "endpoint-\(index)", port: 80, address: nil, weight: weight,
                zone: zones.isEmpty ? nil : zones[index],
                priority: priorities.isEmpty ? 0 : priorities[index])
        }
        let plan = ClusterPlan(
            name: "cluster", endpoints: endpoints, policy: policy, hashKey: policy.isHashed ? .uri : nil,
            loadBound: LoadBound(loadBound), health: health, limits: limits,
            zones: ZonePlans(own: own, rules: rules, endpoints, thresholdPercent: threshold))
        table = ClusterTable([plan], exchangeCapacity: exchanges, worker: worker, seed: 7 + UInt64(worker))
        count = weights.count
    }

    /// Chooses, and stays under way there.
    func begin(key: UInt64 = 0, zone: UInt8 = 0, now: Int64 = 0) -> Int {
        guard let index = table.choose(0, key: key, zone: zone, now: now) else {
            preconditionFailure("there is an endpoint that may be used")
        }
        return index
    }

    /// Chooses, and is done at once.
    func choose(key: UInt64 = 0, zone: UInt8 = 0, now: Int64 = 0) -> Int {
        let index = begin(key: key, zone: zone, now: now)
        table.release(index)
        return index
    }

    /// Begins, and tries another each time until none is left; all in their order.
    func attempts(key: UInt64 = 0, zone: UInt8 = 0, now: Int64 = 0) -> [Int] {
        var tried = [begin(key: key, zone: zone, now: now)]
        while let next = table.chooseAnother(
            0, than: tried.last!, for: 2, isFirstFailure: tried.count == 1, key: key, zone: zone, now: now)
        {
            tried.append(next)
        }
        return tried
    }

    /// How often each is chosen in so many exchanges, one at a time.
    func spread(_ exchanges: Int, now: Int64 = 0, key: (Int) -> UInt64 = { _ in 0 }) -> [Int] {
        var counts = [Int](repeating: 0, count: count)
        for number in 0..<exchanges { counts[choose(key: key(number), now: now)] += 1 }
        return counts
    }
}

/// Keys as requests have them: few bytes differ.
func key(_ number: Int) -> UInt64 {
    var text = "/users/\(number)"
    return text.withUTF8 { KeyHash.hash(unsafe ByteView(UnsafeRawBufferPointer($0))) }
}
