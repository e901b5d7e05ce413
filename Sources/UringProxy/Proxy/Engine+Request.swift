// Requests: reading heads from downstream, deciding what becomes of them, and passing bodies upstream.
extension Engine where D: ~Copyable {
    // MARK: - Heads

    /// Reads as many requests as are there and may begin. A pipelined request begins when the one before has been
    /// answered, so that answers leave in order (RFC 9112 §9.3.2).
    mutating func readRequests(_ slot: UInt32) {
        let connection = connections.tenant(slot)
        while connection.phase == .waiting || connection.phase == .readingHead {
            if connection.closesAfterFlush { break }
            if connection.input.isEmpty {
                if connection.inputEnded {
                    endWaiting(slot)
                    return
                }
                break
            }
            // Answers that wait for a slow reader are not added to without end.
            if connection.output.byteCount >= settings.window { break }
            guard readRequest(slot) else { break }
        }
        guard connections.isOccupied(slot) else { return }
        updateReceive(slot)
        armTimer(slot)
    }

    /// Downstream has nothing more to ask.
    private mutating func endWaiting(_ slot: UInt32) {
        if connections[slot].output.isEmpty {
            closeInOrder(slot)
        } else {
            connections[slot].closesAfterFlush = true
            queueFlush(slot)
            armTimer(slot)
        }
    }

    /// Reads one request head and starts its exchange; false if there is none to be read for now.
    @inline(__always)
    private mutating func readRequest(_ slot: UInt32) -> Bool {
        let connection = connections.tenant(slot)
        if connection.phase == .waiting {
            connection.phase = .readingHead
            connection.phaseStartedAt = driver.now
            connection.scanner = HeadEndScanner()
        }
        var bytes = segments.firstView(of: connection.input)
        var status = ParseStatus.incomplete
        // The common case is a head that came in one piece; one that drips in is parsed once its end is there.
        if connection.scanner.scanned == 0 { status = parseRequest(bytes) }
        if status == .incomplete {
            guard segments.makeContiguous(&connection.input, upTo: settings.headLimits.headBytes + 1)
            else {
                counters.add(.buffersExhausted)
                refuse(slot, .outOfMemory)
                return true
            }
            bytes = segments.firstView(of: connection.input)
            guard connection.scanner.find(in: bytes, limits: settings.headLimits) != nil else {
                if connection.inputEnded { close(slot) }
                return false
            }
            status = parseRequest(bytes)
        }
        switch status {
        case .complete:
            connection.requestCount += 1
            counters.add(.requests)
            startExchange(slot, bytes)
            return true
        case .incomplete:
            if connection.inputEnded { close(slot) }
            return false
        case .invalid(.http2Preface) where isPreface(slot):
            beginMultiplexing(slot)
            return false
        case .invalid(let error):
            counters.add(.headsRefused)
            refuseHead(slot, status: error.status, reason: error.reason)
            return true
        }
    }

    @inline(__always)
    private mutating func parseRequest(_ bytes: ByteView) -> ParseStatus {
        RequestParser.parse(bytes, limits: settings.headLimits, fields: &fields, head: &requestHead)
    }

    // MARK: - Decisions

    /// What is wrong with a well-formed request for this listener; nil if it may be forwarded.
    @inline(__always)
    private func refusal(_ role: Listener.Role, hasRoutes: Bool, _ bytes: ByteView) -> ProxyError? {
        if requestHead.hasVia && hasOwnVia(bytes) { return .loopDetected }
        // A route may have a limit of its own.
        if !hasRoutes, case .length(let size) = requestHead.framing, size > settings.bodyLimit {
            return .bodyTooLarge
        }
        switch role {
        case .reverse:
            switch requestHead.form {
            case .origin, .asterisk: break
            case .absolute: if requestHead.scheme == .other { return .schemeUnsupported }
            case .authority: return .connectNotAllowed
            }
        case .tcp: preconditionFailure("a relay reads no heads")
        case .forward:
            switch requestHead.form {
            case .authority: break
            case .absolute: if requestHead.scheme != .http { return .schemeUnsupported }
            case .origin, .asterisk: return .notAProxyRequest
            }
        }
        // RFC 9110 §7.6.2: a request that may go no further is the proxy's own to answer.
        if requestHead.maxForwards == 0 && requestHead.method == .trace { return .traceNotAllowed }
        return nil
    }

    private func hasOwnVia(_ bytes: ByteView) -> Bool {
        let own = pseudonym.view
        return !own.isEmpty && RequestRewriter.viaContains(fields: fields, bytes: bytes, pseudonym: own)
    }

