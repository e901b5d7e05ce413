internal import Synchronization

/// A worker's state of its clusters: what is under way at each endpoint, whose turn it is, and what each exchange has
/// tried in vain.
///
/// Endpoints are numbered through all clusters, in the order of the plans (`first` and on).
@safe struct ClusterTable: ~Copyable {
    enum KeyKind: UInt8, BitwiseCopyable { case none, uri, source, header, cookie }

    struct Cluster: BitwiseCopyable {
        let first: Int
        let count: Int
        let policy: BalancingPolicy
        let bound: LoadBound
        /// Of the level that the last choice was at.
        var table: HashTable.View?
        let keyKind: KeyKind
        /// In `keyNames`.
        let keyName: ByteRange
        var turns: Turns
        /// In `levels`, if there are several: the first of its own, and how many it has.
        let firstLevel: Int
        let levelCount: Int
        /// In `zones`: the first of its own, and how many it has at each level.
        let firstZone: Int
        let zoneCount: Int
        /// Which zone comes first for which clients.
        let zoneRules: ZoneRules.View?
        var draw: WeightedDraw
        var watch: ClusterWatch
        let retries: RetryRules
        /// In the `GateTable`; 0: everything is let in.
        let gate: UInt16
        /// Exchanges under way at each endpoint, of all workers; 0: any number.
        let cap: UInt32
        /// The last choice left out endpoints for that.
        var lacksRoom = false
        /// Endpoints are watched, or have a limit.
        let isGuarded: Bool
        let sticky: StickyPlan.View?
        /// Requests that the retries' budget has not been told of.
        var requestsUntold: UInt32 = 0
    }

    /// As in `Engine`: without an address all of this is copied wherever a method that does not change it is called.
    private let pin = Atomic<Bool>(true)
    /// Keeps the hash tables, and how endpoints do.
    let plans: [ClusterPlan]
    private let worker: Int
    private let seed: UInt64
    private let keyNames: FixedBytes
    let clusters: UnsafeMutablePointer<Cluster>
    let clusterCount: Int
    private let loads: UnsafeMutablePointer<EndpointLoad>
    let endpointCount: Int
    /// The words of each exchange, a bit for each endpoint of its cluster.
    private let tried: UnsafeMutablePointer<UInt64>
    private let wordsPerExchange: Int
    private let exchangeCapacity: Int
    /// What a worker remembers of each endpoint's health.
    let watches: UnsafeMutablePointer<EndpointWatch>
    /// The words of each cluster: a bit for each endpoint that is left out.
    let excluded: UnsafeMutablePointer<UInt64>
    /// Of each endpoint whose cluster limits what is under way there.
    let caps: UnsafeMutablePointer<EndpointCap.View?>
    /// Whether there are any.
    let hasCaps: Bool
    /// Of each cluster with several priorities those, in order.
    let levels: UnsafeMutablePointer<Level>
    /// The words of each level: a bit for each place that is not of an endpoint at it.
    let beyond: UnsafeMutablePointer<UInt64>
    /// Of each cluster with zones those that may come first, by their numbers, at each level.
    let zones: UnsafeMutablePointer<Zone>
    /// The words of each zone: a bit for each endpoint that is not in it, where there are others that are.
    let outside: UnsafeMutablePointer<UInt64>
    /// For one choice: what else is not to be chosen.
    let scratch: UnsafeMutablePointer<UInt64>
    /// Whether any policy chooses by a key of the request.
    let usesKeys: Bool
    /// Whether any cluster keeps clients with their endpoints.
    let usesCookies: Bool
    /// Whether in any cluster it depends on the client which zone comes first.
    let usesClientZones: Bool
    /// Any of the three.
    let asksRequests: Bool
    /// Whether any policy asks how long answers take.
    let measuresLatency: Bool
    /// Whether any cluster's endpoints are ejected for what requests meet there.
    let judgesRequests: Bool
    /// Either of the two.
    let learns: Bool

