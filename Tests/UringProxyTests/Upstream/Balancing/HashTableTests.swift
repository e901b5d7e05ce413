import TestSupport
import Testing

@testable import UringProxy

@Suite("Balancing by keys")
struct HashTableTests {
    private static let hashed: [BalancingPolicy] = [.ringHash, .maglev]
    private static let keyCount = 20_000

    private func names(_ count: Int) -> [String] { (0..<count).map { "10.0.0.\($0)" } }

    /// The endpoint's name for each key.
    private func owners(
        _ policy: BalancingPolicy, _ names: [String], weights: [UInt32]? = nil, worker: Int = 0
    )
        -> [String]
    {
        let weights = weights ?? names.map { _ in 1 }
        let choices = Choices(policy, weights: weights, names: names, worker: worker, loadBound: 1000)
        return (0..<Self.keyCount).map { names[choices.choose(key: key($0))] }
    }

    @Test("Keys spread by weight", arguments: hashed)
    func spread(_ policy: BalancingPolicy) {
        let names = names(6)
        let weights: [UInt32] = [1, 1, 2, 1, 4, 1]
        var counts: [String: Int] = [:]
        for owner in owners(policy, names, weights: weights) { counts[owner, default: 0] += 1 }
        for (name, weight) in zip(names, weights) {
            let wanted = Double(Self.keyCount) * Double(weight) / 10
            // A ring's shares stray by their nature; maglev's table is even, and what strays are the keys.
            #expect(abs(Double(counts[name] ?? 0) - wanted) < wanted * (policy == .maglev ? 0.1 : 0.3))
        }
    }

    @Test("Workers and instances agree, in whatever order endpoints were given", arguments: hashed)
    func agree(_ policy: BalancingPolicy) {
        let names = names(7)
        let expected = owners(policy, names)
        #expect(owners(policy, names.reversed(), worker: 3) == expected)
    }

    @Test("When one of N leaves its keys move, and hardly any other", arguments: hashed)
    func leaves(_ policy: BalancingPolicy) {
        let names = names(10)
        let before = owners(policy, names)
        for gone in [0, 4, 9] {
            var rest = names
            rest.remove(at: gone)
            let after = owners(policy, rest)
            let others = before.indices.filter { before[$0] != names[gone] }
            let moved = others.filter { before[$0] != after[$0] }.count
            let share = Double(moved) / Double(others.count)
            // A ring moves nothing else at all; maglev's paper reports a few percent.
            #expect(policy == .ringHash ? moved == 0 : share < 0.1)
            let total = before.indices.filter { before[$0] != after[$0] }.count
            #expect(Double(total) / Double(Self.keyCount) < 0.1 + 0.1)
        }
    }

    @Test(
        "No endpoint has more under way than its bound, whatever the keys", arguments: hashed,
        [1.0, 1.25, 2.0])
    func bound(_ policy: BalancingPolicy, _ factor: Double) {
        let weights: [UInt32] = [1, 3, 1, 2, 1, 1, 1]
        let sum = Double(weights.reduce(0, +))
        let choices = Choices(policy, weights: weights, loadBound: factor)
        var random = SplitMix(seed: 3)
        var underWay: [Int] = []
        for _ in 0..<20_000 {
            if !underWay.isEmpty && Int.random(in: 0..<100, using: &random) < 45 {
                choices.table.release(underWay.remove(at: underWay.indices.randomElement(using: &random)!))
                continue
            }
            // Half of all requests are for one key.
            let isHot = Bool.random(using: &random)
            let index = choices.begin(key: isHot ? key(1) : key(Int.random(in: 0..<1000, using: &random)))
            underWay.append(index)
            let limit = (factor * Double(underWay.count) * Double(weights[index]) / sum).rounded(.up)
            #expect(Double(choices.table.inFlight(index)) <= limit)
        }
    }

    @Test("With room a key stays where it is; without it goes to the same next place", arguments: hashed)
    func overflow(_ policy: BalancingPolicy) {
        let choices = Choices(policy, weights: [1, 1, 1, 1], loadBound: 2)
        let home = choices.choose(key: key(5))
        for _ in 0..<50 { #expect(choices.choose(key: key(5)) == home) }
        // One of one is within twice the average of a quarter, rounded up; two are not.
        #expect(choices.begin(key: key(5)) == home)
        let next = choices.choose(key: key(5))
        #expect(next != home)
        for _ in 0..<50 { #expect(choices.choose(key: key(5)) == next) }
    }

    @Test("Without a key endpoints take turns", arguments: hashed)
    func noKey(_ policy: BalancingPolicy) {
        #expect(Choices(policy, weights: [1, 1, 1]).spread(300) == [100, 100, 100])
    }

    @Test("Many heavy endpoints still make a table")
    func large() {
        let choices = Choices(.ringHash, weights: [UInt32](repeating: 1000, count: 200), loadBound: 1000)
        let counts = choices.spread(Self.keyCount) { key($0) }
        #expect(counts.allSatisfy { $0 > 0 })
    }

    @Test("The hash is the same on every machine and in every version")
    func fixed() {
        #expect(key(0) == KeyHash.hash(view("/users/0")))
        #expect(KeyHash.hash(view("")) != KeyHash.hash(view("\0")))
        #expect(KeyHash.hash(view("/users/0")) == 3_824_639_663_799_127_316)
    }

    private func view(_ text: StaticString) -> ByteView {
        unsafe ByteView(base: text.utf8Start, count: text.utf8CodeUnitCount)
    }
}
