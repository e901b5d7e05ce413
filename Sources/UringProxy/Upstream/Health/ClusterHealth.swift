internal import Synchronization

/// How the endpoints of one cluster do, for one configuration of it: the endpoints are those of every configuration before
/// and after that names them.
final class ClusterHealth: Sendable {
    let name: String
    let settings: HealthSettings
    /// In the order of the cluster.
    let endpoints: [EndpointHealth]
    /// How they are checked; nil: not at all.
    let check: HealthCheck?
    /// nil: all endpoints have one priority.
    let priorities: PriorityPlan?
    private let signal: HealthSignal

    init(
        name: String, settings: HealthSettings, check: HealthCheck?, endpoints: [EndpointHealth],
        priorities: PriorityPlan? = nil, signal: HealthSignal
    ) {
        self.check = check
        self.name = name
        self.settings = settings
        self.endpoints = endpoints
        self.priorities = priorities
        self.signal = signal
    }

    /// Moves with every change of any endpoint of the cluster. As good as this object.
    var generation: UnsafeMutablePointer<Atomic<UInt64>> { unsafe signal.generation }

    /// Whether what requests meet at endpoints has consequences: the only endpoint of a cluster is never ejected.
    var judgesRequests: Bool { settings.outliers.isOn && endpoints.count > 1 }

    /// How long a request has to find out whether an ejected endpoint works (nanoseconds).
    var trialPatience: Int64 { max(settings.outliers.ejection, 1_000_000_000) }

    var availableCount: Int { endpoints.reduce(0) { $0 + ($1.isAvailable ? 1 : 0) } }

    /// Whether so few are available, of each priority where there are several, that it does not matter which.
    var isPanic: Bool {
        guard priorities != nil else { return isPanic(available: availableCount) }
        return settings.panicPercent > 0 && level == nil
    }

    /// What requests get then.
    var panicText: String { priorities == nil ? "all are used" : "all of the first priority are used" }

    /// The same where all have one priority.
    func isPanic(available: Int) -> Bool {
        available < endpoints.count && available * 100 < settings.panicPercent * endpoints.count
    }

    /// The level that is used; nil if no level has enough available endpoints, or all have one priority.
    var level: Int? {
        priorities?.level(panicPercent: settings.panicPercent) { endpoints[$0].isAvailable }
    }

    // MARK: - What requests met

    /// An attempt at an endpoint has come to an end, good or bad.
    ///
    /// - Parameter latency: nanoseconds to the answer; 0: there was none, or nobody knows.
    func note(_ index: Int, isFailure: Bool, latency: Int64, now: Int64) {
        let endpoint = endpoints[index]
        let outliers = settings.outliers
        let windowEnded =
            outliers.measures
            && endpoint.window.add(isFailure: isFailure, latency: latency, outliers, now: now)
        let streak = unsafe endpoint.streak
        if isFailure {
            let failures = unsafe streak.pointee.wrappingAdd(1, ordering: .relaxed).newValue
            if endpoint.isEjected {
                // What was under way when it was ejected says nothing new.
                if endpoint.isOnTrial { eject(index, .trial, now: now) }
            } else if outliers.consecutive > 0 && failures >= outliers.consecutive {
                eject(index, .consecutive, now: now)
            } else if outliers.measures && endpoint.window.exceeds(outliers) {
                eject(index, .errorRate, now: now)
            }
            return
        }
        if endpoint.isEjected {
            if endpoint.isOnTrial && endpoint.reinstate(now: now) { signal.raise() }
            return
        }
        unsafe streak.pointee.store(0, ordering: .relaxed)
        if windowEnded && isSlow(index) { eject(index, .latency, now: now) }
    }

    /// Whether an endpoint's answers took much longer than those of the others that it stands beside. Compared with their harmonic
    /// mean: one among them that is slow as well hardly moves it.
    private func isSlow(_ index: Int) -> Bool {
        guard settings.outliers.latencyFactor > 0 else { return false }
        var count = 0
        var sum = 0.0
        for (other, endpoint) in endpoints.enumerated() where other != index {
            // What stands in for others may well be slower, and what those took last is long ago.
            if let levels = priorities?.levels, levels[other] != levels[index] { continue }
            let mean = endpoint.window.meanLatency
            guard mean > 0 else { continue }
            count += 1
            sum += 1 / Double(mean)
        }
        guard count > 0 else { return false }
        let own = Double(endpoints[index].window.meanLatency)
        return own > settings.outliers.latencyFactor * Double(count) / sum
    }

    /// Leaves an endpoint out for a time, if not too many are already.
    private func eject(_ index: Int, _ reason: EndpointHealth.EjectionReason, now: Int64) {
        // One thread at a time, so that what is counted stays true. Who comes second lets it be: the next failure will do.
        guard signal.beginEjecting() else { return }
        defer { signal.endEjecting() }
        let outliers = settings.outliers
        if reason != .trial {
            var ejected = 0
            for endpoint in endpoints where endpoint.isEjected { ejected += 1 }
            let most = (endpoints.count * outliers.mostEjectedPercent + 99) / 100
            guard !endpoints[index].isEjected, ejected < min(max(1, most), endpoints.count - 1) else {
                return
            }
        }
        endpoints[index].eject(outliers, reason, now: now)
        signal.raise()
    }

    /// Lets endpoints back in that only a check, or only the end of an ejection, could let in, where there is no such thing any
    /// more. By the thread that checks, at its beginning and after a reload.
    func forgetWhatIsNotAsked(now: Int64) {
        var isNews = false
        for endpoint in endpoints {
            if check == nil && endpoint.forgetChecks(now: now) { isNews = true }
            if !judgesRequests && endpoint.reinstate(now: now) { isNews = true }
        }
        if isNews { signal.raise() }
    }

    // MARK: - What checks found

    /// The word of an endpoint's checks.
    func noteChecked(_ index: Int, isHealthy: Bool, now: Int64) {
        if endpoints[index].noteChecked(isHealthy ? .healthy : .unhealthy, now: now) { signal.raise() }
    }
}
