// TLS to upstreams: the handshake between a connect and what it is for, the tickets that the next ones go on with, and the
// sessions of connections that are lent.
//
// A connection in its handshake is like one that connects: it is an attempt of its exchange, within the same timeout, and the
// first attempt that is ready is used.
extension Engine where D: ~Copyable {
    /// The connection stands: TLS begins on it.
    @inline(never)
    mutating func beginSecuring(_ slot: UInt32) {
        guard arena.charge(TLSSession.handshakeBytes) else {
            counters.add(.tlsRefused)
            attemptFailed(slot, .outOfMemory)
            return
        }
        enter(.tls, connections[slot].exchange)
        let protocols = applicationProtocols(connections[slot].exchange)
        let session = endpoints.tls(of: connections[slot].endpoint)?
            .makeSession(tlsWire, protocols: protocols)
        guard let session else {
            arena.discharge(TLSSession.handshakeBytes)
            counters.add(.buffersExhausted)
            attemptFailed(slot, .outOfMemory)
            return
        }
        if !sendProxyHeaderInClear(slot) {
            session.free()
            arena.discharge(TLSSession.handshakeBytes)
            attemptFailed(slot, .outOfMemory)
            return
        }
        countTLS(1)
        setTLS(slot, TLSState(session))
        // Nothing of that is encrypted.
        tls[slot].sealedBytes = connections[slot].output.byteCount
        connections[slot].phase = .securing
        queueHandshake(slot)
    }

    /// The PROXY protocol's header goes before TLS; false if there is no memory for it.
    private mutating func sendProxyHeaderInClear(_ slot: UInt32) -> Bool {
        let index = connections[slot].exchange
        if exchanges[index].isRelay { return sendProxyHeader(exchanges[index].downstream, to: slot) }
        var header = exchanges[index].request
        header.size = UInt32(exchanges[index].proxyHeaderSize)
        if header.size == 0 { return true }
        outputBegins(slot)
        segments.share(header, with: &connections[slot].output)
        queueFlush(slot)
        return true
    }

    /// The handshake is over: what the connection is for begins, behind what the session may have left to say.
    mutating func secured(_ slot: UInt32) {
        counters.add(.upstreamTLSHandshakes)
        if tls[slot].session.isResumed { counters.add(.upstreamTLSResumed) }
        tls[slot].isOpen = true
        arena.discharge(TLSSession.handshakeBytes - TLSSession.openBytes)
        if tlsWire.hasTickets { keepTickets(slot) }
        if applicationProtocols(connections[slot].exchange) == .http2 && !tls[slot].session.choseHTTP2 {
            attemptFailed(slot, .upstreamNotHTTP2)
            return
        }
        let generation = connections.generation(slot)
        connectionReady(slot)
        if connections.isOccupied(slot) && connections.generation(slot) == generation
            && connections[slot].phase != .closing
        {
            decrypt(slot)
        }
    }

    mutating func securingFailed(_ slot: UInt32, _ outcome: TLSSession.Outcome) {
        switch outcome {
        case .failed(.certificateUnknown), .failed(.certificateRevoked), .failed(.certificateMissing):
            securingFailed(slot, .upstreamTLSUntrusted, .upstreamTLSDistrusted)
        case .failed(.certificateExpired):
            securingFailed(slot, .upstreamTLSOutdated, .upstreamTLSDistrusted)
        case .failed(.certificateOfAnother):
            securingFailed(slot, .upstreamTLSWrongHost, .upstreamTLSDistrusted)
        case .failed(.incompatible): securingFailed(slot, .upstreamTLSFailed, .upstreamTLSIncompatible)
        case .failed(.malformed): securingFailed(slot, .upstreamTLSFailed, .upstreamTLSMalformed)
        case .ended, .failed(.alerted): securingFailed(slot, .upstreamTLSFailed, .upstreamTLSAlerts)
        case .done, .wantsRoom, .wantsInput: securingFailed(slot, .upstreamTLSFailed, .upstreamTLSAbandoned)
        }
    }

    mutating func securingFailed(_ slot: UInt32, _ error: ProxyError, _ cause: Counter) {
        counters.add(cause)
        // The alert that says why.
        if !connections[slot].isSending && !connections[slot].output.isEmpty {
            driver.sendAtOnce(connections[slot].descriptor, segments.firstView(of: connections[slot].output))
        }
        attemptFailed(slot, error)
    }

    /// Nothing more comes of the session of an exchange's connection; what came before is read.
    mutating func upstreamSessionFailed(_ slot: UInt32) {
        if connections[slot].input.isEmpty {
            upstreamEnded(slot, .upstreamTLSBroken)
            return
        }
        connections[slot].inputEnded = true
        tls[slot].isTruncated = true
        inputArrived(slot)
    }

    /// Takes what the session of a connection was given to be taken up again by.
    @inline(never)
    mutating func keepTickets(_ slot: UInt32) {
        endpoints.tls(of: connections[slot].endpoint)?.keepTickets(tlsWire)
    }

    // MARK: - Ends

    /// An upstream connection is about to be closed: the peer is told, if that can be done at once (RFC 8446 §6.1), and if it has had
    /// all that was for it.
    @inline(never)
    mutating func sayEndAtOnce(_ slot: UInt32) {
        guard !hasOutput(slot), !connections[slot].isSending, !connections[slot].outputEnded,
            !connections[slot].resetsOnClose, owesEnd(slot)
        else { return }
        tls[slot].isEnded = true
        if tls[slot].kernelSends {
            driver.sendAlertAtOnce(connections[slot].descriptor, .closeNotify)
            return
        }
        tlsWire.collect()
        guard case .done = tls[slot].session.end() else { return }
        driver.sendAtOnce(connections[slot].descriptor, tlsWire.written)
        tlsWire.collect()
    }

    // MARK: - Lending

    /// Whether the session of an idle connection has nothing that another worker would miss.
    func mayMoveSession(_ slot: UInt32) -> Bool {
        tls[slot].received.isEmpty && tls[slot].written.isEmpty && !tls[slot].sealWaits
            && tls[slot].isOpen && !tls[slot].isEnded && !tls[slot].isBroken
    }

    /// The session goes with its connection, which leaves this worker.
    mutating func giveAwaySession(_ slot: UInt32) {
        arena.discharge(TLSSession.openBytes)
        setTLS(slot, TLSState())
        countTLS(-1)
    }

    /// The session of a connection that was another worker's.
    @inline(never)
    mutating func takeOverSession(_ slot: UInt32, _ offer: LendingQueue.Offer) {
        offer.session.move(to: tlsWire)
        countTLS(1)
        arena.chargeAnyway(TLSSession.openBytes)
        setTLS(slot, TLSState(offer.session))
        tls[slot].isOpen = true
        tls[slot].kernelSends = offer.kernelSends
        tls[slot].lacksZeroCopy = offer.lacksZeroCopy
    }

    /// Ends the session of a connection that nobody took.
    @inline(never)
    mutating func endSession(_ offer: LendingQueue.Offer) {
        offer.session.move(to: tlsWire)
        if offer.kernelSends {
            driver.sendAlertAtOnce(offer.descriptor, .closeNotify)
        } else {
            tlsWire.collect()
            if case .done = offer.session.end() { driver.sendAtOnce(offer.descriptor, tlsWire.written) }
            tlsWire.collect()
        }
        offer.session.free()
    }
}