    /// - Parameters:
    ///   - worker: workers begin at different endpoints.
    ///   - seed: for what is drawn.
    ///   - gates: the number of each cluster's gate; nil: they are numbered as in a new `GateTable`.
    init(
        _ plans: [ClusterPlan], exchangeCapacity: Int, worker: Int, seed: UInt64, gates: [UInt16]? = nil
    ) {
        let keys = plans.map { Self.key($0.hashKey) }
        // Before any loop: behind one, Swift 6.3 takes this for a second assignment and frees the first, which never was.
        keyNames = FixedBytes(keys.flatMap(\.name))
        self.plans = plans
        self.worker = worker
        self.seed = seed
        clusterCount = plans.count
        usesKeys = plans.contains { $0.policy.isHashed }
        usesCookies = plans.contains { $0.sticky != nil }
        usesClientZones = plans.contains { $0.zones?.rules != nil }
        asksRequests = usesKeys || usesCookies || usesClientZones
        measuresLatency = plans.contains { $0.policy == .peakEWMA }
        hasCaps = plans.contains { $0.limits?.isCapped ?? false }
        judgesRequests = plans.contains { $0.health?.judgesRequests ?? false }
        learns = measuresLatency || judgesRequests
        endpointCount = plans.reduce(0) { $0 + $1.endpoints.count }
        let largest = plans.map(\.endpoints.count).max() ?? 0
        // The only endpoint of a cluster is not tried twice: nothing to remember.
        wordsPerExchange = largest > 1 ? (largest + 63) / 64 : 0
        self.exchangeCapacity = exchangeCapacity
        unsafe clusters = .allocate(capacity: max(1, plans.count))
        unsafe loads = .allocate(capacity: max(1, endpointCount))
        unsafe caps = .allocate(capacity: max(1, endpointCount))
        unsafe tried = .allocate(capacity: max(1, exchangeCapacity * wordsPerExchange))
        unsafe tried.initialize(repeating: 0, count: max(1, exchangeCapacity * wordsPerExchange))
        let words = plans.reduce(0) { $0 + Self.wordCount($1.endpoints.count) }
        unsafe watches = .allocate(capacity: max(1, endpointCount))
        unsafe excluded = .allocate(capacity: max(1, words))
        unsafe excluded.initialize(repeating: 0, count: max(1, words))
        unsafe levels = .allocate(capacity: max(1, plans.reduce(0) { $0 + Self.levelCount($1) }))
        let levelWords = plans.reduce(0) { $0 + Self.levelCount($1) * Self.wordCount($1.endpoints.count) }
        unsafe beyond = .allocate(capacity: max(1, levelWords))
        unsafe beyond.initialize(repeating: .max, count: max(1, levelWords))
        unsafe zones = .allocate(
            capacity: max(1, plans.reduce(0) { $0 + Self.zoneCount($1) * max(1, Self.levelCount($1)) }))
        let zoneWords = plans.reduce(0) { $0 + Self.zoneCount($1) * Self.wordCount($1.endpoints.count) }
        unsafe outside = .allocate(capacity: max(1, zoneWords))
        unsafe outside.initialize(repeating: 0, count: max(1, zoneWords))
        unsafe scratch = .allocate(capacity: Self.wordCount(max(1, largest)))
        unsafe scratch.initialize(repeating: 0, count: Self.wordCount(max(1, largest)))
        var first = 0
        var firstWord = 0
        var firstLevel = 0
        var firstLevelWord = 0
        var firstZone = 0
        var firstZoneWord = 0
        var firstOfName = 0
        var lastGate: UInt16 = 0
        for (index, plan) in plans.enumerated() {
            for (place, endpoint) in plan.endpoints.enumerated() {
                unsafe (loads + first + place).initialize(to: EndpointLoad(weight: endpoint.weight))
                unsafe (caps + first + place).initialize(to: plan.limits?.cap(place))
                unsafe (watches + first + place).initialize(
                    to: EndpointWatch(plan, place, cluster: index))
            }
            let count = plan.endpoints.count
            let view = unsafe EndpointLoads(base: loads + first, count: count)
            let turns = Turns(
                roundRobin: RoundRobin(view, worker: worker),
                leastRequests: LeastRequests(count: count, worker: worker))
            let levelCount = Self.levelCount(plan)
            for number in 0..<levelCount {
                unsafe (levels + firstLevel + number).initialize(
                    to: Level(
                        firstWord: firstLevelWord + number * Self.wordCount(count),
                        count: plan.priorities?.counts[number] ?? 0, turns: turns,
                        table: plan.hashTables.isEmpty ? nil : plan.hashTables[number].view))
            }
            for (place, level) in (plan.priorities?.levels ?? []).enumerated() {
                let word = firstLevelWord + Int(level) * Self.wordCount(count) + place >> 6
                unsafe beyond[word] &= ~(1 << UInt64(place & 63))
            }
            for (number, zone) in (plan.zones?.plans ?? []).enumerated() {
                for level in 0..<max(1, levelCount) {
                    unsafe (zones + firstZone + number * max(1, levelCount) + level).initialize(
                        to: Zone(isOn: zone != nil, firstWord: firstZoneWord, inside: turns, outside: turns))
                }
                for (place, isLocal) in (zone?.isLocal ?? []).enumerated() where !isLocal {
                    unsafe outside[firstZoneWord + place >> 6] |= 1 << UInt64(place & 63)
                }
                firstZoneWord += Self.wordCount(count)
            }
            let (kind, name) = keys[index]
            let nameRange = ByteRange(firstOfName..<firstOfName + name.count)
            firstOfName += name.count
            if plan.limits != nil { lastGate += 1 }
            let gate = gates?[index] ?? (plan.limits == nil ? 0 : lastGate)
            let cluster = Cluster(
                first: first, count: count, policy: plan.policy, bound: plan.loadBound,
                table: plan.hashTables.first?.view, keyKind: kind, keyName: nameRange,
                turns: turns, firstLevel: firstLevel, levelCount: max(1, levelCount), firstZone: firstZone,
                zoneCount: Self.zoneCount(plan),
                zoneRules: plan.zones?.rules?.view,
                draw: WeightedDraw(seed: seed &+ UInt64(index)),
                watch: ClusterWatch(
                    plan.health, firstWord: firstWord, hasLevels: levelCount > 1, hasZones: plan.zones != nil),
                retries: plan.retries.rules,
                gate: gate, cap: plan.limits?.cap ?? 0,
                isGuarded: plan.health != nil || plan.zones != nil || levelCount > 1
                    || plan.endpoints.isEmpty || plan.limits?.isCapped ?? false,
                sticky: plan.sticky?.view)
            unsafe (clusters + index).initialize(to: cluster)
            first += count
            firstWord += Self.wordCount(count)
            firstLevel += levelCount
            firstLevelWord += levelCount * Self.wordCount(count)
            firstZone += Self.zoneCount(plan) * max(1, levelCount)
        }
    }

