/// A worker's side of the clusters' gates: its exchanges that wait, in their order.
///
/// Gates are numbered from 1 on in the order of the clusters that have one, and behind those of exchanges the gates of connections
/// (`GateTable+Connections`). They keep their number as long as an exchange or a connection has it.
@safe struct GateTable: ~Copyable {
    struct Line: BitwiseCopyable {
        var gate: ClusterGate.View
        var limits: LimitPlan.Settings
        /// The cluster, by its index, if its endpoints have limits too; else -1.
        var cappedCluster: Int32
        /// How many may be without an answer, if that follows latency.
        var adaptive: AdaptiveGate.View?
        /// Who has idle connections; nil: the gate is one of exchanges.
        var board: IdleBoard.View?
        /// The cluster whose connections they are, by its index; -1: it has gone.
        var connectedCluster: Int32 = -1
        /// This worker is on the board.
        var showsIdle = false
        /// Idle connections of this worker are to be given up.
        var isTight = false
        var first = Slot.none
        var last = Slot.none
    }

    /// Where an exchange waits.
    struct Place: BitwiseCopyable {
        var gate: UInt16
        var number: UInt64
        var deadline: Int64
        var next = Slot.none
        var previous = Slot.none
    }

    /// Keeps what the views are of.
    private var gates: [ClusterGate]
    private var lines: UnsafeMutablePointer<Line>
    var count: Int { gates.count }
    /// By cluster, the number of the gate that its connections go through; 0: there is none.
    private(set) var ofConnections: [UInt16]
    var places: SlotTable<Place>
    let worker: Int
    /// Exchanges of this worker that wait.
    private(set) var waitingCount = 0
    /// Gates at which idle connections of this worker are to be given up.
    var tightCount = 0
    /// They, connections whose close is not known of, and gates at which this worker shows idle connections: with none of them
    /// there is nothing to be done.
    var attention = 0
    /// Connections that were closed, by their gate and when that was; those before `closedIndex` are known of.
    var closed: [(gate: UInt16, entries: UInt64)] = []
    var closedIndex = 0

    init(_ clusters: [ClusterPlan], exchangeCapacity: Int, worker: Int) {
        let made = Self.lines(clusters)
        let ofAll = (made.ofExchanges + made.ofConnections).compactMap { $0 }
        gates = ofAll.map(\.gate)
        var last = made.ofExchanges.count { $0 != nil }
        ofConnections = made.ofConnections.map { made in
            if made != nil { last += 1 }
            return made == nil ? 0 : UInt16(last)
        }
        unsafe lines = .allocate(capacity: max(1, ofAll.count))
        for (index, made) in ofAll.enumerated() {
            unsafe (lines + index).initialize(to: made.line)
            made.gate.view.join(worker: worker)
        }
        places = SlotTable(capacity: exchangeCapacity)
        self.worker = worker
    }

    deinit { unsafe lines.deallocate() }

    /// The number of a gate; nil: no cluster of this worker's has it.
    func number(of gate: ClusterGate) -> UInt16? {
        gates.firstIndex { $0 === gate }.map { UInt16($0 + 1) }
    }

    /// Takes up other limits. Where a gate has none any more, who waits goes in.
    ///
    /// - Parameter isUsed: whether an exchange, a connection or an endpoint has a number.
    /// - Returns: the number of each cluster's gate.
    mutating func adopt(_ clusters: [ClusterPlan], isUsed: (UInt16) -> Bool) -> [UInt16] {
        let made = Self.lines(clusters)
        let kept = (made.ofExchanges + made.ofConnections).compactMap { $0?.gate }
        // Who has no limits from now on. Others may still wait there, of workers that do not know of it yet.
        let endless = LimitPlan.Settings(requests: .max, queue: .max)
        var free: [Int] = []
        for index in gates.indices {
            unsafe lines[index].limits = endless
            unsafe lines[index].cappedCluster = -1
            unsafe lines[index].adaptive = nil
            unsafe lines[index].connectedCluster = -1
            if kept.contains(where: { $0 === gates[index] }) { continue }
            // Its idle connections count there no longer, or go: whoever still waits there need not ask for them.
            hideIdle(UInt16(index + 1))
            if !isUsed(UInt16(index + 1)) { free.append(index) }
        }
        let numbers = made.ofExchanges.map { adopt($0, &free) }
        ofConnections = made.ofConnections.map { adopt($0, &free) }
        return numbers
    }

