// Idle upstream connections: kept by the worker that made them, and lent when another one is in want of them.
extension Engine where D: ~Copyable {
    /// An upstream connection whose exchange is over, as good as new.
    @inline(__always)
    mutating func returnToPool(_ slot: UInt32) {
        let connection = connections.tenant(slot)
        let endpoint = connection.endpoint
        connection.exchange = Slot.none
        connection.isReused = true
        connection.isBulk = false
        endSplicing(slot)
        endpoints[endpoint].inUse -= 1
        if isStream(slot) {
            leaveStream(slot)
            return
        }
        guard phase == .running, settings.poolIdle > 0, endpoints[endpoint].isPlain || mayPool(endpoint)
        else {
            endpoints[endpoint].inUse += 1
            close(slot)
            return
        }
        pool(slot)
        if endpoints[endpoint].idleCount > settings.poolIdle { close(endpoints[endpoint].lastIdle) }
        if endpoints[endpoint].inUse == 0 { lendIfWanted(endpoint) }
    }

    /// Puts a connection to the front of its endpoint's list: the last used is the first reused, warm in every cache and
    /// the least likely to be closed by the peer.
    private mutating func pool(_ slot: UInt32) {
        let connection = connections.tenant(slot)
        let endpoint = connection.endpoint
        let first = endpoints[endpoint].firstIdle
        connection.phase = .pooled
        connection.phaseStartedAt = driver.now
        connection.previous = Slot.none
        connection.next = first
        if first == Slot.none {
            endpoints[endpoint].lastIdle = slot
        } else {
            connections[first].previous = slot
        }
        endpoints[endpoint].firstIdle = slot
        endpoints[endpoint].idleCount += 1
        updateReceive(slot)
        armTimer(slot)
    }

    /// Takes a connection out of its endpoint's list, wherever in it it stands.
    mutating func unpool(_ slot: UInt32) {
        let connection = connections.tenant(slot)
        let endpoint = connection.endpoint
        let before = connection.previous
        let after = connection.next
        if before == Slot.none {
            endpoints[endpoint].firstIdle = after
        } else {
            connections[before].next = after
        }
        if after == Slot.none {
            endpoints[endpoint].lastIdle = before
        } else {
            connections[after].previous = before
        }
        endpoints[endpoint].idleCount -= 1
    }

    /// The idle connection used last, now in use; nil if there is none.
    @inline(__always)
    mutating func takeIdle(_ endpoint: UInt32) -> UInt32? {
        let slot = endpoints[endpoint].firstIdle
        guard slot != Slot.none else { return nil }
        unpool(slot)
        countInUse(endpoint)
        return slot
    }

    /// Ends every idle connection of an endpoint.
    mutating func dropIdle(_ endpoint: UInt32) {
        while endpoints[endpoint].firstIdle != Slot.none { close(endpoints[endpoint].firstIdle) }
    }

    // MARK: - Lending

    func lendingQueue(_ endpoint: UInt32) -> LendingQueue? {
        let index = Int(endpoints[endpoint].fixedIndex)
        return settings.lends && index >= 0 && index < lending.count ? lending[index] : nil
    }

    /// How long an exchange waits for a connection that another worker is about to offer, in nanoseconds. To ready one
    /// takes a few microseconds, unless that worker lost its CPU in between.
    private static var offerPatience: Int64 { 2_000_000 }

    /// Lets an exchange wait for a connection that another worker is readying; false if there is none.
    mutating func waitForOffer(_ index: UInt32) -> Bool {
        guard let queue = lendingQueue(exchanges[index].endpoint), queue.waitForOffer(worker: worker) else {
            return false
        }
        exchanges[index].state = .awaitingOffer
        enter(.pool, index)
        awaitingOffers.append(index)
        if awaitingOffers.count == 1 { offerDeadline = driver.now + Self.offerPatience }
        return true
    }

    /// Whether exchanges wait for an offer that has come since they looked: this worker is not to sleep.
    @inline(__always)
    var isOffered: Bool { !awaitingOffers.isEmpty && lending.contains { !$0.offers.isEmpty } }

