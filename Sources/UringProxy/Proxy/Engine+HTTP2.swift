// HTTP/2: a connection whose frames pass a session, and the streams that it carries. Downstream it is begun here; upstream's
// beginnings are in `Engine+Carriers`.
//
// Each stream has a slot among the connections of its side, without a descriptor, and on it an exchange of HTTP/1.1: messages are
// written into its input as that version has them, and what is put into its output becomes frames (`Engine+Streams`). So whatever
// holds for messages holds for those of HTTP/2, and nothing is believed of them that has not been parsed as strictly.
extension Engine where D: ~Copyable {
    /// Whether a connection is a stream of another one.
    @inline(__always)
    func isStream(_ slot: UInt32) -> Bool {
        layeredCount > 0 && connections[slot].descriptor == Connection.streamDescriptor
    }

    /// The connection that a downstream connection's bytes come on.
    @inline(__always)
    func carrier(of slot: UInt32) -> UInt32 { isStream(slot) ? streams[slot].carrier : slot }

    // MARK: - Beginning

    /// A client has said that it speaks HTTP/2, and perhaps some of it already.
    @inline(never)
    mutating func beginMultiplexing(_ slot: UInt32) {
        let streams = settings.streams
        guard
            carry(
                slot, streams: streams,
                make: { HTTP2Session($0, streams: streams, streamWindow: $1, connectionWindow: $2) })
        else {
            close(slot)
            return
        }
        counters.add(.http2Connections)
        queueFlush(slot)
        readFrames(slot)
    }

    /// A connection carries streams from now on, so many of them at a time; false without memory.
    mutating func carry(
        _ slot: UInt32, streams: UInt32,
        make: (borrowing HTTP2Inbox, _ streamWindow: UInt32, _ connectionWindow: UInt32) -> HTTP2Session?
    ) -> Bool {
        guard arena.charge(HTTP2Session.memoryBytes) else {
            counters.add(.buffersExhausted)
            return false
        }
        // A stream counts as a connection, and may hold as much: one that stands still holds up no other.
        let all = UInt32(clamping: min(Int(streams) * Int(settings.window), 1 << 30))
        guard let session = make(http2Inbox, settings.window, all) else {
            arena.discharge(HTTP2Session.memoryBytes)
            counters.add(.buffersExhausted)
            return false
        }
        layeredCount += 1
        http2[slot] = HTTP2State(session, now: driver.now)
        connections[slot].phase = .multiplexing
        connections[slot].phaseStartedAt = driver.now
        return true
    }

    /// Whether what has come instead of a request begins HTTP/2 (RFC 9113 §3.4): over TLS ALPN would have said so (§3.3).
    func isPreface(_ slot: UInt32) -> Bool {
        connections[slot].requestCount == 0 && listeners[connections[slot].listener].speaksHTTP2
            && !isSecure(slot) && !isStream(slot)
    }

    // MARK: - Reading

    /// Frames, or the end, have come.
    @inline(never)
    mutating func readFrames(_ slot: UInt32) {
        let session = http2[slot].session
        if http2[slot].isTerminated { segments.removeAll(&connections[slot].input) }
        var isPaused = false
        while !connections[slot].input.isEmpty || isPaused {
            let segment =
                connections[slot].input.isEmpty ? Segment.none : segments.first(of: connections[slot].input)
            guard let taken = session.receive(segments.firstView(of: connections[slot].input)) else {
                countConnectionError(slot)
                close(slot)
                return
            }
            if connections[slot].side == .upstream {
                noteCarrierNews(slot)
            } else {
                counters.add(.http2Resets, UInt64(http2Inbox.resets))
            }
            handleEvents(slot, segment)
            segments.consume(UInt32(taken), from: &connections[slot].input)
            isPaused = http2Inbox.isInputPaused
            if !http2[slot].pay(
                for: http2Inbox.idleFrames + http2Inbox.resets * Self.resetCost, now: driver.now)
            {
                counters.add(connections[slot].side == .upstream ? .http2UpstreamErrors : .http2Floods)
                http2[slot].isTerminated = true
                http2[slot].isEnding = true
                session.terminate(.enhanceYourCalm)
                segments.removeAll(&connections[slot].input)
                isPaused = false
            }
        }
        if connections[slot].inputEnded {
            // Whoever ends the connection ends all streams with it.
            close(slot)
            return
        }
        if connections[slot].side == .upstream {
            if !session.takesRequests { http2[slot].isEnding = true }
            if http2[slot].isEnding && http2[slot].streamCount == 0 { endMultiplexing(slot) }
        }
        queueFlush(slot)
        updateReceive(slot)
        armTimer(slot)
    }

    /// What a stream costs that was reset, in frames that carry nothing: an exchange has begun for it, and ends.
    private static var resetCost: Int { 20 }

