internal import Synchronization

/// What is known of the endpoints of one cluster at the place where they are found. It outlives every reload that names the
/// same cluster and place.
final class DiscoverySource: Sendable {
    let cluster: String
    let place: DiscoveryPlace
    /// Answers that named endpoints.
    let refreshes = Atomic<UInt64>(0)
    /// Questions that nobody answered, answers that named none, files that could not be used.
    let failures = Atomic<UInt64>(0)
    /// Refreshes that changed something.
    let changes = Atomic<UInt64>(0)
    private let state = Mutex(State())

    private struct State {
        var endpoints: [FixedUpstream] = []
        /// There is nothing to wait for: it has endpoints, or it was said that there are none.
        var isSettled = false
        /// At most one: starts and reloads follow each other, and who has waited in vain waits no more.
        var waiting: (@Sendable () -> Void)?
    }

    init(cluster: String, place: DiscoveryPlace) {
        self.cluster = cluster
        self.place = place
    }

    /// What was found last; empty: nothing yet.
    var endpoints: [FixedUpstream] { state.withLock { $0.endpoints } }

    /// Endpoints were found: at least one.
    ///
    /// - Returns: how many of them are new, and how many have gone; nil if all is as it was.
    @discardableResult
    func found(_ endpoints: [FixedUpstream]) -> (new: Int, gone: Int)? {
        precondition(!endpoints.isEmpty)
        refreshes.wrappingAdd(1, ordering: .relaxed)
        let before = state.withLock { state in
            defer { state.endpoints = endpoints }
            return state.endpoints
        }
        settle()
        let isSame = before.elementsEqual(endpoints) { $0.isSame(as: $1) }
        guard !isSame else { return nil }
        changes.wrappingAdd(1, ordering: .relaxed)
        let (old, new) = (Set(before.map(\.identity)), Set(endpoints.map(\.identity)))
        return (new.subtracting(old).count, old.subtracting(new).count)
    }

    /// Nothing was found; what is known stays.
    ///
    /// - Parameter isFinal: asking again would not help who waits.
    func failed(isFinal: Bool) {
        failures.wrappingAdd(1, ordering: .relaxed)
        if isFinal { settle() }
    }

    private func settle() {
        let waiting = state.withLock { state in
            defer { state.waiting = nil }
            state.isSettled = true
            return state.waiting
        }
        waiting?()
    }

    /// Calls `body` once there is nothing to wait for, on whatever thread; at once if that is so already.
    func whenSettled(_ body: @escaping @Sendable () -> Void) {
        let isSettled = state.withLock { state in
            if !state.isSettled { state.waiting = body }
            return state.isSettled
        }
        if isSettled { body() }
    }
}