    /// - Returns: the line's number; 0 for none.
    private mutating func adopt(_ made: (gate: ClusterGate, line: Line)?, _ free: inout [Int]) -> UInt16 {
        guard let (gate, line) = made else { return 0 }
        if let index = gates.firstIndex(where: { $0 === gate }) {
            unsafe lines[index].limits = line.limits
            unsafe lines[index].cappedCluster = line.cappedCluster
            unsafe lines[index].adaptive = line.adaptive
            unsafe lines[index].connectedCluster = line.connectedCluster
            return UInt16(index + 1)
        }
        line.gate.join(worker: worker)
        if let index = free.popLast() {
            gates[index] = gate
            unsafe lines[index] = line
            return UInt16(index + 1)
        }
        let more = UnsafeMutablePointer<Line>.allocate(capacity: gates.count + 1)
        unsafe more.initialize(from: lines, count: gates.count)
        unsafe (more + gates.count).initialize(to: line)
        unsafe lines.deallocate()
        unsafe lines = more
        gates.append(gate)
        return UInt16(gates.count)
    }

    /// Of each cluster, for its exchanges and for its connections; nil: there is no limit.
    private static func lines(_ clusters: [ClusterPlan]) -> (
        ofExchanges: [(gate: ClusterGate, line: Line)?], ofConnections: [(gate: ClusterGate, line: Line)?]
    ) {
        let ofExchanges = clusters.enumerated().map { index, cluster in
            cluster.limits.map { plan in
                let line = Line(
                    gate: plan.gate.view, limits: plan.settings,
                    cappedCluster: plan.isCapped ? Int32(index) : -1, adaptive: plan.adaptive?.view)
                return (gate: plan.gate, line: line)
            }
        }
        let ofConnections = clusters.enumerated().map { index, cluster in
            cluster.limits.flatMap { connectionLine($0, cluster: index) }
        }
        return (ofExchanges, ofConnections)
    }

    func line(_ number: UInt16) -> UnsafeMutablePointer<Line> {
        precondition(number > 0 && Int(number) <= count)
        return unsafe lines + Int(number - 1)
    }

    // MARK: - Coming and going

    /// The cluster of a gate, by its index, if its endpoints have limits too.
    func cappedCluster(_ number: UInt16) -> Int? {
        let cluster = unsafe line(number).pointee.cappedCluster
        return cluster < 0 ? nil : Int(cluster)
    }

    /// How many may be under way at a gate.
    ///
    /// - Parameter hasRoom: whether any endpoint has room for one more.
    private func limit(_ line: UnsafeMutablePointer<Line>, hasRoom: Bool) -> UInt32 {
        guard hasRoom else { return 0 }
        let most = unsafe line.pointee.limits.requests
        guard let adaptive = unsafe line.pointee.adaptive else { return most }
        return unsafe min(most, adaptive.current &+ line.pointee.gate.answered)
    }

    /// Whether an exchange that came now would go in, as far as the gate knows.
    func isOpen(_ number: UInt16) -> Bool {
        let line = unsafe line(number)
        return unsafe line.pointee.gate.isOpen(limit: limit(line, hasRoom: true))
    }

    /// An exchange comes to its cluster. One that waits is appended.
    mutating func arrive(_ exchange: UInt32, at number: UInt16, now: Int64, hasRoom: Bool = true)
        -> ClusterGate.Arrival
    {
        let line = unsafe line(number)
        let limits = unsafe line.pointee.limits
        let own = unsafe limit(line, hasRoom: true)
        let arrival = unsafe line.pointee.gate.arrive(limit: hasRoom ? own : 0, queue: limits.queue)
        if arrival == .refused {
            // Where endpoints have no room it may be that as well.
            if own < limits.requests, unsafe hasRoom || UInt32(clamping: line.pointee.gate.underWay) >= own {
                unsafe line.pointee.gate.noteShed()
                return .shed
            }
            unsafe line.pointee.gate.noteRefusal()
        }
        if arrival == .waits { unsafe append(exchange, to: line, now: now) }
        return arrival
    }

    private mutating func append(_ exchange: UInt32, to line: UnsafeMutablePointer<Line>, now: Int64) {
        let number = unsafe line.pointee.gate.drawNumber()
        let last = unsafe line.pointee.last
        places[exchange] = unsafe Place(
            gate: UInt16(line - lines) + 1, number: number,
            deadline: now + line.pointee.limits.queueTimeout, previous: last)
        unsafe line.pointee.last = exchange
        waitingCount += 1
        attention += 1
        if last == Slot.none {
            unsafe line.pointee.first = exchange
            unsafe line.pointee.gate.show(number, worker: worker)
        } else {
            places[last].next = exchange
        }
    }

    /// An exchange that is under way already begins to count.
    func include(at number: UInt16) { unsafe line(number).pointee.gate.include() }

