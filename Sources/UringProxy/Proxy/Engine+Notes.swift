internal import CPosix

// What an exchange leaves behind: where its time went, and what came of it. Its places call these while `keepsNotes`; an exchange that
// began before has none.
extension Engine where D: ~Copyable {
    /// The exchange begins whose head has just been parsed out of `bytes`.
    @inline(never)
    mutating func beginNotes(_ index: UInt32, _ slot: UInt32, _ bytes: ByteView) {
        var notes = ExchangeNotes(ledger: Ledger(start: connections[slot].phaseStartedAt))
        notes.ledger.enter(.route, at: driver.now)
        notes.isKept = true
        notes.id = nextNoteID()
        if isSecure(carrier(of: slot)) { notes.flags.formUnion(.isSecure) }
        notes.rows.listener = names.listenerRow(listeners[connections[slot].listener].name)
        self.notes[index] = notes
        uproxy_probe_exchange_begin(notes.id, UInt64(notes.rows.listener.rawValue))
        recordBegin(index, slot)
        if traceRules.isOn { beginTrace(index, bytes) }
        if logRules.isOn || self.notes[index].isExported { gatherTexts(index, slot, bytes) }
        if timesAnswers && settings.timesAnswers { time(index, true) }
    }

    /// A connection of a layer-4 listener, of which there is no head.
    @inline(never)
    mutating func beginRelayNotes(_ index: UInt32, _ slot: UInt32) {
        var notes = ExchangeNotes(ledger: Ledger(start: connections[slot].phaseStartedAt))
        notes.ledger.enter(.route, at: driver.now)
        notes.isKept = true
        notes.id = nextNoteID()
        notes.flags = .isRelay
        if isSecure(slot) { notes.flags.formUnion(.isSecure) }
        notes.rows.listener = names.listenerRow(listeners[connections[slot].listener].name)
        self.notes[index] = notes
        uproxy_probe_exchange_begin(notes.id, UInt64(notes.rows.listener.rawValue))
        recordBegin(index, slot)
        if logRules.isOn { gatherRelayTexts(index, slot) }
    }

    mutating func nextNoteID() -> UInt64 {
        noteCount &+= 1
        return UInt64(truncatingIfNeeded: worker) << 48 | noteCount
    }

    // MARK: - Stages

    /// The exchange enters a stage.
    @inline(__always)
    mutating func enter(_ stage: Ledger.Stage, _ index: UInt32) {
        if keepsNotes { note(stage, index) }
    }

    @inline(never)
    private mutating func note(_ stage: Ledger.Stage, _ index: UInt32) {
        guard notes[index].isKept else { return }
        notes[index].ledger.enter(stage, at: driver.now)
        recordStage(stage, index)
    }

    /// It looks for a connection.
    @inline(never)
    mutating func noteAttempt(_ index: UInt32) {
        guard notes[index].isKept else { return }
        notes[index].ledger.attempt(at: driver.now)
        if notes[index].isExported { traces[index].attemptedAt = driver.now }
        recordRetry(index)
    }

    /// Its cluster is chosen.
    @inline(never)
    mutating func noteCluster(_ index: UInt32, _ cluster: Int) {
        guard notes[index].isKept else { return }
        notes[index].rows.cluster = names.clusterRow(cluster)
        if notes[index].hasTexts { note(text: .cluster, names.cluster(cluster), index) }
    }

    /// It has a connection, and the request is on its way.
    @inline(never)
    mutating func noteSent(_ index: UInt32, _ slot: UInt32) {
        guard notes[index].isKept else { return }
        notes[index].ledger.enter(exchanges[index].requestDone ? .wait : .read, at: driver.now)
        notes[index].flags.subtract([.isReused, .isUpstreamSecure])
        if connections[slot].isReused { notes[index].flags.formUnion(.isReused) }
        if endpoints[connections[slot].endpoint].isSecure { notes[index].flags.formUnion(.isUpstreamSecure) }
        uproxy_probe_exchange_sent(
            notes[index].id, UInt64(exchanges[index].requestsSent), connections[slot].isReused ? 1 : 0)
        recordSent(index, slot)
    }

