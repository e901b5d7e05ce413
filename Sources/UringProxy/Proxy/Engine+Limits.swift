// Clusters that take so much at once: an exchange goes in, waits for its turn, or is refused.
extension Engine where D: ~Copyable {
    /// An exchange comes to a cluster with a gate; false if it was refused, and has ended. One that waits has no endpoint of its
    /// own yet: when its turn has come another may be the better choice.
    @inline(never)
    mutating func arrive(_ index: UInt32, gate: UInt16, cluster: Int, key: UInt64) -> Bool {
        switch gates.arrive(index, at: gate, now: driver.now) {
        case .entered:
            exchanges[index].gate = gate
            return choose(index, cluster: cluster, key: key)
        case .refused:
            fail(index, .circuitOpen)
            return false
        case .waits:
            let exchange = exchanges.tenant(index)
            exchange.gate = gate
            exchange.state = .queued
            exchange.cluster = UInt16(truncatingIfNeeded: cluster)
            exchange.balancingKey = key
            // Any of them: as its head is written for one, it is for all.
            exchange.endpoint = fixedEndpoints[clusters.firstEndpoint(cluster)]
            return true
        }
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
        if exchanges[index].state == .queued {
            gates.giveUp(index, at: gate)
        } else if !gates.leave(gate) {
            return
        }
        wakeNext(gate)
    }

    /// Wakes the worker whose turn it is. This one sees before it sleeps that it is its own (`mayAdmit`).
    private func wakeNext(_ gate: UInt16) {
        if let worker = gates.otherWorker(gate) { wakeups[worker].signal() }
    }

    /// Whether an exchange that waits may go on: this worker is not to sleep.
    @inline(__always)
    var mayAdmit: Bool { gates.waitingCount > 0 && gates.mayTake }

    /// Once a turn while exchanges wait: those whose turn has come go on.
    @inline(never)
    mutating func admitWaiting() {
        for number in 1...UInt16(gates.count) {
            var hasTaken = false
            while let index = gates.takeFirst(number) {
                hasTaken = true
                exchanges[index].state = .connecting
                // A reload may have taken it out meanwhile.
                guard exchanges[index].cluster != Exchange.noCluster else {
                    fail(index, .listenerGone)
                    continue
                }
                let cluster = Int(exchanges[index].cluster)
                if choose(index, cluster: cluster, key: exchanges[index].balancingKey) && renameHost(index) {
                    findUpstream(index)
                }
            }
            if hasTaken { wakeNext(number) }
        }
    }

    /// It was not the exchange's turn in time.
    mutating func queueExpired(_ index: UInt32) {
        gates.noteExpiry(exchanges[index].gate)
        fail(index, .queueTimeout)
    }
}
