internal import CPosix

// Accepting: listeners, limits, back-off.
extension Engine where D: ~Copyable {
    /// The wheel's slots behind those of the connections belong to the listeners, and the last to maintenance.
    func timer(ofListener index: Int) -> UInt32 { UInt32(connections.capacity + index) }

    /// Begins to take connections: all workers stand. Until then the listeners may yet go to others, on another driver, and are
    /// left as they are.
    mutating func startAccepting() {
        isAccepting = true
        for index in listeners.indices { armAccept(index) }
    }

    mutating func armAccept(_ index: Int) {
        guard isAccepting, phase == .running, !acceptPaused, !listeners[index].isArmed,
            !listeners[index].isGone
        else { return }
        listeners[index].isArmed = true
        driver.accept(listeners[index].descriptor, token: acceptToken(index))
    }

    private func acceptToken(_ index: Int) -> OperationToken {
        OperationToken(.accept, slot: UInt32(index), generation: 0)
    }

    mutating func accepted(_ index: Int, _ completion: Completion) {
        if !completion.more { listeners[index].isArmed = false }
        if completion.result >= 0 {
            listeners[index].backoff = 0
            admit(completion.result, listener: index)
        } else if completion.result != -ECANCELED && !listeners[index].isGone {
            acceptFailed(index)
            return
        }
        if completion.more { return }
        if listeners[index].isGone { closeGone(index) } else { armAccept(index) }
    }

    /// EMFILE, ENFILE, ENOBUFS, ENOMEM: accepting again at once would fail again at once. The connections wait in the
    /// backlog meanwhile.
    private mutating func acceptFailed(_ index: Int) {
        counters.add(.acceptFailures)
        let backoff = min(max(listeners[index].backoff * 2, 10_000_000), 200_000_000)
        listeners[index].backoff = backoff
        timers.set(timer(ofListener: index), deadline: driver.now + backoff)
    }

    /// How many connections beyond the limit are served: those that the kernel had accepted already when accepting was
    /// paused. To close them would turn clients away who would have been served from the backlog.
    static var acceptOvershoot: Int { 1024 }

    private mutating func admit(_ descriptor: Int32, listener index: Int) {
        guard phase != .stopping, downstreamCount < settings.connections + Self.acceptOvershoot else {
            counters.add(.acceptFailures)
            driver.close(descriptor, reset: false)
            return
        }
        var connection = Connection(
            descriptor: descriptor, side: .downstream, phase: .waiting, now: driver.now)
        connection.listener = index
        connection.endsSoon = listeners[index].isGone
        guard trust.requiresHeader ? expectProxyHeader(&connection) : enterClient(&connection) else {
            driver.close(descriptor, reset: false)
            return
        }
        if listeners[index].beginsWithTLS && connection.phase == .waiting { connection.phase = .handshaking }
        if listeners[index].connectionLimit > 0 && !enterListener(&connection) {
            leaveLimits(connection)
            driver.close(descriptor, reset: listeners[index].role == .tcp)
            return
        }
        guard let slot = connections.insert(connection) else {
            leaveLimits(connection)
            if connection.isSurplus { surplusCount -= 1 }
            counters.add(.acceptFailures)
            driver.close(descriptor, reset: false)
            return
        }
        counters.add(.downstreamAccepted)
        downstreamCount += 1
        listeners[index].connectionCount += 1
        if keepsRelayedAddresses { relayedAddresses[slot] = nil }
        if downstreamCount == settings.connections { pauseAccepting() }
        if keepsNotes { recordAccepted(slot) }
        if connection.isSurplus {
            refuse(slot, .listenerFull)
        } else if listeners[index].role == .tcp && connection.phase == .waiting {
            startRelay(slot)
        } else {
            updateReceive(slot)
            armTimer(slot)
        }
    }