    /// - Parameter segment: what data of events are in, if there may be any.
    private mutating func handleEvents(_ slot: UInt32, _ segment: Segment) {
        for index in 0..<http2Inbox.eventCount {
            let event = http2Inbox.event(index)
            if event.kind == .head && connections[slot].side == .downstream {
                beginStream(slot, event)
                continue
            }
            guard let stream = stream(of: event, slot) else {
                // Data of a stream that has ended on our side, perhaps by an event before this one.
                if event.kind == .data { http2[slot].session.consume(event.data.count) }
                continue
            }
            switch event.kind {
            case .head: responseHeadCame(stream, event)
            case .data:
                http2[slot].earn(4)
                if connections[slot].side == .upstream && endsWithEvent(index) {
                    streams[stream].receivedEnd = true
                }
                streamDataCame(stream, event.data, in: segment)
            case .trailers: endCame(stream, event.fields, isTooLarge: event.isTooLarge)
            case .end: endCame(stream, 0..<0)
            case .closed:
                if connections[slot].side == .upstream {
                    upstreamStreamClosed(stream, isRefused: event.isRefused)
                } else {
                    streamClosed(stream, wasReset: event.ends)
                }
            case .left:
                http2[slot].earn(20)
                endLeft(stream)
            }
        }
    }

    /// Whether some data are the last of their stream: whoever has a body by its length is done with them.
    private func endsWithEvent(_ index: Int) -> Bool {
        guard index + 1 < http2Inbox.eventCount else { return false }
        let next = http2Inbox.event(index + 1)
        return next.kind == .end && next.stream == http2Inbox.event(index).stream
    }

    private mutating func endCame(_ stream: UInt32, _ trailers: Range<Int>, isTooLarge: Bool = false) {
        streamEndCame(stream, trailers, isTooLarge: isTooLarge)
        if connections.isOccupied(stream) && isStream(stream) && connections[stream].side == .upstream {
            leaveIfDone(stream)
        }
    }

    private func countConnectionError(_ slot: UInt32) {
        counters.add(connections[slot].side == .upstream ? .http2UpstreamErrors : .http2Errors)
    }

    /// The slot of the stream that an event is of; nil if it has none any more.
    private func stream(of event: HTTP2Event, _ carrier: UInt32) -> UInt32? {
        let slot = event.slot
        if slot != Slot.none && connections.isOccupied(slot) && isStream(slot)
            && streams[slot].carrier == carrier
            && streams[slot].id == event.stream
        {
            return slot
        }
        // It had none yet when the session was told: it came with its head, and so is among the first.
        var other = http2[carrier].firstStream
        while other != Slot.none && streams[other].id != event.stream { other = streams[other].next }
        return other == Slot.none ? nil : other
    }

    private mutating func beginStream(_ slot: UInt32, _ event: HTTP2Event) {
        if http2[slot].isEnding && event.stream > http2[slot].lastStream {
            http2[slot].session.reset(event.stream, .refusedStream)
            return
        }
        http2[slot].earn(1)
        connections[slot].requestCount += 1
        let head = HTTP2RequestHead(event.fields, of: http2Inbox, ends: event.ends)
        if head == nil && !event.isTooLarge {
            counters.add(.headsRefused)
            http2[slot].session.reset(event.stream, .protocolError)
            return
        }
        guard
            let stream = insertStream(
                slot,
                StreamState(
                    carrier: slot, id: event.stream, method: head?.method ?? .get,
                    framing: head?.framing ?? .none))
        else {
            // Nothing of it has been done: the client may send it again (RFC 9113 §8.7).
            counters.add(.http2StreamsRefused)
            http2[slot].session.reset(event.stream, .refusedStream)
            return
        }
        streams[stream].receivedEnd = event.ends
        endIfLast(slot, event.stream)
        guard let head else {
            counters.add(.headsRefused)
            refuseHead(stream, status: HeadError.headTooLarge.status, reason: HeadError.headTooLarge.reason)
            return
        }
        guard writeHead(event.fields, head, to: stream) else {
            refuse(stream, .outOfMemory)
            return
        }
        readRequests(stream)
    }

    /// Takes no further streams, if that one was the last.
    private mutating func endIfLast(_ slot: UInt32, _ stream: Int32) {
        let isLast =
            settings.requestsPerConnection > 0
            && connections[slot].requestCount >= settings.requestsPerConnection
        if isLast || phase != .running || connections[slot].endsSoon {
            refuseStreams(slot, after: stream)
        }
    }

    // MARK: - Writing

