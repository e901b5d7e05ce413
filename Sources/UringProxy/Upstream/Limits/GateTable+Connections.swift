// Gates that connections go through: what counts there is a connection, from before it is opened until it is closed, and who waits
// is an exchange that has gone in at its cluster and is to have one.
extension GateTable {
    /// nil if the cluster may have any number.
    static func connectionLine(_ plan: LimitPlan, cluster: Int) -> (gate: ClusterGate, line: Line)? {
        guard let gate = plan.connectionGate else { return nil }
        // As many wait as have gone in, which the other gate says.
        let limits = LimitPlan.Settings(
            requests: plan.settings.connections, queue: .max, queueTimeout: plan.settings.queueTimeout)
        let line = Line(
            gate: gate.view, limits: limits, cappedCluster: -1, board: gate.board?.view,
            connectedCluster: Int32(cluster))
        return (gate, line)
    }

    func isOfConnections(_ number: UInt16) -> Bool { unsafe line(number).pointee.board != nil }

    /// The cluster whose connections go through a gate, by its index; nil: it is one of exchanges, or the cluster has gone.
    func connectedCluster(_ number: UInt16) -> Int? {
        let cluster = unsafe line(number).pointee.connectedCluster
        return cluster < 0 ? nil : Int(cluster)
    }

    // MARK: - Closing

    /// A connection is closed. Its place is free once the kernel has been told.
    ///
    /// - Parameter entries: how often the driver has told the kernel all (`DriverStatistics.wholeEntries`): once more, and it
    ///   knows of this.
    mutating func noteClosed(_ number: UInt16, entries: UInt64) {
        closed.append((number, entries))
        attention += 1
    }

    /// Whether a close is to be known of.
    var hasClosed: Bool { closedIndex < closed.count }

    /// The gate of a connection that the kernel was told the end of, and counts there no longer; nil if there is none.
    mutating func takeClosed(entries: UInt64) -> UInt16? {
        guard hasClosed, closed[closedIndex].entries < entries else { return nil }
        let number = closed[closedIndex].gate
        closedIndex += 1
        attention -= 1
        if closedIndex == closed.count {
            closed.removeAll(keepingCapacity: true)
            closedIndex = 0
        }
        _ = leave(number)
        return number
    }

    // MARK: - Waiting

    /// The gate at which an exchange waits.
    func gate(of exchange: UInt32) -> UInt16 { places[exchange].gate }

    /// The exchange of this worker that has waited longest; `Slot.none` if none waits.
    func firstWaiting(_ number: UInt16) -> UInt32 { unsafe line(number).pointee.first }
    func waiting(behind exchange: UInt32) -> UInt32 { places[exchange].next }

    /// How many idle connections would have to go for nobody to wait, and the limit to be kept.
    func shortage(_ number: UInt16) -> Int {
        let gate = unsafe line(number).pointee.gate
        return gate.waiting + surplus(number)
    }

    /// How many connections there are beyond the limit, which a reload may have lowered.
    func surplus(_ number: UInt16) -> Int {
        let line = unsafe line(number)
        return max(0, unsafe line.pointee.gate.underWay - Int(line.pointee.limits.requests))
    }

    // MARK: - Idle connections

    /// A connection of this worker becomes idle.
    mutating func noteIdle(_ number: UInt16) {
        let line = unsafe line(number)
        if unsafe !line.pointee.showsIdle {
            unsafe line.pointee.showsIdle = true
            unsafe line.pointee.board?.show(worker: worker)
            attention += 1
        }
        if unsafe line.pointee.gate.isAwaited || surplus(number) > 0 {
            setTight(number, true)
        }
    }

    /// This worker has no idle connection.
    ///
    /// - Returns: how many it has been asked for meanwhile.
    @discardableResult
    mutating func hideIdle(_ number: UInt16) -> Int {
        let line = unsafe line(number)
        setTight(number, false)
        guard unsafe line.pointee.showsIdle else { return 0 }
        unsafe line.pointee.showsIdle = false
        attention -= 1
        return unsafe line.pointee.board?.hide(worker: worker) ?? 0
    }

    /// Whether idle connections are to be looked for that are to be given up.
    func isTight(_ number: UInt16) -> Bool { unsafe line(number).pointee.isTight }
    mutating func setTight(_ number: UInt16, _ isTight: Bool) {
        let line = unsafe line(number)
        if unsafe line.pointee.isTight == isTight { return }
        unsafe line.pointee.isTight = isTight
        tightCount += isTight ? 1 : -1
    }

    /// How many idle connections other workers have asked for since they were last taken note of.
    func takeAsked(_ number: UInt16) -> Int {
        let line = unsafe line(number)
        guard unsafe line.pointee.showsIdle else { return 0 }
        return unsafe line.pointee.board?.takeAsked(worker: worker) ?? 0
    }

    /// Asks another worker for idle connections; nil if none shows any.
    ///
    /// - Returns: who is to be woken.
    func askForIdle(_ number: UInt16, count: Int) -> Int? {
        unsafe line(number).pointee.board?.ask(for: worker, count: count)
    }

    /// Calls `body` with each other worker where exchanges wait at a gate.
    func forEachWaiting(_ number: UInt16, _ body: (Int) -> Void) {
        unsafe line(number).pointee.gate.forEachWaiting { if $0 != worker { body($0) } }
    }
}
