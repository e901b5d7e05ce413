// Clusters with so many connections at most, idle ones among them: whoever connects has a place first, and where there is none an
// idle connection gives way.
//
// An exchange goes in at its cluster only if fewer than that are under way there. So there is a place for each, but for what is idle,
// or about to be closed: an exchange waits for that no longer than it takes to be told of it, be it another worker's.
extension Engine where D: ~Copyable {
    /// A place for another connection of the exchange; false if there is none: then it waits for one and goes on by itself, unless
    /// another attempt of it is under way.
    @inline(never)
    mutating func takePlace(_ index: UInt32, _ gate: UInt16) -> Bool {
        if exchanges[index].attempts != (Slot.none, Slot.none) { return gates.enterAtOnce(gate) }
        switch gates.arrive(index, at: gate, now: driver.now) {
        case .entered: return true
        case .waits:
            exchanges[index].state = .awaitingPlace
            enter(.queue, index)
            armTimer(exchanges[index].downstream)
            makePlace(gate)
            return false
        case .refused, .shed: preconditionFailure("who has gone in may wait")
        }
    }

    /// Nothing came of a connection that had a place.
    func giveBackPlace(_ gate: UInt16) {
        if gates.leave(gate) { wakeNext(gate) }
    }

    /// A connection is closed that was counted.
    @inline(never)
    mutating func noteClosed(_ gate: UInt16) {
        // A close that was asked of a ring takes effect when the thread leaves the kernel: the SYN of a connect behind it in the same
        // entry, or of another worker meanwhile, would come to the peer before this FIN.
        gates.noteClosed(gate, entries: driver.statistics.wholeEntries)
    }

    /// What the kernel has been told the end of has left its place.
    mutating func settleClosed() {
        while let gate = gates.takeClosed(entries: driver.statistics.wholeEntries) { wakeNext(gate) }
    }

    // MARK: - Giving way

    /// One more exchange waits: an idle connection goes, of this worker, of nobody, or of another worker.
    private mutating func makePlace(_ gate: UInt16) {
        if let slot = longestIdle(gate) {
            closeInOrder(slot)
        } else if !discardOffer(gate) {
            askOthers(gate, for: 1)
        }
    }

    /// The idle connection of this worker to the cluster that was used longest ago.
    private func longestIdle(_ gate: UInt16) -> UInt32? {
        guard let cluster = gates.connectedCluster(gate) else { return nil }
        var found: UInt32?
        for number in clusters.endpoints(of: cluster) {
            let endpoint = fixedEndpoints[number]
            for slot in [endpoints[endpoint].lastIdle, idleCarrier(endpoint) ?? Slot.none]
            where slot != Slot.none
                && found.map({ connections[$0].phaseStartedAt > connections[slot].phaseStartedAt }) ?? true
            {
                found = slot
            }
        }
        return found
    }

    /// Ends a connection to the cluster that is on offer; false if none is.
    private mutating func discardOffer(_ gate: UInt16) -> Bool {
        guard let cluster = gates.connectedCluster(gate) else { return false }
        for number in clusters.endpoints(of: cluster) {
            guard let queue = lendingQueue(fixedEndpoints[number]), let offer = queue.offers.pop() else {
                continue
            }
            discard(offer, from: queue)
            return true
        }
        return false
    }

    /// Whether exchanges of this worker wait for a place that a connection on offer would leave.
    func isOfferAwaited(_ gate: UInt16) -> Bool {
        guard let cluster = gates.connectedCluster(gate), gates.firstWaiting(gate) != Slot.none else {
            return false
        }
        for number in clusters.endpoints(of: cluster) {
            if let queue = lendingQueue(fixedEndpoints[number]), !queue.offers.isEmpty { return true }
        }
        return false
    }

    /// A connection that was on offer is an exchange's: who waits still looks for another one to give way.
    @inline(never)
    mutating func offerTaken(_ gate: UInt16) {
        if gates.isAwaited(gate) { wantIdle(gate, 1) }
    }

    /// So many idle connections are to go: of this worker, or of another one.
    private mutating func wantIdle(_ gate: UInt16, _ count: Int) {
        if longestIdle(gate) == nil { askOthers(gate, for: count) } else { gates.noteIdle(gate) }
    }

    /// A connection to an endpoint that is not plain comes back; whether it may be pooled.
    @inline(never)
    mutating func mayPool(_ endpoint: UInt32) -> Bool {
        if endpoints[endpoint].isRetired { return false }
        // Before it is looked whether any waits; who begins to wait looks for idle ones afterwards.
        gates.noteIdle(endpoints[endpoint].gate)
        return true
    }

    /// A counted connection is on offer: exchanges that wait may have a use for it, or for its place.
    func wakeForOffer(_ gate: UInt16) {
        gates.forEachWaiting(gate) { wakeups[$0].signal() }
    }

    // MARK: - Turns

    /// Exchanges that wait for a place go on that can have one, or need none any more; and idle connections go that others wait for.
    mutating func admitConnecting(_ gate: UInt16, isAsked: Bool) {
        while let index = firstServed(gate) {
            let endpoint = exchanges[index].endpoint
            if let slot = takeIdle(endpoint) {
                leaveLine(index)
                exchanges[index].state = .connecting
                use(slot, for: index)
            } else if let carrier = carrier(for: index) {
                leaveLine(index)
                exchanges[index].state = .connecting
                if !openStream(carrier, for: index) { fail(index, .outOfConnections) }
            } else {
                // In vain if another worker was faster: then it waits on.
                _ = borrow(endpoint, for: index)
            }
        }
        var hasTaken = false
        while let index = gates.takeFirst(gate) {
            hasTaken = true
            exchanges[index].state = .connecting
            if endpoints[exchanges[index].endpoint].gate == gate {
                connectNext(index, hasPlace: true)
            } else {
                // A reload has lifted the limit.
                giveBackPlace(gate)
                connectNext(index)
            }
        }
        if hasTaken { wakeNext(gate) }
        if gates.firstWaiting(gate) != Slot.none { _ = discardOffer(gate) }
        if gates.isTight(gate) || isAsked { giveWay(gate, isAsked: isAsked) }
    }

