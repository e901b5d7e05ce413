// Who is let in: by a listener, which sees connections before it sees requests, and by a route.
//
// Listeners and routes that ask nothing never come here: their plan is -1.
extension Engine where D: ~Copyable {
    // MARK: - Connections

    /// Whether the listener of a new connection lets it in. What a trusted proxy sends is looked at request by request, for
    /// the connection's other end is not who asks.
    mutating func letsIn(_ connection: inout Connection, _ plan: Int) -> Bool {
        guard let addresses = accessPlans[plan].addresses else { return true }
        if !connection.peerKnown { askPeer(&connection) }
        let isRelay = listeners[Int(connection.listener)].role == .tcp
        if !isRelay && trust.proxies.contains(connection.peer) || addresses.admits(connection.peer) {
            return true
        }
        counters.add(.addressRefusals)
        return false
    }

    // MARK: - Requests

    /// Whether the listener lets in the request whose head has just been parsed out of `bytes`; if not, it has been answered.
    mutating func letsIn(_ index: UInt32, _ slot: UInt32, _ bytes: ByteView, listenerPlan plan: Int) -> Bool {
        // Whoever is no trusted proxy was looked at when the connection began.
        guard let addresses = accessPlans[plan].addresses, trust.proxies.contains(peer(of: slot)) else {
            return true
        }
        return letsIn(index, slot, bytes, addresses)
    }

    /// The same of a route.
    mutating func letsIn(_ index: UInt32, _ slot: UInt32, _ bytes: ByteView, routePlan plan: Int) -> Bool {
        guard let addresses = accessPlans[plan].addresses else { return true }
        return letsIn(index, slot, bytes, addresses)
    }

    private mutating func letsIn(
        _ index: UInt32, _ slot: UInt32, _ bytes: ByteView, _ addresses: AddressRules
    ) -> Bool {
        if addresses.admits(clientAddress(slot, bytes)) { return true }
        fail(index, .addressDenied)
        return false
    }
}
