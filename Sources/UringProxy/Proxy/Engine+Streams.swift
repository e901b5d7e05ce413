// The streams of HTTP/2 connections, of either side: bytes that come in frames, and those that leave in them; downstream's
// beginnings and ends (upstream's: `Engine+UpstreamStreams`).
extension Engine where D: ~Copyable {
    // MARK: - Beginning

    /// A slot for a stream, among downstream's connections and counted with them; nil if there are as many as may be.
    mutating func insertStream(_ carrier: UInt32, _ state: StreamState) -> UInt32? {
        guard phase != .stopping, downstreamCount < settings.connections else { return nil }
        let parent = connections[carrier]
        var connection = Connection(
            descriptor: Connection.streamDescriptor, side: .downstream, phase: .waiting, now: driver.now)
        connection.listener = parent.listener
        connection.endsSoon = parent.endsSoon
        connection.peer = peer(of: carrier)
        connection.peerKnown = true
        guard let slot = connections.insert(connection) else { return nil }
        downstreamCount += 1
        streamCount += 1
        listeners[connection.listener].connectionCount += 1
        if downstreamCount == settings.connections { pauseAccepting() }
        if keepsRelayedAddresses { relayedAddresses[slot] = relayedAddresses[carrier] }
        linkStream(slot, state)
        unsafe http2[carrier].session.bind(state.id, to: streamBodies.address(of: slot))
        counters.add(.http2Streams)
        return slot
    }

    /// A slot is that of a stream from now on.
    mutating func linkStream(_ slot: UInt32, _ state: StreamState) {
        let carrier = state.carrier
        // What is left of an earlier stream in the queue serves this one.
        let isFlushQueued = streams[slot].isFlushQueued
        streams[slot] = state
        streams[slot].isFlushQueued = isFlushQueued
        connections[slot].flushQueued = isFlushQueued
        streams[slot].next = http2[carrier].firstStream
        if streams[slot].next != Slot.none { streams[streams[slot].next].previous = slot }
        http2[carrier].firstStream = slot
        http2[carrier].streamCount += 1
        streamBodies[slot] = HTTP2Body(of: slot)
    }

    /// Writes the head of a stream's request into its input; false without memory.
    mutating func writeHead(_ fields: Range<Int>, _ head: HTTP2RequestHead, to slot: UInt32) -> Bool {
        // RFC 6455 §4.1: 16 bytes that only have to differ, as no cache may answer such a request.
        let key = head.isWebSocket ? Base64.encode((0..<16).map { _ in UInt8(random.below(256)) }) : []
        let toProxy = listeners[connections[slot].listener].role == .forward
        return writeHead(to: slot, size: http2Inbox.sizeOfHead(fields)) { inbox, writer in
            unsafe key.withUnsafeBytes { key in
                unsafe head.write(fields, of: inbox, toProxy: toProxy, key: ByteView(key), into: &writer)
            }
        }
    }

    /// Writes a head behind what a stream's input has; false without memory.
    ///
    /// - Parameter size: what is taken for it at first.
    func writeHead(
        to slot: UInt32, size: Int, _ write: (borrowing HTTP2Inbox, inout ByteWriter) -> Void
    ) -> Bool {
        var wanted = size
        while let sliceClass = SliceClass.fitting(wanted), let slice = arena.lease(sliceClass) {
            var writer = unsafe ByteWriter(base: arena.address(slice), capacity: sliceClass.sliceSize)
            write(http2Inbox, &writer)
            if writer.overflowed {
                // A long authority, which stands there twice: the next class.
                arena.release(slice)
                wanted = sliceClass.sliceSize + 1
                continue
            }
            segments.append(
                Segment(slice: slice, offset: 0, size: UInt32(writer.count)), to: &connections[slot].input)
            return true
        }
        counters.add(.buffersExhausted)
        return false
    }

    // MARK: - Bodies that come

    /// Some of a body has come.
    ///
    /// - Parameter segment: which it is part of.
    mutating func streamDataCame(_ slot: UInt32, _ data: ByteView, in segment: Segment) {
        let size = UInt32(data.count)
        streams[slot].unconsumed += size
        connections[slot].lastReceivedAt = driver.now
        connections[slot].countReceived(size)
        if keepsNotes { noteBytes(slot, size) }
        if streams[slot].outputIsWhole || size == 0 {
            updateStream(slot)
            return
        }
        guard appendData(slot, data, in: segment) else {
            counters.add(.buffersExhausted)
            abortStream(slot)
            return
        }
        inputArrived(slot)
    }

