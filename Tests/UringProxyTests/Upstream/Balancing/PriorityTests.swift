import Testing

@testable import UringProxy

@Suite("Priorities")
struct PriorityTests {
    /// Two endpoints of each priority, in an order that no policy gains by.
    private static let priorities: [UInt16] = [7, 0, 7, 2, 0, 2]
    private static let levels = [[1, 4], [3, 5], [0, 2]]
    private static let second: Int64 = 1_000_000_000

    private func health(
        _ priorities: [UInt16] = priorities, panic: Int = 0, consecutive: UInt32 = 0
    ) -> ClusterHealth {
        var settings = HealthSettings()
        settings.panicPercent = panic
        settings.outliers.consecutive = consecutive
        settings.outliers.mostEjectedPercent = 100
        return HealthRegistry().cluster(
            "c", endpoints: priorities.indices.map { "endpoint-\($0):80" }, settings: settings,
            priorities: PriorityPlan(endpoints(priorities)), now: Self.second)
    }

    private func endpoints(_ priorities: [UInt16]) -> [FixedUpstream] {
        priorities.enumerated().map { index, priority in
            FixedUpstream(name: "endpoint-\(index)", port: 80, address: nil, priority: priority)
        }
    }

    private func choices(
        _ policy: BalancingPolicy, _ health: ClusterHealth?, _ priorities: [UInt16] = priorities,
        weights: [UInt32]? = nil, zones: [String] = [], limits: LimitPlan? = nil
    ) -> Choices {
        Choices(
            policy, weights: weights ?? priorities.map { _ in 1 }, loadBound: 1000, health: health,
            zones: zones, priorities: priorities, limits: limits)
    }

    private func hasRoom(_ choices: Choices) -> Bool { choices.table.hasRoom(0, now: Self.second) }

    private func chosen(_ choices: Choices, count: Int = 200) -> Set<Int> {
        Set((0..<count).map { choices.choose(key: key($0), now: 2 * Self.second) })
    }

    @Test(
        "Each priority is used only while none before it can be, whatever the policy",
        arguments: BalancingPolicy.allCases)
    func levels(_ policy: BalancingPolicy) {
        let health = health()
        let choices = choices(policy, health)
        func set(_ indices: [Int], _ isHealthy: Bool) {
            for index in indices { health.noteChecked(index, isHealthy: isHealthy, now: Self.second) }
        }
        #expect(chosen(choices) == [1, 4] && health.level == 0)
        set([4], false)
        #expect(chosen(choices) == [1])
        set([1], false)
        #expect(chosen(choices) == [3, 5] && health.level == 1)
        set([3, 5], false)
        #expect(chosen(choices) == [0, 2] && health.level == 2)
        set([0, 2], false)
        let none = choices.table.choose(0, key: 0, now: Self.second)
        #expect(none == nil && health.level == nil)
        #expect(!health.isPanic)
        set([3], true)
        #expect(chosen(choices) == [3])
        set([1, 4], true)
        #expect(chosen(choices) == [1, 4])
    }

    @Test("Where nobody watches the first are used", arguments: BalancingPolicy.allCases)
    func unwatched(_ policy: BalancingPolicy) {
        #expect(chosen(choices(policy, nil)) == [1, 4])
    }

    @Test(
        "Another attempt goes to what is left of a priority, then to the next",
        arguments: BalancingPolicy.allCases)
    func another(_ policy: BalancingPolicy) {
        for health in [health(), nil] {
            let choices = choices(policy, health)
            for number in 0..<20 {
                let tried = choices.attempts(key: key(number), now: Self.second)
                #expect(tried.count == 6)
                for (level, indices) in Self.levels.enumerated() {
                    #expect(Set(tried[level * 2..<level * 2 + 2]) == Set(indices))
                }
            }
        }
    }

