internal import CPosix

// What the flight recorder is told. Its places are those of the notes, and cold ones: while nobody keeps notes nothing of this runs.
extension Engine where D: ~Copyable {
    /// Nanoseconds from which on a turn is told of.
    static var longTurn: Int64 { 1_000_000 }

    /// Keeps an event, if somebody wants it.
    @inline(__always)
    mutating func record(
        _ kind: FlightEvent.Kind, detail: UInt8 = 0, value: UInt16 = 0, index: UInt32 = 0, _ a: UInt64 = 0,
        _ b: UInt64 = 0
    ) {
        guard let ring = flightRing else { return }
        ring.write(FlightEvent(kind, at: driver.now, detail: detail, value: value, index: index, a: a, b: b))
        published.formUnion(.event)
    }

    // MARK: - Exchanges

    /// The exchange in `notes[index]` begins.
    mutating func recordBegin(_ index: UInt32, _ slot: UInt32) {
        guard flightRing != nil else { return }
        let isRelay = exchanges[index].isRelay
        let version: UInt8 =
            isRelay ? 0 : isStream(slot) ? 20 : exchanges[index].version == .http11 ? 11 : 10
        let method = UInt64(exchanges[index].method.rawValue) << 24
        record(
            .exchangeBegan, detail: version, value: listenerNumber(slot), index: slot, notes[index].id,
            UInt64(connections.generation(slot)) | method | UInt64(connections[slot].requestCount) << 32)
    }

    mutating func recordStage(_ stage: Ledger.Stage, _ index: UInt32) {
        record(
            .stageEntered, detail: stage.rawValue, value: exchanges[index].cluster,
            index: exchanges[index].clusterEndpoint, notes[index].id)
    }

    /// A connection is asked for that is not the first.
    mutating func recordRetry(_ index: UInt32) {
        guard exchanges[index].requestsSent > 0 || exchanges[index].failure != .none else { return }
        record(
            .retried, detail: exchanges[index].failure.rawValue, value: exchanges[index].cluster,
            index: exchanges[index].clusterEndpoint, notes[index].id)
    }

    /// An attempt at a connection begins.
    @inline(never)
    mutating func noteConnect(_ index: UInt32, _ slot: UInt32) {
        guard notes[index].isKept else { return }
        notes[index].ledger.enter(.connect, at: driver.now)
        record(
            .connectBegan, value: exchanges[index].cluster, index: slot, notes[index].id,
            UInt64(connections.generation(slot)) | descriptorBits(slot))
    }

    @inline(never)
    mutating func noteConnectFailure(_ index: UInt32, _ slot: UInt32, _ failure: ProxyError) {
        guard notes[index].isKept else { return }
        record(
            .connectFailed, detail: failure.rawValue, value: exchanges[index].cluster, index: slot,
            notes[index].id, UInt64(connections.generation(slot)))
    }

    mutating func recordSent(_ index: UInt32, _ slot: UInt32) {
        var sent: UInt8 = 0
        if notes[index].flags.contains(.isReused) { sent |= FlightEvent.Sent.isReused.rawValue }
        if notes[index].flags.contains(.isUpstreamSecure) { sent |= FlightEvent.Sent.isSecure.rawValue }
        if connections[slot].descriptor == Connection.streamDescriptor {
            sent |= FlightEvent.Sent.isStream.rawValue
        }
        record(
            .requestSent, detail: sent, value: exchanges[index].cluster, index: slot, notes[index].id,
            UInt64(connections.generation(slot)) | UInt64(exchanges[index].clusterEndpoint) << 32)
    }

    /// Nothing is left to be known of an exchange. Of a slow one all that its record says is kept: what came before may have been
    /// overwritten.
    mutating func recordEnd(_ finished: FinishedExchange) {
        guard flightRing != nil else { return }
        let total = finished.record.times.total
        let id = finished.record.id
        record(
            .exchangeEnded, detail: finished.failure.rawValue, value: finished.record.status,
            index: finished.downstream, id, UInt64(clamping: total))
        // A tunnel lasts as long as its ends want it to.
        guard total >= flightSlow, !finished.record.flags.contains(.isTunnel) else { return }
        recordSlow(finished)
    }

    @inline(never)
    private mutating func recordSlow(_ finished: FinishedExchange) {
        let id = finished.record.id
        for stage in Ledger.Stage.allCases where finished.record.times[stage] > 0 {
            record(
                .stageTotal, detail: stage.rawValue, id, UInt64(clamping: finished.record.times[stage]))
        }
        record(
            .total, detail: UInt8(clamping: finished.record.attempts), value: finished.cluster,
            index: finished.endpoint, id, finished.record.responseBytes)
        flightLane?.noteSlow(id)
    }

    // MARK: - Connections

    @inline(never)
    mutating func recordAccepted(_ slot: UInt32) {
        record(
            .accepted, value: listenerNumber(slot), index: slot, 0,
            UInt64(connections.generation(slot)) | descriptorBits(slot))
    }

    @inline(never)
    mutating func recordHandshake(_ slot: UInt32) {
        record(
            .handshakeDone, value: listenerNumber(slot), index: slot, 0, UInt64(connections.generation(slot)))
    }

    mutating func recordRefusal(_ slot: UInt32, status: UInt16) {
        record(.refused, value: status, index: slot, 0, UInt64(connections.generation(slot)))
    }

    /// A connection begins to close.
    ///
    /// - Parameter phase: that which it was in.
    @inline(never)
    mutating func recordClosed(_ slot: UInt32, _ phase: Connection.Phase) {
        var how: UInt16 = 0
        if connections[slot].side == .upstream { how |= FlightEvent.Closed.isUpstream.rawValue }
        if connections[slot].inputEnded { how |= FlightEvent.Closed.peerEnded.rawValue }
        if connections[slot].outputEnded { how |= FlightEvent.Closed.weEnded.rawValue }
        if connections[slot].resetsOnClose { how |= FlightEvent.Closed.isReset.rawValue }
        if isStream(slot) { how |= FlightEvent.Closed.isStream.rawValue }
        record(
            .closed, detail: phase.rawValue, value: how, index: slot, 0,
            UInt64(connections.generation(slot)) | UInt64(connections[slot].requestCount) << 32)
    }

    private func listenerNumber(_ slot: UInt32) -> UInt16 {
        UInt16(truncatingIfNeeded: listeners[connections[slot].listener].name)
    }

    private func descriptorBits(_ slot: UInt32) -> UInt64 {
        UInt64(UInt32(bitPattern: connections[slot].descriptor)) << 32
    }

    // MARK: - Turns and snapshots

    /// At the end of a turn in which there were events.
    mutating func recordTurn() {
        let nanoseconds = cposix_monotonic_nanoseconds() &- driver.now
        if nanoseconds >= Self.longTurn { recordLongTurn(nanoseconds) }
    }

    @inline(never)
    private mutating func recordLongTurn(_ nanoseconds: Int64) {
        record(.longTurn, UInt64(clamping: nanoseconds), driver.statistics.completions)
        flightLane?.noteLongTurn(nanoseconds)
    }

    /// Records by a plan from now on; nil: not at all.
    mutating func adopt(_ plan: FlightPlan?) {
        let before = flightLane
        flightLane = plan?.lanes[worker]
        flightRing = flightLane?.ring
        flightSlow = plan?.slow ?? .max
        if flightLane !== before { flightNumber = 0 }
        guard let plan, plan.number != flightNumber else { return }
        record(.adopted, plan.number, flightNumber)
        flightRing?.setSnapshot(plan.number)
        flightNumber = plan.number
    }
}
