// Endpoints with priorities: those of a level are chosen only while no level before it can be.
extension ClusterTable {
    /// What a worker remembers of those endpoints of a cluster that have one priority.
    struct Level: BitwiseCopyable {
        /// Where its words begin in `beyond`.
        let firstWord: Int
        let count: Int
        var availableCount = 0
        /// So few of its endpoints are available that the next level is used, unless that is so of all.
        var isShort = false
        var turns: Turns
        /// Of hashed policies.
        let table: HashTable.View?
    }

    /// Whether the cluster's endpoints have several priorities.
    func hasLevels(_ cluster: Int) -> Bool { unsafe clusters[cluster].levelCount > 1 }

    /// Finds which levels have enough available endpoints, once it is known which endpoints are left out.
    ///
    /// - Returns: the first that has; how many there are if none has.
    func updateLevels(_ cluster: Int, panicPercent: Int) -> Int {
        let place = unsafe clusters + cluster
        let levels = unsafe self.levels + place.pointee.firstLevel
        let (first, firstWord) = unsafe (place.pointee.first, place.pointee.watch.firstWord)
        let count = unsafe place.pointee.levelCount
        for number in 0..<count { unsafe levels[number].availableCount = 0 }
        for index in 0..<(unsafe place.pointee.count)
        where unsafe excluded[firstWord + index >> 6] >> UInt64(index & 63) & 1 == 0 {
            unsafe levels[Int(watches[first + index].level)].availableCount += 1
        }
        var top = count
        for number in (0..<count).reversed() {
            let isShort = unsafe PriorityPlan.isShort(
                levels[number].availableCount, of: levels[number].count, panicPercent: panicPercent)
            unsafe levels[number].isShort = isShort
            if !isShort { top = number }
        }
        return top
    }

    /// The first level of which the scratch does not exclude all endpoints, short ones behind all others; nil if there is none.
    func topLevel(_ cluster: Int) -> Int? {
        if unsafe clusters[cluster].watch.isPanic { return firstLevel(cluster, includingShort: true) }
        return firstLevel(cluster, includingShort: false) ?? firstLevel(cluster, includingShort: true)
    }

    private func firstLevel(_ cluster: Int, includingShort: Bool) -> Int? {
        let place = unsafe clusters + cluster
        for number in 0..<(unsafe place.pointee.levelCount) {
            let level = unsafe levels[place.pointee.firstLevel + number]
            if level.isShort && !includingShort { continue }
            for word in 0..<Self.wordCount(unsafe place.pointee.count)
            where unsafe scratch[word] | beyond[level.firstWord + word] != .max {
                return number
            }
        }
        return nil
    }

    /// Takes down all endpoints but those of the first level that can be used.
    ///
    /// - Returns: that level; the first of all, if none can be and nothing is to be chosen.
    func leaveTopLevel(_ cluster: Int) -> Int {
        let place = unsafe clusters + cluster
        let words = Self.wordCount(unsafe place.pointee.count)
        guard let top = topLevel(cluster) else {
            unsafe scratch.update(repeating: .max, count: words)
            return 0
        }
        leaveLevel(cluster, top)
        return top
    }

    /// Takes down all endpoints but those of a level, and chooses by its table from then on.
    func leaveLevel(_ cluster: Int, _ number: Int) {
        let place = unsafe clusters + cluster
        let level = unsafe levels[place.pointee.firstLevel + number]
        for word in 0..<Self.wordCount(unsafe place.pointee.count) {
            unsafe scratch[word] |= beyond[level.firstWord + word]
        }
        unsafe place.pointee.table = level.table
    }

    /// Chooses among what the scratch does not exclude, all of one level, whose endpoints take turns by themselves.
    func chooseInLevel(_ cluster: Int, _ level: Int, key: UInt64, now: Int64) -> Int? {
        let place = unsafe clusters + cluster
        guard unsafe place.pointee.levelCount > 1 else { return chooseAmong(cluster, key: key, now: now) }
        return unsafe withTurns(&levels[place.pointee.firstLevel + level].turns, of: cluster) {
            chooseAmong(cluster, key: key, now: now)
        }
    }

    /// Lets other turns than those of the whole cluster be taken for a choice.
    func withTurns(_ turns: inout Turns, of cluster: Int, _ choose: () -> Int?) -> Int? {
        let place = unsafe clusters + cluster
        let own = unsafe place.pointee.turns
        unsafe place.pointee.turns = turns
        let chosen = choose()
        turns = unsafe place.pointee.turns
        unsafe place.pointee.turns = own
        return chosen
    }
}