    /// Puts data into the input, in a chunk where it has no length; false without memory.
    private mutating func appendData(_ slot: UInt32, _ data: ByteView, in segment: Segment) -> Bool {
        let isChunked = streams[slot].framing == .chunked
        if isChunked && !append(chunkOf: UInt32(data.count), to: slot) { return false }
        if data.count < Self.smallData || !arena.canRetain(segment.slice) {
            if !segments.append(data, to: &connections[slot].input) { return false }
        } else {
            let offset = unsafe data.pointer - segments.view(segment).pointer
            segments.share(
                Segment(
                    slice: segment.slice, offset: segment.offset + UInt32(offset), size: UInt32(data.count)),
                with: &connections[slot].input)
        }
        return !isChunked || segments.append("\r\n", to: &connections[slot].input)
    }

    /// Less than that is copied: it would hold a slice that is many times its size.
    private static var smallData: Int { 4096 }

    private func append(chunkOf size: UInt32, to slot: UInt32) -> Bool {
        var line = InlineArray<16, UInt8>(repeating: 0)
        return unsafe withUnsafeMutableBytes(of: &line) { buffer in
            let base = unsafe buffer.baseAddress!.assumingMemoryBound(to: UInt8.self)
            var writer = unsafe ByteWriter(base: base, capacity: buffer.count)
            writer.append(hexadecimal: size)
            writer.append("\r\n")
            return segments.append(writer.written, to: &connections[slot].input)
        }
    }

    /// A body's end has come, or trailers, which are the same.
    mutating func streamEndCame(_ slot: UInt32, _ trailers: Range<Int>, isTooLarge: Bool = false) {
        streams[slot].receivedEnd = true
        if streams[slot].outputIsWhole { return }
        if isTooLarge {
            if connections[slot].side == .downstream { counters.add(.headsRefused) }
            abortStream(slot)
            return
        }
        switch streams[slot].framing {
        case .none, .length:
            // With a length HTTP/1.1 has no place for trailers; they may be left out (RFC 9110 §6.5.1).
            if connections[slot].side == .downstream || connections[slot].exchange == Slot.none { return }
            // A body that is shorter than was said has no other end.
            connections[slot].inputEnded = true
        case .tunnel: connections[slot].inputEnded = true
        case .chunked:
            guard appendEnd(slot, trailers) else {
                counters.add(.buffersExhausted)
                abortStream(slot)
                return
            }
        }
        inputArrived(slot)
    }

    private mutating func appendEnd(_ slot: UInt32, _ trailers: Range<Int>) -> Bool {
        guard segments.append("0\r\n", to: &connections[slot].input) else { return false }
        for index in trailers {
            let field = http2Inbox.field(index)
            guard segments.append(field.name, to: &connections[slot].input),
                segments.append(": ", to: &connections[slot].input),
                segments.append(field.value, to: &connections[slot].input),
                segments.append("\r\n", to: &connections[slot].input)
            else { return false }
        }
        return segments.append("\r\n", to: &connections[slot].input)
    }

    /// What `updateReceive` is for other connections: the peer is told of room as bytes go on (RFC 9113 §5.2).
    @inline(never)
    mutating func updateStream(_ slot: UInt32) {
        if !hasSession(slot) { return }
        let held =
            streams[slot].outputIsWhole ? 0 : min(streams[slot].unconsumed, connections[slot].input.byteCount)
        let gone = streams[slot].unconsumed - held
        if gone > 0 {
            streams[slot].unconsumed = held
            let carrier = streams[slot].carrier
            http2[carrier].session.consume(streams[slot].id, Int(gone))
            queueFlush(carrier)
        }
        if wantsInput(slot) {
            connections[slot].receiving = .stream
            inputResumes(slot)
        } else {
            connections[slot].receiving = .none
            if connections[slot].pausedAt == 0 { connections[slot].pausedAt = driver.now }
        }
    }

    /// Whether there is a session that knows of a stream.
    private func hasSession(_ slot: UInt32) -> Bool {
        let carrier = streams[slot].carrier
        return carrier != Slot.none && !http2[carrier].session.isNone
    }

