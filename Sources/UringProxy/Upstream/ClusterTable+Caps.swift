// Endpoints that take so many exchanges at once: one that has them is not chosen.
extension ClusterTable {
    /// Whether the cluster's endpoints have a limit.
    func isCapped(_ cluster: Int) -> Bool {
        precondition(UInt(bitPattern: cluster) < UInt(bitPattern: clusterCount))
        return unsafe clusters[cluster].cap > 0
    }

    /// Whether the last choice left out endpoints because they have as much as they may.
    func lacksRoom(_ cluster: Int) -> Bool {
        precondition(UInt(bitPattern: cluster) < UInt(bitPattern: clusterCount))
        return unsafe clusters[cluster].lacksRoom
    }

    /// Chooses among the endpoints that have room, of which the chosen one has one place less from then on. nil if there is none, or
    /// none may be used.
    @inline(never)
    func chooseCapped(
        _ cluster: Int, besides other: EndpointMask, mayClaimTrial: Bool, key: UInt64, zone: UInt8,
        level: Int? = nil, now: Int64
    ) -> Int? {
        let place = unsafe clusters + cluster
        let (first, cap) = unsafe (place.pointee.first, place.pointee.cap)
        unsafe place.pointee.lacksRoom = false
        if unsafe place.pointee.watch.isOn && place.pointee.watch.isOutdated(now),
            let trial = look(cluster, mayClaimTrial: mayClaimTrial, now: now),
            unsafe caps[first + trial]?.enter(limit: cap) ?? false
        {
            return trial
        }
        while true {
            let chosen = chooseAvailable(
                cluster, besides: other, key: key, zone: zone, level: level, now: now)
            guard let chosen else { return nil }
            // Another worker may have been faster.
            if unsafe caps[first + chosen]?.enter(limit: cap) ?? false { return chosen }
        }
    }

    /// Takes down endpoints without room; whether there are any that would have been chosen from.
    func leaveOutFull(_ cluster: Int) -> Bool {
        var found = false
        for index in 0..<(unsafe clusters[cluster].count) {
            let bit: UInt64 = 1 << UInt64(index & 63)
            if unsafe scratch[index >> 6] & bit != 0 || isRoomy(cluster, index) { continue }
            unsafe scratch[index >> 6] |= bit
            found = true
        }
        return found
    }

    /// Whether an endpoint of the cluster has fewer exchanges than it may have.
    @inline(__always)
    func isRoomy(_ cluster: Int, _ index: Int) -> Bool {
        let cap = unsafe clusters[cluster].cap
        guard cap > 0 else { return true }
        return unsafe (caps[clusters[cluster].first + index]?.underWay ?? 0) < cap
    }

    /// Whether an exchange that came now would find an endpoint, or none that may be used at all: then it is not for want of room.
    ///
    /// - Parameter tried: endpoints that it does not look for; who has tried any is not the one to find out whether an ejected endpoint works.
    @inline(never)
    func hasRoom(_ cluster: Int, besides tried: EndpointMask? = nil, now: Int64) -> Bool {
        guard isCapped(cluster), !isEmpty(cluster) else { return true }
        if unsafe clusters[cluster].watch.isOn && clusters[cluster].watch.isOutdated(now) {
            _ = look(cluster, mayClaimTrial: false, now: now)
        }
        let watch = unsafe clusters[cluster].watch
        var top = 0
        if watch.hasLevels {
            fillScratch(cluster, besides: tried ?? .none)
            top = topLevel(cluster) ?? .max
        }
        var isUsable = false
        for index in 0..<(unsafe clusters[cluster].count) where !(tried?.contains(index) ?? false) {
            let isLeftOut = unsafe excluded[watch.firstWord + index >> 6] >> UInt64(index & 63) & 1 == 1
            let level = unsafe Int(watches[clusters[cluster].first + index].level)
            // Of what would not be chosen one whose trial is due is of use, but for levels that nobody looks at.
            if level != top || isLeftOut && !watch.isPanic {
                guard isLeftOut, tried == nil, level <= top || watch.isPanic,
                    let health = plans[cluster].health?.endpoints[index], health.isTrialDue(now)
                else { continue }
            }
            isUsable = true
            if isRoomy(cluster, index) { return true }
        }
        return !isUsable
    }

    @inline(never)
    func releaseCap(_ endpoint: Int) { unsafe caps[endpoint]?.leave() }

    /// What is under way at endpoints counts where it did not, and no longer where it need not.
    ///
    /// - Parameter new: what takes this table's place.
    func moveCaps(to new: borrowing ClusterTable, _ change: ClusterChange) {
        for endpoint in 0..<endpointCount {
            let count = inFlight(endpoint)
            let after = change.endpointAfter[endpoint]
            let cap = unsafe caps[endpoint]
            let next = unsafe after < 0 ? nil : new.caps[after]
            if let cap, let next, cap.isSame(as: next) { continue }
            next?.include(count)
            cap?.leave(count)
        }
    }
}
