/// A worker's side of the clusters' gates: its exchanges that wait, in their order.
///
/// Gates are numbered from 1 on in the order of the clusters that have one. They keep their number as long as an exchange has it.
@safe struct GateTable: ~Copyable {
    private struct Line: BitwiseCopyable {
        var gate: ClusterGate.View
        var limits: LimitPlan.Settings
        var first = Slot.none
        var last = Slot.none
    }

    /// Where an exchange waits.
    private struct Place: BitwiseCopyable {
        var number: UInt64
        var deadline: Int64
        var next = Slot.none
        var previous = Slot.none
    }

    /// Keeps what the views are of.
    private var gates: [ClusterGate]
    private var lines: UnsafeMutablePointer<Line>
    var count: Int { gates.count }
    private var places: SlotTable<Place>
    private let worker: Int
    /// Exchanges of this worker that wait.
    private(set) var waitingCount = 0

    init(_ clusters: [ClusterPlan], exchangeCapacity: Int, worker: Int) {
        let plans = clusters.compactMap(\.limits)
        gates = plans.map(\.gate)
        unsafe lines = .allocate(capacity: max(1, plans.count))
        for (index, plan) in plans.enumerated() {
            let line = Line(gate: plan.gate.view, limits: plan.settings)
            unsafe (lines + index).initialize(to: line)
            line.gate.join(worker: worker)
        }
        places = SlotTable(capacity: exchangeCapacity)
        self.worker = worker
    }

    deinit { unsafe lines.deallocate() }

    /// Takes up other limits. Where a gate has none any more, who waits goes in.
    ///
    /// - Parameter isUsed: whether an exchange has a number.
    /// - Returns: the number of each cluster's gate.
    mutating func adopt(_ clusters: [ClusterPlan], isUsed: (UInt16) -> Bool) -> [UInt16] {
        let plans = clusters.compactMap(\.limits)
        // Who has no limits from now on.
        let endless = LimitPlan.Settings(requests: .max)
        var free: [Int] = []
        for index in gates.indices {
            unsafe lines[index].limits = endless
            let isKept = plans.contains { $0.gate === gates[index] }
            if !isKept && !isUsed(UInt16(index + 1)) { free.append(index) }
        }
        return clusters.map { cluster in
            guard let limits = cluster.limits else { return 0 }
            if let index = gates.firstIndex(where: { $0 === limits.gate }) {
                unsafe lines[index].limits = limits.settings
                return UInt16(index + 1)
            }
            let line = Line(gate: limits.gate.view, limits: limits.settings)
            line.gate.join(worker: worker)
            if let index = free.popLast() {
                gates[index] = limits.gate
                unsafe lines[index] = line
                return UInt16(index + 1)
            }
            let more = UnsafeMutablePointer<Line>.allocate(capacity: gates.count + 1)
            unsafe more.initialize(from: lines, count: gates.count)
            unsafe (more + gates.count).initialize(to: line)
            unsafe lines.deallocate()
            unsafe lines = more
            gates.append(limits.gate)
            return UInt16(gates.count)
        }
    }

    private func line(_ number: UInt16) -> UnsafeMutablePointer<Line> {
        precondition(number > 0 && Int(number) <= count)
        return unsafe lines + Int(number - 1)
    }

    // MARK: - Coming and going

    /// An exchange comes to its cluster. One that waits is appended.
    mutating func arrive(_ exchange: UInt32, at number: UInt16, now: Int64) -> ClusterGate.Arrival {
        let line = unsafe line(number)
        let limits = unsafe line.pointee.limits
        let arrival = unsafe line.pointee.gate.arrive(limit: limits.requests, queue: limits.queue)
        if arrival == .waits { unsafe append(exchange, to: line, now: now) }
        return arrival
    }

    private mutating func append(_ exchange: UInt32, to line: UnsafeMutablePointer<Line>, now: Int64) {
        let number = unsafe line.pointee.gate.drawNumber()
        let last = unsafe line.pointee.last
        places[exchange] = unsafe Place(
            number: number, deadline: now + line.pointee.limits.queueTimeout, previous: last)
        unsafe line.pointee.last = exchange
        waitingCount += 1
        if last == Slot.none {
            unsafe line.pointee.first = exchange
            unsafe line.pointee.gate.show(number, worker: worker)
        } else {
            places[last].next = exchange
        }
    }

    /// The exchange that goes in now; nil if none may, or others' turn it is. It waits no longer, and is under way.
    mutating func takeFirst(_ number: UInt16) -> UInt32? {
        let line = unsafe line(number)
        let first = unsafe line.pointee.first
        let limit = unsafe line.pointee.limits.requests
        guard first != Slot.none, unsafe line.pointee.gate.turn(limit: limit) == worker,
            unsafe line.pointee.gate.enter(limit: limit)
        else { return nil }
        unsafe unlink(first, from: line)
        return first
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

    // MARK: - Waiting

    /// Until when an exchange waits.
    func deadline(of exchange: UInt32) -> Int64 { places[exchange].deadline }

    func noteExpiry(_ number: UInt16) { unsafe line(number).pointee.gate.noteExpiry() }

    /// The other worker whose turn it is at a gate; nil if it is nobody's, or this one's.
    func otherWorker(_ number: UInt16) -> Int? {
        let line = unsafe line(number)
        let next = unsafe line.pointee.gate.turn(limit: line.pointee.limits.requests)
        return next == worker ? nil : next
    }

    /// Whether an exchange of this worker may go in.
    var mayTake: Bool {
        for index in 0..<count {
            let line = unsafe lines[index]
            if line.first != Slot.none && line.gate.turn(limit: line.limits.requests) == worker {
                return true
            }
        }
        return false
    }
}