    // MARK: - What leaves

    /// Frames beside those of bodies that may wait in a session before no more are given to it.
    static var queuedFrameLimit: Int { 1000 }

    /// Gives what is in a stream's output to its connection's session.
    @inline(never)
    mutating func offerOutput(_ slot: UInt32) {
        if connections[slot].side == .upstream && connections[slot].outputEnded && streams[slot].isClosed {
            // Nobody takes it any more.
            if connections[slot].output.isEmpty { return }
            dropOutput(slot)
            outputDrained(slot)
            return
        }
        if !hasSession(slot) { return }
        let carrier = streams[slot].carrier
        queueFlush(carrier)
        let isUpstream = connections[slot].side == .upstream
        if isUpstream && !streams[slot].headSent && !sendRequest(slot) { return }
        while !streams[slot].headSent {
            if connections[slot].output.isEmpty {
                // All has been said without a word.
                if streams[slot].outputIsWhole { abortStream(slot) }
                return
            }
            // Interim responses that wait for a slow reader are not added to without end.
            if http2[carrier].session.queuedFrames > Self.queuedFrameLimit {
                noteDrained(slot)
                return
            }
            guard sendResponse(slot) else {
                abortStream(slot)
                return
            }
        }
        if !streams[slot].endGiven {
            let isLast =
                streams[slot].outputIsWhole || connections[slot].outputEnded
                || isUpstream && isRequestWhole(slot)
            if streamBodies[slot].offer(
                connections[slot].output.byteCount, isLast: isLast,
                hasTrailers: !streams[slot].trailers.isEmpty)
            {
                http2[carrier].session.resume(streams[slot].id)
            }
        }
        endStreamIfDone(slot)
    }

    /// Gives the head of a response to the session; false if there is no memory for that, or the stream has been reset.
    private mutating func sendResponse(_ slot: UInt32) -> Bool {
        let (session, id) = (http2[streams[slot].carrier].session, streams[slot].id)
        guard segments.makeContiguous(&connections[slot].output, upTo: SliceClass.bulk.sliceSize) else {
            counters.add(.buffersExhausted)
            return false
        }
        let bytes = segments.firstView(of: connections[slot].output)
        guard
            ResponseParser.parse(
                bytes, requestMethod: streams[slot].method, limits: ownLimits, fields: &streamFields,
                head: &responseHead) == .complete
        else { return false }
        let isTunnel =
            responseHead.status == 101 || streams[slot].method == .connect && responseHead.status / 100 == 2
        // RFC 8441 §5: the handshake's answer is that of any other CONNECT.
        let status = responseHead.status == 101 ? 200 : responseHead.status
        http2Fields.set(responseHead, status: status, streamFields, bytes)
        var isTaken: Bool
        if responseHead.isInterim {
            isTaken = unsafe session.inform(id, http2Fields.fields, http2Fields.count)
        } else {
            let hasBody =
                isTunnel
                || !(responseHead.framing == .none
                    || streams[slot].outputIsWhole
                        && responseHead.size == Int(connections[slot].output.byteCount)
                        && streams[slot].trailers.isEmpty)
            unsafe isTaken = session.respond(
                id, http2Fields.fields, http2Fields.count,
                body: hasBody ? streamBodies.address(of: slot) : nil)
            streams[slot].headSent = true
            streams[slot].endGiven = !hasBody
        }
        segments.consume(UInt32(responseHead.size), from: &connections[slot].output)
        noteDrained(slot)
        return isTaken
    }

    /// Of our own writing: whatever it was made of has been within its limits.
    var ownLimits: HeadLimits {
        var limits = settings.headLimits
        limits.headBytes = SliceClass.bulk.sliceSize
        limits.uriBytes = limits.headBytes
        limits.fields = Self.writtenFields
        return limits
    }

    /// Fields of a head at most: those that were received, and those that a route adds.
    static var writtenFields: Int { 16_384 }

