// Clusters that take so much at once: an exchange goes in, waits for its turn, or is refused.
extension Engine where D: ~Copyable {
    /// An exchange comes to a cluster with a gate; false if it was refused, and has ended. One that waits has no endpoint of its
    /// own yet: when its turn has come another may be the better choice.
    @inline(never)
    mutating func arrive(_ index: UInt32, gate: UInt16, cluster: Int, key: UInt64) -> Bool {
        if clusters.isEmpty(cluster) {
            fail(index, .noEndpoint)
            return false
        }
        if clusters.isCapped(cluster) { return arriveCapped(index, gate: gate, cluster: cluster, key: key) }
        let arrival = gates.arrive(index, at: gate, now: driver.now)
        if arrival == .entered {
            exchanges[index].gate = gate
            return choose(index, cluster: cluster, key: key)
        }
        return turnAway(index, arrival, gate: gate, cluster: cluster, key: key)
    }

    /// The same where endpoints have limits too: the place at an endpoint is taken first, then that in the gate.
    private mutating func arriveCapped(_ index: UInt32, gate: UInt16, cluster: Int, key: UInt64) -> Bool {
        var hasRoom = gates.isOpen(gate) && clusters.hasRoom(cluster, now: driver.now)
        if hasRoom && !chooseAny(index, cluster: cluster, key: key) {
            guard clusters.lacksRoom(cluster) else {
                fail(index, .noHealthyEndpoint)
                return false
            }
            hasRoom = false
        }
        let arrival = gates.arrive(index, at: gate, now: driver.now, hasRoom: hasRoom)
        if arrival == .entered {
            exchanges[index].gate = gate
            exchanges[index].retry = clusters.beginRetries(cluster, now: driver.now)
            return true
        }
        if hasRoom { giveBackEndpoint(index, gate) }
        return turnAway(index, arrival, gate: gate, cluster: cluster, key: key)
    }

    /// An endpoint's place was taken for nothing: it is the next one's.
    private mutating func giveBackEndpoint(_ index: UInt32, _ gate: UInt16) {
        leaveEndpoint(index)
        exchanges[index].clusterEndpoint = Slot.none
        wakeNext(gate)
    }

    /// An exchange that does not go in waits from now on, or has ended: then false.
    private mutating func turnAway(
        _ index: UInt32, _ arrival: ClusterGate.Arrival, gate: UInt16, cluster: Int, key: UInt64
    ) -> Bool {
        switch arrival {
        case .entered: preconditionFailure("it went in")
        case .shed:
            fail(index, .loadShed)
            return false
        case .refused:
            fail(index, .circuitOpen)
            return false
        case .waits:
            let exchange = exchanges.tenant(index)
            exchange.gate = gate
            exchange.state = .queued
            enter(.queue, index)
            exchange.cluster = UInt16(truncatingIfNeeded: cluster)
            exchange.balancingKey = key
            // Any of them: as its head is written for one, it is for all.
            exchange.endpoint = fixedEndpoints[clusters.firstEndpoint(cluster)]
            return true
        }
    }

    /// What the exchange has tried cannot serve it, and all else is full: it waits for its turn once more, behind those that wait.
    /// False if that is not how it stands, or too many wait. Each time it has tried another endpoint, so that it comes to an end.
    @inline(never)
    mutating func waitForRoom(_ index: UInt32) -> Bool {
        let exchange = exchanges.tenant(index)
        // A hedge would not wait, nor does who has one.
        guard exchange.gate != 0, exchange.kind != .hedge, exchange.partner == Slot.none,
            exchange.cluster != Exchange.noCluster, clusters.lacksRoom(Int(exchange.cluster)),
            gates.giveWay(index, at: exchange.gate, now: driver.now)
        else { return false }
        exchange.state = .queued
        enter(.queue, index)
        armTimer(exchange.downstream)
        wakeNext(exchange.gate)
        return true
    }

    /// The exchange looks for a connection now, or when its turn has come.
    @inline(__always)
    mutating func findUpstreamInTurn(_ index: UInt32) {
        if exchanges[index].state == .queued {
            relayRequest(index)
        } else {
            findUpstream(index)
        }
    }

    /// The exchange ends: what it kept others from is free.
    @inline(never)
    mutating func leaveGate(_ index: UInt32) {
        let gate = exchanges[index].gate
        if exchanges[index].isAnswered { gates.forgetAnswer(gate) }
        if exchanges[index].state == .queued {
            gates.giveUp(index, at: gate)
        } else if !gates.leave(gate) {
            return
        }
        wakeNext(gate)
    }

    /// Wakes the worker whose turn it is. This one sees before it sleeps that it is its own (`mayAdmit`).
    func wakeNext(_ gate: UInt16) {
        guard gates.isAwaited(gate), let worker = gates.otherWorker(gate, hasRoom: hasRoom(gate)) else {
            return
        }
        wakeups[worker].signal()
    }

    /// The answer of an exchange with a gate has begun: where the limit follows latency it has told its own, and makes room.
    @inline(never)
    mutating func answerBegan(_ index: UInt32, status: UInt16) {
        let exchange = exchanges.tenant(index)
        guard gates.isAdaptive(exchange.gate) else { return }
        // What fails may do so quickly.
        gates.noteAnswer(exchange.gate, latency: status < 500 ? latency(exchange) : 0, now: driver.now)
        exchange.isAnswered = true
        wakeNext(exchange.gate)
    }

    /// The answer of an exchange with a gate did not come in time.
    @inline(never)
    func answerMissing(_ index: UInt32) {
        let exchange = exchanges.tenant(index)
        let latency = latency(exchange)
        guard latency > 0 else { return }
        gates.noteLatency(exchange.gate, latency, now: driver.now)
        wakeNext(exchange.gate)
    }