    /// The first exchange that waits and has a connection to its endpoint that is idle, or on offer.
    func firstServed(_ gate: UInt16) -> UInt32? {
        var index = gates.firstWaiting(gate)
        while index != Slot.none {
            let endpoint = exchanges[index].endpoint
            if !exchanges[index].isConnect && exchanges[index].proxyHeaderSize == 0 {
                if endpoints[endpoint].firstIdle != Slot.none { return index }
                if endpoints[endpoint].http2 != .off && carrier(for: index) != nil { return index }
                if let queue = lendingQueue(endpoint), !queue.offers.isEmpty { return index }
            }
            index = gates.waiting(behind: index)
        }
        return nil
    }

    /// An exchange waits for a place no longer.
    mutating func leaveLine(_ index: UInt32) {
        let gate = gates.gate(of: index)
        gates.giveUp(index, at: gate)
        if exchanges[index].isOpening { openingEnded(index) }
        wakeNext(gate)
    }

    /// Idle connections of this worker go: as many as exchanges wait, are beyond the limit, or others ask for.
    private mutating func giveWay(_ gate: UInt16, isAsked: Bool) {
        let asked = isAsked ? gates.takeAsked(gate) : 0
        // Who asked may have given up, or got one from elsewhere.
        let shortage = gates.shortage(gate)
        var wanted = gates.isTight(gate) ? shortage : min(asked, shortage)
        gates.setTight(gate, false)
        var surplus = gates.surplus(gate)
        while wanted > 0, let slot = longestIdle(gate) {
            let endpoint = connections[slot].endpoint
            if surplus == 0, connections[slot].phase == .pooled, let queue = lendingQueue(endpoint),
                queue.isWantedElsewhere(than: worker, now: driver.now)
            {
                lend(slot, queue)
            } else {
                closeInOrder(slot)
            }
            surplus = max(0, surplus - 1)
            wanted -= 1
        }
        // What this worker was asked for in vain the next one is, and what is beyond the limit still.
        let lacking = min(wanted, max(asked, surplus))
        if lacking > 0 { askOthers(gate, for: lacking + gates.hideIdle(gate)) }
    }

    /// Asks another worker for idle connections.
    private func askOthers(_ gate: UInt16, for count: Int) {
        guard count > 0, let other = gates.askForIdle(gate, count: count) else { return }
        wakeups[other].ask()
    }

    // MARK: - Beginning and end

    /// Tells endpoints which gate their connections go through.
    ///
    /// - Returns: whether that has changed for any.
    mutating func setConnectionGates() -> Bool {
        var hasChanged = false
        for (cluster, gate) in gates.ofConnections.enumerated() {
            for number in clusters.endpoints(of: cluster)
            where endpoints[fixedEndpoints[number]].gate != gate {
                endpoints[fixedEndpoints[number]].setGate(gate)
                hasChanged = true
            }
        }
        return hasChanged
    }

    /// The numbers of gates that connections and their endpoints have.
    func connectionGatesInUse() -> Set<UInt16> {
        var used: Set<UInt16> = []
        for slot in 0..<UInt32(connections.highestCount)
        where connections.isOccupied(slot) && connections[slot].side == .upstream {
            used.insert(connections[slot].gate)
        }
        for endpoint in retiredEndpoints { used.insert(endpoints[endpoint].gate) }
        for index in 0..<UInt32(exchanges.highestCount)
        where exchanges.isOccupied(index) && exchanges[index].state == .awaitingPlace {
            used.insert(gates.gate(of: index))
        }
        for place in gates.closed[gates.closedIndex...] { used.insert(place.gate) }
        return used
    }

    /// After a reload: connections count where their cluster has a limit now, and no longer where it has none.
    mutating func adoptConnections() {
        if setConnectionGates() {
            for slot in 0..<UInt32(connections.highestCount)
            where connections.isOccupied(slot) && connections[slot].side == .upstream
                && connections[slot].phase != .closing && !isStream(slot)
            {
                let (old, new) = (connections[slot].gate, endpoints[connections[slot].endpoint].gate)
                if old == new { continue }
                connections[slot].gate = new
                if new != 0 {
                    gates.include(at: new)
                    let isIdleCarrier =
                        connections[slot].phase == .multiplexing && http2[slot].streamCount == 0
                    if connections[slot].phase == .pooled || isIdleCarrier { gates.noteIdle(new) }
                }
                if old != 0 { giveBackPlace(old) }
            }
        }
        // The limit may be lower.
        for gate in gates.ofConnections where gate != 0 {
            var surplus = gates.surplus(gate)
            while surplus > 0 && discardOffer(gate) { surplus -= 1 }
            if surplus > 0 { wantIdle(gate, surplus) }
        }
    }

    /// The end of the worker: nothing that it had counts, and nobody asks it.
    mutating func leaveConnectionGates() {
        for gate in 1...UInt16(gates.count) where gates.isOfConnections(gate) {
            askOthers(gate, for: gates.hideIdle(gate))
        }
    }
}
