internal import Synchronization

/// What a worker remembers of a cluster's health, until something changes or becomes due.
@safe struct ClusterWatch: BitwiseCopyable {
    /// Whether an endpoint may be left out, or comes after others.
    let isOn: Bool
    /// Endpoints have several priorities.
    let hasLevels: Bool
    /// Endpoints of a zone may come first.
    let hasZones: Bool
    /// So few are available that all are used.
    var isPanic = false
    /// Where its words begin among those of all clusters.
    let firstWord: Int
    /// Endpoints that are left out.
    var excludedCount = 0
    /// Endpoints that have returned lately and get less than their share.
    var returningCount = 0
    /// When something changes by itself (nanoseconds).
    var changesAt = Int64.min
    private let generation: UnsafeMutablePointer<Atomic<UInt64>>?
    private var seen = UInt64.max

    init(_ health: ClusterHealth?, firstWord: Int, hasLevels: Bool, hasZones: Bool) {
        isOn = health != nil || hasLevels || hasZones
        self.hasLevels = hasLevels
        self.hasZones = hasZones
        self.firstWord = firstWord
        unsafe generation = health?.generation
    }

    /// Whether to look again; in the common case two loads and two comparisons.
    @inline(__always)
    func isOutdated(_ now: Int64) -> Bool { now >= changesAt || hasNews }

    /// Whether an endpoint has been left out, or let in again, since the last look.
    @inline(__always)
    var hasNews: Bool { currentGeneration != seen }

    @inline(__always)
    private var currentGeneration: UInt64 {
        guard let generation = unsafe generation else { return seen }
        return unsafe generation.pointee.load(ordering: .acquiring)
    }

    /// To be called before the endpoints are looked at: what changes meanwhile is seen the next time.
    mutating func beginLooking() { seen = currentGeneration }

    /// No endpoint is to be treated in a way of its own.
    @inline(__always)
    var isAllTheSame: Bool {
        (excludedCount == 0 || isPanic) && returningCount == 0 && !prefersZone && !hasLevels
    }

    /// Whether endpoints of a zone may come first now.
    @inline(__always)
    var prefersZone: Bool { hasZones && !isPanic }
}

/// What a worker remembers of one endpoint's health.
@safe struct EndpointWatch: BitwiseCopyable {
    /// `EndpointHealth.streak`, if requests are judged here.
    private let streak: UnsafeMutablePointer<Atomic<UInt32>>?
    let cluster: Int
    /// By its priority, where the cluster has several.
    let level: UInt16
    /// Every answer counts, and not only those that end a row of failures.
    private let measures: Bool
    private let statuses: FailureStatuses
    /// When it was found to work again (nanoseconds), while it gets less than its share for that; else 0.
    var returnedAt: Int64 = 0

    init(_ plan: ClusterPlan, _ place: Int, cluster: Int) {
        let health = plan.health
        self.cluster = cluster
        level = plan.priorities?.levels[place] ?? 0
        let isJudged = health?.judgesRequests ?? false
        unsafe streak = isJudged ? health?.endpoints[place].streak : nil
        measures = health?.settings.outliers.measures ?? false
        statuses = health?.settings.outliers.statuses ?? .none
    }

    @inline(__always)
    func isFailure(_ status: UInt16) -> Bool { statuses.contains(status) }

    /// Whether nobody learns anything from an attempt that ended so: the common case, one load.
    @inline(__always)
    func isNoNews(isFailure: Bool) -> Bool {
        guard let streak = unsafe streak else { return true }
        if isFailure || measures { return false }
        return unsafe streak.pointee.load(ordering: .relaxed) == 0
    }
}