    /// Begins the exchange whose head has just been parsed out of `bytes`, the front of the input.
    @inline(__always)
    private mutating func startExchange(_ slot: UInt32, _ bytes: ByteView) {
        let connection = connections.tenant(slot)
        let listener = connection.listener
        let isLast =
            settings.requestsPerConnection > 0
            && connection.requestCount >= settings.requestsPerConnection
        let total = settings.timeouts.total
        var exchange = Exchange(
            downstream: slot, method: requestHead.method, version: requestHead.version,
            keepAlive: requestHead.keepAlive && !isLast && phase == .running && !connection.endsSoon,
            startedAt: driver.now,
            totalDeadline: total == .max ? .max : driver.now + total)
        exchange.requestBody = BodyReader(requestHead.framing)
        exchange.isConnect = requestHead.method == .connect
        // What follows a CONNECT is the tunnel's, whatever its fields say.
        exchange.saidClose = !requestHead.keepAlive && !exchange.isConnect
        // RFC 9110 §9.3.6 gives a CONNECT's content no meaning: it becomes the tunnel's, and must not become the next
        // request if there is no tunnel.
        if exchange.isConnect && !exchange.requestBody.isDone { exchange.keepAlive = false }
        exchange.expectsContinue = requestHead.expectsContinue
        // RFC 9110 §7.8: with a body behind it the switch could only come after the body; we do not offer it then.
        exchange.wantsUpgrade = requestHead.upgrade != nil && exchange.requestBody.isDone
        guard let index = exchanges.insert(exchange) else {
            refuse(slot, .outOfExchanges)
            return
        }
        counters.add(.exchangesStarted)
        connection.phase = .exchanging
        noteBody(slot, requestHead.framing)
        connection.exchange = index
        connection.streamBytes = 0
        connection.receiveWindowStartedAt = driver.now
        connection.receiveWindowBytes = 0
        if keepsNotes { beginNotes(index, slot, bytes) }
        proceed(index, slot, bytes, listener, isResumed: false)
    }

    /// The credentials of a request that waited have been checked.
    @inline(never)
    mutating func credentialsChecked(_ verdict: CredentialVerdict) {
        verdictsDue -= 1
        // If nobody asks for them any more, the request goes on all the same, as what holds now says.
        if let authenticator = authenticators.first(where: { $0.identity == verdict.identity }) {
            let time = verdict.user < 0 ? authenticator.wrongCacheTime : authenticator.cacheTime
            knownCredentials.insert(verdict.digest, user: verdict.user, until: driver.now + time)
        }
        let index = verdict.exchange
        guard exchanges.isOccupied(index), exchanges.generation(index) == verdict.generation else { return }
        precondition(exchanges[index].state == .authenticating)
        exchanges[index].state = .connecting
        let slot = exchanges[index].downstream
        // More may have come behind it, but what has been parsed once is there in one piece.
        let bytes = segments.firstView(of: connections[slot].input)
        switch parseRequest(bytes) {
        case .complete: proceed(index, slot, bytes, connections[slot].listener, isResumed: true)
        case .incomplete: preconditionFailure("the head of a request that waits stays where it is")
        case .invalid(let error):
            // A reload has lowered a limit since.
            exchanges[index].keepAlive = false
            requestHead.size = 0
            failBody(index, error)
        }
        guard connections.isOccupied(slot) else { return }
        updateReceive(slot)
        armTimer(slot)
    }

