internal import Synchronization

// Which endpoints of a cluster may be chosen: what all workers know of them, as this worker last saw it.
extension ClusterTable {
    /// Looks at all endpoints of a cluster.
    ///
    /// - Returns: an ejected endpoint that this very request is to try, because nobody else does.
    @inline(never)
    func look(_ cluster: Int, mayClaimTrial: Bool, now: Int64) -> Int? {
        var watch = unsafe clusters[cluster].watch
        guard let health = plans[cluster].health else {
            // There are but its levels and zones to look at, once and for all.
            watch.changesAt = .max
            unsafe clusters[cluster].watch = watch
            updateShares(cluster)
            return nil
        }
        watch.beginLooking()
        var hasChanged = watch.changesAt == .min
        watch.excludedCount = 0
        watch.returningCount = 0
        watch.changesAt = .max
        let words = unsafe excluded + watch.firstWord
        let first = unsafe clusters[cluster].first
        for (index, endpoint) in health.endpoints.enumerated() {
            let bit: UInt64 = 1 << UInt64(index & 63)
            let isAvailable = endpoint.isAvailable
            if unsafe (words[index >> 6] & bit == 0) != isAvailable { hasChanged = true }
            unsafe words[index >> 6] &= ~bit
            unsafe watches[first + index].returnedAt = 0
            if isAvailable {
                let whole = endpoint.returnedAt + health.settings.slowStart
                guard endpoint.returnedAt != 0, now < whole else { continue }
                unsafe watches[first + index].returnedAt = endpoint.returnedAt
                watch.returningCount += 1
                watch.changesAt = min(watch.changesAt, whole)
                continue
            }
            unsafe words[index >> 6] |= bit
            watch.excludedCount += 1
        }
        unsafe clusters[cluster].watch = watch
        var top = 0
        if watch.hasLevels {
            top = updateLevels(cluster, panicPercent: health.settings.panicPercent)
            let levelCount = unsafe clusters[cluster].levelCount
            watch.isPanic = health.settings.panicPercent > 0 && top == levelCount
        } else {
            watch.isPanic = health.isPanic(available: health.endpoints.count - watch.excludedCount)
        }
        var trial: Int?
        for (index, endpoint) in health.endpoints.enumerated()
        where unsafe words[index >> 6] >> UInt64(index & 63) & 1 == 1 {
            // What checks leave out returns by checks, and nobody need know of a level that is not used.
            guard endpoint.checkedState != .unhealthy, unsafe Int(watches[first + index].level) <= top else {
                continue
            }
            if mayClaimTrial && trial == nil && isRoomy(cluster, index)
                && endpoint.claimTrial(now: now, patience: health.trialPatience)
            {
                trial = index
                // A success that overlapped the ejection may have ended the row: the trial's has to be looked at all the same.
                _ = unsafe endpoint.streak.pointee.compareExchange(
                    expected: 0, desired: 1, ordering: .relaxed)
            }
            watch.changesAt = min(watch.changesAt, max(now, endpoint.trialDueAt))
        }
        unsafe clusters[cluster].watch = watch
        if watch.hasZones && hasChanged { updateShares(cluster) }
        return trial
    }

    /// Whether so few endpoints of the cluster are available that all are used.
    func isPanic(_ cluster: Int) -> Bool {
        precondition(UInt(bitPattern: cluster) < UInt(bitPattern: clusterCount))
        return unsafe clusters[cluster].watch.isPanic
    }

    /// Takes down what is not to be chosen: what is left out, unless all are used, and what else there is.
    func fillScratch(_ cluster: Int, besides other: EndpointMask) {
        let watch = unsafe clusters[cluster].watch
        for word in 0..<Self.wordCount(unsafe clusters[cluster].count) {
            let left = watch.isPanic ? 0 : unsafe excluded[watch.firstWord + word]
            unsafe scratch[word] = left | other.word(word)
        }
    }

    /// Chooses among what the scratch does not exclude. An endpoint that has returned lately is passed over in as many of the
    /// cases as its share is short of; so every policy gives it that part of what it would, and no weight has to change.
    func chooseAmong(_ cluster: Int, key: UInt64, now: Int64) -> Int? {
        let place = unsafe clusters + cluster
        let mask = unsafe EndpointMask(words: scratch, wordCount: Self.wordCount(place.pointee.count))
        guard let chosen = unsafe chooseOne(place, key: key, excluding: mask, now: now) else { return nil }
        var candidate = chosen
        for _ in 0..<(unsafe place.pointee.watch.returningCount) {
            if isWanted(cluster, candidate, now: now) { return candidate }
            unsafe scratch[candidate >> 6] |= 1 << UInt64(candidate & 63)
            guard let other = unsafe chooseOne(place, key: key, excluding: mask, now: now) else {
                return chosen
            }
            candidate = other
        }
        return candidate
    }

    /// Whether an endpoint takes its turn: always, unless it has returned lately.
    private func isWanted(_ cluster: Int, _ index: Int, now: Int64) -> Bool {
        let returnedAt = unsafe watches[clusters[cluster].first + index].returnedAt
        guard returnedAt != 0, let duration = plans[cluster].health?.settings.slowStart, duration > 0 else {
            return true
        }
        let share = max(HealthSettings.firstShare, Double(now - returnedAt) / Double(duration))
        return unsafe clusters[cluster].draw.chance(share)
    }

    // MARK: - What came of it

    /// An endpoint began to answer.
    ///
    /// - Parameter latency: nanoseconds since it was asked; 0: nobody knows.
    @inline(__always)
    func noteAnswer(_ endpoint: Int, status: UInt16, latency: Int64, now: Int64) {
        precondition(UInt(bitPattern: endpoint) < UInt(bitPattern: endpointCount))
        let isFailure = unsafe watches[endpoint].isFailure(status)
        if unsafe watches[endpoint].isNoNews(isFailure: isFailure) { return }
        noteOutcome(endpoint, isFailure: isFailure, latency: latency, now: now)
    }

    /// An attempt at an endpoint failed before it answered, or in the middle of its answer.
    func noteFailure(_ endpoint: Int, now: Int64) {
        precondition(UInt(bitPattern: endpoint) < UInt(bitPattern: endpointCount))
        if unsafe watches[endpoint].isNoNews(isFailure: true) { return }
        noteOutcome(endpoint, isFailure: true, latency: 0, now: now)
    }

    @inline(never)
    private func noteOutcome(_ endpoint: Int, isFailure: Bool, latency: Int64, now: Int64) {
        let cluster = unsafe watches[endpoint].cluster
        let index = unsafe endpoint - clusters[cluster].first
        plans[cluster].health?.note(index, isFailure: isFailure, latency: latency, now: now)
    }
}