    /// Some of the request's body has been passed on, or could not be; what it waits for from here on is who has not kept up.
    @inline(never)
    mutating func noteRequestBody(_ index: UInt32) {
        guard notes[index].isKept, exchanges[index].state == .forwarding,
            exchanges[index].upstream != Slot.none
        else { return }
        let isHeldUp = connections[exchanges[index].upstream].isCongested
        let isDone = exchanges[index].requestDone
        notes[index].ledger.enter(isHeldUp ? .send : isDone ? .wait : .read, at: driver.now)
    }

    /// The answer's head has been passed on.
    ///
    /// - Parameter bytes: what it was parsed out of, and still stands in the input.
    @inline(never)
    mutating func noteResponse(_ index: UInt32, _ slot: UInt32, _ bytes: ByteView) {
        guard notes[index].isKept else { return }
        let notes = notes.tenant(index)
        notes.ledger.enter(.receive, at: driver.now)
        notes.status = responseHead.status
        notes.upstreamStatus = responseHead.status
        notes.announced = .max
        if case .length(let size) = responseHead.framing { notes.announced = size }
        if case .none = responseHead.framing { notes.announced = 0 }
        // What came behind the head.
        notes.receivedUpstream = UInt64(connections[slot].input.byteCount) - UInt64(responseHead.size)
        record(.responseBegan, value: responseHead.status, index: slot, notes.id)
        if notes.hasTexts { gatherResponseTexts(index, bytes) }
    }

    /// More of the answer has come.
    @inline(never)
    mutating func noteTransfer(_ index: UInt32) {
        guard notes[index].isKept, exchanges[index].state == .responding else { return }
        // Whoever does not keep up is who was waited for.
        let slot = exchanges[index].downstream
        let isHeldUp = connections[slot].isSending || isHeldUp(slot)
        notes[index].ledger.charge(isHeldUp ? .drain : .receive, at: driver.now)
    }

    /// More of the answer has left.
    @inline(never)
    mutating func noteTaken(_ index: UInt32) {
        guard notes[index].isKept, exchanges[index].state == .responding else { return }
        notes[index].ledger.charge(.drain, at: driver.now)
        if !isHeldUp(exchanges[index].downstream) { notes[index].ledger.enter(.receive, at: driver.now) }
    }

    /// Bytes came for an exchange whose end is not announced.
    @inline(never)
    mutating func noteBytes(_ slot: UInt32, _ size: UInt32) {
        let index = connections[slot].exchange
        guard index != Slot.none, notes[index].isKept else { return }
        if connections[slot].side == .upstream {
            notes[index].receivedUpstream &+= UInt64(size)
        } else {
            notes[index].receivedDownstream &+= UInt64(size)
        }
    }

    /// Its connections have become a tunnel.
    @inline(never)
    mutating func noteTunnel(_ index: UInt32, _ upstream: UInt32) {
        guard notes[index].isKept else { return }
        let notes = notes.tenant(index)
        notes.flags.formUnion(.isTunnel)
        notes.ledger.enter(.receive, at: driver.now)
        if exchanges[index].isRelay {
            notes.status = 0
        } else if exchanges[index].isConnect {
            notes.status = 200
        } else {
            notes.status = 101
            notes.upstreamStatus = 101
        }
        notes.announced = .max
        notes.receivedUpstream = UInt64(connections[upstream].input.byteCount)
        notes.receivedDownstream = UInt64(connections[exchanges[index].downstream].input.byteCount)
        record(.tunnelBegan, value: notes.status, index: upstream, notes.id)
    }

    // MARK: - Ends