    /// Once a turn while exchanges wait for offers: serves them, or lets them connect when the wait was in vain.
    mutating func serveAwaiting() {
        let isLate = driver.now >= offerDeadline
        for _ in 0..<awaitingOffers.count {
            guard let index = awaitingOffers.popFirst() else { break }
            let endpoint = exchanges[index].endpoint
            if borrow(endpoint, for: index) {
                continue
            } else if !isLate, let queue = lendingQueue(endpoint), queue.waitForOffer(worker: worker) {
                awaitingOffers.append(index)
            } else {
                exchanges[index].state = .connecting
                connectUpstream(index)
            }
        }
    }

    /// To borrow one takes a turn, so that a few that were lent in vain cost little, and dozens would.
    private static var alwaysLent: UInt32 { 4 }

    /// With nothing in use here idle connections are to spare: if another worker wanted one lately, those beyond what this
    /// worker itself needed at once within the last second are offered, and a few in any case: with little to do workers
    /// share them all, or each would keep what its busiest moment needed while another opens its own. First the receive
    /// has to end: what is offered has nothing in flight.
    private mutating func lendIfWanted(_ endpoint: UInt32) {
        guard let queue = lendingQueue(endpoint), queue.isWantedElsewhere(than: worker, now: driver.now)
        else {
            return
        }
        let surplus =
            endpoints[endpoint].idleCount - min(endpoints[endpoint].idleCount, endpoints[endpoint].peakInUse)
        for _ in 0..<max(Self.alwaysLent, surplus) where endpoints[endpoint].lastIdle != Slot.none {
            lend(endpoints[endpoint].lastIdle, queue)
        }
    }

    /// An idle connection becomes another worker's, if one wants it.
    mutating func lend(_ slot: UInt32, _ queue: LendingQueue) {
        unpool(slot)
        queue.announce()
        connections[slot].phase = .retiring
        endpoints[connections[slot].endpoint].inUse += 1
        retire(slot)
    }

    /// Offers a retiring connection once nothing is in flight on it.
    mutating func retire(_ slot: UInt32) {
        if connections[slot].receiving == .stream || connections[slot].receiving == .once {
            connections[slot].receiving = .cancelling
            driver.cancel(connections[slot].descriptor, token: token(.receive, slot))
        }
        guard connections[slot].operationsInFlight == 0 else { return }
        let endpoint = connections[slot].endpoint
        guard let queue = lendingQueue(endpoint), connections[slot].output.isEmpty, phase == .running else {
            close(slot)
            return
        }
        if isSecure(slot) && !mayMoveSession(slot) {
            queue.withdraw()
            endpoints[endpoint].inUse -= 1
            if queue.gate != nil { gates.noteIdle(connections[slot].gate) }
            pool(slot)
            return
        }
        driver.detach(connections[slot].descriptor)
        var offer = LendingQueue.Offer(
            descriptor: connections[slot].descriptor, idleSince: connections[slot].lastReceivedAt)
        if isSecure(slot) {
            offer.session = tls[slot].session
            offer.kernelSends = tls[slot].kernelSends
            offer.lacksZeroCopy = tls[slot].lacksZeroCopy
        }
        guard queue.offer(offer) else {
            endpoints[endpoint].inUse -= 1
            if queue.gate != nil { gates.noteIdle(connections[slot].gate) }
            pool(slot)
            return
        }
        counters.add(.upstreamLent)
        endpoints[endpoint].inUse -= 1
        timers.remove(slot)
        if isSecure(slot) { giveAwaySession(slot) }
        if queue.gate != nil { wakeForOffer(connections[slot].gate) }
        connections.remove(slot)
    }

