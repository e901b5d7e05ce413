// Deadlines: one per connection, computed from what it waits for and since when.
extension Engine where D: ~Copyable {
    static var maintenanceInterval: Int64 { 1_000_000_000 }

    var maintenanceTimer: UInt32 { UInt32(connections.capacity + Self.listenerLimit) }

    /// What a connection waits for, and until when.
    private struct Wait {
        enum Reason {
            case head, handshake, keepalive, body, rate, send, linger, queue, connect, join, hedge, upstream,
                poolIdle,
                tunnel,
                total,
                credentials, kernel, settings
        }
        var deadline = TimerWheel.never
        var reason = Reason.total

        @inline(__always)
        mutating func limit(_ start: Int64, _ timeout: Int64, _ reason: Reason) {
            guard timeout != .max, start + timeout < deadline else { return }
            deadline = start + timeout
            self.reason = reason
        }
    }

    /// What a connection without an exchange is given in a drain to say what it wants, since it was opened or last answered.
    private static var lastMoment: Int64 { 1_000_000_000 }

    /// To be called when what a connection waits for may have changed.
    @inline(__always)
    mutating func armTimer(_ slot: UInt32) {
        timers.set(slot, deadline: wait(of: slot, isArming: true).deadline)
    }

    /// - Parameter isArming: it is asked when to look again, and not what is due.
    @inline(__always)
    private func wait(of slot: UInt32, isArming: Bool) -> Wait {
        let timeouts = settings.timeouts
        let started = connections[slot].phaseStartedAt
        var wait = Wait()
        switch connections[slot].phase {
        case .readingProxyHeader:
            wait.limit(started, timeouts.head, .head)
            if phase != .running || connections[slot].endsSoon {
                wait.limit(started, Self.lastMoment, .keepalive)
            }
        case .handshaking:
            wait.limit(started, timeouts.tlsHandshake, .handshake)
            let hasBegun = isSecure(slot) || !connections[slot].input.isEmpty
            if !hasBegun && (phase != .running || connections[slot].endsSoon) {
                wait.limit(started, Self.lastMoment, .keepalive)
            }
        case .multiplexing:
            if connections[slot].side == .upstream && !http2[slot].hasSettings {
                wait.limit(started, timeouts.connect, .settings)
            }
            if hasOutput(slot) {
                limitSend(slot, timeouts.sendIdle, &wait)
            } else if http2[slot].streamCount > 0 {
                // Each has deadlines of its own.
                break
            } else if http2[slot].isEnding {
                // Its last word waits for what is being sent.
                wait.limit(started, timeouts.sendIdle, .send)
            } else if connections[slot].side == .upstream {
                wait.limit(started, timeouts.poolIdle, .poolIdle)
            } else if phase != .running || connections[slot].endsSoon {
                wait.limit(started, Self.lastMoment, .keepalive)
            } else if connections[slot].requestCount == 0 {
                wait.limit(started, timeouts.head, .head)
            } else {
                wait.limit(started, timeouts.keepalive, .keepalive)
            }
        case .waiting:
            // A send without output is a close_notify by the kernel.
            if hasOutput(slot) || isStream(slot) || connections[slot].isSending {
                limitSend(slot, timeouts.sendIdle, &wait)
            } else if phase != .running || connections[slot].endsSoon {
                wait.limit(started, Self.lastMoment, .keepalive)
            } else if connections[slot].requestCount == 0 {
                wait.limit(started, timeouts.head, .head)
            } else {
                wait.limit(started, timeouts.keepalive, .keepalive)
            }
        case .readingHead:
            wait.limit(started, timeouts.head, .head)
            if hasOutput(slot) { limitSend(slot, timeouts.sendIdle, &wait) }
        case .exchanging:
            let index = connections[slot].exchange
            limitExchange(index, &wait)
            if hasOutput(slot) {
                limitSend(slot, timeout(index, timeouts.sendIdle) { $0.sendIdle }, &wait)
            } else if !exchanges[index].requestDone && connections[slot].receiving != .none
                && connections[slot].input.isEmpty && exchanges[index].state != .responding
            {
                wait.limit(
                    max(connections[slot].lastReceivedAt, exchanges[index].startedAt),
                    timeout(index, timeouts.bodyIdle) { $0.bodyIdle }, .body)
                limitRate(connections[slot].receiveWindowStartedAt, &wait)
            }
            if exchanges[index].state == .authenticating {
                wait.limit(exchanges[index].startedAt, CredentialChecker.patience, .credentials)
            }
        case .discarding:
            wait.limit(started, timeouts.linger, .linger)
        case .detached:
            limitExchange(connections[slot].exchange, &wait)
        case .connecting, .securing:
            wait.limit(
                started, timeout(connections[slot].exchange, timeouts.connect) { $0.connect }, .connect)
            limitHedge(connections[slot].exchange, since: started, &wait)
            if mayJoin(slot) { wait.limit(started, timeouts.connectionAttemptDelay, .join) }
        case .leased:
            let index = connections[slot].exchange
            let isSending = hasOutput(slot)
            if isSending { limitSend(slot, timeout(index, timeouts.sendIdle) { $0.sendIdle }, &wait) }
            // Of a send that nothing waits for nobody hears while this worker sleeps: it has left long since, perhaps.
            if isSending && !isArming { break }
            if exchanges[index].state == .forwarding {
                if exchanges[index].requestDone || connections[slot].outputEnded {
                    let sent = max(exchanges[index].requestSentAt, started)
                    limitHedge(index, since: sent, &wait)
                    wait.limit(
                        sent,
                        min(
                            timeout(index, timeouts.upstream) { $0.upstream },
                            exchanges[index].retry.tryTimeout),
                        .upstream)
                }
            } else if !isSending && connections[slot].receiving != .none && connections[slot].input.isEmpty {
                wait.limit(
                    max(connections[slot].lastReceivedAt, started),
                    timeout(index, timeouts.bodyIdle) { $0.bodyIdle }, .upstream)
            }
        case .pooled:
            wait.limit(started, timeouts.poolIdle, .poolIdle)
        case .tunnelling:
            let partner = partner(of: slot)
            var last = max(started, max(connections[slot].lastReceivedAt, connections[slot].lastSentAt))
            if partner != Slot.none {
                last = max(last, max(connections[partner].lastReceivedAt, connections[partner].lastSentAt))
            }
            wait.limit(
                last, timeout(connections[slot].exchange, timeouts.tunnelIdle) { $0.tunnelIdle }, .tunnel)
        case .borrowed:
            // Used in the next turn.
            break
        case .retiring, .closing:
            // The kernel answers a cancel at once; if it does not, it is asked again.
            wait.limit(started, 1_000_000_000, .kernel)
        }
        return wait
    }