    /// The exchange fails, and downstream is told why if it still can be.
    @inline(never)
    mutating func note(_ error: ProxyError, _ index: UInt32) {
        guard notes[index].isKept else { return }
        notes[index].failure = error
        uproxy_probe_exchange_failed(notes[index].id, UInt64(error.rawValue), UInt64(error.status))
        record(.failed, detail: error.rawValue, notes[index].id)
    }

    /// An answer of our own.
    @inline(never)
    mutating func noteLocal(_ index: UInt32, status: UInt16, size: Int) {
        guard notes[index].isKept else { return }
        notes[index].status = status
        notes[index].localBytes = UInt64(size)
        notes[index].flags.formUnion(.isLocal)
        record(.answeredLocally, value: status, index: exchanges[index].downstream, notes[index].id)
    }

    /// Part of the answer has been passed on, or of a tunnel's bytes, and the rest will not come.
    @inline(never)
    mutating func noteCut(_ index: UInt32, _ error: ProxyError) {
        note(error, index)
        note(.isCut, index)
    }

    /// The worker ends, and the exchange with it.
    mutating func noteStop(_ index: UInt32) {
        switch exchanges[index].state {
        case .responding, .tunnelling: noteCut(index, .draining)
        case .queued, .awaitingPlace, .resolving, .awaitingStream, .awaitingOffer, .authenticating,
            .connecting, .forwarding:
            note(.draining, index)
        }
    }

    @inline(never)
    mutating func note(_ flag: AccessRecord.Flags, _ index: UInt32) {
        guard notes[index].isKept else { return }
        notes[index].flags.formUnion(flag)
        if flag == .isAborted { record(.aborted, notes[index].id) }
        if flag == .isCut { record(.cut, detail: notes[index].failure.rawValue, notes[index].id) }
    }

    /// The exchange is over.
    @inline(never)
    mutating func endNotes(_ index: UInt32) {
        guard notes[index].isKept else { return }
        notes[index].isKept = false
        notes[index].ledger.enter(.drain, at: driver.now)
        if notes[index].hasTexts { gatherLastTexts(index) }
        let finished = finished(index)
        let texts = finished.hasTexts ? noteTexts.view(index, count: Int(notes[index].textsSize)) : .empty
        var span: SpanNotes?
        if notes[index].isExported {
            traces[index].endedAt = driver.now
            span = traces[index]
        }
        if isHeldUp(exchanges[index].downstream) {
            awaitDrain(finished, texts: texts, span, exchanges[index].downstream)
        } else {
            conclude(finished, texts: texts, span)
        }
    }

    /// Whether its endpoint is one that was chosen for it: who waits at a gate has that of another one for the time being.
    func hasChosen(_ exchange: Tenant<Exchange>) -> Bool {
        guard exchange.endpoint != Slot.none else { return false }
        return exchange.requestsSent > 0 || exchange.clusterEndpoint != Slot.none
            || endpoints[exchange.endpoint].kind == .dynamic
    }

    private func finished(_ index: UInt32) -> FinishedExchange {
        let exchange = exchanges.tenant(index)
        let notes = notes.tenant(index)
        var record = AccessRecord()
        record.flags = notes.flags
        record.startedAt = realTimeOffset &+ driver.now &- notes.ledger.times.total
        record.id = notes.id
        record.times = notes.ledger.times
        record.retries = notes.ledger.retries
        record.requestBytes = requestBytes(index)
        record.responseBytes = responseBytes(index)
        record.client = notes.client
        record.status = notes.status
        record.upstreamStatus = notes.upstreamStatus
        record.attempts = exchange.requestsSent
        record.worker = UInt16(truncatingIfNeeded: worker)
        if !exchange.isRelay {
            record.version = isStream(exchange.downstream) ? 20 : exchange.version == .http11 ? 11 : 10
        }
        if hasChosen(exchange), let (address, port) = endpoints.onlyAddress(of: exchange.endpoint) {
            record.upstream = address
            record.upstreamPort = port
        }
        var rows = notes.rows
        if countsExchanges {
            if exchange.clusterEndpoint != Slot.none {
                rows.endpoint = names.endpointRow(Int(exchange.clusterEndpoint))
            } else if exchange.endpoint != Slot.none && endpoints[exchange.endpoint].kind == .dynamic {
                rows.endpoint = names.dynamicEndpoint
            }
        }
        return FinishedExchange(
            record: record, rows: rows, sampler: notes.sampler, hasTexts: notes.hasTexts,
            failure: notes.failure, downstream: exchange.downstream, cluster: exchange.cluster,
            endpoint: exchange.clusterEndpoint)
    }

