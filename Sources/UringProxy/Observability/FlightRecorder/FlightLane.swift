internal import Synchronization

/// What a worker leaves for the flight recorder beside its events: written by it, and taken by the recorder's thread.
final class FlightLane: Sendable {
    let ring: FlightRing
    /// The last exchange that was slow; 0: it has been taken, or there was none.
    private let slow = Atomic<UInt64>(0)
    /// Exchanges that were slow.
    let slowCount = Atomic<UInt64>(0)
    /// Turns that took `FlightRecorder.longTurn`, and the longest one (nanoseconds).
    let longTurns = Atomic<UInt64>(0)
    let longestTurn = Atomic<Int64>(0)

    init(capacity: Int) { ring = FlightRing(capacity: capacity) }

    deinit { ring.destroy() }

    // MARK: - Its worker

    /// An exchange was slow: of two before the recorder looks it hears of the first.
    func noteSlow(_ id: UInt64) {
        slowCount.store(slowCount.load(ordering: .relaxed) &+ 1, ordering: .relaxed)
        if slow.load(ordering: .relaxed) == 0 { slow.store(id, ordering: .releasing) }
    }

    func noteLongTurn(_ nanoseconds: Int64) {
        longTurns.store(longTurns.load(ordering: .relaxed) &+ 1, ordering: .relaxed)
        if nanoseconds > longestTurn.load(ordering: .relaxed) {
            longestTurn.store(nanoseconds, ordering: .relaxed)
        }
    }

    // MARK: - The recorder

    func takeSlow() -> UInt64? {
        if slow.load(ordering: .relaxed) == 0 { return nil }
        let id = slow.exchange(0, ordering: .acquiringAndReleasing)
        return id == 0 ? nil : id
    }
}

/// By what workers record: of one snapshot, as its events name listeners, clusters and endpoints by their numbers in it.
final class FlightPlan: Sendable {
    let lanes: [FlightLane]
    /// An exchange that takes as long is a slow one (nanoseconds).
    let slow: Int64
    /// Whose names are meant.
    let number: UInt64

    init(lanes: [FlightLane], slow: Int64, number: UInt64) {
        self.lanes = lanes
        self.slow = slow
        self.number = number
    }
}