    /// What no exchange goes beyond, whoever is answered.
    @inline(__always)
    private func limitExchange(_ index: UInt32, _ wait: inout Wait) {
        wait.limit(
            exchanges[index].totalDeadline, exchanges[index].totalDeadline == .max ? .max : 0, .total)
        if exchanges[index].state.isInLine { wait.limit(gates.deadline(of: index), 0, .queue) }
    }

    /// How long it is waited for one endpoint alone.
    @inline(__always)
    private func limitHedge(_ index: UInt32, since start: Int64, _ wait: inout Wait) {
        if index == Slot.none { return }
        let milliseconds = exchanges[index].retry.hedgeMilliseconds
        if milliseconds > 0 { wait.limit(start, Int64(milliseconds) * 1_000_000, .hedge) }
    }

    /// What the exchange's route says, else what holds for all.
    @inline(__always)
    private func timeout(_ index: UInt32, _ common: Int64, _ own: (RoutePolicy) -> Int64) -> Int64 {
        if index == Slot.none || !exchanges[index].hasPolicy { return common }
        return own(policies[index])
    }

    @inline(__always)
    private func limitSend(_ slot: UInt32, _ timeout: Int64, _ wait: inout Wait) {
        wait.limit(connections[slot].lastSentAt, timeout, .send)
        limitRate(connections[slot].sendWindowStartedAt, &wait)
    }