    private static func key(_ key: HashKey?) -> (kind: KeyKind, name: [UInt8]) {
        switch key {
        case nil: (.none, [])
        case .uri: (.uri, [])
        case .source: (.source, [])
        case .header(let name): (.header, Array(name.utf8))
        case .cookie(let name): (.cookie, Array(name.utf8))
        }
    }

    deinit {
        unsafe clusters.deallocate()
        unsafe loads.deallocate()
        unsafe caps.deallocate()
        unsafe tried.deallocate()
        unsafe watches.deallocate()
        unsafe excluded.deallocate()
        unsafe levels.deallocate()
        unsafe beyond.deallocate()
        unsafe zones.deallocate()
        unsafe outside.deallocate()
        unsafe scratch.deallocate()
    }

    static func wordCount(_ endpoints: Int) -> Int { (endpoints + 63) / 64 }
    /// 0: all endpoints have one priority.
    private static func levelCount(_ plan: ClusterPlan) -> Int { plan.priorities?.counts.count ?? 0 }
    private static func zoneCount(_ plan: ClusterPlan) -> Int { plan.zones?.plans.count ?? 0 }

    // MARK: - Other plans

    /// Takes up other plans: endpoints that stay keep what was learned of them, and clusters whose endpoints are the same
    /// whose turn it is. Nothing counts as under way until `enter` says so.
    mutating func adopt(_ plans: [ClusterPlan], _ change: ClusterChange, gates: [UInt16]) {
        let new = ClusterTable(
            plans, exchangeCapacity: exchangeCapacity, worker: worker, seed: seed, gates: gates)
        if hasCaps || new.hasCaps { moveCaps(to: new, change) }
        for (index, before) in change.endpointBefore.enumerated() where before >= 0 {
            let weight = unsafe new.loads[index].weight
            unsafe new.loads[index] = loads[before]
            unsafe new.loads[index].weight = weight
            unsafe new.loads[index].inFlight = 0
        }
        for (index, before) in change.clusterBefore.enumerated() where before >= 0 {
            guard plans[index].hasSameEndpoints(as: self.plans[before]) else { continue }
            unsafe new.clusters[index].turns = clusters[before].turns
            moveLevelTurns(of: before, to: new, index)
            moveZoneTurns(of: before, to: new, index)
        }
        self = new
    }

    /// An exchange that began under the plans before is under way at an endpoint that has stayed.
    func enter(_ endpoint: Int) { _ = take(endpoint) }

    // MARK: - Choosing