    /// - Parameter isResumed: it came here before, and waited for its credentials to be checked: limits have counted it.
    @inline(__always)
    private mutating func proceed(
        _ index: UInt32, _ slot: UInt32, _ bytes: ByteView, _ listener: Int, isResumed: Bool
    ) {
        let connection = connections.tenant(slot)
        if listeners[listener].refuses {
            fail(index, .listenerGone)
            return
        }
        let role = listeners[listener].role
        let routes = listeners[listener].routes
        if let error = refusal(role, hasRoutes: routes >= 0, bytes) {
            fail(index, error)
            return
        }
        if !authenticators.isEmpty { dropUserFields(bytes) }
        let access = listeners[listener].access
        if access >= 0 && !letsIn(index, slot, bytes, plan: Int(access), isResumed: isResumed) { return }
        if requestHead.maxForwards == 0 && requestHead.method == .options {
            answerOptions(index)
            return
        }
        var grant = Grant()
        var mirror = MirrorChoice()
        switch role {
        case .reverse:
            var cluster = listeners[listener].cluster
            if routes >= 0 {
                guard
                    let routed = route(index, slot, bytes, set: routes, isResumed: isResumed, &grant, &mirror)
                else { return }
                cluster = routed
            } else if access >= 0 {
                guard identify(index, slot, bytes, AccessPlan.inherited, &grant) else { return }
            }
            guard chooseEndpoint(index, cluster: cluster, slot, bytes) else { return }
        case .tcp: preconditionFailure("a relay reads no heads")
        case .forward:
            if access >= 0 && !identify(index, slot, bytes, AccessPlan.inherited, &grant) { return }
            let parent = listeners[listener].cluster
            if parent >= 0 && goesThroughParent(bytes) {
                guard isAllowed(index, bytes) else { return }
                exchanges[index].usesParent = true
                guard chooseEndpoint(index, cluster: parent, slot, bytes) else { return }
            } else {
                guard let endpoint = forwardEndpoint(index, bytes) else { return }
                exchanges[index].endpoint = endpoint
            }
        }
        if exchanges[index].isConnect {
            // What its fields say of content is not for the parent: what follows is the tunnel's.
            requestHead.framing = .none
            exchanges[index].requestBody = BodyReader(.none)
            exchanges[index].wantsUpgrade = false
        }
        if exchanges[index].isConnect && !exchanges[index].usesParent {
            segments.consume(UInt32(requestHead.size), from: &connection.input)
            exchanges[index].requestDone = true
        } else {
            guard writeRequest(index, slot, bytes, role, grant) else {
                fail(index, .outOfMemory)
                return
            }
            if mirror.cluster >= 0 {
                findUpstreamMirrored(index, mirror)
                return
            }
        }
        findUpstreamInTurn(index)
    }

    /// Whether a forward request goes through the listener's parent, and not where it wants to itself.
    private func goesThroughParent(_ bytes: ByteView) -> Bool {
        guard let authority = requestHead.authority else { return true }
        return !settings.parent.isDirect(host: bytes[authority.host], port: authority.port ?? 80)
    }

    /// Whether the policy lets a request pass by the name of its destination. The addresses are for the parent to find, and so to
    /// judge.
    private mutating func isAllowed(_ index: UInt32, _ bytes: ByteView) -> Bool {
        guard let authority = requestHead.authority else {
            fail(index, .notAProxyRequest)
            return false
        }
        let verdict = settings.policy.verdict(
            onlyName: bytes[authority.host], port: authority.port ?? 80)
        if !verdict.isAllowed { fail(index, .destinationDenied) }
        return verdict.isAllowed
    }

    /// Where a forward request wants to go; nil if the exchange was refused.
    private mutating func forwardEndpoint(_ index: UInt32, _ bytes: ByteView) -> UInt32? {
        guard let authority = requestHead.authority else {
            fail(index, .notAProxyRequest)
            return nil
        }
        let host = bytes[authority.host]
        let port = authority.port ?? 80
        // There is an endpoint only for what the policy has allowed; where that changes, they are retired.
        if let endpoint = endpoints.find(name: host, port: port, now: driver.now) { return endpoint }
        guard settings.policy.verdict(name: host, port: port).isAllowed else {
            fail(index, .destinationDenied)
            return nil
        }
        guard let endpoint = endpoints.add(name: host, port: port, now: driver.now) else {
            fail(index, .outOfExchanges)
            return nil
        }
        if let literal = IPAddress(text: host) {
            endpoints[endpoint].addressState = .known
            endpoints[endpoint].addressCount = 1
            endpoints[endpoint].addressesExpireAt = .max
            endpoints[endpoint].addresses[0] = literal
        }
        return endpoint
    }

    // MARK: - Rewriting

