// The zone of the proxy: its endpoints come first, and those of other zones get what they cannot take.
extension ClusterTable {
    /// Chooses among what is neither left out nor in `other`, in the zone whose turn it is; elsewhere if nothing is left there.
    func chooseAvailable(_ cluster: Int, besides other: EndpointMask, key: UInt64, now: Int64) -> Int? {
        takeDown(cluster, besides: other)
        if unsafe clusters[cluster].watch.prefersZone {
            if let chosen = chooseInZone(cluster, key: key, now: now) { return chosen }
            takeDown(cluster, besides: other)
        }
        return chooseAmong(cluster, key: key, now: now)
    }

    /// Takes down all that is not to be chosen, endpoints without room among it.
    private func takeDown(_ cluster: Int, besides other: EndpointMask) {
        fillScratch(cluster, besides: other)
        if unsafe clusters[cluster].cap > 0 {
            unsafe clusters[cluster].lacksRoom = leaveOutFull(cluster)
        }
    }

    /// Chooses among what the scratch does not exclude on one side: in the zone, or outside. A key always comes to the same side, as
    /// long as the shares are the same; when they change, it moves only with what they change by.
    private func chooseInZone(_ cluster: Int, key: UInt64, now: Int64) -> Int? {
        let place = unsafe clusters + cluster
        let watch = unsafe place.pointee.watch
        let isLocal = watch.localShare == ZonePlan.whole || watch.localShare > point(cluster, key: key)
        for word in 0..<Self.wordCount(unsafe place.pointee.count) {
            let others = unsafe outside[watch.firstWord + word]
            unsafe scratch[word] |= isLocal ? others : ~others
        }
        if isLocal { return chooseAmong(cluster, key: key, now: now) }
        // Each side takes turns of its own: one that the other moves would always begin at the same endpoint.
        swapTurns(cluster)
        defer { swapTurns(cluster) }
        return chooseAmong(cluster, key: key, now: now)
    }

    /// Where a choice falls between the zone and the others, in 1/2^32.
    private func point(_ cluster: Int, key: UInt64) -> UInt64 {
        if unsafe clusters[cluster].policy.isHashed && key != 0 {
            return KeyHash.derive(key, 0x7A6F_6E65) >> 32
        }
        return unsafe clusters[cluster].draw.point()
    }

    private func swapTurns(_ cluster: Int) {
        let place = unsafe clusters + cluster
        let (roundRobin, leastRequests) = unsafe (place.pointee.roundRobin, place.pointee.leastRequests)
        unsafe place.pointee.roundRobin = place.pointee.roundRobinOutside
        unsafe place.pointee.leastRequests = place.pointee.leastRequestsOutside
        unsafe place.pointee.roundRobinOutside = roundRobin
        unsafe place.pointee.leastRequestsOutside = leastRequests
    }

    /// The part of the load that stays in the zone, once it is known which endpoints are left out.
    func localShare(_ cluster: Int) -> UInt64 {
        let firstWord = unsafe clusters[cluster].watch.firstWord
        return plans[cluster].zones?.localShare { index in
            unsafe excluded[firstWord + index >> 6] >> UInt64(index & 63) & 1 == 0
        } ?? ZonePlan.whole
    }
}
