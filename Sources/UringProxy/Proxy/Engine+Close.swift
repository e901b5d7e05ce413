// Ends: of exchanges, and of connections. A connection's slot outlives every operation the kernel still holds.
extension Engine where D: ~Copyable {
    @inline(__always)
    func exchangeIndex(of slot: UInt32) -> UInt32? {
        let index = connections[slot].exchange
        return index == Slot.none ? nil : index
    }

    /// Ends an exchange: gives back what it holds, closes the upstream connection if it still has one, and leaves
    /// downstream's to the caller.
    mutating func finishExchange(_ index: UInt32) {
        if exchanges[index].partner != Slot.none { endPartner(index) }
        if exchanges[index].state == .tunnelling { counters.add(.tunnelsClosed) }
        if exchanges[index].kind == .mirror { mirrorCount -= 1 }
        if keepsNotes { endNotes(index) }
        dropRequest(index)
        // Before the gate: whose turn it is there may depend on it.
        leaveUpstreams(index)
        if exchanges[index].gate != 0 { leaveGate(index) }
        let downstream = exchanges[index].downstream
        // Before the exchange is gone: what the request's body did not get to send ends with the upstream.
        endSplicing(downstream)
        returnEmptyPipe(downstream)
        connections[downstream].exchange = Slot.none
        counters.add(.exchangesFinished)
        exchanges.remove(index)
    }

    /// Gives up the connection that an exchange has, or is about to have, and its place at the endpoint.
    @inline(__always)
    mutating func leaveUpstreams(_ index: UInt32) {
        if exchanges[index].state.isBeforeConnecting { stopWaiting(index) }
        if exchanges[index].isOpening { openingEnded(index) }
        leaveEndpoint(index)
        endUpstream(exchanges[index].attempts.0)
        endUpstream(exchanges[index].attempts.1)
        endUpstream(exchanges[index].upstream)
    }

    /// The exchange waits no longer for what it was to connect with.
    @inline(never)
    private mutating func stopWaiting(_ index: UInt32) {
        switch exchanges[index].state {
        case .resolving: stopWaitingForAddresses(index)
        case .awaitingStream: stopAwaitingStream(index)
        case .awaitingOffer: awaitingOffers.remove(index)
        case .awaitingPlace: leaveLine(index)
        case .queued, .authenticating, .connecting, .forwarding, .responding, .tunnelling: break
        }
    }

    /// Closes a connection that its exchange has no more use for; none is none.
    @inline(__always)
    private mutating func endUpstream(_ slot: UInt32) {
        if slot == Slot.none { return }
        connections[slot].exchange = Slot.none
        close(slot)
    }

    /// A send or receive failed: the connection is gone.
    @inline(never)
    mutating func connectionFailed(_ slot: UInt32, errno: Int32) {
        switch connections[slot].phase {
        case .handshaking:
            counters.add(.tlsAbandoned)
            close(slot)
        case .readingProxyHeader, .multiplexing, .waiting, .readingHead, .discarding, .pooled, .retiring:
            close(slot)
        case .exchanging:
            abortByDownstream(connections[slot].exchange)
        case .leased:
            upstreamFailed(slot)
        case .borrowed:
            borrowedInVain(slot)
        case .tunnelling:
            let index = connections[slot].exchange
            let partner = partner(of: slot)
            // The reset is passed on as what it is.
            connections[partner].resetsOnClose = true
            endTunnel(index)
        case .securing:
            securingFailed(slot, .upstreamTLSFailed, .upstreamTLSAbandoned)
        case .detached, .connecting, .closing:
            break
        }
    }

    /// The upstream reset the connection. It may have answered before: what has come of a response is read first.
    private mutating func upstreamFailed(_ slot: UInt32) {
        let index = connections[slot].exchange
        if exchanges[index].state == .responding && exchanges[index].responseBody.state == .untilClose {
            // The end of such a body is a close, not a reset (RFC 9112 §8).
            counters.add(Counter.upstreamTruncated)
            cutResponse(index, .upstreamTruncated)
            return
        }
        if connections[slot].receiving != .none && connections[slot].phase == .leased {
            // A failed send: an answer may be waiting to be received, such as a 413 that came before the reset.
            stopSplicing(exchanges[index].downstream)
            if !connections[slot].isSending { dropOutput(slot) }
            // Whatever the failure was, what comes of the request after the gap must never arrive.
            if !connections[slot].outputEnded {
                connections[slot].outputEnded = true
                driver.shutdown(connections[slot].descriptor, .sending)
            }
            armTimer(slot)
            // What downstream still sends of it is taken and dropped, or the answer could wait for a body behind it.
            if !exchanges[index].requestDone { relayRequest(index) }
            return
        }
        upstreamEnded(slot, .upstreamReset)
    }

    // MARK: - Connections

