internal import Synchronization

/// What clusters' handshakes begin with, by the clusters' names: what a reload leaves as it was goes on, and with it connections and
/// tickets.
final class UpstreamTLSRegistry: Sendable {
    private struct State {
        var contexts: [String: UpstreamTLSContext] = [:]
        var lastSerial: UInt64 = 0
    }

    private let state = Mutex(State())

    /// The one that there is, or, of another identity, what `make` makes of a serial number. At start and reload alone: it locks.
    func context(
        _ cluster: String, _ identity: UpstreamTLSContext.Identity,
        make: (UInt64) throws(TLSContextError) -> UpstreamTLSContext
    ) throws(TLSContextError) -> UpstreamTLSContext {
        try state.withLock { state throws(TLSContextError) in
            if let known = state.contexts[cluster], known.identity == identity { return known }
            state.lastSerial += 1
            let made = try make(state.lastSerial)
            state.contexts[cluster] = made
            return made
        }
    }

    /// Forgets what these clusters do without.
    func keep(_ plans: [ClusterPlan]) {
        state.withLock { state in
            state.contexts = plans.reduce(into: [:]) { $0[$1.name] = $1.tls?.context }
        }
    }
}