    /// Trailers have been read; they leave behind the body. False without memory.
    ///
    /// - Parameter bytes: what `fields` were parsed from.
    mutating func keepTrailers(_ slot: UInt32, _ bytes: ByteView) -> Bool {
        if fields.count == 0 { return true }
        guard let sliceClass = SliceClass.fitting(bytes.count + 2), let slice = arena.lease(sliceClass) else {
            counters.add(.buffersExhausted)
            return false
        }
        var writer = unsafe ByteWriter(base: arena.address(slice), capacity: sliceClass.sliceSize)
        ResponseRewriter.trailers(fields: fields, bytes: bytes, into: &writer)
        precondition(!writer.overflowed, "trailers only lose fields")
        streams[slot].trailers = Segment(slice: slice, offset: 0, size: UInt32(writer.count))
        return true
    }

    /// Some of a stream's output has been moved into a frame.
    mutating func streamDataLeft(_ slot: UInt32, _ size: UInt32, ends: Bool) {
        connections[slot].lastSentAt = driver.now
        connections[slot].countSent(size)
        if ends {
            streams[slot].endGiven = true
            if !streams[slot].trailers.isEmpty { sendTrailers(slot) }
        }
        noteDrained(slot)
    }

    /// There is room in its output, of which it is told when all frames of now have been made.
    mutating func noteDrained(_ slot: UInt32) {
        if streams[slot].isDrained { return }
        streams[slot].isDrained = true
        streams[slot].nextDrained = http2[streams[slot].carrier].firstDrained
        http2[streams[slot].carrier].firstDrained = slot
    }

    private mutating func sendTrailers(_ slot: UInt32) {
        let bytes = segments.view(streams[slot].trailers)
        _ = TrailerParser.parse(bytes, limits: ownLimits, fields: &streamFields)
        http2Fields.set(streamFields, bytes)
        _ = unsafe http2[streams[slot].carrier].session.conclude(
            streams[slot].id, http2Fields.fields, http2Fields.count)
        arena.release(streams[slot].trailers.slice)
        streams[slot].trailers = .none
    }

    /// What `outputDrained` is for other connections, for all streams of one that have moved some.
    mutating func tellDrained(_ carrier: UInt32) {
        while http2[carrier].firstDrained != Slot.none {
            let slot = http2[carrier].firstDrained
            http2[carrier].firstDrained = streams[slot].nextDrained
            streams[slot].isDrained = false
            switch connections[slot].phase {
            case .exchanging: responseOutputDrained(slot)
            case .leased: requestOutputDrained(slot)
            case .tunnelling: tunnelOutputDrained(slot)
            default: break
            }
            if connections.isOccupied(slot) && isStream(slot) && !streams[slot].headSent
                && !connections[slot].output.isEmpty
            {
                queueFlush(slot)
            }
            if connections.isOccupied(slot) && isStream(slot) { armTimer(slot) }
        }
    }

    // MARK: - Ends

    /// All of a response is in the output, and no further request follows.
    mutating func endOfStreamResponse(_ slot: UInt32) {
        let connection = connections.tenant(slot)
        connection.phase = .waiting
        connection.phaseStartedAt = driver.now
        connection.isBulk = false
        connection.closesAfterFlush = true
        streams[slot].outputIsWhole = true
        // What is left to be sent is the end, and its time begins here.
        if connection.output.isEmpty { outputBegins(slot) }
        segments.removeAll(&connection.input)
        updateStream(slot)
        queueFlush(slot)
        armTimer(slot)
    }

    /// The last frame of what it sends has left.
    mutating func endLeft(_ slot: UInt32) {
        streams[slot].endSent = true
        if undrainedCount > 0 { settleDrain(slot, isWhole: true) }
        if connections[slot].side == .upstream { leaveIfDone(slot) } else { endStreamIfDone(slot) }
    }

    /// Lets go of a stream whose response has gone, and its end with it.
    private mutating func endStreamIfDone(_ slot: UInt32) {
        guard streams[slot].endSent, streams[slot].outputIsWhole else { return }
        let session = http2[streams[slot].carrier].session
        // RFC 9113 §8.1: what is left of the request is not wanted, and nothing was wrong with it.
        if !streams[slot].receivedEnd { session.reset(streams[slot].id, .noError) }
        queueFlush(streams[slot].carrier)
        removeStream(slot)
    }