    /// Counts a connection for its client; false if the listener does not let it in, or it has as many as
    /// `--limit-connections-per-client` allows.
    mutating func enterClient(_ connection: inout Connection) -> Bool {
        let access = listeners[connection.listener].access
        if access >= 0 && !letsIn(&connection, Int(access)) { return false }
        guard let clientLimit else { return true }
        if !connection.peerKnown { askPeer(&connection) }
        guard clientLimit.enter(connection.peer) else {
            counters.add(.clientLimitRefusals)
            return false
        }
        connection.countedPerClient = true
        return true
    }

    /// Asks the kernel for the address of a socket's peer. A unix socket has none: `::`.
    mutating func askPeer(_ connection: inout Connection) {
        connection.peer = driver.peerAddress(connection.descriptor)?.address ?? .unspecified
        connection.peerKnown = true
    }

    /// At the limit: further connections wait in the backlog, which is bounded too.
    mutating func pauseAccepting() {
        acceptPaused = true
        counters.add(.acceptPauses)
        cancelAccepts()
    }

    private mutating func cancelAccepts() { for index in listeners.indices { cancelAccept(index) } }

    private mutating func cancelAccept(_ index: Int) {
        if listeners[index].isArmed { driver.cancel(listeners[index].descriptor, token: acceptToken(index)) }
    }

    /// A downstream connection has ended: there is room again, taken up when a little of it has gathered.
    mutating func downstreamEnded() {
        downstreamCount -= 1
        guard acceptPaused, downstreamCount <= settings.connections - max(1, settings.connections / 64) else {
            return
        }
        acceptPaused = false
        for index in listeners.indices { armAccept(index) }
    }

    /// Ends the listeners.
    mutating func stopAccepting() {
        guard isAccepting else { return }
        for index in listeners.indices where !listeners[index].isGone { stopAccepting(index) }
    }

    /// What waits in the backlog was promised service by the kernel and is taken first; in an inherited one it waits for
    /// whoever inherits it next.
    private mutating func stopAccepting(_ index: Int) {
        cancelAccept(index)
        guard !listeners[index].isInherited else { return }
        // Those that are refused do not count, and more may come as fast.
        var rest = settings.connections + Self.acceptOvershoot
        while downstreamCount < settings.connections && rest > 0 {
            rest -= 1
            let descriptor = driver.acceptNow(listeners[index].descriptor)
            guard descriptor >= 0 else { break }
            admit(descriptor, listener: index)
        }
        driver.shutdown(listeners[index].descriptor, .both)
    }

    /// The snapshot has a listener no more: it takes no connection, and those that came by it end with their exchange.
    mutating func endListener(_ index: Int) {
        stopAccepting(index)
        listeners[index].isGone = true
        timers.remove(timer(ofListener: index))
        if !listeners[index].isArmed { closeGone(index) }
    }

    /// Nothing is under way on a listener that has gone.
    private mutating func closeGone(_ index: Int) {
        guard !listeners[index].isClosed else { return }
        listeners[index].isClosed = true
        driver.close(listeners[index].descriptor, reset: false)
    }

    /// Takes no connection until `startAccepting`: they wait in the backlogs. Done when `isAcceptUnderWay` no longer holds.
    mutating func suspendAccepting() {
        isAccepting = false
        cancelAccepts()
    }

    /// Whether the kernel may still have a connection for us.
    var isAcceptUnderWay: Bool { listeners.contains { $0.isArmed } }

    /// Drains after a pause: another process accepts on the listeners with these ids, and what waits there is its own to take.
    mutating func handOver(_ kept: [Int]) {
        for index in listeners.indices where kept.contains(listeners[index].id) {
            listeners[index].isInherited = true
        }
        isAccepting = true
        drain()
    }

    /// To be called once, when `isIdle`: nothing is under way on the listeners any more.
    mutating func closeListeners() {
        for listener in listeners where !listener.isClosed { driver.close(listener.descriptor, reset: false) }
        listeners.removeAll()
    }
}
