// The beginning of TLS: a session for who begins it, its handshake, and what follows.
extension Engine where D: ~Copyable {
    /// A connection stands where TLS is spoken, and nothing of it has come yet, or some is there already.
    mutating func awaitHandshake(_ slot: UInt32) {
        connections[slot].phase = .handshaking
        connections[slot].phaseStartedAt = driver.now
        if !connections[slot].input.isEmpty || connections[slot].inputEnded {
            beginHandshake(slot)
        } else {
            updateReceive(slot)
            armTimer(slot)
        }
    }

    /// The first bytes have come, or more of them, or the end: before that a connection has no session, which takes memory.
    mutating func beginHandshake(_ slot: UInt32) {
        // Somebody who says nothing at all looks whether the port is open.
        if connections[slot].input.isEmpty || listeners[connections[slot].listener].tls == Listener.tlsGone {
            close(slot)
            return
        }
        if listeners[connections[slot].listener].serverNames >= 0 {
            readServerName(slot)
            return
        }
        let context = Int(listeners[connections[slot].listener].tls)
        if context < 0 {
            // Since a reload.
            beginMessages(slot)
            return
        }
        if isPlain(segments.firstView(of: connections[slot].input)) {
            refusePlain(slot)
            return
        }
        takeOverCertificates()
        guard enterHandshake(slot) else {
            close(slot)
            return
        }
        guard arena.charge(TLSSession.handshakeBytes) else {
            leaveHandshake(slot)
            counters.add(.tlsRefused)
            close(slot)
            return
        }
        guard let session = tlsContexts[context]?.makeSession(tlsWire) else {
            leaveHandshake(slot)
            arena.discharge(TLSSession.handshakeBytes)
            counters.add(.buffersExhausted)
            close(slot)
            return
        }
        countTLS(1)
        tls[slot].session = session
        tls[slot].received = connections[slot].input
        tls[slot].streamEnded = connections[slot].inputEnded
        connections[slot].input = SegmentQueue()
        connections[slot].inputEnded = false
        queueHandshake(slot)
    }

    // MARK: - Limits

    /// Counts a handshake; false if there are too many, or its client has too many.
    private mutating func enterHandshake(_ slot: UInt32) -> Bool {
        setTLS(slot, TLSState())
        guard let handshakes else { return true }
        if let clients = handshakes.clients {
            if !connections[slot].peerKnown {
                var connection = connections[slot]
                askPeer(&connection)
                connections[slot] = connection
            }
            guard clients.enter(connections[slot].peer) else {
                counters.add(.tlsHandshakesPerClientExceeded)
                return false
            }
            tls[slot].isCountedPerClient = true
        }
        guard handshakes.load.enter(limit: handshakes.limit > 0 ? handshakes.limit : .max) else {
            leaveHandshake(slot)
            counters.add(.tlsHandshakesExceeded)
            return false
        }
        tls[slot].isCounted = true
        return true
    }

    /// A handshake is over, however it ended.
    mutating func leaveHandshake(_ slot: UInt32) {
        if tls[slot].isCountedPerClient { handshakes?.clients?.leave(connections[slot].peer) }
        if tls[slot].isCounted { handshakes?.load.leave() }
        tls[slot].isCountedPerClient = false
        tls[slot].isCounted = false
    }

    // MARK: - Certificates

    /// Certificates that were read since the last look.
    mutating func takeOverCertificates() {
        guard let newer = tlsSource?.newer(than: tlsGeneration) else { return }
        (tlsContexts, tlsGeneration) = newer
    }

    /// What is sent by mistake to a port that speaks TLS: a record never begins with a letter (RFC 8446 §5.1), HTTP always does.
    private func isPlain(_ bytes: ByteView) -> Bool { bytes[0].asciiLowercased &- 0x61 < 26 }

    private mutating func refusePlain(_ slot: UInt32) {
        connections[slot].phase = .waiting
        if listeners[connections[slot].listener].role == .tcp {
            refuseRelay(slot, .tlsExpected)
        } else {
            refuse(slot, .tlsExpected)
        }
    }

    // MARK: - One after the other

    /// A signature takes as long as dozens of requests: others are served in between.
    private static var handshakesPerTurn: Int { 4 }

    /// More of a handshake has come: it goes on in its turn.
    mutating func queueHandshake(_ slot: UInt32) {
        // Many may wait at once: in little memory.
        _ = segments.makeContiguous(&tls[slot].received)
        if !tls[slot].isInLine {
            tls[slot].isInLine = true
            handshakeQueue.append(slot)
        }
        updateReceive(slot)
        armTimer(slot)
    }