    /// Writes the head that goes upstream into memory of its own, a small body that is there already behind it, and takes
    /// both from the input.
    @inline(__always)
    private mutating func writeRequest(
        _ index: UInt32, _ slot: UInt32, _ bytes: ByteView, _ role: Listener.Role, _ grant: Grant
    ) -> Bool {
        let connection = connections.tenant(slot)
        let exchange = exchanges.tenant(index)
        let smallBody = smallBodySize(bytes)
        // Fields that this hop adds: Via, three X-Forwarded fields or Forwarded, with names and addresses.
        var wanted = requestHead.size + 384 + smallBody
        var changes = RequestChanges.none
        if exchange.isChanged {
            wanted += sizeOfChanges(index)
            changes = requestChanges(index, bytes)
        }
        while let sliceClass = SliceClass.fitting(wanted), let slice = arena.lease(sliceClass) {
            var writer = unsafe ByteWriter(base: arena.address(slice), capacity: sliceClass.sliceSize)
            let namesClient = namesClient(exchange.endpoint)
            if namesClient { writeProxyHeader(slot, bytes, &writer) }
            let start = writer.count
            precondition(start <= ProxyExtensions.headerLimit, "no header is as long")
            rewriteRequest(
                slot, bytes, role, exchange.wantsUpgrade, toParent: exchange.usesParent,
                isLast: namesClient && !exchange.isConnect, changes, grant, &writer)
            if smallBody > 0 { writer.append(bytes[requestHead.size..<requestHead.size + smallBody]) }
            let size = writer.count
            if exchange.isChanged && !writer.overflowed { keepChanges(index, requestFrom: start, &writer) }
            if writer.overflowed {
                // Long lists of forwarders, or a long name: the next class.
                arena.release(slice)
                wanted = sliceClass.sliceSize + 1
                continue
            }
            exchange.request = Segment(slice: slice, offset: 0, size: UInt32(size))
            exchange.proxyHeaderSize = UInt16(start)
            if smallBody > 0 {
                exchange.requestBodyBytes = UInt64(smallBody)
                _ = exchange.requestBody.takeLength(UInt32(smallBody))
            }
            exchange.requestDone = exchange.requestBody.isDone
            segments.consume(UInt32(requestHead.size + smallBody), from: &connection.input)
            return true
        }
        counters.add(.buffersExhausted)
        return false
    }

    /// Lets go of the rewritten request: it will not be sent again.
    @inline(__always)
    mutating func dropRequest(_ index: UInt32) {
        if exchanges[index].request.isEmpty { return }
        arena.release(exchanges[index].request.slice)
        exchanges[index].request = .none
    }

    /// The size of the body if it has a length, is small, and is all there behind the head.
    private func smallBodySize(_ bytes: ByteView) -> Int {
        guard case .length(let size) = requestHead.framing, size <= UInt64(settings.smallBody),
            requestHead.size + Int(size) <= bytes.count
        else { return 0 }
        return Int(size)
    }

    private mutating func rewriteRequest(
        _ slot: UInt32, _ bytes: ByteView, _ role: Listener.Role, _ keepUpgrade: Bool, toParent: Bool,
        isLast: Bool, _ changes: RequestChanges, _ grant: Grant, _ writer: inout ByteWriter
    ) {
        var options = ForwardingOptions()
        options.xForwarded = role == .reverse ? settings.xForwardedReverse : settings.xForwardedForward
        options.forwarded = settings.forwarded
        var isIPv6 = false
        var text = InlineArray<40, UInt8>(repeating: 0)
        var textSize = 0
        if options.xForwarded != .off || options.forwarded != .off {
            let peer = peer(of: slot)
            if !trust.proxies.isEmpty && !trust.proxies.contains(peer) { options.disbelieve() }
            isIPv6 = !peer.isIPv4
            unsafe withUnsafeMutableBytes(of: &text) { buffer in
                let base = unsafe buffer.baseAddress!.assumingMemoryBound(to: UInt8.self)
                unsafe textSize = peer.write(into: base, capacity: buffer.count)
            }
        }
        options.via = pseudonym.view
        options.isHTTP2 = isStream(slot)
        options.closes = isLast
        // An origin on the internet is not told who asks.
        if grant.user >= 0 && (role == .reverse || toParent) {
            options.userField = authenticators[Int(grant.authenticator)].userField.view
            options.user = authenticators[Int(grant.authenticator)].userName(grant.user)
        }
        if toParent {
            options.toProxy = true
            // What was meant for this proxy goes no further.
            options.passesAuthorization = settings.parent.passesAuthorization && grant.user < 0
            options.authorization = parentAuthorization.view
        }
        unsafe withUnsafeBytes(of: text) { buffer in
            let peerText = unsafe ByteView(UnsafeRawBufferPointer(rebasing: buffer[0..<textSize]))
            RequestRewriter.write(
                head: requestHead, fields: fields, bytes: bytes, into: &writer, options: options,
                peer: peerText, peerIsIPv6: isIPv6, proto: isSecure(carrier(of: slot)) ? "https" : "http",
                keepUpgrade: keepUpgrade, changes: changes)
        }
    }

    /// The address of downstream's client: named by a PROXY protocol header, or asked of the kernel once per connection.
    mutating func peer(of slot: UInt32) -> IPAddress {
        if !connections[slot].peerKnown {
            var connection = connections[slot]
            askPeer(&connection)
            connections[slot] = connection
        }
        return connections[slot].peer
    }