    @inline(__always)
    private func limitRate(_ start: Int64, _ wait: inout Wait) {
        if settings.minimumRate > 0 { wait.limit(start, settings.minimumRateGrace, .rate) }
    }

    // MARK: - Expiry

    mutating func expireTimers() {
        while let slot = timers.expire(now: driver.now) {
            if Int(slot) < connections.capacity {
                if connections.isOccupied(slot) { expired(slot) }
            } else if slot == maintenanceTimer {
                maintain()
            } else {
                armAccept(Int(slot) - connections.capacity)
            }
        }
    }

    /// Once a second: what nobody is told of by an event.
    private mutating func maintain() {
        guard phase == .running else { return }
        sweepOffers(all: false)
        removeRetiredEndpoints()
        countListeners()
        for endpoint in fixedEndpoints { endpoints[endpoint].peakInUse = endpoints[endpoint].inUse }
        suspendIdleSplices()
        takeOverGeo()
        takeOverCertificates()
        if logRules.isOn || traceRules.exports { updateRealTime() }
        if clusters.hasCaps { wakeWaiting() }
        driver.trim()
        // It takes a while: most of it in a second in which nothing waits for this worker.
        arena.trim(most: exchanges.count == 0 ? 1024 : 64)
        timers.set(maintenanceTimer, deadline: driver.now + Self.maintenanceInterval)
    }

    /// Databases that were opened since the last look.
    private mutating func takeOverGeo() {
        guard let newer = geoSource?.newer(than: geoGeneration) else { return }
        (geoDatabases, geoGeneration) = newer
        geo = geoDatabases.reader
    }

    private mutating func expired(_ slot: UInt32) {
        let wait = wait(of: slot, isArming: false)
        guard wait.deadline <= driver.now else {
            timers.set(slot, deadline: wait.deadline)
            return
        }
        switch wait.reason {
        case .head:
            counters.add(.timeoutsHead)
            // RFC 9110 §15.5.9; a connection on which nothing was ever said, or nothing of HTTP, is closed without a word.
            if connections[slot].phase == .readingProxyHeader {
                close(slot)
            } else if connections[slot].input.isEmpty || connections[slot].phase == .multiplexing {
                closeInOrder(slot)
            } else {
                refuse(slot, .headTimeout)
            }
        case .handshake:
            counters.add(.timeoutsTLSHandshake)
            close(slot)
        case .keepalive:
            counters.add(.timeoutsKeepalive)
            closeInOrder(slot)
        case .body:
            counters.add(.timeoutsBody)
            fail(connections[slot].exchange, .bodyTimeout)
        case .rate:
            rateExpired(slot)
        case .send:
            sendExpired(slot)
        case .linger: close(slot)
        case .poolIdle:
            if connections[slot].phase == .multiplexing { closeInOrder(slot) } else { close(slot) }
        case .queue:
            queueExpired(connections[slot].exchange)
        case .settings:
            settingsKnown(slot)
            armTimer(slot)
        case .credentials: fail(connections[slot].exchange, .authenticationBusy)
        case .connect:
            counters.add(.timeoutsConnect)
            attemptFailed(slot, .connectTimeout)
        case .join:
            joinAttempt(slot)
            if connections.isOccupied(slot) { armTimer(slot) }
        case .hedge:
            hedge(connections[slot].exchange)
            if connections.isOccupied(slot) { armTimer(slot) }
        case .upstream:
            counters.add(.timeoutsUpstream)
            let index = connections[slot].exchange
            if isStream(slot) { noteSilence(slot) }
            if !retry(index, on: .timeout, after: .failed(.upstreamTimeout)) { fail(index, .upstreamTimeout) }
        case .tunnel:
            counters.add(.timeoutsTunnel)
            resetRelay(connections[slot].exchange)
            endTunnel(connections[slot].exchange)
        case .total:
            counters.add(.timeoutsTotal)
            fail(connections[slot].exchange, .totalTimeout)
        case .kernel:
            connections[slot].phaseStartedAt = driver.now
            if connections[slot].phase == .closing { close(slot) } else { retire(slot) }
            if connections.isOccupied(slot) { armTimer(slot) }
        }
    }