    @inline(never)
    mutating func shakeHandsInTurn() {
        var left = Self.handshakesPerTurn
        while left > 0, let slot = handshakeQueue.popFirst() {
            tls[slot].isInLine = false
            // It may have ended since, and another have its slot.
            guard connections.isOccupied(slot), isSecure(slot),
                connections[slot].phase == .handshaking || connections[slot].phase == .securing
            else {
                continue
            }
            left -= 1
            shakeHands(slot)
        }
    }

    /// Goes on with the handshake by what has come.
    private mutating func shakeHands(_ slot: UInt32) {
        while true {
            let offered = segments.firstView(of: tls[slot].received)
            tlsWire.offer(offered)
            tlsWire.collect()
            let outcome = tls[slot].session.shakeHands()
            segments.consume(UInt32(offered.count - tlsWire.unreadCount), from: &tls[slot].received)
            tlsWire.offer(.empty)
            guard keepWritten(slot) else {
                handshakeStarved(slot)
                return
            }
            switch outcome {
            case .done:
                if connections[slot].side == .upstream { secured(slot) } else { handshakeDone(slot) }
                return
            case .wantsRoom: break
            case .wantsInput:
                if !tls[slot].received.isEmpty { break }
                if tls[slot].streamEnded {
                    handshakeFailed(slot, outcome)
                } else {
                    updateReceive(slot)
                    armTimer(slot)
                }
                return
            case .ended, .failed:
                handshakeFailed(slot, outcome)
                return
            }
        }
    }

    private mutating func handshakeDone(_ slot: UInt32) {
        leaveHandshake(slot)
        counters.add(.tlsHandshakes)
        if keepsNotes { recordHandshake(slot) }
        if tls[slot].session.isResumed { counters.add(.tlsResumed) }
        tls[slot].isOpen = true
        arena.discharge(TLSSession.handshakeBytes - TLSSession.openBytes)
        beginMessages(slot)
        // Without an upstream a relay has ended.
        if connections.isOccupied(slot) && connections[slot].phase != .closing { decrypt(slot) }
    }

    /// What the connection is for begins.
    private mutating func beginMessages(_ slot: UInt32) {
        connections[slot].phase = .waiting
        connections[slot].phaseStartedAt = driver.now
        if listeners[connections[slot].listener].role == .tcp {
            startRelay(slot)
        } else if isSecure(slot) && tls[slot].session.choseHTTP2 {
            beginMultiplexing(slot)
        } else {
            readRequests(slot)
        }
    }

    /// There is no memory for what the session has to say.
    private mutating func handshakeStarved(_ slot: UInt32) {
        connections[slot].resetsOnClose = true
        if connections[slot].side == .upstream { attemptFailed(slot, .outOfMemory) } else { close(slot) }
    }

    private mutating func handshakeFailed(_ slot: UInt32, _ outcome: TLSSession.Outcome) {
        if connections[slot].side == .upstream {
            securingFailed(slot, outcome)
            return
        }
        leaveHandshake(slot)
        switch outcome {
        case .failed(.incompatible): counters.add(.tlsIncompatible)
        case .failed(.malformed): counters.add(.tlsMalformed)
        case .ended, .failed(.alerted): counters.add(.tlsAlerts)
        case .failed(.certificateMissing): counters.add(.tlsCertificatesMissing)
        case .failed(.certificateExpired): counters.add(.tlsCertificatesExpired)
        case .failed(.certificateRevoked): counters.add(.tlsCertificatesRevoked)
        case .failed(.certificateUnknown), .failed(.certificateOfAnother):
            counters.add(.tlsCertificatesUnknown)
        case .done, .wantsRoom, .wantsInput: counters.add(.tlsAbandoned)
        }
        tls[slot].isBroken = true
        segments.removeAll(&tls[slot].received)
        endWithAlert(slot)
    }

    /// What the session has to say about its end leaves, and that is all.
    mutating func endWithAlert(_ slot: UInt32) {
        if connections[slot].output.isEmpty || tls[slot].streamEnded {
            close(slot)
            return
        }
        connections[slot].phase = .waiting
        connections[slot].phaseStartedAt = driver.now
        connections[slot].closesAfterFlush = true
        queueFlush(slot)
        updateReceive(slot)
        armTimer(slot)
    }
}