    /// After a reload: exchanges that were answered before it mattered are known to the gate, and whose turn it has become is woken.
    mutating func adoptAnswers() {
        guard gates.count > 0 else { return }
        for index in 0..<UInt32(exchanges.highestCount) where exchanges.isOccupied(index) {
            let exchange = exchanges.tenant(index)
            if exchange.gate != 0 && !exchange.isAnswered && gates.isAdaptive(exchange.gate)
                && (exchange.state == .responding || exchange.state == .tunnelling)
            {
                gates.noteAnswer(exchange.gate, latency: 0, now: driver.now)
                exchange.isAnswered = true
            }
        }
        wakeWaiting()
    }

    /// An exchange under way has left one endpoint for another.
    @inline(never)
    func endpointChanged(_ index: UInt32) {
        let gate = exchanges[index].gate
        if gate != 0 && gates.cappedCluster(gate) != nil { wakeNext(gate) }
    }

    /// Wakes those whose turn it is at any gate. Once a second too: an endpoint that may be tried again has room, though nobody has
    /// left it.
    @inline(never)
    mutating func wakeWaiting() {
        for gate in 1...UInt16(gates.count) { wakeNext(gate) }
    }

    /// Whether any endpoint has room for one more.
    ///
    /// - Parameter index: an exchange that does not look for those that it has tried.
    private func hasRoom(_ gate: UInt16, for index: UInt32? = nil) -> Bool {
        guard let cluster = gates.cappedCluster(gate) else { return true }
        guard let index, exchanges[index].endpointsFailed > 0 else {
            return clusters.hasRoom(cluster, now: driver.now)
        }
        return clusters.hasRoom(cluster, besides: clusters.tried(index), now: driver.now)
    }

    /// Whether an exchange that waits may go on, or another worker's may thanks to this one: this worker is not to sleep.
    @inline(__always)
    var mayAdmit: Bool { gates.attention > 0 && hasTurn }

    @inline(never)
    private var hasTurn: Bool {
        if gates.hasClosed || gates.tightCount > 0 || wakeups[worker].isAsked { return true }
        if gates.waitingCount == 0 { return false }
        for number in 1...UInt16(gates.count) {
            if let index = gates.next(number), hasRoom(number, for: index) { return true }
            if isOfferAwaited(number) || gates.isOfConnections(number) && firstServed(number) != nil {
                return true
            }
        }
        return false
    }

    /// The exchange that goes in now; nil if none may. Where endpoints have limits it has chosen already, if any may be used.
    private mutating func takeNext(_ gate: UInt16) -> UInt32? {
        guard let cluster = gates.cappedCluster(gate) else { return gates.takeFirst(gate) }
        guard let index = gates.next(gate), hasRoom(gate, for: index) else { return nil }
        let hasChosen =
            exchanges[index].endpointsFailed > 0
            ? chooseUntried(index, cluster: cluster)
            : chooseAny(index, cluster: cluster, key: exchanges[index].balancingKey)
        if !hasChosen && clusters.lacksRoom(cluster) { return nil }
        if let taken = gates.takeFirst(gate) {
            precondition(taken == index)
            return taken
        }
        if hasChosen { giveBackEndpoint(index, gate) }
        return nil
    }

    /// Once a turn while exchanges wait, or connections are counted: those whose turn has come go on.
    @inline(never)
    mutating func admitWaiting() {
        settleClosed()
        let isAsked = wakeups[worker].takeAsked()
        guard isAsked || gates.waitingCount > 0 || gates.tightCount > 0 else { return }
        for number in 1...UInt16(gates.count) {
            if gates.isOfConnections(number) {
                admitConnecting(number, isAsked: isAsked)
                continue
            }
            var hasTaken = false
            while let index = takeNext(number) {
                hasTaken = true
                exchanges[index].state = .connecting
                // A reload may have taken it out meanwhile.
                guard exchanges[index].cluster != Exchange.noCluster else {
                    fail(index, .listenerGone)
                    continue
                }
                let cluster = Int(exchanges[index].cluster)
                guard begin(index, cluster: cluster) else { continue }
                guard renameHost(index) else {
                    fail(index, .outOfMemory)
                    continue
                }
                findUpstream(index)
            }
            if hasTaken { wakeNext(number) }
        }
    }

    /// The exchange, whose turn has come, is under way at the cluster; false if it has ended.
    private mutating func begin(_ index: UInt32, cluster: Int) -> Bool {
        let isBack = exchanges[index].requestsSent > 0 || exchanges[index].endpointsFailed > 0
        if !isBack { exchanges[index].retry = clusters.beginRetries(cluster, now: driver.now) }
        if exchanges[index].clusterEndpoint != Slot.none { return true }
        if chooseAny(index, cluster: cluster, key: exchanges[index].balancingKey) { return true }
        fail(index, clusters.isEmpty(cluster) ? .noEndpoint : .noHealthyEndpoint)
        return false
    }

    /// It was not the exchange's turn in time.
    mutating func queueExpired(_ index: UInt32) {
        if exchanges[index].gate != 0 { gates.noteExpiry(exchanges[index].gate) }
        if exchanges[index].partner != Slot.none && goOnWithHedge(index, after: .failed(.queueTimeout)) {
            // What has expired is the timer for all that limits the whole.
            armTimer(exchanges[index].downstream)
            return
        }
        if exchanges[index].isOpening {
            let generation = exchanges.generation(index)
            exchanges[index].failure = .queueTimeout
            openingFailed(index)
            guard exchanges.isOccupied(index), exchanges.generation(index) == generation else { return }
        }
        fail(index, .queueTimeout)
    }
}