    /// Ends a connection: at once if nothing is under way on it, else when the kernel has returned what it holds.
    mutating func close(_ slot: UInt32) {
        if connections[slot].phase == .detached {
            removeDetached(slot)
            return
        }
        let isRepeated = connections[slot].phase == .closing
        if keepsNotes && !isRepeated { recordClosed(slot, connections[slot].phase) }
        leaveLists(slot)
        // What has not left never will: an orderly end would make it look as if that had been all.
        if hasOutput(slot)
            && (connections[slot].side == .downstream || connections[slot].phase == .tunnelling)
        {
            connections[slot].resetsOnClose = true
        }
        if isStream(slot) {
            closeStream(slot)
            return
        }
        if isSecure(slot) {
            if !isRepeated && connections[slot].side == .upstream { sayEndAtOnce(slot) }
            segments.removeAll(&tls[slot].received)
        }
        connections[slot].phase = .closing
        connections[slot].phaseStartedAt = driver.now
        segments.removeAll(&connections[slot].input)
        if connections[slot].operationsInFlight > 0 {
            // A receive ends when it is cancelled, and `close(2)` says the rest: that spares a system call for each
            // connection that is closed while it is read from. What does not end so is shut down. RFC-wise a FIN, or
            // what is sent stays unsent; in any case the operations complete. Where the close is to be a reset no FIN
            // may go before it: the peer would have seen an orderly end by then.
            if isRepeated || connections[slot].isSending || connections[slot].receiving == .none {
                driver.shutdown(
                    connections[slot].descriptor, connections[slot].resetsOnClose ? .receiving : .both)
            }
            cancelOperations(slot)
            armTimer(slot)
        }
        finishClosing(slot)
    }

    private mutating func leaveLists(_ slot: UInt32) {
        if connections[slot].isStarved {
            connections[slot].isStarved = false
            starved.remove(slot)
        }
        switch connections[slot].phase {
        case .pooled:
            unpool(slot)
        case .retiring:
            lendingQueue(connections[slot].endpoint)?.withdraw()
            endpoints[connections[slot].endpoint].inUse -= 1
        case .connecting, .securing, .borrowed, .leased:
            endpoints[connections[slot].endpoint].inUse -= 1
        case .tunnelling:
            if connections[slot].side == .upstream { endpoints[connections[slot].endpoint].inUse -= 1 }
        case .multiplexing:
            leaveMultiplexing(slot)
        case .readingProxyHeader, .handshaking, .waiting, .readingHead, .exchanging, .discarding, .detached,
            .closing:
            break
        }
    }

    /// `shutdown(2)` ends receives and sends; a connect, and a receive on a socket that is not connected any more, need
    /// to be cancelled.
    private mutating func cancelOperations(_ slot: UInt32) {
        if connections[slot].receiving == .stream || connections[slot].receiving == .once
            || connections[slot].receiving == .slice || connections[slot].receiving == .pipe
        {
            driver.cancel(connections[slot].descriptor, token: token(.receive, slot))
            if connections[slot].receiving == .stream { connections[slot].receiving = .cancelling }
        } else if connections[slot].receiving == .none && !connections[slot].isSending {
            driver.cancel(connections[slot].descriptor, token: token(.connect, slot))
        }
        if connections[slot].isSending {
            driver.cancel(connections[slot].descriptor, token: zeroCopyToken(slot) ?? token(.send, slot))
        }
    }

    /// Closes the descriptor and frees the slot, if nothing is under way any more.
    mutating func finishClosing(_ slot: UInt32) {
        guard connections[slot].operationsInFlight == 0 else { return }
        if undrainedCount > 0 { settleDrain(slot, isWhole: false) }
        dropOutput(slot)
        if isSecure(slot) { freeSession(slot) }
        if settings.pipes > 0 && splicing[slot].isUsed { splicing[slot] = SpliceState() }
        driver.close(connections[slot].descriptor, reset: connections[slot].resetsOnClose)
        timers.remove(slot)
        switch connections[slot].side {
        case .downstream:
            counters.add(.downstreamClosed)
            leaveLimits(connections[slot])
            if connections[slot].isSurplus { surplusCount -= 1 }
            listeners[connections[slot].listener].connectionCount -= 1
            connections.remove(slot)
            downstreamEnded()
        case .upstream:
            counters.add(Counter.upstreamClosed)
            if connections[slot].gate != 0 { noteClosed(connections[slot].gate) }
            connections.remove(slot)
        }
    }

    // MARK: - Lingering

    /// The last answer has left, or there is none: our side ends, and what still comes is dropped until downstream's
    /// side ends too (RFC 9112 §9.6).
    mutating func beginDiscarding(_ slot: UInt32) {
        // Upstream it is a connection of HTTP/2, which has said its last word.
        if connections[slot].side == .upstream {
            close(slot)
            return
        }
        if layeredCount > 0 && !mayEnd(slot) {
            connections[slot].closesAfterFlush = true
            armTimer(slot)
            return
        }
        // Whoever sends "close" sends no request after it (RFC 9112 §9.6). So nothing can come that would have to be
        // dropped, and there is no end to wait for. Over TLS a close_notify comes.
        if connections[slot].inputEnded
            || connections[slot].saidClose && connections[slot].input.isEmpty && !isSecure(slot)
        {
            close(slot)
            return
        }
        connections[slot].phase = .discarding
        connections[slot].phaseStartedAt = driver.now
        segments.removeAll(&connections[slot].input)
        if isSecure(slot) { segments.removeAll(&tls[slot].received) }
        connections[slot].outputEnded = true
        driver.shutdown(connections[slot].descriptor, .sending)
        updateReceive(slot)
        armTimer(slot)
    }

    /// Ends a connection on which nothing is under way: over TLS and HTTP/2 it is told before.
    mutating func closeInOrder(_ slot: UInt32) {
        if connections[slot].phase == .multiplexing {
            endMultiplexing(slot)
        } else if isSecure(slot) {
            beginDiscarding(slot)
        } else {
            close(slot)
        }
    }

    /// Downstream's end came while its bytes were dropped.
    mutating func discardingEnded(_ slot: UInt32) {
        if connections[slot].inputEnded { close(slot) }
    }
}