    @Test(
        "What the first cannot serve is shared by all of the next",
        arguments: [BalancingPolicy.roundRobin, .leastRequests])
    func turns(_ policy: BalancingPolicy) {
        for zones in [[], ["own", "own", "own", "x"]] {
            let choices = choices(policy, nil, [0, 1, 1, 1], zones: zones)
            var counts = [0, 0, 0, 0]
            for _ in 0..<300 {
                let first = choices.begin()
                guard
                    let second = choices.table.chooseAnother(
                        0, than: first, for: 2, isFirstFailure: true, key: 0, now: 0)
                else { preconditionFailure("others are left") }
                counts[first] += 1
                counts[second] += 1
                choices.table.release(second)
            }
            #expect(counts == (zones.isEmpty ? [300, 100, 100, 100] : [300, 150, 150, 0]))
        }
    }

    @Test("Too few of a priority are too few: the next is used, and all of the first when that is so of each")
    func short() {
        let priorities = [UInt16](repeating: 0, count: 20) + [UInt16](repeating: 1, count: 4)
        let health = health(priorities, panic: 10)
        let choices = choices(.random, health, priorities)
        for index in 0..<18 { health.noteChecked(index, isHealthy: false, now: Self.second) }
        #expect(chosen(choices, count: 2000) == [18, 19])
        health.noteChecked(18, isHealthy: false, now: Self.second)
        #expect(chosen(choices, count: 2000) == Set(20..<24) && health.level == 1)
        // A request for which those were in vain has the last of the others.
        let tried = choices.attempts(now: Self.second)
        #expect(Set(tried[0..<4]) == Set(20..<24) && tried[4...] == [19])
        for index in 20..<24 { health.noteChecked(index, isHealthy: false, now: Self.second) }
        #expect(health.isPanic && health.level == nil)
        #expect(chosen(choices, count: 2000) == Set(0..<20))
        let never = self.health(priorities, panic: 0)
        for index in 0..<19 { never.noteChecked(index, isHealthy: false, now: Self.second) }
        #expect(chosen(self.choices(.random, never, priorities)) == [19])
    }

    @Test("Who finds all of a priority full waits for them, and goes to the next only if they are gone")
    func full() {
        let health = health()
        var cluster = ClusterConfiguration(name: "c")
        cluster.limits.endpointRequests = 2
        let names = Self.priorities.indices.map { "endpoint-\($0):80" }
        let limits = HealthRegistry().limits(cluster, endpoints: names)
        for isWatched in [true, false] {
            let choices = choices(.leastRequests, isWatched ? health : nil, limits: limits)
            var taken: [Int] = []
            while let index = choices.table.choose(0, key: 0, now: Self.second) { taken.append(index) }
            #expect(taken.sorted() == [1, 1, 4, 4])
            let lacksRoom = choices.table.lacksRoom(0)
            #expect(lacksRoom && !hasRoom(choices))
            choices.table.release(4)
            #expect(hasRoom(choices))
            choices.table.release(4)
            for _ in 0..<2 { choices.table.release(1) }
        }
        for index in [1, 4] { health.noteChecked(index, isHealthy: false, now: Self.second) }
        let choices = choices(.leastRequests, health, limits: limits)
        #expect(hasRoom(choices))
        let taken = (0..<4).compactMap { _ in choices.table.choose(0, key: 0, now: Self.second) }
        #expect(taken.sorted() == [3, 3, 5, 5] && !hasRoom(choices))
    }

    @Test("A priority goes before a zone, which goes before the others of its priority")
    func zones() {
        let health = health()
        let choices = choices(.random, health, zones: ["own", "x", "x", "own", "own", "x"])
        #expect(chosen(choices) == [4])
        health.noteChecked(4, isHealthy: false, now: Self.second)
        #expect(chosen(choices) == [1])
        health.noteChecked(1, isHealthy: false, now: Self.second)
        #expect(chosen(choices) == [3])
        health.noteChecked(3, isHealthy: false, now: Self.second)
        #expect(chosen(choices) == [5])
    }

