// Where a forward request may go, and what is known of the place.
extension MicroBenchmark {
    nonisolated(unsafe) private static let name = text("www.example.com")
    nonisolated(unsafe) private static let literal = text("192.0.2.1")
    private static let address = IPAddress(ipv4: 0x5DB8_D70E)

    static var destinations: [MicroBenchmark] {
        [
            MicroBenchmark(name: "endpoint table: find one of 1000") { count in
                var table = EndpointTable(dynamicLimit: 1024, room: 1, seed: 7)
                for index in 0..<1000 { _ = table.add(name: name, port: UInt16(1000 + index), now: 0) }
                let name = name
                var sum = 0
                for index in 0..<count {
                    sum &+= Int(
                        table.find(name: name, port: UInt16(1000 + index % 1000), now: Int64(index)) ?? 0)
                }
                return sum
            },
            MicroBenchmark(name: "destination policy, default: name") { verdicts(policy(), name, nil, $0) },
            MicroBenchmark(name: "destination policy, default: name and address") {
                verdicts(policy(), name, address, $0)
            },
            MicroBenchmark(name: "destination policy, default: literal") {
                verdicts(policy(), literal, nil, $0)
            },
            MicroBenchmark(name: "destination policy, rules: name and address") {
                verdicts(
                    policy(allow: [".example.com:80-9000,10.0.0.0/8"], deny: ["10.1.0.0/16"]), name, address,
                    $0)
            },
        ]
    }

    private static func policy(allow: [String] = [], deny: [String] = []) -> DestinationPolicy {
        do { return try DestinationPolicy(allow: allow, deny: deny) } catch {
            preconditionFailure("the rules are valid")
        }
    }

    @inline(never)
    private static func verdicts(
        _ policy: DestinationPolicy, _ name: ByteView, _ address: IPAddress?, _ count: Int
    ) -> Int {
        var sum = 0
        for index in 0..<count {
            let port = UInt16(80 + index % 100)
            let verdict =
                if let address { policy.verdict(name: name, address: address, port: port) } else {
                    policy.verdict(name: name, port: port)
                }
            if verdict.isAllowed { sum &+= 1 }
        }
        return sum
    }
}
