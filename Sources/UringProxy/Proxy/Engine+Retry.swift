internal import CPosix

// Requests that are sent again: where nothing of an answer has been passed on, as the cluster's rules and budget allow.
extension Engine where D: ~Copyable {
    /// What came of an attempt that is not to be the last word.
    enum AttemptOutcome {
        /// No answer.
        case failed(ProxyError)
        /// The answer whose head has just been parsed.
        case answered(status: UInt16)
    }

    /// Sends the request again, to another endpoint if there is one; false if that may not be, and nothing has changed.
    mutating func retry(_ index: UInt32, on condition: RetryRules.Conditions, after outcome: AttemptOutcome)
        -> Bool
    {
        let isWanted = !exchanges[index].retry.conditions.isDisjoint(with: condition)
        if exchanges[index].partner != Slot.none {
            var isLastWord = false
            if case .answered = outcome { isLastWord = !isWanted }
            if !isLastWord && goOnWithHedge(index, after: outcome) { return true }
        }
        guard isWanted, mayRetry(index) else { return false }
        let cluster = Int(exchanges[index].cluster)
        guard clusters.takeRetry(cluster, now: driver.now) else {
            counters.add(.retriesDenied)
            return false
        }
        counters.add(.retries)
        uproxy_probe_retry(
            notes[index].isKept ? notes[index].id : 0, UInt64(exchanges[index].requestsSent))
        switch outcome {
        case .failed(let error): noteFailure(index, error)
        case .answered(let status): noteAnswer(exchanges.tenant(index), status: status)
        }
        leaveUpstream(index, outcome)
        exchanges[index].state = .connecting
        exchanges[index].failure = .none
        if !chooseAnotherEndpoint(index) {
            // All were tried.
            guard exchanges[index].failure == .none, chooseAgain(index) else {
                let isStarved = exchanges[index].failure != .none
                if !isStarved && waitForRoom(index) { return true }
                fail(
                    index,
                    isStarved
                        ? exchanges[index].failure
                        : clusters.lacksRoom(cluster) ? .circuitOpen : .noHealthyEndpoint)
                return true
            }
        }
        findUpstream(index)
        return true
    }

    /// None of the endpoints that are left could be connected, after one had been sent the request and its answer was not to be
    /// the last word: that one may be asked once more. False if it has been.
    mutating func beginAnew(_ index: UInt32) -> Bool {
        let exchange = exchanges.tenant(index)
        guard exchange.requestsSent > 0, exchange.begunAnewAt != exchange.requestsSent,
            exchange.retry.usesBudget
        else { return false }
        exchange.begunAnewAt = exchange.requestsSent
        return chooseAgain(index)
    }

    private func mayRetry(_ index: UInt32) -> Bool {
        let exchange = exchanges.tenant(index)
        return exchange.state == .forwarding && exchange.requestDone && !exchange.bodyForwarded
            && !exchange.continueForwarded && exchange.clusterEndpoint != Slot.none
            && (exchange.method.isIdempotent || exchange.retry.allowsNonIdempotent)
            && exchange.requestsSent - UInt16(exchange.repeats) < UInt16(exchange.retry.attempts)
    }

    /// The exchange has no more use for its connection. After an answer that has come whole another one may have.
    private mutating func leaveUpstream(_ index: UInt32, _ outcome: AttemptOutcome) {
        let slot = exchanges[index].upstream
        exchanges[index].upstream = Slot.none
        if case .answered = outcome, let size = wholeResponseSize(slot) {
            segments.consume(size, from: &connections[slot].input)
            returnToPool(slot)
            return
        }
        connections[slot].exchange = Slot.none
        close(slot)
    }

    /// The size of the response whose head has just been parsed, if all of it is there and its connection is good for another
    /// request; else nil.
    private func wholeResponseSize(_ slot: UInt32) -> UInt32? {
        var size = responseHead.size
        switch responseHead.framing {
        case .none: break
        case .length(let length):
            guard length <= UInt64(settings.smallBody) else { return nil }
            size += Int(length)
        case .chunked, .untilClose: return nil
        }
        let connection = connections.tenant(slot)
        let isReusable =
            responseHead.keepAlive && !connection.outputEnded && !connection.inputEnded && !hasOutput(slot)
            && exchanges[connection.exchange].proxyHeaderSize == 0 && !holdsCiphertext(slot)
        return isReusable && connection.input.byteCount == UInt32(size) ? UInt32(size) : nil
    }
}
