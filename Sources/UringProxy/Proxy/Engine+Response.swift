// Responses: heads from upstream rewritten for downstream, bodies passed on, and what is left when one has ended.
extension Engine where D: ~Copyable {
    // MARK: - Reading

    /// More of an upstream's bytes, or their end, during an exchange.
    mutating func readResponse(_ slot: UInt32) {
        let connection = connections.tenant(slot)
        let index = connection.exchange
        let exchange = exchanges.tenant(index)
        while connection.phase == .leased && exchange.state == .forwarding {
            // Interim responses that wait for a slow reader are not added to without end: goes on when they have left.
            if !connection.input.isEmpty
                && connections[exchange.downstream].output.byteCount >= settings.window
            {
                updateReceive(slot)
                armTimer(exchange.downstream)
                return
            }
            guard readResponseHead(slot, index) else { return }
        }
        guard connection.phase == .leased, connection.exchange == index else { return }
        // Most bodies are short and have left with their head.
        if exchange.responseBody.isDone { responseTaken(index) } else { relayResponse(index) }
    }

    /// Reads one response head; false if the exchange has to wait for more, or has ended.
    @inline(__always)
    private mutating func readResponseHead(_ slot: UInt32, _ index: UInt32) -> Bool {
        let connection = connections.tenant(slot)
        if connection.input.isEmpty {
            if connection.inputEnded {
                upstreamEnded(slot, .upstreamClosed)
            } else {
                waitForResponse(slot)
            }
            return false
        }
        var bytes = segments.firstView(of: connection.input)
        var status = ParseStatus.incomplete
        // As with requests: parsed when it came in one piece, or when its end is there.
        if connection.scanner.scanned == 0 { status = parseResponse(bytes, index) }
        if status == .incomplete {
            guard segments.makeContiguous(&connection.input, upTo: settings.headLimits.headBytes + 1)
            else {
                counters.add(.buffersExhausted)
                fail(index, .outOfMemory)
                return false
            }
            bytes = segments.firstView(of: connection.input)
            if connection.scanner.find(in: bytes, limits: settings.headLimits) != nil {
                status = parseResponse(bytes, index)
            }
        }
        switch status {
        case .incomplete:
            if connection.inputEnded {
                upstreamEnded(slot, .upstreamTruncated)
            } else {
                waitForResponse(slot)
            }
            return false
        case .invalid:
            fail(index, .upstreamBadResponse)
            return false
        case .complete:
            connection.scanner = HeadEndScanner()
        }
        if exchanges[index].kind != .ordinary { return readDetachedHead(slot, index) }
        if responseHead.isInterim { return forwardInterim(slot, index, bytes) }
        if responseHead.status == 101 { return switchProtocols(slot, index, bytes) }
        if responseHead.status >= 429 && exchanges[index].retry.looksAtStatuses,
            retry(
                index, on: RetryRules.Conditions(status: responseHead.status),
                after: .answered(status: responseHead.status))
        {
            return false
        }
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
                    index, bytes, connection: .none, framing: .none, keepUpgrade: false, bodySize: 0, .none)
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
        noteAnswer(exchanges.tenant(index), status: 101)
        guard
            writeResponse(
                index, bytes, connection: .none, framing: .none, keepUpgrade: true, bodySize: 0,
                changesOfAnswer(index))
        else {
            fail(index, .outOfMemory)
            return false
        }
        segments.consume(UInt32(responseHead.size), from: &connections[slot].input)
        openTunnel(index, slot)
        return false
    }

    /// The final response's head: decides how its body is framed for downstream and what becomes of both connections.
    @inline(__always)
    private mutating func startResponse(_ slot: UInt32, _ index: UInt32, _ bytes: ByteView) -> Bool {
        let upstream = connections.tenant(slot)
        let exchange = exchanges.tenant(index)
        if exchange.isConnect {
            if responseHead.status / 100 == 2 {
                segments.consume(UInt32(responseHead.size), from: &upstream.input)
                noteAnswer(exchange, status: responseHead.status)
                openConnectTunnel(index, slot)
                return false
            }
            // What was sent into a tunnel that does not open must not become the next request.
            if !connections[exchange.downstream].input.isEmpty { exchange.keepAlive = false }
        }
        if exchange.partner != Slot.none { endPartner(index) }
        countResponse(responseHead.status)
        noteAnswer(exchange, status: responseHead.status)
        let isHTTP10 = exchange.version == .http10
        // HTTP/2 tells the end by itself, and has no chunks (RFC 9113 §8.1).
        let endsApart = isHTTP10 || isStream(exchange.downstream)
        var framing = ResponseRewriter.Framing.asReceived
        var endsByClosing = false
        switch responseHead.framing {
        case .none, .length: break
        case .chunked:
            if endsApart {
                framing = .untilClose
                exchange.responseEncoding = .dechunk
                endsByClosing = true
            }
        case .untilClose:
            // Downstream learns the end from the last chunk, and a cut is not mistaken for it.
            framing = endsApart ? .untilClose : .chunked
            if endsApart { exchange.responseEncoding = .verbatim } else { exchange.responseEncoding = .chunk }
            endsByClosing = endsApart
        }
        if responseHead.status == 204 { framing = .none }
        // The rest of a body that the upstream has already refused may come or not (RFC 9110 §10.1.1): the next
        // request could not be found behind it.
        let leavesBody =
            !exchange.requestDone
            && (responseHead.status >= 400
                || exchange.expectsContinue && !exchange.continueForwarded)
        if endsByClosing || leavesBody || phase != .running || connections[exchange.downstream].endsSoon {
            exchange.keepAlive = false
        }
        exchange.upstreamKeepAlive = responseHead.keepAlive
        // A parent may take who authenticated on a connection for whoever comes on it next (NTLM, Negotiate).
        if responseHead.status == 407 && exchange.usesParent { exchange.upstreamKeepAlive = false }
        exchange.responseBody = BodyReader(responseHead.framing)
        noteBody(slot, responseHead.framing)

        let connection: ResponseRewriter.Connection =
            !exchange.keepAlive ? .close : isHTTP10 ? .keepAlive : .none
        let small = smallResponseBodySize(bytes)
        guard
            writeResponse(
                index, bytes, connection: connection, framing: framing, keepUpgrade: false, bodySize: small,
                changesOfAnswer(index))
        else {
            fail(index, .outOfMemory)
            return false
        }
        if keepsNotes { noteResponse(index, slot, bytes) }
        if small > 0 { _ = exchange.responseBody.takeLength(UInt32(small)) }
        segments.consume(UInt32(responseHead.size + small), from: &upstream.input)
        dropRequest(index)
        exchange.state = .responding
        if exchange.gate != 0 { answerBegan(index, status: responseHead.status) }
        queueFlush(exchange.downstream)
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
        framing: ResponseRewriter.Framing, keepUpgrade: Bool, bodySize: Int, _ changes: ResponseChanges
    ) -> Bool {
        let downstream = exchanges[index].downstream
        if !changes.names.bytes.isEmpty { changes.names.drop(from: &fields, bytes) }
        var wanted = responseHead.size + 128 + bodySize + changes.lines.text.count
        while let sliceClass = SliceClass.fitting(wanted), let slice = arena.lease(sliceClass) {
            var writer = unsafe ByteWriter(base: arena.address(slice), capacity: sliceClass.sliceSize)
            ResponseRewriter.write(
                head: responseHead, fields: fields, bytes: bytes, into: &writer, via: pseudonym.view,
                isHTTP2: isStream(exchanges[index].upstream),
                connection: connection, framing: framing, keepUpgrade: keepUpgrade,
                keepsAuthentication: exchanges[index].usesParent,
                downstreamVersion: exchanges[index].version, added: changes.lines)
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
        if keepsNotes { noteTransfer(index) }
        let slot = exchanges[index].upstream
        let downstream = exchanges[index].downstream
        let before = connections[downstream].output.byteCount
        var body = exchanges[index].responseBody
        let outcome = relayBody(from: slot, &body, to: downstream, exchanges[index].responseEncoding, index)
        exchanges[index].responseBody = body
        if connections[downstream].output.byteCount != before { queueFlush(downstream) }
        switch outcome {
        case .done:
            responseTaken(index)
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
            if body.state != .untilClose {
                upstreamEnded(slot, .upstreamTruncated)
            } else if isSecure(slot) && tls[slot].isTruncated {
                // RFC 9112 §9.8: without a close_notify it need not be all.
                counters.add(.tlsTruncated)
                upstreamEnded(slot, .upstreamTruncated)
            } else {
                endUntilClose(index)
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
            if keepsNotes { noteTaken(index) }
            relayResponse(index)
        } else if exchanges[index].state == .forwarding {
            let upstream = exchanges[index].upstream
            if !connections[upstream].input.isEmpty { readResponse(upstream) }
        }
    }

    // MARK: - Ends

    /// Every byte of the response has been received and passed on.
    @inline(__always)
    private mutating func responseTaken(_ index: UInt32) {
        let downstream = exchanges[index].downstream
        // The last ones may still be in the pipe, which is the exchange's.
        if !piped.isEmpty && splicing[downstream].pipeBytes > 0 {
            armTimer(exchanges[index].upstream)
            armTimer(downstream)
        } else {
            finishResponse(index)
        }
    }

    /// Every byte of the response is in downstream's output, and none in its pipe.
    private mutating func finishResponse(_ index: UInt32) {
        let exchange = exchanges.tenant(index)
        let slot = exchange.upstream
        let upstream = connections.tenant(slot)
        let downstream = exchange.downstream
        let requestDone = exchange.requestDone
        let keepAlive = exchange.keepAlive && requestDone
        let reusable =
            exchange.upstreamKeepAlive && requestDone && !upstream.outputEnded
            && exchange.proxyHeaderSize == 0
        connections[downstream].saidClose = exchange.saidClose && requestDone
        exchange.upstream = Slot.none
        finishExchange(index)
        // A request that has not left entirely, though it is answered, would stand before the next one.
        if reusable && upstream.input.isEmpty && !hasOutput(slot)
            && !upstream.inputEnded && !holdsCiphertext(slot)
        {
            returnToPool(slot)
        } else {
            upstream.exchange = Slot.none
            close(slot)
        }
        endOfResponse(downstream, keepAlive: keepAlive)
    }

    /// Downstream's connection after a response: open for the next request, or to be ended when the output has left.
    mutating func endOfResponse(_ slot: UInt32, keepAlive: Bool) {
        let connection = connections.tenant(slot)
        if connection.phase == .detached {
            close(slot)
            return
        }
        if isStream(slot) {
            endOfStreamResponse(slot)
            return
        }
        connection.isBulk = false
        connection.phase = .waiting
        connection.phaseStartedAt = driver.now
        if keepAlive {
            if !connection.input.isEmpty || connection.inputEnded { queueRead(slot) }
        } else {
            connection.closesAfterFlush = true
            if connection.output.isEmpty {
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
            && connections[slot].output.byteCount == exchanges[index].request.size
        if isUntouched && connections[slot].isReused && mayRepeat(index, sentNothing: sentNothing) {
            connections[slot].exchange = Slot.none
            close(slot)
            repeatRequest(index)
            return
        }
        if exchanges[index].state == .forwarding {
            if !retry(index, on: .reset, after: .failed(error)) { fail(index, error) }
        } else {
            counters.add(Counter.upstreamTruncated)
            cutResponse(index, .upstreamTruncated)
        }
    }

    /// Part of a response has been passed on and the rest will not come: downstream must not take it for the whole
    /// (RFC 9112 §8), so its connection is cut.
    mutating func cutResponse(_ index: UInt32, _ error: ProxyError) {
        if exchanges[index].kind != .ordinary {
            failDetached(index, error)
            return
        }
        counters.add(failure: error)
        noteFailure(index, error)
        if keepsNotes { noteCut(index, error) }
        let downstream = exchanges[index].downstream
        finishExchange(index)
        connections[downstream].resetsOnClose = true
        close(downstream)
    }
}