    /// Puts the frames that are due into the output, as far as there is room. What is left to be sent then is there.
    @inline(never)
    mutating func writeFrames(_ slot: UInt32) {
        let session = http2[slot].session
        if connections[slot].output.isEmpty { outputBegins(slot) }
        while connections[slot].output.byteCount < settings.bulkWindow {
            http2Inbox.allowToSend(Int(settings.bulkWindow - connections[slot].output.byteCount))
            guard let bytes = session.send(), takeFrames(slot),
                segments.append(bytes, to: &connections[slot].output)
            else {
                countConnectionError(slot)
                connections[slot].resetsOnClose = true
                close(slot)
                return
            }
            handleEvents(slot, .none)
            let errors = http2Inbox.takeErrors()
            if errors.connections > 0 { countConnectionError(slot) }
            counters.add(
                connections[slot].side == .upstream ? .http2UpstreamErrors : .http2StreamErrors,
                UInt64(errors.streams))
            // Whoever makes us reset streams pays for it as if they had reset them.
            _ = http2[slot].pay(for: errors.streams * Self.resetCost, now: driver.now)
            if bytes.isEmpty && http2Inbox.sentCount == 0 && !http2Inbox.isPaused { break }
        }
        tellDrained(slot)
        if !session.wantsToRead && !session.wantsToWrite
            && (http2[slot].isTerminated || !hasClosedStreamsAlone(slot))
        {
            finishMultiplexing(slot)
        }
    }

    /// Whether streams are left, and the session is done with all of them: what tunnels that both sides have ended still have for
    /// upstream is on its way, and so are responses that are here whole for downstream.
    private func hasClosedStreamsAlone(_ slot: UInt32) -> Bool {
        var stream = http2[slot].firstStream
        if stream == Slot.none { return false }
        while stream != Slot.none {
            if !streams[stream].isClosed { return false }
            stream = streams[stream].next
        }
        return true
    }

    /// The session is over: what is in the output is the last that is sent.
    private mutating func finishMultiplexing(_ slot: UInt32) {
        leaveMultiplexing(slot)
        connections[slot].phase = .waiting
        connections[slot].phaseStartedAt = driver.now
        connections[slot].closesAfterFlush = true
        segments.removeAll(&connections[slot].input)
        if connections[slot].output.isEmpty {
            beginDiscarding(slot)
        } else {
            armTimer(slot)
        }
    }

    /// Moves what the session puts into DATA frames; false without memory.
    private mutating func takeFrames(_ slot: UInt32) -> Bool {
        for index in 0..<http2Inbox.sentCount {
            let frame = http2Inbox.sent(index)
            guard segments.append(frame.header, to: &connections[slot].output) else { return false }
            segments.move(
                frame.size, from: &connections[frame.slot].output, to: &connections[slot].output)
            // The peer opens its windows for what it gets, perhaps a little at a time.
            http2[slot].earn(4 + Int32(frame.size >> 10))
            streamDataLeft(frame.slot, frame.size, ends: frame.ends)
        }
        return true
    }

    /// Room in the output, or none is needed any more.
    @inline(never)
    mutating func framesDrained(_ slot: UInt32) {
        if http2[slot].session.wantsToWrite { queueFlush(slot) }
        updateReceive(slot)
    }

    // MARK: - Ends

    /// A drain has begun: the client is told to send its next requests elsewhere.
    @inline(never)
    mutating func announceEnd(_ slot: UInt32) {
        http2[slot].session.announceEnd()
        queueFlush(slot)
        armTimer(slot)
    }

    /// Those that have begun are served still.
    private mutating func refuseStreams(_ slot: UInt32, after last: Int32) {
        if http2[slot].isEnding { return }
        http2[slot].isEnding = true
        http2[slot].lastStream = last
        http2[slot].session.refuseStreams(after: last)
    }

    /// The last of its streams has ended.
    mutating func lastStreamEnded(_ slot: UInt32) {
        connections[slot].phaseStartedAt = driver.now
        queueFlush(slot)
        if http2[slot].isEnding || connections[slot].side == .upstream && !mayStayIdle(slot) {
            endMultiplexing(slot)
        } else {
            armTimer(slot)
        }
    }

    /// Ends a connection without streams: a GOAWAY is the last that is said.
    @inline(never)
    mutating func endMultiplexing(_ slot: UInt32) {
        http2[slot].isEnding = true
        http2[slot].session.terminate(.noError)
        connections[slot].phaseStartedAt = driver.now
        queueFlush(slot)
        armTimer(slot)
    }

    /// The connection ends, and with it all that it carries.
    @inline(never)
    mutating func leaveMultiplexing(_ slot: UInt32) {
        // Before its streams' requests look for others.
        if connections[slot].side == .upstream { unlinkCarrier(slot) }
        abandonStreams(slot)
    }

    private mutating func abandonStreams(_ slot: UInt32) {
        http2[slot].session.free()
        http2[slot].session = .none
        while http2[slot].firstStream != Slot.none {
            let stream = http2[slot].firstStream
            streams[stream].isClosed = true
            if connections[stream].side == .upstream && streams[stream].receivedEnd
                && connections[stream].exchange != Slot.none
            {
                orphan(stream)
                continue
            }
            failStream(stream)
            if http2[slot].firstStream == stream { close(stream) }
        }
        layeredCount -= 1
        arena.discharge(HTTP2Session.memoryBytes)
    }
}
