// Hedging: a request that is slow to be answered is sent to another endpoint as well, once, within the budget of retries. The
// answer whose head comes first is passed on, and the other one given up with its connection.
//
// The second one is a detached exchange of its own, which finds its connection as any other does. When it wins, or the first one
// fails, the first takes its connection over and goes on with that; in any other case it just ends.
extension Engine where D: ~Copyable {
    /// The exchange has waited for an answer as long as its cluster says.
    @inline(never)
    mutating func hedge(_ index: UInt32) {
        exchanges[index].retry.hedgeMilliseconds = 0
        guard mayHedge(index), let copy = makeDetached(.hedge, of: index) else { return }
        if beginHedge(copy, of: index) {
            counters.add(.hedges)
            findUpstream(copy)
        } else {
            endDetached(copy)
            if clusters.hasCaps { endpointChanged(index) }
        }
    }

    private func mayHedge(_ index: UInt32) -> Bool {
        let exchange = exchanges.tenant(index)
        return exchange.kind == .ordinary && exchange.requestDone && !exchange.request.isEmpty
            && !exchange.bodyForwarded && !exchange.continueForwarded && !exchange.wantsUpgrade
            && !exchange.isConnect && exchange.method.isIdempotent && exchange.cluster != Exchange.noCluster
            && exchange.clusterEndpoint != Slot.none
            && !(exchange.isSticky && isWhereItsCookieSays(index))
            && exchange.requestsSent - UInt16(exchange.repeats) < UInt16(exchange.retry.attempts)
    }

    /// Gives the copy another endpoint of the cluster, a place there, and its part of the budget; false if it can have none.
    private mutating func beginHedge(_ copy: UInt32, of index: UInt32) -> Bool {
        let original = exchanges.tenant(index)
        let hedge = exchanges.tenant(copy)
        let cluster = Int(original.cluster)
        let own = Int(original.clusterEndpoint)
        hedge.retry.conditions = []
        hedge.retry.tryTimeoutMilliseconds = original.retry.tryTimeoutMilliseconds
        // It ends with the other one.
        hedge.totalDeadline = .max
        hedge.usesParent = original.usesParent
        hedge.balancingKey = original.balancingKey
        hedge.zone = original.zone
        hedge.cluster = original.cluster
        let hasFailed = original.endpointsFailed > 0
        if hasFailed { clusters.shareTried(of: index, with: copy) }
        let other = clusters.chooseAnother(
            cluster, than: own, for: copy, isFirstFailure: !hasFailed, key: hedge.balancingKey,
            zone: hedge.zone, keepsPlace: true, now: driver.now)
        guard let other else { return false }
        hedge.clusterEndpoint = UInt32(truncatingIfNeeded: other)
        hedge.endpoint = fixedEndpoints[other]
        if original.gate != 0 {
            guard gates.enterAtOnce(original.gate) else { return false }
            hedge.gate = original.gate
        }
        guard renameHost(copy) else { return false }
        guard clusters.takeRetry(cluster, now: driver.now) else {
            counters.add(.retriesDenied)
            return false
        }
        hedge.partner = index
        original.partner = copy
        original.requestsSent += 1
        return true
    }

    /// The head of the hedge's answer has come, and still stands in the input.
    mutating func hedgeAnswered(_ slot: UInt32, _ copy: UInt32) {
        let index = exchanges[copy].partner
        let condition = RetryRules.Conditions(status: responseHead.status)
        guard exchanges[index].retry.conditions.isDisjoint(with: condition) else {
            // The other one may have a better one.
            noteAnswer(exchanges.tenant(copy), status: responseHead.status)
            endDetached(copy)
            return
        }
        counters.add(.hedgesWon)
        noteSlow(index)
        takeOver(index, from: copy)
        readResponse(slot)
    }

    /// An attempt of an exchange has failed: it goes on with its hedge, if that has been sent. False if there is none such.
    mutating func goOnWithHedge(_ index: UInt32, after outcome: AttemptOutcome) -> Bool {
        let copy = exchanges[index].partner
        guard exchanges[index].kind == .ordinary, copy != Slot.none, exchanges[copy].state == .forwarding
        else {
            return false
        }
        switch outcome {
        case .failed(let error): noteFailure(index, error)
        case .answered(let status): noteAnswer(exchanges.tenant(index), status: status)
        }
        takeOver(index, from: copy)
        // Should it be sent again there, it names that endpoint; without memory for that it is not.
        if !renameHost(index) { exchanges[index].bodyForwarded = true }
        return true
    }

    /// An exchange goes on with the connection of its hedge, which ends.
    private mutating func takeOver(_ index: UInt32, from copy: UInt32) {
        leaveUpstreams(index)
        let exchange = exchanges.tenant(index)
        let hedge = exchanges.tenant(copy)
        exchange.attempts = (Slot.none, Slot.none)
        exchange.upstream = hedge.upstream
        exchange.endpoint = hedge.endpoint
        exchange.clusterEndpoint = hedge.clusterEndpoint
        exchange.requestSentAt = hedge.requestSentAt
        exchange.state = .forwarding
        connections[hedge.upstream].exchange = index
        if keepsNotes { noteSent(index, hedge.upstream) }
        hedge.upstream = Slot.none
        hedge.clusterEndpoint = Slot.none
        endDetached(copy)
    }

    /// The endpoint has not answered as soon as another one did: it takes so long at least.
    private func noteSlow(_ index: UInt32) {
        let exchange = exchanges.tenant(index)
        let latency = latency(exchange)
        guard clusters.measuresLatency, exchange.clusterEndpoint != Slot.none, latency > 0 else { return }
        clusters.noteLatency(Int(exchange.clusterEndpoint), latency, now: driver.now)
    }

    /// One of the two ends: the other one, if it is the hedge, ends with it.
    @inline(never)
    mutating func endPartner(_ index: UInt32) {
        let other = exchanges[index].partner
        exchanges[index].partner = Slot.none
        exchanges[other].partner = Slot.none
        if exchanges[other].kind == .hedge {
            counters.add(.hedgesCancelled)
            endDetached(other)
        }
    }
}