    /// The exchange that goes in now; nil if none may, or others' turn it is. It waits no longer, and is under way.
    mutating func takeFirst(_ number: UInt16) -> UInt32? {
        let line = unsafe line(number)
        let first = unsafe line.pointee.first
        let limit = unsafe limit(line, hasRoom: true)
        guard first != Slot.none, unsafe line.pointee.gate.turn(limit: limit) == worker,
            unsafe line.pointee.gate.enter(limit: limit)
        else { return nil }
        unsafe unlink(first, from: line)
        return first
    }

    /// An exchange goes in that would not wait; false if there is no room for it.
    func enterAtOnce(_ number: UInt16) -> Bool {
        let line = unsafe line(number)
        return unsafe line.pointee.gate.enterAtOnce(limit: limit(line, hasRoom: true))
    }

    /// An exchange under way waits again, as the last; false if there is no room for that.
    mutating func giveWay(_ exchange: UInt32, at number: UInt16, now: Int64) -> Bool {
        let line = unsafe line(number)
        guard unsafe line.pointee.gate.giveWay(queue: line.pointee.limits.queue) else { return false }
        unsafe append(exchange, to: line, now: now)
        return true
    }

    /// An exchange that waits ends.
    mutating func giveUp(_ exchange: UInt32, at number: UInt16) {
        let line = unsafe line(number)
        unsafe line.pointee.gate.giveUp()
        unsafe unlink(exchange, from: line)
    }

    /// An exchange under way ends.
    ///
    /// - Returns: whether any wait, wherever.
    func leave(_ number: UInt16) -> Bool { unsafe line(number).pointee.gate.leave() }

    private mutating func unlink(_ exchange: UInt32, from line: UnsafeMutablePointer<Line>) {
        let place = places[exchange]
        waitingCount -= 1
        attention -= 1
        if place.next == Slot.none {
            unsafe line.pointee.last = place.previous
        } else {
            places[place.next].previous = place.previous
        }
        if place.previous != Slot.none {
            places[place.previous].next = place.next
            return
        }
        unsafe line.pointee.first = place.next
        let lowest = place.next == Slot.none ? 0 : places[place.next].number
        unsafe line.pointee.gate.show(lowest, worker: worker)
    }

    // MARK: - Answers

    /// Whether a gate's limit follows latency.
    func isAdaptive(_ number: UInt16) -> Bool { unsafe line(number).pointee.adaptive != nil }

    /// An exchange under way is answered: another one may come in its place.
    ///
    /// - Parameter latency: nanoseconds since it was asked; 0: nobody knows.
    func noteAnswer(_ number: UInt16, latency: Int64, now: Int64) {
        if latency > 0 { noteLatency(number, latency, now: now) }
        unsafe line(number).pointee.gate.noteAnswer()
    }

    /// An answer, or that there is none, took so many nanoseconds.
    func noteLatency(_ number: UInt16, _ latency: Int64, now: Int64) {
        let line = unsafe line(number)
        guard let adaptive = unsafe line.pointee.adaptive else { return }
        let gate = unsafe line.pointee.gate
        let answered = Int(gate.answered)
        adaptive.note(latency: latency, underWay: UInt32(clamping: gate.underWay - answered), now: now)
    }

    func forgetAnswer(_ number: UInt16) { unsafe line(number).pointee.gate.forgetAnswer() }

    // MARK: - Waiting

    /// Until when an exchange waits.
    func deadline(of exchange: UInt32) -> Int64 { places[exchange].deadline }

    func noteExpiry(_ number: UInt16) { unsafe line(number).pointee.gate.noteExpiry() }

    /// Whether an exchange waits at a gate, wherever.
    func isAwaited(_ number: UInt16) -> Bool { unsafe line(number).pointee.gate.isAwaited }

    /// The other worker whose turn it is at a gate; nil if it is nobody's, or this one's.
    ///
    /// - Parameter hasRoom: whether any endpoint has room for one more.
    func otherWorker(_ number: UInt16, hasRoom: Bool = true) -> Int? {
        let line = unsafe line(number)
        let next = unsafe line.pointee.gate.turn(limit: limit(line, hasRoom: hasRoom))
        return next == worker ? nil : next
    }

    /// The first exchange of this worker that waits at a gate, if it is its turn, as far as the gate knows.
    func next(_ number: UInt16) -> UInt32? {
        let line = unsafe line(number)
        let first = unsafe line.pointee.first
        guard first != Slot.none, unsafe line.pointee.gate.turn(limit: limit(line, hasRoom: true)) == worker
        else { return nil }
        return first
    }
}