    @Test("Keys move with what changes alone", arguments: [BalancingPolicy.ringHash, .maglev])
    func keys(_ policy: BalancingPolicy) {
        let health = health()
        let choices = choices(policy, health)
        func places() -> [Int] { (0..<2000).map { choices.choose(key: key($0), now: Self.second) } }
        let before = places()
        health.noteChecked(1, isHealthy: false, now: Self.second)
        let without = places()
        #expect(without.allSatisfy { $0 == 4 })
        health.noteChecked(4, isHealthy: false, now: Self.second)
        let next = places()
        // A third of the next priority is not hurt by what goes on before it.
        health.noteChecked(0, isHealthy: false, now: Self.second)
        #expect(next == places() && Set(next) == [3, 5])
        for index in [1, 4] { health.noteChecked(index, isHealthy: true, now: Self.second) }
        #expect(before == places())
    }

    @Test(
        "Within a priority keys are shared by weight, whatever the others weigh",
        arguments: [BalancingPolicy.ringHash, .maglev])
    func keyShares(_ policy: BalancingPolicy) {
        let health = health([0, 0, 1, 1])
        let choices = choices(policy, health, [0, 0, 1, 1], weights: [1, 3, 1000, 1000])
        func share(of index: Int) -> Double {
            Double(choices.spread(4000, now: Self.second) { key($0) }[index]) / 4000
        }
        #expect(abs(share(of: 1) - 0.75) < 0.08)
        for index in [0, 1] { health.noteChecked(index, isHealthy: false, now: Self.second) }
        #expect(abs(share(of: 2) - 0.5) < 0.08)
        // The first level's table serves again.
        for index in [0, 1] { health.noteChecked(index, isHealthy: true, now: Self.second) }
        #expect(abs(share(of: 1) - 0.75) < 0.08)
    }

    @Test("An ejected endpoint is tried while a later priority serves, and not while an earlier one does")
    func trials() {
        let health = health(consecutive: 1)
        let choices = choices(.roundRobin, health)
        let late = 100 * Self.second
        for index in [3, 5] { health.note(index, isFailure: true, latency: 0, now: Self.second) }
        let spread = (0..<50).map { _ in choices.choose(now: late) }
        #expect(Set(spread) == [1, 4])
        for index in [1, 4] { health.note(index, isFailure: true, latency: 0, now: late) }
        // Those that are due come first; then what is available.
        let now = late + Self.second
        #expect(Set([choices.choose(now: now), choices.choose(now: now)]) == [3, 5])
        #expect(Set((0..<20).map { _ in choices.choose(now: now) }) == [0, 2])
        let later = late + 1000 * Self.second
        let tried = Set((0..<4).map { _ in choices.choose(now: later) })
        #expect(tried == [1, 4, 3, 5])
        for index in [1, 4] { health.note(index, isFailure: false, latency: 1, now: later) }
        #expect(Set((0..<20).map { _ in choices.choose(now: later) }) == [1, 4])
    }

    @Test("A second request for what is slow stays with its priority")
    func hedges() {
        let choices = choices(.roundRobin, nil, [0, 1, 0, 1])
        let first = choices.begin()
        let other = choices.table.chooseAnother(
            0, than: first, for: 2, isFirstFailure: true, key: 0, keepsPlace: true, now: 0)
        #expect(other == 2 - first)
        let alone = self.choices(.roundRobin, nil, [0, 1, 1])
        let only = alone.begin()
        let none = alone.table.chooseAnother(
            0, than: only, for: 2, isFirstFailure: true, key: 0, keepsPlace: true, now: 0)
        #expect(only == 0 && none == nil)
        // Also where that is not the first that can be used: a cookie's request stays, and a hedge with it.
        let later = self.choices(.roundRobin, nil, [0, 1, 1])
        let hedge = later.table.chooseAnother(
            0, than: 1, for: 2, isFirstFailure: true, key: 0, keepsPlace: true, now: 0)
        #expect(hedge == 2)
    }

    @Test("A hedge does not try again what its request has tried")
    func hedgeAfterFailure() {
        let choices = choices(.roundRobin, nil, [0, 0, 0])
        let first = choices.begin()
        let second = choices.table.chooseAnother(
            0, than: first, for: 2, isFirstFailure: true, key: 0, now: 0)
        guard let second else { preconditionFailure("two are left") }
        choices.table.shareTried(of: 2, with: 3)
        let hedge = choices.table.chooseAnother(
            0, than: second, for: 3, isFirstFailure: false, key: 0, keepsPlace: true, now: 0)
        #expect(hedge == 3 - first - second)
    }

