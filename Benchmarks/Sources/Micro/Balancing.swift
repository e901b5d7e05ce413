// Choosing an endpoint out of ten, of which some are heavier and some are busier.
extension MicroBenchmark {
    static var balancing: [MicroBenchmark] {
        [
            choice("balancing: round robin, 10 alike", .roundRobin, weights: [1]),
            choice("balancing: round robin, 10 with weights", .roundRobin, weights: [1, 5]),
            choice("balancing: least requests, 10", .leastRequests, weights: [1, 5]),
            choice("balancing: peak EWMA, 10", .peakEWMA, weights: [1, 5]),
            choice("balancing: random, 10", .random, weights: [1, 5]),
            choice("balancing: ring hash, 10", .ringHash, weights: [1, 5]),
            choice("balancing: maglev, 10", .maglev, weights: [1, 5]),
        ]
    }

    private static func choice(_ name: String, _ policy: BalancingPolicy, weights: [UInt32]) -> MicroBenchmark
    {
        let endpoints = (0..<10).map { index in
            FixedUpstream(
                name: "endpoint-\(index)", port: 80, address: nil, weight: weights[index % weights.count])
        }
        let plan = ClusterPlan(
            name: "cluster", endpoints: endpoints, policy: policy, hashKey: policy.isHashed ? .uri : nil)
        return MicroBenchmark(name: name) { count in
            let table = ClusterTable([plan], exchangeCapacity: 1, worker: 0, seed: 1)
            for index in 0..<10 { table.noteLatency(index, 1_000_000, now: 0) }
            // Some are under way all the time.
            for index in 0..<30 { _ = table.choose(0, key: UInt64(index) &* 0x9E37_79B9_7F4A_7C15, now: 0) }
            var sum = 0
            for index in 0..<count {
                let key = UInt64(truncatingIfNeeded: index &+ 1) &* 0x9E37_79B9_7F4A_7C15
                guard let chosen = table.choose(0, key: key, now: Int64(index)) else { continue }
                sum &+= chosen
                table.release(chosen)
            }
            return sum
        }
    }
}