    /// What of a request the cluster's policy wants to know.
    func keySource(_ cluster: Int) -> RequestKey {
        precondition(UInt(bitPattern: cluster) < UInt(bitPattern: clusterCount))
        switch unsafe clusters[cluster].keyKind {
        case .none: return .none
        case .uri: return .uri
        case .source: return .source
        case .header: return unsafe .header(keyNames.view[clusters[cluster].keyName])
        case .cookie: return unsafe .cookie(keyNames.view[clusters[cluster].keyName])
        }
    }

    /// The gate that exchanges of the cluster go through; 0: there is none.
    @inline(__always)
    func gate(_ cluster: Int) -> UInt16 {
        precondition(UInt(bitPattern: cluster) < UInt(bitPattern: clusterCount))
        return unsafe clusters[cluster].gate
    }

    /// Whether nothing is known that its requests could go to.
    func isEmpty(_ cluster: Int) -> Bool {
        precondition(UInt(bitPattern: cluster) < UInt(bitPattern: clusterCount))
        return unsafe clusters[cluster].count == 0
    }

    /// The numbers of the cluster's endpoints.
    func endpoints(of cluster: Int) -> Range<Int> {
        precondition(UInt(bitPattern: cluster) < UInt(bitPattern: clusterCount))
        let first = unsafe clusters[cluster].first
        return unsafe first..<first + clusters[cluster].count
    }

    /// The cluster of an endpoint, and its place among those.
    func place(of endpoint: Int) -> (cluster: Int, place: Int) {
        precondition(UInt(bitPattern: endpoint) < UInt(bitPattern: endpointCount))
        let cluster = unsafe watches[endpoint].cluster
        return unsafe (cluster, endpoint - clusters[cluster].first)
    }

    /// The number of the cluster's first endpoint; it is not empty.
    func firstEndpoint(_ cluster: Int) -> Int {
        precondition(UInt(bitPattern: cluster) < UInt(bitPattern: clusterCount))
        return unsafe clusters[cluster].first
    }

    /// The endpoint for an exchange's first attempt; the exchange counts as under way there until `release`. nil if none may be
    /// used.
    ///
    /// - Parameters:
    ///   - key: of hashed policies, else 0; 0 as well if the request has none: then endpoints take turns.
    ///   - zone: the number of the zone that comes first for its client.
    @inline(__always)
    func choose(_ cluster: Int, key: UInt64, zone: UInt8 = 0, now: Int64) -> Int? {
        precondition(UInt(bitPattern: cluster) < UInt(bitPattern: clusterCount))
        let first = unsafe clusters[cluster].first
        if unsafe clusters[cluster].isGuarded {
            guard let chosen = chooseGuarded(cluster, key: key, zone: zone, now: now) else {
                return nil
            }
            return take(first &+ chosen)
        }
        if unsafe clusters[cluster].count == 1 { return take(first) }
        guard let chosen = unsafe chooseOne(clusters + cluster, key: key, excluding: .none, now: now) else {
            preconditionFailure("nothing was excluded")
        }
        return take(first &+ chosen)
    }

    private func chooseGuarded(_ cluster: Int, key: UInt64, zone: UInt8, now: Int64) -> Int? {
        let place = unsafe clusters + cluster
        if unsafe place.pointee.count == 0 { return nil }
        if unsafe place.pointee.cap > 0 {
            return chooseCapped(
                cluster, besides: .none, mayClaimTrial: true, key: key, zone: zone, now: now)
        }
        if unsafe place.pointee.watch.isOutdated(now) {
            if let trial = look(cluster, mayClaimTrial: true, now: now) { return trial }
        }
        let watch = unsafe place.pointee.watch
        if watch.isAllTheSame {
            return unsafe place.pointee.count == 1
                ? 0 : chooseOne(place, key: key, excluding: .none, now: now)
        }
        return chooseAvailable(cluster, besides: .none, key: key, zone: zone, now: now)
    }

