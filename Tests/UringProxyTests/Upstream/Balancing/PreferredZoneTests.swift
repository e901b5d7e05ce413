import TestSupport
import Testing

@testable import UringProxy

@Suite("Zones by where clients are")
struct PreferredZoneTests {
    /// In an order that no policy gains by.
    private static let zones = ["a", "own", "b", "a", "own", "b", "c"]
    private static let second: Int64 = 1_000_000_000
    private static let count = 7000

    private static func block(_ text: String) throws -> AddressPrefix {
        try AddressPrefix(parsing: text[...])
    }

    /// a is number 1, b number 2; no endpoint stands in number 3.
    private func rules() throws -> ZoneRules {
        ZoneRules([
            ("a", ClientRule(sources: [try Self.block("10.1.0.0/16")])),
            ("b", ClientRule(sources: [try Self.block("10.2.0.0/16")])),
            ("nowhere", ClientRule(sources: [try Self.block("10.3.0.0/16")])),
            ("a", ClientRule(sources: [try Self.block("10.4.0.0/16")])),
        ])
    }

    private func health() -> ClusterHealth {
        var settings = HealthSettings()
        settings.panicPercent = 0
        return HealthRegistry().cluster(
            "c", endpoints: Self.zones.indices.map { "endpoint-\($0):80" }, settings: settings,
            now: Self.second)
    }

    private func choices(_ policy: BalancingPolicy, _ health: ClusterHealth?, own: String? = "own") throws
        -> Choices
    {
        Choices(
            policy, weights: Self.zones.map { _ in 1 }, loadBound: 1000, health: health, zones: Self.zones,
            own: own, rules: try rules())
    }

    /// Of the choices for each zone's number, how many fall to each endpoint; clients of all of them come in turn.
    private func shares(_ choices: Choices, _ numbers: [UInt8] = [0, 1, 2]) -> [UInt8: [Double]] {
        var shares: [UInt8: [Double]] = [:]
        for number in 0..<Self.count {
            for zone in numbers {
                let chosen = choices.choose(key: key(number), zone: zone, now: 2 * Self.second)
                shares[zone, default: Self.zones.map { _ in 0 }][chosen] += 1 / Double(Self.count)
            }
        }
        return shares
    }

    /// Whether each of some endpoints has its share, and no other has any.
    private func fits(_ shares: [Double]?, _ wanted: [Int: Double], _ policy: BalancingPolicy) -> Bool {
        guard let shares else { return false }
        return shares.indices.allSatisfy { index in
            let part = wanted[index] ?? 0
            // Tables are uneven by their nature; the rest is five standard deviations of what is drawn.
            let unevenness = policy == .ringHash ? 0.4 : policy == .maglev ? 0.15 : 0
            let deviation = 5 * (part * (1 - part) / Double(Self.count)).squareRoot()
            return abs(shares[index] - part) <= max(deviation, part * unevenness) + 1e-9
        }
    }

    @Test(
        "Each client's requests stay in its zone, and what that cannot take is spread over all others",
        arguments: BalancingPolicy.allCases)
    func spills(_ policy: BalancingPolicy) throws {
        let health = health()
        let choices = try choices(policy, health)
        func set(_ index: Int, _ isHealthy: Bool) {
            health.noteChecked(index, isHealthy: isHealthy, now: Self.second)
        }
        func check(_ own: [Int: Double], _ a: [Int: Double], _ b: [Int: Double]) {
            let shares = shares(choices)
            #expect(fits(shares[0], own, policy), "\(shares)")
            #expect(fits(shares[1], a, policy), "\(shares)")
            #expect(fits(shares[2], b, policy), "\(shares)")
        }
        let (own, a, b) = ([1: 0.5, 4: 0.5], [0: 0.5, 3: 0.5], [2: 0.5, 5: 0.5])
        check(own, a, b)
        // A half is 50/70 of enough; what goes elsewhere is nothing to the clients of other zones.
        set(0, false)
        let rest = 2.0 / 7 / 5
        check(own, [3: 5.0 / 7, 1: rest, 2: rest, 4: rest, 5: rest, 6: rest], b)
        set(3, false)
        check(own, [1: 0.2, 2: 0.2, 4: 0.2, 5: 0.2, 6: 0.2], b)
        set(0, true)
        set(3, true)
        check(own, a, b)
    }

    @Test(
        "Where the proxy has no zone, or nobody stands in the client's, all endpoints are alike",
        arguments: BalancingPolicy.allCases)
    func alike(_ policy: BalancingPolicy) throws {
        let choices = try choices(policy, nil, own: nil)
        let all = Dictionary(uniqueKeysWithValues: Self.zones.indices.map { ($0, 1.0 / 7) })
        let shares = shares(choices, [0, 2, 3])
        #expect(fits(shares[0], all, policy), "\(shares)")
        #expect(fits(shares[3], all, policy), "\(shares)")
        #expect(fits(shares[2], [2: 0.5, 5: 0.5], policy), "\(shares)")
    }

    @Test(
        "Another attempt stays in the client's zone until all of it was tried",
        arguments: BalancingPolicy.allCases)
    func another(_ policy: BalancingPolicy) throws {
        let choices = try choices(policy, health())
        for number in 0..<20 {
            for (zone, here) in [(1, [0, 3]), (2, [2, 5]), (0, [1, 4])] as [(UInt8, Set<Int>)] {
                let tried = choices.attempts(key: key(number), zone: zone, now: Self.second)
                #expect(Set(tried).count == 7 && tried.count == 7)
                #expect(Set(tried[0..<2]) == here)
            }
        }
    }