    /// The session has closed a stream.
    mutating func streamClosed(_ slot: UInt32, wasReset: Bool) {
        streams[slot].isClosed = true
        // Both sides have ended a tunnel: the last bytes may still be on their way upstream.
        if !wasReset && connections[slot].phase == .tunnelling && streams[slot].receivedEnd
            && streams[slot].endSent
        {
            return
        }
        let (carrier, id) = (streams[slot].carrier, streams[slot].id)
        failStream(slot)
        if connections.isOccupied(slot), isStream(slot), streams[slot].carrier == carrier,
            streams[slot].id == id
        {
            close(slot)
        }
    }

    /// A stream cannot go on.
    private mutating func abortStream(_ slot: UInt32) {
        connections[slot].resetsOnClose = true
        failStream(slot)
    }

    /// What `connectionFailed` is for other connections. In a stop the exchange may have ended before.
    mutating func failStream(_ slot: UInt32) {
        if connections[slot].side == .upstream {
            upstreamStreamFailed(slot)
            return
        }
        if connections[slot].exchange == Slot.none {
            close(slot)
        } else {
            connectionFailed(slot, errno: Errno.connectionReset)
        }
    }

    /// What `close` is for other connections.
    @inline(never)
    mutating func closeStream(_ slot: UInt32) {
        let state = streams[slot]
        if !state.isClosed {
            // A tunnel's second end, which other connections are told by being closed.
            if connections[slot].phase == .tunnelling && state.headSent && !connections[slot].resetsOnClose {
                endOfStreamResponse(slot)
                return
            }
            if hasSession(slot) {
                resetStream(slot)
                queueFlush(state.carrier)
            }
        }
        removeStream(slot)
    }

    /// Tells the peer that we have no more to do with a stream that it may still have to do with.
    private func resetStream(_ slot: UInt32) {
        let state = streams[slot]
        let session = http2[state.carrier].session
        if connections[slot].side == .upstream {
            if state.id > 0 && !(state.receivedEnd && state.endSent) { session.reset(state.id, .cancel) }
            return
        }
        session.reset(
            state.id, state.endSent ? .noError : state.framing == .tunnel ? .connectError : .internalError)
    }

    mutating func removeStream(_ slot: UInt32) {
        let state = streams[slot]
        if undrainedCount > 0 { settleDrain(slot, isWhole: false) }
        if hasSession(slot) {
            let session = http2[state.carrier].session
            if state.id > 0 { session.unbind(state.id) }
            if state.unconsumed > 0 { session.consume(Int(state.unconsumed)) }
        }
        segments.removeAll(&connections[slot].input)
        dropOutput(slot)
        if !state.trailers.isEmpty { arena.release(state.trailers.slice) }
        if connections[slot].flushQueued && !state.isFlushQueued {
            streams[slot].isFlushQueued = true
            layeredCount += 1
        }
        if settings.pipes > 0 && splicing[slot].isUsed { splicing[slot] = SpliceState() }
        if state.carrier != Slot.none { unlinkStream(slot) }
        timers.remove(slot)
        if connections[slot].side == .upstream {
            if state.carrier == Slot.none { layeredCount -= 1 }
            connections.remove(slot)
            return
        }
        listeners[connections[slot].listener].connectionCount -= 1
        connections.remove(slot)
        streamCount -= 1
        downstreamEnded()
    }

    /// A stream is none of its connection's any more.
    mutating func unlinkStream(_ slot: UInt32) {
        let state = streams[slot]
        let carrier = state.carrier
        if state.isDrained { forgetDrained(slot) }
        if state.previous == Slot.none {
            http2[carrier].firstStream = state.next
        } else {
            streams[state.previous].next = state.next
        }
        if state.next != Slot.none { streams[state.next].previous = state.previous }
        http2[carrier].streamCount -= 1
        if http2[carrier].session.isNone { return }
        if connections[carrier].side == .upstream { lookAfterAwaiting(connections[carrier].endpoint) }
        if http2[carrier].streamCount == 0 { lastStreamEnded(carrier) }
    }

    private mutating func forgetDrained(_ slot: UInt32) {
        let carrier = streams[slot].carrier
        if http2[carrier].firstDrained == slot {
            http2[carrier].firstDrained = streams[slot].nextDrained
            return
        }
        var other = http2[carrier].firstDrained
        while other != Slot.none {
            if streams[other].nextDrained == slot {
                streams[other].nextDrained = streams[slot].nextDrained
                return
            }
            other = streams[other].nextDrained
        }
    }
}