    /// Takes a connection that another worker offered, for an exchange; false if there is none.
    ///
    /// Nobody watched it while it was on offer: the peer may have closed it, or sent what nobody asked for, which must not
    /// be taken for the answer to the next request. So its receive is armed first, and the request goes out a turn
    /// later, when the kernel has had nothing to say.
    mutating func borrow(_ endpoint: UInt32, for index: UInt32) -> Bool {
        guard let queue = lendingQueue(endpoint) else { return false }
        queue.noteDemand(worker: worker, now: driver.now)
        while let offer = queue.offers.pop() {
            guard driver.now - offer.idleSince < settings.timeouts.poolIdle else {
                discard(offer, from: queue)
                continue
            }
            var connection = Connection(
                descriptor: offer.descriptor, side: .upstream, phase: .borrowed, now: driver.now)
            connection.endpoint = endpoint
            connection.isReused = true
            connection.exchange = index
            connection.borrowedAt = UInt32(truncatingIfNeeded: driver.statistics.wholeEntries)
            connection.gate = endpoints[endpoint].gate
            guard let slot = connections.insert(connection) else {
                discard(offer, from: queue)
                return false
            }
            if !offer.session.isNone { takeOverSession(slot, offer) }
            counters.add(.upstreamBorrowed)
            countInUse(endpoint)
            // Perhaps at a gate that the endpoint has no more, because a reload has lifted the limit.
            if exchanges[index].state == .awaitingPlace { leaveLine(index) }
            if connection.gate != 0 { offerTaken(connection.gate) }
            exchanges[index].state = .connecting
            exchanges[index].attempts.0 = slot
            borrowed.append(slot)
            updateReceive(slot)
            relayRequest(index)
            return true
        }
        return false
    }

    /// The turn after: what has stayed quiet is put to use. What was borrowed since the kernel last took all that it was asked
    /// for, be it in the slot of one that was not quiet, may have its receive not even asked for, and waits.
    mutating func useBorrowed() {
        let entries = UInt32(truncatingIfNeeded: driver.statistics.wholeEntries)
        for _ in 0..<borrowed.count {
            guard let slot = borrowed.popFirst() else { break }
            guard connections.isOccupied(slot), connections[slot].phase == .borrowed else { continue }
            guard connections[slot].borrowedAt != entries else {
                borrowed.append(slot)
                continue
            }
            let index = connections[slot].exchange
            exchanges[index].attempts.0 = Slot.none
            use(slot, for: index)
        }
    }

    /// A borrowed connection was not quiet: the exchange looks for another one.
    mutating func borrowedInVain(_ slot: UInt32) {
        let index = connections[slot].exchange
        counters.add(.upstreamStale)
        exchanges[index].attempts.0 = Slot.none
        connections[slot].exchange = Slot.none
        close(slot)
        findUpstream(index)
    }

    /// One more connection of this worker is in use.
    @inline(__always)
    func countInUse(_ endpoint: UInt32) {
        endpoints[endpoint].inUse += 1
        if endpoints[endpoint].inUse > endpoints[endpoint].peakInUse {
            endpoints[endpoint].peakInUse = endpoints[endpoint].inUse
        }
    }

    private mutating func isUsable(_ offer: LendingQueue.Offer) -> Bool {
        let age = driver.now - offer.idleSince
        return age < settings.timeouts.poolIdle && driver.isQuiet(offer.descriptor)
    }

    mutating func discard(_ offer: LendingQueue.Offer, from queue: LendingQueue) {
        counters.add(Counter.upstreamClosed)
        if !offer.session.isNone { endSession(offer) }
        driver.close(offer.descriptor, reset: false)
        guard let gate = queue.gate else { return }
        guard let number = gates.number(of: gate) else {
            preconditionFailure("a worker's queues are of its clusters")
        }
        noteClosed(number)
    }

    /// Ends offers that nobody took in time; at a stop, all of them.
    mutating func sweepOffers(all: Bool) {
        for queue in lending { sweep(queue, all: all) }
    }

    mutating func sweep(_ queue: LendingQueue, all: Bool) {
        var hasKept = false
        // As many as there are now: those pushed back must not come round again.
        for _ in 0..<queue.offers.count {
            guard let offer = queue.offers.pop() else { break }
            if !all && isUsable(offer) && queue.offers.push(offer) {
                hasKept = true
            } else {
                discard(offer, from: queue)
            }
        }
        // Who began to wait meanwhile has not seen them.
        if hasKept, let gate = queue.gate, let number = gates.number(of: gate) { wakeForOffer(number) }
    }
}