    // MARK: - Body

    /// More of downstream's bytes during an exchange: its body, or requests that wait their turn.
    @inline(__always)
    mutating func requestInputArrived(_ slot: UInt32) {
        let index = connections[slot].exchange
        if !exchanges[index].requestDone {
            relayRequest(index)
            return
        }
        updateReceive(slot)
    }

    /// Passes on what has come of the request's body, as far as the upstream has room.
    mutating func relayRequest(_ index: UInt32) {
        let slot = exchanges[index].downstream
        let upstream = exchanges[index].upstream
        guard !exchanges[index].requestDone, upstream != Slot.none else {
            // Until there is an upstream the body waits in the input, which is bounded.
            if connections[slot].inputEnded && !exchanges[index].requestDone && !bodyIsAllHere(index) {
                abortByDownstream(index)
                return
            }
            updateReceive(slot)
            armTimer(slot)
            return
        }
        let before = connections[slot].input.byteCount
        var body = exchanges[index].requestBody
        let outcome = relayBody(
            from: slot, &body, to: upstream, isStream(upstream) ? .dechunk : .verbatim, index)
        exchanges[index].requestBody = body
        let taken = UInt64(before - connections[slot].input.byteCount)
        if taken > 0 {
            exchanges[index].bodyForwarded = true
            exchanges[index].requestBodyBytes += taken
            queueFlush(upstream)
        }
        connections[slot].isBulk =
            splicing[slot].splices || isLong(body, exchanges[index].requestBodyBytes)
        // RFC 9112 §7.1: chunk lines and trailers are no content.
        if taken > 0, body.content ?? exchanges[index].requestBodyBytes > bodyLimit(of: index) {
            fail(index, .bodyTooLarge)
            return
        }
        switch outcome {
        case .more:
            if connections[slot].inputEnded && connections[slot].input.isEmpty {
                abortByDownstream(index)
                return
            }
        case .done:
            exchanges[index].requestDone = true
            exchanges[index].requestSentAt = driver.now
            connections[slot].isBulk = false
            stopSplicing(slot)
        case .failed(let error):
            counters.add(.headsRefused)
            failBody(index, error)
            return
        case .outOfMemory:
            fail(index, .outOfMemory)
            return
        }
        if keepsNotes { noteRequestBody(index) }
        updateReceive(slot)
        armTimer(slot)
        armTimer(upstream)
    }

    /// Whether a body with a length has come completely, though nobody takes it yet.
    private func bodyIsAllHere(_ index: UInt32) -> Bool {
        let body = exchanges[index].requestBody
        switch body.state {
        case .done: return true
        case .length:
            return body.remaining <= UInt64(connections[exchanges[index].downstream].input.byteCount)
        // Its end is found when it is passed on.
        case .chunked, .trailers: return true
        case .untilClose: return false
        }
    }

    @inline(__always)
    func isLong(_ body: BodyReader, _ passed: UInt64) -> Bool {
        switch body.state {
        case .length: body.remaining >= settings.bulkThreshold
        case .chunked, .untilClose: passed >= settings.bulkThreshold
        case .done, .trailers: false
        }
    }

    /// The upstream has taken some of the request.
    @inline(__always)
    mutating func requestOutputDrained(_ slot: UInt32) {
        let index = connections[slot].exchange
        if !exchanges[index].requestDone {
            relayRequest(index)
        } else if !hasOutput(slot) {
            returnEmptyPipe(slot)
            if exchanges[index].requestSentAt == 0 { exchanges[index].requestSentAt = driver.now }
            if keepsNotes { noteRequestBody(index) }
        }
    }

    /// Downstream is gone in the middle of its request: there is nobody to answer.
    mutating func abortByDownstream(_ index: UInt32) {
        counters.add(.downstreamAborted)
        if keepsNotes { note(.isAborted, index) }
        let slot = exchanges[index].downstream
        finishExchange(index)
        close(slot)
    }
}

// A request that waits for the exchange before it begins at the end of the turn, from here and from nowhere deeper.
extension Engine where D: ~Copyable {
    @inline(__always)
    mutating func queueRead(_ slot: UInt32) {
        if connections[slot].readQueued { return }
        connections[slot].readQueued = true
        readQueue.append(slot)
    }

    @inline(__always)
    mutating func readQueued() {
        while let slot = readQueue.popFirst() {
            guard connections.isOccupied(slot) else { continue }
            connections[slot].readQueued = false
            readRequests(slot)
        }
    }
}
