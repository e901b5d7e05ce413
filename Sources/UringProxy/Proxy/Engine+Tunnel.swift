// Tunnels: two connections whose bytes pass blind, each end of stream passed on by itself.
extension Engine where D: ~Copyable {
    /// A connection of a layer-4 listener: all that comes on it goes to the cluster. It is answered by the upstream alone, and
    /// what keeps it from one is told by a reset.
    ///
    /// - Parameter cluster: nil: the listener's.
    mutating func startRelay(_ slot: UInt32, cluster: Int? = nil) {
        var exchange = Exchange(
            downstream: slot, method: .connect, version: .http11, keepAlive: false, startedAt: driver.now,
            totalDeadline: .max)
        exchange.isConnect = true
        exchange.isRelay = true
        exchange.requestDone = true
        guard let index = exchanges.insert(exchange) else {
            refuseRelay(slot, .outOfExchanges)
            return
        }
        counters.add(.exchangesStarted)
        connections[slot].phase = .exchanging
        connections[slot].exchange = index
        if keepsNotes { beginRelayNotes(index, slot) }
        let listener = listeners[connections[slot].listener]
        // Since a reload its cluster may be that of connections of whom something else is known.
        if listener.refuses || cluster == nil && listener.serverNames >= 0 {
            fail(index, .listenerGone)
            return
        }
        guard chooseRelayEndpoint(index, cluster: cluster ?? listener.cluster, slot) else { return }
        findUpstreamInTurn(index)
    }

    /// A relay is ended by us: neither end is to take what it has for the whole, as an orderly end would say.
    mutating func resetRelay(_ index: UInt32) {
        guard exchanges[index].isRelay else { return }
        let upstream = exchanges[index].upstream
        connections[exchanges[index].downstream].resetsOnClose = true
        if upstream != Slot.none { connections[upstream].resetsOnClose = true }
    }

    /// A CONNECT whose target is connected (RFC 9110 §9.3.6), by us or by our parent, or a relay.
    mutating func openConnectTunnel(_ index: UInt32, _ upstream: UInt32) {
        let slot = exchanges[index].downstream
        exchanges[index].upstream = upstream
        if exchanges[index].isRelay {
            noteAnswer(exchanges.tenant(index), status: 200)
            // Over TLS it has gone before that.
            if isSecure(upstream) || sendProxyHeader(slot, to: upstream) {
                openTunnel(index, upstream)
            } else {
                fail(index, .outOfMemory)
            }
            return
        }
        guard let slice = arena.lease(.tiny) else {
            counters.add(.buffersExhausted)
            fail(index, .outOfMemory)
            return
        }
        var writer = unsafe ByteWriter(base: arena.address(slice), capacity: SliceClass.tiny.sliceSize)
        writer.append("HTTP/1.1 200 Connection established\r\n\r\n")
        segments.append(
            Segment(slice: slice, offset: 0, size: UInt32(writer.count)), to: &connections[slot].output)
        counters.add(.responses2xx)
        openTunnel(index, upstream)
    }

    /// From here on the exchange's two connections are a tunnel.
    mutating func openTunnel(_ index: UInt32, _ upstream: UInt32) {
        let slot = exchanges[index].downstream
        counters.add(.tunnelsOpened)
        if keepsNotes { noteTunnel(index, upstream) }
        dropRequest(index)
        exchanges[index].state = .tunnelling
        if exchanges[index].gate != 0 { answerBegan(index, status: 200) }
        for end in [slot, upstream] {
            connections[end].phase = .tunnelling
            connections[end].phaseStartedAt = driver.now
            connections[end].streamBytes = 0
        }
        queueFlush(slot)
        relayTunnel(from: slot)
        if connections[upstream].phase == .tunnelling { relayTunnel(from: upstream) }
    }

    @inline(__always)
    mutating func tunnelInputArrived(_ slot: UInt32) { relayTunnel(from: slot) }

    @inline(__always)
    mutating func tunnelOutputDrained(_ slot: UInt32) {
        let partner = partner(of: slot)
        if !hasOutput(slot) && connections[partner].inputEnded {
            relayTunnel(from: partner)
            return
        }
        if !connections[partner].input.isEmpty || connections[partner].receiving == .none {
            relayTunnel(from: partner)
        }
    }

    /// Moves what may be moved from one end to the other; passes the end of the stream on when everything before it
    /// has left.
    mutating func relayTunnel(from source: UInt32) {
        let target = partner(of: source)
        let window = window(of: source)
        if !connections[source].input.isEmpty && connections[target].output.byteCount < window {
            if connections[target].output.isEmpty { outputBegins(target) }
            let size = connections[source].input.byteCount
            segments.move(size, from: &connections[source].input, to: &connections[target].output)
            queueFlush(target)
            // A stream that fills window after window is worth large slices.
            connections[source].isBulk = connections[source].streamBytes >= settings.bulkThreshold
        }
        if connections[source].inputEnded && connections[source].input.isEmpty
            && !hasOutput(target) && !connections[target].outputEnded
        {
            if layeredCount > 0 && !mayPassEnd(from: source, to: target) { return }
            connections[target].outputEnded = true
            // The second end is followed by a close, which says the same.
            if isStream(target) {
                queueFlush(target)
            } else if !connections[source].outputEnded {
                driver.shutdown(connections[target].descriptor, .sending)
            }
        }
        if connections[source].outputEnded && connections[target].outputEnded {
            endTunnel(connections[source].exchange)
            return
        }
        updateReceive(source)
        armTimer(source)
        armTimer(target)
    }

    /// Both directions have ended, or one end has failed.
    mutating func endTunnel(_ index: UInt32) {
        let slot = exchanges[index].downstream
        finishExchange(index)
        close(slot)
    }
}
