// Responses: heads from upstream rewritten for downstream, bodies passed on, and what is left when one has ended.
extension Engine where D: ~Copyable {
    // MARK: - Reading

    /// More of an upstream's bytes, or their end, during an exchange.
    mutating func readResponse(_ slot: UInt32) {
        let index = connections[slot].exchange
        while connections[slot].phase == .leased && exchanges[index].state == .forwarding {
            // Interim responses that wait for a slow reader are not added to without end: goes on when they have left.
            if !connections[slot].input.isEmpty
                && connections[exchanges[index].downstream].output.byteCount >= settings.window
            {
                updateReceive(slot)
                armTimer(exchanges[index].downstream)
                return
            }
            guard readResponseHead(slot, index) else { return }
        }
        guard connections[slot].phase == .leased, connections[slot].exchange == index else { return }
        relayResponse(index)
    }

    /// Reads one response head; false if the exchange has to wait for more, or has ended.
    private mutating func readResponseHead(_ slot: UInt32, _ index: UInt32) -> Bool {
        if connections[slot].input.isEmpty {
            if connections[slot].inputEnded {
                upstreamEnded(slot, .upstreamClosed)
            } else {
                waitForResponse(slot)
            }
            return false
        }
        var bytes = segments.firstView(of: connections[slot].input)
        var status = ParseStatus.incomplete
        // As with requests: parsed when it came in one piece, or when its end is there.
        if connections[slot].scanner.scanned == 0 { status = parseResponse(bytes, index) }
        if status == .incomplete {
            guard segments.makeContiguous(&connections[slot].input, upTo: settings.headLimits.headBytes + 1)
            else {
                counters.add(.buffersExhausted)
                fail(index, .outOfMemory)
                return false
            }
            bytes = segments.firstView(of: connections[slot].input)
            if connections[slot].scanner.find(in: bytes, limits: settings.headLimits) != nil {
                status = parseResponse(bytes, index)
            }
        }
        switch status {
        case .incomplete:
            if connections[slot].inputEnded {
                upstreamEnded(slot, .upstreamTruncated)
            } else {
                waitForResponse(slot)
            }
            return false
        case .invalid:
            fail(index, .upstreamBadResponse)
            return false
        case .complete:
            connections[slot].scanner = HeadEndScanner()
        }
        if responseHead.isInterim { return forwardInterim(slot, index, bytes) }
        if responseHead.status == 101 { return switchProtocols(slot, index, bytes) }
        return startResponse(slot, index, bytes)
    }

    @inline(__always)
    private mutating func parseResponse(_ bytes: ByteView, _ index: UInt32) -> ParseStatus {
        ResponseParser.parse(
            bytes, requestMethod: exchanges[index].method, limits: settings.headLimits, fields: &fields,
            head: &responseHead)
    }

    private mutating func waitForResponse(_ slot: UInt32) {
        updateReceive(slot)
        armTimer(slot)
    }

    // MARK: - Heads

    /// RFC 9110 §15.2: interim responses are passed on, but not to 1.0 clients, who do not know them.
    private mutating func forwardInterim(_ slot: UInt32, _ index: UInt32, _ bytes: ByteView) -> Bool {
        counters.add(.responses1xx)
        let downstream = exchanges[index].downstream
        if exchanges[index].version == .http11 {
            guard
                writeResponse(
                    index, bytes, connection: .none, framing: .none, keepUpgrade: false, bodySize: 0)
            else {
                fail(index, .outOfMemory)
                return false
            }
            if responseHead.status == 100 { exchanges[index].continueForwarded = true }
            queueFlush(downstream)
        }
        segments.consume(UInt32(responseHead.size), from: &connections[slot].input)
        return true
    }

    /// RFC 9110 §15.2.2: what both sides agreed to speak from here on is not ours to understand.
    private mutating func switchProtocols(_ slot: UInt32, _ index: UInt32, _ bytes: ByteView) -> Bool {
        guard exchanges[index].wantsUpgrade, exchanges[index].requestDone,
            !responseHead.isSwitchWithoutUpgrade
        else {
            fail(index, .upstreamUnexpectedUpgrade)
            return false
        }
        counters.add(.responses1xx)
        guard writeResponse(index, bytes, connection: .none, framing: .none, keepUpgrade: true, bodySize: 0)
        else {
            fail(index, .outOfMemory)
            return false
        }
        segments.consume(UInt32(responseHead.size), from: &connections[slot].input)
        openTunnel(index, slot)
        return false
    }