    @Test("In a panic a trial that is due is room, at whichever priority")
    func panicRoom() {
        let priorities: [UInt16] = [0, 0, 1, 1]
        let health = health(priorities, panic: 60, consecutive: 1)
        var cluster = ClusterConfiguration(name: "c")
        cluster.limits.endpointRequests = 1
        let names = priorities.indices.map { "endpoint-\($0):80" }
        let limits = HealthRegistry().limits(cluster, endpoints: names)
        let choices = choices(.roundRobin, health, priorities, limits: limits)
        for index in 0..<3 { health.note(index, isFailure: true, latency: 0, now: Self.second) }
        #expect(health.isPanic)
        let first = [choices.begin(now: Self.second), choices.begin(now: Self.second)]
        #expect(Set(first) == [0, 1] && !hasRoom(choices))
        let late = 100 * Self.second
        let hasRoom = choices.table.hasRoom(0, now: late)
        let trial = choices.table.choose(0, key: 0, now: late)
        #expect(hasRoom && trial == 2)
    }

    @Test("Latency is compared with that of the same priority alone")
    func latency() {
        for priorities: [UInt16] in [[0, 0, 0, 1, 1, 1], [0, 0, 0, 0, 0, 0]] {
            var settings = HealthSettings()
            settings.outliers.latencyFactor = 3
            settings.outliers.minimumRequests = 10
            settings.outliers.mostEjectedPercent = 100
            let health = HealthRegistry().cluster(
                "c", endpoints: priorities.indices.map { "endpoint-\($0):80" }, settings: settings,
                priorities: PriorityPlan(endpoints(priorities)), now: Self.second)
            for round in 1...3 {
                for number in 0..<20 {
                    for (index, milliseconds) in [1, 1, 1, 50, 50, 50].enumerated() {
                        health.note(
                            index, isFailure: false, latency: Int64(milliseconds) * Self.second / 1000,
                            now: Int64(round) * 10 * Self.second + Int64(number) * Self.second / 10)
                    }
                }
            }
            let isRanked = priorities.last == 1
            #expect(health.endpoints[3].isAvailable == isRanked && health.endpoints[0].isAvailable)
        }
    }

    @Test(
        "Of more priorities than there are levels those behind share the last",
        arguments: BalancingPolicy.allCases)
    func tooMany(_ policy: BalancingPolicy) {
        let priorities = (0..<20).map { UInt16($0 * 3) }
        let plan = PriorityPlan(endpoints(priorities))
        #expect(plan?.priorities.count == PriorityPlan.limit && plan?.counts.last == 5)
        let health = health(priorities)
        let choices = choices(policy, health, priorities, zones: priorities.map { _ in "x" })
        for index in 0..<14 { health.noteChecked(index, isHealthy: false, now: Self.second) }
        #expect(chosen(choices) == [14])
        health.noteChecked(14, isHealthy: false, now: Self.second)
        #expect(chosen(choices, count: 2000) == Set(15..<20))
    }

    @Test("Many endpoints, few of them of the first", arguments: BalancingPolicy.allCases)
    func many(_ policy: BalancingPolicy) {
        let priorities = (0..<130).map {
            (60..<66).contains($0) || $0 == 129 ? UInt16(3) : UInt16(4 + $0 % 70)
        }
        #expect(chosen(choices(policy, nil, priorities), count: 2000) == Set(Array(60..<66) + [129]))
    }

    @Test("There is nothing to order where all have one priority")
    func alike() {
        #expect(PriorityPlan(endpoints([])) == nil && PriorityPlan(endpoints([3, 3])) == nil)
        let plan = PriorityPlan(endpoints([9, 1, 9]))
        #expect(plan?.levels == [1, 0, 1] && plan?.priorities == [1, 9] && plan?.counts == [1, 2])
    }
}
