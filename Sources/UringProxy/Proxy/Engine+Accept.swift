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
        guard isAccepting, phase == .running, !acceptPaused, !listeners[index].isArmed else { return }
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
        } else if completion.result != -ECANCELED {
            acceptFailed(index)
            return
        }
        if !completion.more { armAccept(index) }
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
        connection.listener = UInt16(index)
        guard trust.requiresHeader ? expectProxyHeader(&connection) : enterClient(&connection) else {
            driver.close(descriptor, reset: false)
            return
        }
        guard let slot = connections.insert(connection) else {
            if connection.countedPerClient { clientLimit?.leave(connection.peer) }
            counters.add(.acceptFailures)
            driver.close(descriptor, reset: false)
            return
        }
        counters.add(.downstreamAccepted)
        downstreamCount += 1
        if downstreamCount == settings.connections { pauseAccepting() }
        if listeners[index].role == .tcp && connection.phase == .waiting {
            startRelay(slot)
        } else {
            updateReceive(slot)
            armTimer(slot)
        }
    }

    /// Counts a connection for its client; false if that has as many as `--limit-connections-per-client` allows.
    mutating func enterClient(_ connection: inout Connection) -> Bool {
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
    private mutating func pauseAccepting() {
        acceptPaused = true
        counters.add(.acceptPauses)
        cancelAccepts()
    }

    private mutating func cancelAccepts() {
        for index in listeners.indices where listeners[index].isArmed {
            driver.cancel(listeners[index].descriptor, token: acceptToken(index))
        }
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

    /// Ends the listeners. What waits in their backlog was promised service by the kernel and is taken first; in an inherited
    /// one it waits for whoever inherits it next.
    mutating func stopAccepting() {
        guard isAccepting else { return }
        cancelAccepts()
        for index in listeners.indices where !listeners[index].isInherited {
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
    }

    /// Takes no connection until `startAccepting`: they wait in the backlogs. Done when `isAcceptUnderWay` no longer holds.
    mutating func suspendAccepting() {
        isAccepting = false
        cancelAccepts()
    }

    /// Whether the kernel may still have a connection for us.
    var isAcceptUnderWay: Bool { listeners.contains { $0.isArmed } }

    /// Drains after a pause: another process accepts where `kept` says so, and what waits there is its own to take.
    mutating func handOver(_ kept: [Bool]) {
        for (index, isKept) in zip(listeners.indices, kept) where isKept {
            listeners[index].isInherited = true
        }
        isAccepting = true
        drain()
    }

    /// To be called once, when `isIdle`: nothing is under way on the listeners any more.
    mutating func closeListeners() {
        for listener in listeners { driver.close(listener.descriptor, reset: false) }
        listeners.removeAll()
    }
}