    /// Whether the peer took some of what the kernel holds for it, although no send has completed since the last look:
    /// a socket becomes writable only when a third of its buffer is free, which a slow reader may need minutes for.
    private mutating func tookFromKernel(_ slot: UInt32) -> Int64 {
        if isStream(slot) { return 0 }
        let unsent = driver.unsentBytes(connections[slot].descriptor)
        let taken = Int64(connections[slot].unsentBytes) - Int64(unsent)
        connections[slot].unsentBytes = unsent
        return taken
    }

    /// Whether a stream's client would take more of it, and is given others' instead: frames leave one after the other.
    private func waitsForOthers(_ slot: UInt32) -> Bool {
        guard isStream(slot), hasOutput(slot) || !streams[slot].endSent else { return false }
        let carrier = streams[slot].carrier
        return carrier != Slot.none && connections[carrier].lastSentAt > connections[slot].lastSentAt
            && http2[carrier].session.maySend(streams[slot].id)
    }

    private mutating func sendExpired(_ slot: UInt32) {
        if waitsForOthers(slot) || tookFromKernel(slot) != 0 {
            connections[slot].lastSentAt = driver.now
            armTimer(slot)
            return
        }
        counters.add(.timeoutsSend)
        peerTooSlow(slot, upstream: .upstreamSendTimeout, downstream: .bodyTimeout)
    }

    /// The end of a measuring window: too few bytes end the connection, enough of them begin the next window.
    private mutating func rateExpired(_ slot: UInt32) {
        let isReader = hasOutput(slot) || connections[slot].isSending
        if isReader && waitsForOthers(slot) {
            connections[slot].sendWindowStartedAt = driver.now
            connections[slot].sendWindowBytes = 0
            armTimer(slot)
            return
        }
        var moved = connections[slot].receiveWindowBytes
        if isReader { moved = connections[slot].sendWindowBytes + max(0, tookFromKernel(slot)) }
        // A connection counts up to 4 GiB: a window is asked for half of that at most, with a surplus of as much.
        let wanted = min(Double(settings.minimumRate) * Double(settings.minimumRateGrace) / 1e9, 0x1p31)
        if Double(moved) >= wanted {
            // What was above the minimum counts in the next window too, up to one window's worth: the kernel tells of a
            // reader's progress in lumps of up to its receive buffer.
            let surplus = Int64(min(Double(moved) - wanted, wanted))
            if isReader {
                connections[slot].sendWindowStartedAt = driver.now
                connections[slot].sendWindowBytes = surplus
            } else {
                connections[slot].receiveWindowStartedAt = driver.now
                connections[slot].receiveWindowBytes = surplus
            }
            armTimer(slot)
            return
        }
        counters.add(.timeoutsRate)
        peerTooSlow(slot, upstream: .upstreamSendTimeout, downstream: .bodyTooSlow)
    }

    private mutating func peerTooSlow(_ slot: UInt32, upstream: ProxyError, downstream: ProxyError) {
        guard let index = exchangeIndex(of: slot) else {
            connections[slot].resetsOnClose = true
            close(slot)
            return
        }
        if connections[slot].side == .upstream {
            fail(index, upstream)
        } else if hasOutput(slot) {
            // It does not read what it asked for: no answer would reach it.
            cutResponse(index, downstream)
        } else {
            fail(index, downstream)
        }
    }
}
