// Zones that come first, the proxy's own or one for its client: their endpoints are chosen from, and those elsewhere get what they
// cannot take.
extension ClusterTable {
    /// Whose turn it is.
    struct Turns: BitwiseCopyable {
        var roundRobin: RoundRobin
        var leastRequests: LeastRequests
    }

    /// What a worker remembers of one of a cluster's zones.
    struct Zone: BitwiseCopyable {
        /// Some endpoints stand in it, and others do not.
        let isOn: Bool
        /// Where its words begin in `outside`.
        let firstWord: Int
        /// The part of the load that stays in it, in 1/2^32.
        var share = ZonePlan.whole
        // Each side takes turns of its own: one that the other moves would always begin at the same endpoint.
        var inside: Turns
        var outside: Turns
    }

    /// Whether it depends on the client which zone of the cluster comes first.
    func hasClientZones(_ cluster: Int) -> Bool {
        precondition(UInt(bitPattern: cluster) < UInt(bitPattern: clusterCount))
        return unsafe clusters[cluster].zoneRules != nil
    }

    /// Whether for that it has to be known where the client is.
    func asksLocation(_ cluster: Int) -> Bool {
        precondition(UInt(bitPattern: cluster) < UInt(bitPattern: clusterCount))
        return unsafe clusters[cluster].zoneRules?.asksLocation ?? false
    }

    /// The number of the zone that comes first for a client; 0: what holds for all others.
    func zone(_ cluster: Int, for client: IPAddress, at location: GeoLocation) -> UInt8 {
        precondition(UInt(bitPattern: cluster) < UInt(bitPattern: clusterCount))
        return unsafe clusters[cluster].zoneRules?.zone(for: client, at: location) ?? 0
    }

    /// Chooses among what is neither left out nor in `other`, in the zone whose turn it is; elsewhere if nothing is left there.
    ///
    /// - Parameters:
    ///   - zone: the number of the zone that comes first.
    ///   - level: of several priorities the one that is not left; nil: the first that can be used.
    func chooseAvailable(
        _ cluster: Int, besides other: EndpointMask, key: UInt64, zone: UInt8, level: Int? = nil,
        now: Int64
    ) -> Int? {
        let level = takeDown(cluster, besides: other, level)
        if unsafe clusters[cluster].watch.prefersZone, let zone = unsafe self.zone(cluster, zone, level) {
            if let chosen = unsafe chooseByZone(cluster, zone, key: key, now: now) { return chosen }
            _ = takeDown(cluster, besides: other, level)
        }
        return chooseInLevel(cluster, level, key: key, now: now)
    }

    /// One of a cluster's zones at a level; nil if all endpoints are alike for it.
    private func zone(_ cluster: Int, _ number: UInt8, _ level: Int) -> UnsafeMutablePointer<Zone>? {
        precondition(unsafe Int(number) < clusters[cluster].zoneCount, "the number is the cluster's")
        let index = unsafe clusters[cluster].firstZone + Int(number) * clusters[cluster].levelCount + level
        return unsafe zones[index].isOn ? zones + index : nil
    }

    /// Takes down all that is not to be chosen: other levels than the one that is returned, and endpoints without room. Who finds those
    /// of a level full waits for them, and does not go to the next.
    private func takeDown(_ cluster: Int, besides other: EndpointMask, _ wanted: Int?) -> Int {
        var level = 0
        fillScratch(cluster, besides: other)
        if unsafe clusters[cluster].watch.hasLevels {
            if let wanted {
                level = wanted
                leaveLevel(cluster, wanted)
            } else {
                level = leaveTopLevel(cluster)
            }
        }
        if unsafe clusters[cluster].cap > 0 {
            unsafe clusters[cluster].lacksRoom = leaveOutFull(cluster)
        }
        return level
    }

    /// Chooses among what the scratch does not exclude on one side: in the zone, or outside. A key always comes to the same side, as
    /// long as the shares are the same; when they change, it moves only with what they change by.
    private func chooseByZone(
        _ cluster: Int, _ zone: UnsafeMutablePointer<Zone>, key: UInt64, now: Int64
    ) -> Int? {
        let place = unsafe clusters + cluster
        let share = unsafe zone.pointee.share
        let isLocal = share == ZonePlan.whole || share > point(cluster, key: key)
        for word in 0..<Self.wordCount(unsafe place.pointee.count) {
            let others = unsafe outside[zone.pointee.firstWord + word]
            unsafe scratch[word] |= isLocal ? others : ~others
        }
        if isLocal {
            return unsafe withTurns(&zone.pointee.inside, of: cluster) {
                chooseAmong(cluster, key: key, now: now)
            }
        }
        return unsafe withTurns(&zone.pointee.outside, of: cluster) {
            chooseAmong(cluster, key: key, now: now)
        }
    }

    /// Where a choice falls between the zone and the others, in 1/2^32.
    private func point(_ cluster: Int, key: UInt64) -> UInt64 {
        if unsafe clusters[cluster].policy.isHashed && key != 0 {
            return KeyHash.derive(key, 0x7A6F_6E65) >> 32
        }
        return unsafe clusters[cluster].draw.point()
    }

    /// Finds how much of the load stays in each zone, once it is known which endpoints are left out.
    func updateShares(_ cluster: Int) {
        let firstWord = unsafe clusters[cluster].watch.firstWord
        let firstZone = unsafe clusters[cluster].firstZone
        let (first, levelCount) = unsafe (clusters[cluster].first, clusters[cluster].levelCount)
        for number in 0..<(unsafe clusters[cluster].zoneCount) {
            guard let plan = plans[cluster].zones?.plans[number] else { continue }
            let shares = plan.localShares(
                level: { unsafe Int(watches[first + $0].level) },
                { unsafe excluded[firstWord + $0 >> 6] >> UInt64($0 & 63) & 1 == 0 })
            for level in 0..<levelCount {
                unsafe zones[firstZone + number * levelCount + level].share = shares[level]
            }
        }
    }

    /// Levels of a cluster with the same endpoints in another table go on taking turns there.
    func moveLevelTurns(of cluster: Int, to other: borrowing ClusterTable, _ index: Int) {
        guard hasLevels(cluster) else { return }
        for number in 0..<(unsafe clusters[cluster].levelCount) {
            let turns = unsafe levels[clusters[cluster].firstLevel + number].turns
            unsafe other.levels[other.clusters[index].firstLevel + number].turns = turns
        }
    }

    /// Zones that are there in a cluster of another table as well go on taking turns there.
    ///
    /// - Parameter index: of the same cluster there, with the same endpoints.
    func moveZoneTurns(of cluster: Int, to other: borrowing ClusterTable, _ index: Int) {
        guard let plans = plans[cluster].zones, let others = other.plans[index].zones else { return }
        for number in plans.plans.indices {
            let next = Int(plans.number(UInt8(number), in: others))
            if number > 0 && next == 0 { continue }
            let levelCount = unsafe clusters[cluster].levelCount
            for level in 0..<levelCount {
                let zone = unsafe zones[clusters[cluster].firstZone + number * levelCount + level]
                let place = unsafe other.zones + other.clusters[index].firstZone + next * levelCount + level
                unsafe place.pointee.inside = zone.inside
                unsafe place.pointee.outside = zone.outside
            }
        }
    }
}
