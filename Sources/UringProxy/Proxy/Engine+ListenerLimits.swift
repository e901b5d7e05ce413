// Listeners that take so many connections: what is too much for one is told so, or closed. It does not wait in the backlog: each
// worker has one of its own, and where there is room it need not be this one's.
extension Engine where D: ~Copyable {
    /// How many refused connections may take a slot, to be told so: the others are closed without a word, as they are not to take
    /// the place of those that other listeners would serve.
    private var surplusLimit: Int { max(1, settings.connections / 8) }

    /// Counts a connection for its listener, which has a limit. One that is too much becomes surplus; false if it is to be closed
    /// at once.
    @inline(never)
    mutating func enterListener(_ connection: inout Connection) -> Bool {
        let index = connection.listener
        let limit = Int(listeners[index].connectionLimit)
        if listenerLoads[index]?.enter(limit: limit) ?? true {
            connection.countedAtListener = true
            return true
        }
        // To be told so over TLS takes a handshake, which is what costs most of it all.
        if listeners[index].role == .tcp || listeners[index].tls >= 0 || surplusCount >= surplusLimit {
            counters.add(failure: .listenerFull)
            return false
        }
        surplusCount += 1
        connection.isSurplus = true
        return true
    }

    /// A downstream connection ends: others may come in its place.
    @inline(__always)
    func leaveLimits(_ connection: Connection) {
        if connection.countedPerClient { clientLimit?.leave(connection.peer) }
        if connection.countedAtListener { listenerLoads[connection.listener]?.leave() }
    }

    /// A listener that stays has another limit, or none: what is open counts from now on, or no longer.
    mutating func adoptLimit(_ limit: Int32, listener index: Int) {
        let counted = listeners[index].connectionLimit > 0
        listeners[index].connectionLimit = limit
        guard counted != (limit > 0), let load = listenerLoads[index] else { return }
        for slot in 0..<UInt32(connections.highestCount)
        where connections.isOccupied(slot) && connections[slot].side == .downstream
            && connections[slot].phase != .detached && connections[slot].listener == index
            && !connections[slot].isSurplus && !isStream(slot)
        {
            if connections[slot].countedAtListener == (limit > 0) { continue }
            connections[slot].countedAtListener = limit > 0
            if limit > 0 { load.include() } else { load.leave() }
        }
    }
}