    /// The final response's head: decides how its body is framed for downstream and what becomes of both connections.
    private mutating func startResponse(_ slot: UInt32, _ index: UInt32, _ bytes: ByteView) -> Bool {
        countResponse(responseHead.status)
        let isHTTP10 = exchanges[index].version == .http10
        var framing = ResponseRewriter.Framing.asReceived
        var endsByClosing = false
        switch responseHead.framing {
        case .none, .length: break
        case .chunked:
            if isHTTP10 {
                framing = .untilClose
                exchanges[index].responseEncoding = .dechunk
                endsByClosing = true
            }
        case .untilClose:
            // Downstream learns the end from the last chunk, and a cut is not mistaken for it.
            framing = isHTTP10 ? .untilClose : .chunked
            exchanges[index].responseEncoding = isHTTP10 ? .verbatim : .chunk
            endsByClosing = isHTTP10
        }
        if responseHead.status == 204 { framing = .none }
        // The rest of a body that the upstream has already refused may come or not (RFC 9110 §10.1.1): the next
        // request could not be found behind it.
        let leavesBody =
            !exchanges[index].requestDone
            && (responseHead.status >= 400
                || exchanges[index].expectsContinue && !exchanges[index].continueForwarded)
        if endsByClosing || leavesBody || phase != .running { exchanges[index].keepAlive = false }
        exchanges[index].upstreamKeepAlive = responseHead.keepAlive
        exchanges[index].responseBody = BodyReader(responseHead.framing)
        noteBody(slot, responseHead.framing)

        let connection: ResponseRewriter.Connection =
            !exchanges[index].keepAlive ? .close : isHTTP10 ? .keepAlive : .none
        let small = smallResponseBodySize(bytes)
        guard
            writeResponse(
                index, bytes, connection: connection, framing: framing, keepUpgrade: false, bodySize: small)
        else {
            fail(index, .outOfMemory)
            return false
        }
        if small > 0 { _ = exchanges[index].responseBody.takeLength(UInt32(small)) }
        segments.consume(UInt32(responseHead.size + small), from: &connections[slot].input)
        segments.removeAll(&exchanges[index].request)
        exchanges[index].state = .responding
        queueFlush(exchanges[index].downstream)
        return true
    }

    /// The size of the body if it has a length, is small, and is all there behind the head.
    private func smallResponseBodySize(_ bytes: ByteView) -> Int {
        guard case .length(let size) = responseHead.framing, size <= UInt64(settings.smallBody),
            responseHead.size + Int(size) <= bytes.count
        else { return 0 }
        return Int(size)
    }

    @inline(__always)
    func countResponse(_ status: UInt16) {
        switch status / 100 {
        case 2: counters.add(.responses2xx)
        case 3: counters.add(.responses3xx)
        case 4: counters.add(.responses4xx)
        default: counters.add(.responses5xx)
        }
    }

    /// Writes the parsed head, and `bodySize` bytes behind it, to downstream.
    private mutating func writeResponse(
        _ index: UInt32, _ bytes: ByteView, connection: ResponseRewriter.Connection,
        framing: ResponseRewriter.Framing, keepUpgrade: Bool, bodySize: Int
    ) -> Bool {
        let downstream = exchanges[index].downstream
        var wanted = responseHead.size + 128 + bodySize
        while let sliceClass = SliceClass.fitting(wanted), let slice = arena.lease(sliceClass) {
            var writer = unsafe ByteWriter(base: arena.address(slice), capacity: sliceClass.sliceSize)
            unsafe settings.pseudonym.withUnsafeBytes { own in
                ResponseRewriter.write(
                    head: responseHead, fields: fields, bytes: bytes, into: &writer,
                    via: unsafe ByteView(own),
                    connection: connection, framing: framing, keepUpgrade: keepUpgrade,
                    downstreamVersion: exchanges[index].version)
            }
            if bodySize > 0 { writer.append(bytes[responseHead.size..<responseHead.size + bodySize]) }
            if writer.overflowed {
                arena.release(slice)
                wanted = sliceClass.sliceSize + 1
                continue
            }
            if connections[downstream].output.isEmpty { outputBegins(downstream) }
            // Small ones together: of a slice each, a window full would be many times its size.
            segments.appendCompacting(
                Segment(slice: slice, offset: 0, size: UInt32(writer.count)),
                to: &connections[downstream].output)
            return true
        }
        counters.add(.buffersExhausted)
        return false
    }

    // MARK: - Bodies

    /// Passes on what has come of the response's body, as far as downstream has room.
    mutating func relayResponse(_ index: UInt32) {
        let slot = exchanges[index].upstream
        let downstream = exchanges[index].downstream
        let before = connections[downstream].output.byteCount
        var body = exchanges[index].responseBody
        let outcome = relayBody(from: slot, &body, to: downstream, exchanges[index].responseEncoding, index)
        exchanges[index].responseBody = body
        if connections[downstream].output.byteCount != before { queueFlush(downstream) }
        switch outcome {
        case .done:
            // Its last bytes may still be in the pipe, which is the exchange's.
            if splicing[downstream].pipeBytes > 0 {
                armTimer(slot)
                armTimer(downstream)
            } else {
                finishResponse(index)
            }
            return
        case .failed:
            counters.add(Counter.upstreamTruncated)
            cutResponse(index, .upstreamBadResponse)
            return
        case .outOfMemory:
            cutResponse(index, .outOfMemory)
            return
        case .more:
            break
        }
        if connections[slot].inputEnded && connections[slot].input.isEmpty {
            if body.state == .untilClose {
                endUntilClose(index)
            } else {
                upstreamEnded(slot, .upstreamTruncated)
            }
            return
        }
        connections[slot].isBulk = splicing[slot].splices || isLong(body, connections[slot].streamBytes)
        updateReceive(slot)
        armTimer(slot)
        armTimer(downstream)
    }