    /// The endpoint for another attempt, one that the exchange has not tried: `endpoint` failed it. nil if there is none.
    /// In both cases the exchange is no longer under way at the one that failed.
    ///
    /// - Parameters:
    ///   - endpoint: nil if it has gone from the cluster meanwhile.
    ///   - keepsPlace: it has not failed, but is slow: somebody else stays under way there, and its level is not left.
    ///   - isFirstFailure: what the exchange's slot remembers is an earlier tenant's.
    func chooseAnother(
        _ cluster: Int, than endpoint: Int?, for exchange: UInt32, isFirstFailure: Bool, key: UInt64,
        zone: UInt8 = 0, keepsPlace: Bool = false, now: Int64
    ) -> Int? {
        precondition(UInt(bitPattern: cluster) < UInt(bitPattern: clusterCount))
        precondition(Int(exchange) < exchangeCapacity)
        if let endpoint, !keepsPlace { release(endpoint) }
        guard unsafe clusters[cluster].count > (endpoint == nil ? 0 : 1) else { return nil }
        let words = unsafe tried + Int(exchange) * wordsPerExchange
        if isFirstFailure { unsafe words.update(repeating: 0, count: wordsPerExchange) }
        if let endpoint {
            let index = unsafe endpoint - clusters[cluster].first
            unsafe words[index >> 6] |= 1 << UInt64(index & 63)
        }
        let mask = tried(exchange)
        let level = keepsPlace ? endpoint.map { unsafe Int(watches[$0].level) } : nil
        let chosen: Int?
        if unsafe clusters[cluster].cap > 0 {
            chosen = chooseCapped(
                cluster, besides: mask, mayClaimTrial: false, key: key, zone: zone, level: level, now: now)
        } else if unsafe clusters[cluster].watch.isOn {
            // An attempt that has failed once is not what finds out whether an ejected endpoint works.
            if unsafe clusters[cluster].watch.isOutdated(now) {
                _ = look(cluster, mayClaimTrial: false, now: now)
            }
            chosen = chooseAvailable(
                cluster, besides: mask, key: key, zone: zone, level: level, now: now)
        } else {
            chosen = unsafe chooseOne(clusters + cluster, key: key, excluding: mask, now: now)
        }
        guard let chosen else { return nil }
        return unsafe take(clusters[cluster].first + chosen)
    }

    /// What an exchange has tried in vain another one need not try.
    func shareTried(of exchange: UInt32, with other: UInt32) {
        precondition(Int(exchange) < exchangeCapacity && Int(other) < exchangeCapacity)
        let (words, others) = unsafe (
            tried + Int(exchange) * wordsPerExchange, tried + Int(other) * wordsPerExchange
        )
        unsafe others.update(from: words, count: wordsPerExchange)
    }

    /// The endpoints that an exchange has tried in vain, after it has tried one.
    func tried(_ exchange: UInt32) -> EndpointMask {
        precondition(Int(exchange) < exchangeCapacity)
        return unsafe EndpointMask(
            words: tried + Int(exchange) * wordsPerExchange, wordCount: wordsPerExchange)
    }

    func chooseOne(
        _ cluster: UnsafeMutablePointer<Cluster>, key: UInt64, excluding excluded: EndpointMask, now: Int64
    ) -> Int? {
        let loads = unsafe EndpointLoads(base: loads + cluster.pointee.first, count: cluster.pointee.count)
        switch unsafe cluster.pointee.policy {
        case .roundRobin: break
        case .leastRequests:
            return unsafe cluster.pointee.turns.leastRequests.choose(loads, excluding: excluded)
        case .peakEWMA:
            return unsafe cluster.pointee.draw.chooseCheaper(loads, excluding: excluded, now: now)
        case .random: return unsafe cluster.pointee.draw.choose(loads, excluding: excluded)
        case .ringHash, .maglev:
            guard key != 0, let table = unsafe cluster.pointee.table else { break }
            return unsafe table.choose(key, loads, excluding: excluded, bound: cluster.pointee.bound)
        }
        return unsafe cluster.pointee.turns.roundRobin.choose(loads, excluding: excluded)
    }

    @inline(__always)
    func take(_ endpoint: Int) -> Int {
        unsafe loads[endpoint].inFlight &+= 1
        return endpoint
    }

    /// An exchange is no longer under way at the endpoint.
    @inline(__always)
    func release(_ endpoint: Int) {
        precondition(UInt(bitPattern: endpoint) < UInt(bitPattern: endpointCount))
        precondition(unsafe loads[endpoint].inFlight > 0, "an exchange leaves once")
        unsafe loads[endpoint].inFlight &-= 1
        if hasCaps { releaseCap(endpoint) }
    }

    /// Exchanges under way at the endpoint.
    func inFlight(_ endpoint: Int) -> UInt32 {
        precondition(UInt(bitPattern: endpoint) < UInt(bitPattern: endpointCount))
        return unsafe loads[endpoint].inFlight
    }

    // MARK: - What came of it

    /// An endpoint began to answer so many nanoseconds after it had been asked.
    func noteLatency(_ endpoint: Int, _ latency: Int64, now: Int64) {
        precondition(UInt(bitPattern: endpoint) < UInt(bitPattern: endpointCount))
        unsafe loads[endpoint].latency.note(latency, now: now)
    }
}