    @Test(
        "A full zone is left for another, and a request that has tried some counts those too")
    func full() throws {
        let endpoints = Self.zones.enumerated().map { index, zone in
            FixedUpstream(name: "endpoint-\(index)", port: 80, address: nil, zone: zone)
        }
        let registry = HealthRegistry()
        var limits = LimitConfiguration()
        limits.endpointRequests = 1
        var cluster = ClusterConfiguration(name: "c")
        cluster.limits = limits
        let plan = ClusterPlan(
            name: "c", endpoints: endpoints,
            limits: registry.limits(cluster, endpoints: endpoints.map(\.identity)),
            zones: ZonePlans(own: "own", rules: try rules(), endpoints, thresholdPercent: 70))
        let table = ClusterTable([plan], exchangeCapacity: 16, worker: 0, seed: 7)
        var chosen: [Int] = []
        while let index = table.choose(0, key: 0, zone: 2, now: Self.second) { chosen.append(index) }
        #expect(Set(chosen[0..<2]) == [2, 5] && Set(chosen).count == 7)
    }

    @Test("After a reload a zone is known by its name, and goes on taking turns")
    func reload() throws {
        let endpoints = Self.zones.enumerated().map { index, zone in
            FixedUpstream(name: "endpoint-\(index)", port: 80, address: nil, zone: zone)
        }
        func plan(_ zones: [String]?) -> ClusterPlan {
            let rules = zones.map { ZoneRules($0.map { ($0, ClientRule()) }) }
            return ClusterPlan(
                name: "c", endpoints: endpoints,
                zones: ZonePlans(own: "own", rules: rules, endpoints, thresholdPercent: 70))
        }
        let (before, after) = (plan(["a", "b", "c"]), plan(["b", "a"]))
        let zones = try #require(before.zones)
        #expect((0..<4).map { zones.number($0, in: after.zones) } == [0, 2, 1, 0])
        #expect((0..<4).map { zones.number($0, in: plan(nil).zones) } == [0, 0, 0, 0])
        #expect((0..<4).map { zones.number($0, in: nil) } == [0, 0, 0, 0])
        for turns in 1...3 {
            var table = ClusterTable([before], exchangeCapacity: 16, worker: 0, seed: 7)
            var last: [Int?] = [nil, nil, nil]
            for _ in 0..<turns {
                for zone in 0..<3 { last[zone] = table.choose(0, key: 0, zone: UInt8(zone), now: 1) }
            }
            table.adopt([after], ClusterChange(from: [before], to: [after]), gates: [0])
            let next = [0, 2, 1].map { table.choose(0, key: 0, zone: $0, now: 1) }
            #expect(zip(last, next).allSatisfy { $0 != $1 }, "\(last) \(next)")
            #expect(next.map { $0.map { Self.zones[$0] } } == ["own", "a", "b"])
        }
    }

    @Test("The first rule that holds counts, as if each was looked at by itself")
    func naive() throws {
        let seed = UInt64.random(in: 0..<1_000_000)
        var random = SplitMix(seed: seed)
        let countries = ["DE", "AT", "FR", "CH"]
        func some<Value>(_ values: [Value], _ chance: Int) -> [Value] {
            values.filter { _ in Int.random(in: 0..<chance, using: &random) == 0 }
        }
        for _ in 0..<40 {
            var rules: [(zone: String, clients: ClientRule)] = []
            for _ in 0..<Int.random(in: 1...30, using: &random) {
                var rule = ClientRule()
                for _ in 0..<Int.random(in: 0...3, using: &random) {
                    let length = Int.random(in: 4...12, using: &random)
                    let base =
                        UInt32.random(in: 0...UInt32.max, using: &random) & ~(UInt32.max >> UInt32(length))
                    rule.sources.append(AddressPrefix(ipv4: base, length: length))
                }
                for country in some(countries, 3) {
                    try rule.geo.countries.add(country, GeoRule.Choice.country)
                }
                for country in some(countries, 4) {
                    try rule.geo.countries.add("!\(country)", GeoRule.Choice.country)
                }
                for system in some(["1", "2"], 4) {
                    try rule.geo.autonomousSystems.add(system, GeoRule.Choice.autonomousSystem)
                }
                rules.append((["x", "y", "z"].randomElement(using: &random)!, rule))
            }
            let compiled = ZoneRules(rules)
            #expect(compiled.asksLocation == rules.contains { !$0.clients.geo.isEmpty })
            for _ in 0..<200 {
                let client = IPAddress(ipv4: UInt32.random(in: 0...UInt32.max, using: &random))
                let country = (countries + [""]).randomElement(using: &random)!
                let location = GeoLocation(
                    country: GeoCode(country), autonomousSystem: UInt32.random(in: 0...2, using: &random))
                func holds(_ choice: GeoRule.Choice, _ value: UInt32) -> Bool {
                    (choice.among.isEmpty || choice.among.contains(value)) && !choice.except.contains(value)
                }
                let expected = rules.firstIndex { _, rule in
                    (rule.sources.isEmpty || rule.sources.contains { $0.contains(client) })
                        && holds(rule.geo.countries, location.country.rawValue)
                        && holds(rule.geo.autonomousSystems, location.autonomousSystem)
                }
                let found = compiled.rule(for: client, at: location)
                #expect(found == expected, "seed \(seed)")
                let number = compiled.view.zone(for: client, at: location)
                #expect(number == expected.map { compiled.number(of: rules[$0].zone) } ?? 0)
                if let found { #expect(compiled.zone(of: found) == rules[found].zone) }
            }
        }
    }
}