    /// The upstream closed, and by that ended the body (RFC 9112 §6.3, rule 8).
    private mutating func endUntilClose(_ index: UInt32) {
        exchanges[index].responseBody.finish()
        if exchanges[index].responseEncoding == .chunk {
            guard writeChunkLine(0, to: exchanges[index].downstream, index) else {
                cutResponse(index, .outOfMemory)
                return
            }
            queueFlush(exchanges[index].downstream)
        }
        finishResponse(index)
    }

    /// Downstream has taken some of the response.
    @inline(__always)
    mutating func responseOutputDrained(_ slot: UInt32) {
        let index = connections[slot].exchange
        if exchanges[index].state == .responding {
            relayResponse(index)
        } else if exchanges[index].state == .forwarding {
            let upstream = exchanges[index].upstream
            if !connections[upstream].input.isEmpty { readResponse(upstream) }
        }
    }

    // MARK: - Ends

    /// Every byte of the response is in downstream's output, and none in its pipe.
    private mutating func finishResponse(_ index: UInt32) {
        let slot = exchanges[index].upstream
        let downstream = exchanges[index].downstream
        let requestDone = exchanges[index].requestDone
        let keepAlive = exchanges[index].keepAlive && requestDone
        let reusable = exchanges[index].upstreamKeepAlive && requestDone && !connections[slot].outputEnded
        connections[downstream].saidClose = exchanges[index].saidClose && requestDone
        exchanges[index].upstream = Slot.none
        finishExchange(index)
        // A request that has not left entirely, though it is answered, would stand before the next one.
        if reusable && connections[slot].input.isEmpty && !hasOutput(slot)
            && !connections[slot].inputEnded
        {
            returnToPool(slot)
        } else {
            connections[slot].exchange = Slot.none
            close(slot)
        }
        endOfResponse(downstream, keepAlive: keepAlive)
    }

    /// Downstream's connection after a response: open for the next request, or to be ended when the output has left.
    mutating func endOfResponse(_ slot: UInt32, keepAlive: Bool) {
        connections[slot].isBulk = false
        connections[slot].phase = .waiting
        connections[slot].phaseStartedAt = driver.now
        if keepAlive {
            if !connections[slot].input.isEmpty || connections[slot].inputEnded || phase != .running {
                queueRead(slot)
            }
        } else {
            connections[slot].closesAfterFlush = true
            if connections[slot].output.isEmpty {
                beginDiscarding(slot)
                return
            }
        }
        updateReceive(slot)
        armTimer(slot)
    }

    /// A connection out of the pool was not quiet, which nobody knew yet when it was given to an exchange in this turn:
    /// what has come answers nothing, for nothing of the request has left.
    mutating func leasedInVain(_ slot: UInt32) {
        let index = connections[slot].exchange
        counters.add(.upstreamStale)
        guard mayRepeat(index, sentNothing: true) else {
            fail(index, .upstreamClosed)
            return
        }
        connections[slot].exchange = Slot.none
        close(slot)
        repeatRequest(index)
    }

    /// The upstream's end before the response's.
    mutating func upstreamEnded(_ slot: UInt32, _ error: ProxyError) {
        let index = connections[slot].exchange
        if connections[slot].isReused { counters.add(.upstreamStale) }
        let isUntouched = exchanges[index].state == .forwarding && connections[slot].input.isEmpty
        // A send whose result has not come may have sent all of it: the driver need not tell promptly.
        let sentNothing =
            !connections[slot].isSending
            && connections[slot].output.byteCount == exchanges[index].request.byteCount
        if isUntouched && connections[slot].isReused && mayRepeat(index, sentNothing: sentNothing) {
            connections[slot].exchange = Slot.none
            close(slot)
            repeatRequest(index)
            return
        }
        if exchanges[index].state == .forwarding {
            fail(index, error)
        } else {
            counters.add(Counter.upstreamTruncated)
            cutResponse(index, .upstreamTruncated)
        }
    }

    /// Part of a response has been passed on and the rest will not come: downstream must not take it for the whole
    /// (RFC 9112 §8), so its connection is cut.
    mutating func cutResponse(_ index: UInt32, _ error: ProxyError) {
        counters.add(failure: error)
        let downstream = exchanges[index].downstream
        finishExchange(index)
        connections[downstream].resetsOnClose = true
        close(downstream)
    }
}
