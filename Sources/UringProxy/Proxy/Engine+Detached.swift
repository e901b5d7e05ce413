// Exchanges that nobody is answered by. In downstream's place they have a connection without a descriptor (`detached`): it has
// their timers, and drops what would be sent. So they go through the same states as all others, and end in places of their own.
extension Engine where D: ~Copyable {
    /// Begins an exchange whose request is that of another one, held by both; nil if there is no room.
    ///
    /// - Parameter original: its request is done, and not dropped.
    mutating func makeDetached(_ kind: Exchange.Kind, of original: UInt32) -> UInt32? {
        // What waits for memory goes first.
        guard phase == .running, starved.isEmpty, detachedCount < Self.detachedLimit else { return nil }
        let request = exchanges[original].request
        guard arena.canRetain(request.slice) else { return nil }
        var connection = Connection(descriptor: -1, side: .downstream, phase: .detached, now: driver.now)
        // Nothing is to be spliced into it.
        connection.outputEnded = true
        guard let slot = connections.insert(connection) else { return nil }
        var exchange = Exchange(
            downstream: slot, method: exchanges[original].method, version: .http11, keepAlive: false,
            startedAt: driver.now, totalDeadline: exchanges[original].totalDeadline)
        exchange.kind = kind
        exchange.request = request
        exchange.proxyHeaderSize = exchanges[original].proxyHeaderSize
        exchange.hostRange = exchanges[original].hostRange
        exchange.requestDone = true
        exchange.hasPolicy = exchanges[original].hasPolicy
        guard let index = exchanges.insert(exchange) else {
            connections.remove(slot)
            return nil
        }
        arena.retain(request.slice)
        if exchange.hasPolicy { policies[index] = policies[original] }
        connections[slot].exchange = index
        detachedCount += 1
        if kind == .mirror { mirrorCount += 1 }
        counters.add(.exchangesStarted)
        armTimer(slot)
        return index
    }

    /// Takes the head of the answer that has just been parsed; false if the exchange has to wait for more, or has ended.
    @inline(never)
    mutating func readDetachedHead(_ slot: UInt32, _ index: UInt32) -> Bool {
        let exchange = exchanges.tenant(index)
        if responseHead.isInterim {
            segments.consume(UInt32(responseHead.size), from: &connections[slot].input)
            return true
        }
        if responseHead.status == 101 {
            fail(index, .upstreamUnexpectedUpgrade)
            return false
        }
        if exchange.kind == .hedge {
            hedgeAnswered(slot, index)
            return false
        }
        if responseHead.status >= 429 && exchange.retry.looksAtStatuses,
            retry(
                index, on: RetryRules.Conditions(status: responseHead.status),
                after: .answered(status: responseHead.status))
        {
            return false
        }
        noteAnswer(exchange, status: responseHead.status)
        if exchange.gate != 0 { answerBegan(index, status: responseHead.status) }
        counters.add(.mirrored)
        exchange.upstreamKeepAlive = responseHead.keepAlive
        exchange.responseBody = BodyReader(responseHead.framing)
        segments.consume(UInt32(responseHead.size), from: &connections[slot].input)
        dropRequest(index)
        exchange.state = .responding
        return true
    }

    /// Ends such an exchange before its answer has ended.
    @inline(never)
    mutating func failDetached(_ index: UInt32, _ error: ProxyError) {
        noteFailure(index, error)
        if exchanges[index].kind == .mirror { countMirrorFailure(index, error) }
        endDetached(index)
    }

    mutating func endDetached(_ index: UInt32) {
        let slot = exchanges[index].downstream
        finishExchange(index)
        close(slot)
    }

    /// Nobody waits for a mirror: a drain does not either.
    mutating func drainDetached(_ index: UInt32) {
        switch exchanges[index].kind {
        case .mirror: fail(index, .draining)
        case .ordinary, .hedge: break
        }
    }

    /// The connection that stands for downstream goes, and with it what has not been dropped yet.
    @inline(never)
    mutating func removeDetached(_ slot: UInt32) {
        dropOutput(slot)
        timers.remove(slot)
        connections.remove(slot)
        detachedCount -= 1
    }
}
