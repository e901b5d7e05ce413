// Who is let in: by a listener, which sees connections before it sees requests, and by a route.
//
// Listeners and routes that ask nothing never come here: their plan is -1.
extension Engine where D: ~Copyable {
    // MARK: - Connections

    /// Whether the listener of a new connection lets it in. What a trusted proxy sends is looked at request by request, for
    /// the connection's other end is not who asks.
    mutating func letsIn(_ connection: inout Connection, _ plan: Int) -> Bool {
        let isRelay = listeners[connection.listener].role == .tcp
        let isCounted = isRelay && accessPlans[plan].limits.count > 0
        guard isCounted || !accessPlans[plan].addresses.isEmpty else { return true }
        if !connection.peerKnown { askPeer(&connection) }
        let isLookedAtLater = !isRelay && trust.proxies.contains(connection.peer)
        if !isLookedAtLater && !accessPlans[plan].addresses.admit(connection.peer) {
            counters.add(.addressRefusals)
            return false
        }
        // A relay has no requests: its connections are counted.
        if isCounted, exceededLimit(plan, connection.peer, .empty) != nil {
            counters.add(.rateLimitRefusals)
            return false
        }
        return true
    }

    // MARK: - Requests

    /// Whether the listener lets in the request whose head has just been parsed out of `bytes`; if not, it has been answered.
    ///
    /// Addresses are looked at with each request: since the connection began a reload may have changed who is let in, and who
    /// is believed.
    ///
    /// - Parameters:
    ///   - plan: of the listener, or of the route that takes the request.
    ///   - isResumed: limits have counted it.
    @inline(never)
    mutating func letsIn(
        _ index: UInt32, _ slot: UInt32, _ bytes: ByteView, plan: Int, isResumed: Bool
    ) -> Bool {
        let byAddress = !accessPlans[plan].addresses.isEmpty
        guard byAddress || accessPlans[plan].limits.count > 0 else { return true }
        let client = clientAddress(slot, bytes)
        if byAddress && !accessPlans[plan].addresses.admit(client) {
            fail(index, .addressDenied)
            return false
        }
        // After that: who is not let in takes nothing from anybody.
        if !isResumed, let exceeded = exceededLimit(plan, client, bytes) {
            answerExceeded(index, exceeded.limit, exceeded.wait)
            return false
        }
        return true
    }

    // MARK: - Rate limits

    /// Takes from the buckets of a plan, one after the other; the first that has nothing left, and for how long, in nanoseconds.
    ///
    /// - Parameter bytes: what `fields` are of; empty if there is no request.
    private func exceededLimit(_ plan: Int, _ client: IPAddress, _ bytes: ByteView) -> (
        limit: RateLimit, wait: Int64
    )? {
        for index in 0..<accessPlans[plan].limits.count {
            let limit = accessPlans[plan].limits[index]
            let hash: UInt64
            switch limit.key {
            case .address: hash = limit.hash(client)
            case .place: hash = limit.hash(accessPlans[plan].place)
            case .all: hash = limit.hash(0)
            case .field:
                // A connection of layer 4 has no fields.
                guard !bytes.isEmpty, let value = value(of: limit, bytes) else { continue }
                hash = limit.hash(value)
            }
            let wait = limit.take(hash, now: driver.now)
            if wait == 0 { continue }
            limit.count(limit.observes ? .observed : .exceeded)
            if !limit.observes { return (limit, wait) }
        }
        return nil
    }

    /// The value of the first field that a limit counts by.
    private func value(of limit: RateLimit, _ bytes: ByteView) -> ByteView? {
        fields.first(limit.field, limit.fieldName, in: bytes).map { bytes[fields[$0].value] }
    }

    /// RFC 6585 §4, RFC 9110 §10.2.3, draft-ietf-httpapi-ratelimit-headers-10 §3 and §4.
    private mutating func answerExceeded(_ index: UInt32, _ limit: RateLimit, _ wait: Int64) {
        let seconds = UInt64((wait + 999_999_999) / 1_000_000_000)
        fail(index, .rateLimited, size: limit.lines.count + 64) { writer in
            writer.append("Retry-After: ")
            writer.append(decimal: seconds)
            writer.append("\r\n")
            writer.append(limit.lines)
            writer.append(decimal: seconds)
            writer.append("\r\n")
        }
    }
}