    /// Nothing is left to be known of it.
    mutating func conclude(_ finished: FinishedExchange, texts: ByteView, _ span: SpanNotes?) {
        uproxy_probe_exchange_end(
            finished.record.id, UInt64(finished.record.status),
            UInt64(bitPattern: finished.record.times.total),
            UInt64(bitPattern: finished.record.times[.wait]))
        if countsExchanges {
            histograms.observe(
                finished.rows, status: finished.record.status, times: finished.record.times,
                requestBytes: finished.record.requestBytes, responseBytes: finished.record.responseBytes)
        }
        recordEnd(finished)
        if finished.hasTexts { log(finished, texts: texts) }
        if let span { export(finished, span, texts: texts) }
    }

    /// What never became an exchange, and was answered.
    @inline(never)
    mutating func noteRefusal(_ slot: UInt32, status: UInt16, reason: StaticString) {
        uproxy_probe_refusal(UInt64(worker), UInt64(status))
        if countsExchanges {
            var rows = ExchangeRows()
            rows.listener = names.listenerRow(listeners[connections[slot].listener].name)
            var times = Ledger.Times()
            times[.read] = driver.now &- connections[slot].phaseStartedAt
            histograms.observe(rows, status: status, times: times, requestBytes: 0, responseBytes: 0)
        }
        recordRefusal(slot, status: status)
        logRefusal(slot, status: status, reason: reason)
    }

    /// Content of the request that was passed on, or what a tunnel got of the client.
    func requestBytes(_ index: UInt32) -> UInt64 {
        let exchange = exchanges.tenant(index)
        if exchange.state == .tunnelling { return notes[index].receivedDownstream }
        return exchange.requestBody.content ?? exchange.requestBodyBytes
    }

    /// Content of the answer that was passed on.
    func responseBytes(_ index: UInt32) -> UInt64 {
        let exchange = exchanges.tenant(index)
        let notes = notes.tenant(index)
        if notes.flags.contains(.isLocal) { return notes.localBytes }
        if exchange.state == .tunnelling { return notes.receivedUpstream }
        guard exchange.state == .responding else { return 0 }
        if let content = exchange.responseBody.content { return content }
        if notes.announced != .max { return notes.announced - exchange.responseBody.remaining }
        return notes.receivedUpstream
    }

    // MARK: - Another snapshot

    /// Keeps from now on what a snapshot's log and metrics want.
    mutating func adoptNotes(_ snapshot: Snapshot) {
        names = snapshot.names
        for index in listeners.indices {
            listeners[index].name = names.index(ofListener: listeners[index].id)
        }
        countsExchanges = !names.rows.isEmpty
        timesAnswers = snapshot.settings.timesAnswers || names.timesAnswers
        keepsNotes =
            snapshot.accessLog != nil || countsExchanges || snapshot.tracing != nil || timesAnswers
            || snapshot.flight != nil
        // Who ends while nobody looks at notes is not to leave them to the slot's next tenant.
        if !keepsNotes {
            for index in 0..<UInt32(exchanges.highestCount) where notes[index].isKept {
                notes[index].isKept = false
            }
        }
        adopt(snapshot.accessLog)
        adopt(snapshot.tracing)
        makeRoomForTexts()
        adopt(snapshot.flight)
    }
}
