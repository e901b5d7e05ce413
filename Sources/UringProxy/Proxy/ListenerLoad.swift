internal import Synchronization

/// How many connections a listener has, those of all workers together. Counted while it has a limit, and kept across reloads. Handshakes
/// of TLS are counted likewise.
final class ListenerLoad: Sendable {
    private let count = Atomic<Int>(0)
    private let refusals = Atomic<UInt64>(0)

    /// Connections that are open.
    var connections: Int { count.load(ordering: .relaxed) }
    /// Connections that were one too many.
    var refused: UInt64 { refusals.load(ordering: .relaxed) }

    /// One more comes; false, and not counted, if there are as many as allowed.
    func enter(limit: Int) -> Bool {
        var seen = connections
        while seen < limit {
            let (exchanged, original) = count.compareExchange(
                expected: seen, desired: seen + 1, ordering: .relaxed)
            if exchanged { return true }
            seen = original
        }
        refusals.wrappingAdd(1, ordering: .relaxed)
        return false
    }

    /// One that is open already begins to count, however many there are.
    func include() { count.wrappingAdd(1, ordering: .relaxed) }

    func leave() {
        let left = count.wrappingSubtract(1, ordering: .relaxed)
        precondition(left.oldValue > 0, "a connection leaves once")
    }
}
