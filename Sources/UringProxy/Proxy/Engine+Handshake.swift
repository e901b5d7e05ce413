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

    /// The first bytes have come, or the end: before that a connection has no session, which takes memory.
    mutating func beginHandshake(_ slot: UInt32) {
        // Somebody who says nothing at all looks whether the port is open.
        if connections[slot].input.isEmpty || listeners[connections[slot].listener].tls == Listener.tlsGone {
            close(slot)
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
        guard let session = tlsContexts[context]?.makeSession(tlsWire) else {
            counters.add(.buffersExhausted)
            close(slot)
            return
        }
        tlsCount += 1
        tls[slot] = TLSState(session)
        tls[slot].received = connections[slot].input
        tls[slot].streamEnded = connections[slot].inputEnded
        connections[slot].input = SegmentQueue()
        connections[slot].inputEnded = false
        shakeHands(slot)
    }

    /// What is sent by mistake to a port that speaks TLS: a record never begins with a letter (RFC 8446 §5.1), HTTP always does.
    private func isPlain(_ bytes: ByteView) -> Bool { bytes[0].asciiLowercased &- 0x61 < 26 }

    private mutating func refusePlain(_ slot: UInt32) {
        connections[slot].phase = .waiting
        if listeners[connections[slot].listener].role == .tcp {
            counters.add(failure: .tlsExpected)
            connections[slot].resetsOnClose = true
            close(slot)
        } else {
            refuse(slot, .tlsExpected)
        }
    }

    /// Goes on with the handshake by what has come.
    mutating func shakeHands(_ slot: UInt32) {
        while true {
            let offered = segments.firstView(of: tls[slot].received)
            tlsWire.offer(offered)
            tlsWire.collect()
            let outcome = tls[slot].session.shakeHands()
            segments.consume(UInt32(offered.count - tlsWire.unreadCount), from: &tls[slot].received)
            guard keepWritten(slot) else {
                counters.add(.buffersExhausted)
                connections[slot].resetsOnClose = true
                close(slot)
                return
            }
            switch outcome {
            case .done:
                handshakeDone(slot)
                return
            case .wantsRoom: break
            case .wantsInput:
                if !tls[slot].received.isEmpty { break }
                if tls[slot].streamEnded {
                    handshakeFailed(slot, .tlsAbandoned)
                } else {
                    updateReceive(slot)
                    armTimer(slot)
                }
                return
            case .ended, .failed(.alerted):
                handshakeFailed(slot, .tlsAlerts)
                return
            case .failed(.incompatible):
                handshakeFailed(slot, .tlsIncompatible)
                return
            case .failed(.malformed):
                handshakeFailed(slot, .tlsMalformed)
                return
            }
        }
    }

    private mutating func handshakeDone(_ slot: UInt32) {
        counters.add(.tlsHandshakes)
        if tls[slot].session.isResumed { counters.add(.tlsResumed) }
        tls[slot].isOpen = true
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

    /// What the session has to say about it leaves, and that is all.
    private mutating func handshakeFailed(_ slot: UInt32, _ cause: Counter) {
        counters.add(cause)
        tls[slot].isBroken = true
        segments.removeAll(&tls[slot].received)
        if connections[slot].output.isEmpty || tls[slot].streamEnded {
            close(slot)
            return
        }
        connections[slot].phase = .waiting
        connections[slot].phaseStartedAt = driver.now
        connections[slot].closesAfterFlush = true
        updateReceive(slot)
        armTimer(slot)
    }
}
