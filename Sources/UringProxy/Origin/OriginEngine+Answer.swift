// Answers: heads, bodies made of the pattern, and refusals.
extension OriginEngine where D: ~Copyable {
    /// What an answer's head says.
    private struct AnswerHead {
        var status: UInt16 = 200
        var type: StaticString = "text/plain"
        /// `none` leaves both fields of framing away.
        var framing: BodyFraming
        /// Whole lines.
        var extra: StaticString = ""
    }

    /// No head of ours is longer.
    private static var headSize: Int { 512 }
    /// Bodies up to this size are copied behind their head, so that both leave in one piece.
    private static var inlineSize: UInt64 { UInt64(SliceClass.small.sliceSize - headSize) }
    private static var chunkSize: UInt64 { 32 * 1024 }

    /// Queues the answer to the request that has been read, or its head and as much of the body as there is room for.
    mutating func respond(_ slot: UInt32) {
        let route = connections[slot].route
        connections[slot].phase = .responding
        connections[slot].isChunked = false
        connections[slot].position = 0
        connections[slot].remaining = 0
        connections[slot].dueAt = .max
        connections[slot].respondedAt = driver.now
        switch route.kind {
        case .size, .delay, .slow:
            answerPattern(slot, .length(route.size), size: route.size)
        case .truncate:
            connections[slot].keepAlive = false
            answerPattern(slot, .length(route.size), size: route.size / 2)
        case .close:
            connections[slot].keepAlive = false
            answerPattern(slot, .untilClose, size: route.size)
        case .chunked:
            answerChunked(slot, size: route.size)
        case .echo:
            answerEcho(slot)
        case .index:
            answer(slot, 200, OriginText.index)
        case .sink, .drain:
            answerReceived(slot, tellsChecksum: route.kind == .sink)
        case .headers, .trailers:
            answerHeld(slot)
        case .status, .early:
            answerStatus(slot, route.status)
        case .upgrade:
            answerUpgrade(slot)
        case .stats:
            answerStats(slot)
        case .options:
            answer(slot, AnswerHead(status: 204, framing: .none), .empty)
        case .notFound:
            answer(slot, 404, "no such path; / lists them\n")
        case .badArgument:
            answer(slot, 400, "a number or a unit in the path cannot be read; / explains them\n")
        case .methodNotAllowed:
            let extra: StaticString = "Allow: GET, HEAD, POST, PUT\r\n"
            answer(slot, AnswerHead(status: 405, framing: .length(0), extra: extra), .empty)
        case .drop, .reset:
            preconditionFailure("has no answer")
        }
    }

    // MARK: - Whole answers

    /// RFC 9112 §9.6: the connection ends with this, for the next request cannot be found.
    mutating func refuse(_ slot: UInt32, _ error: HeadError) {
        segments.removeAll(&connections[slot].input)
        connections[slot].keepAlive = false
        connections[slot].isHead = false
        connections[slot].isHTTP10 = false
        connections[slot].remaining = 0
        connections[slot].phase = .responding
        answer(slot, error.status, error.reason)
    }

    private mutating func answer(_ slot: UInt32, _ status: UInt16, _ text: StaticString) {
        let body = unsafe ByteView(base: text.utf8Start, count: text.utf8CodeUnitCount)
        answer(slot, AnswerHead(status: status, framing: .length(UInt64(body.count))), body)
    }

    /// Queues an answer in one piece, and ends it.
    private mutating func answer(_ slot: UInt32, _ head: AnswerHead, _ body: ByteView) {
        guard let sliceClass = SliceClass.fitting(Self.headSize + body.count),
            let slice = arena.lease(sliceClass)
        else {
            close(slot)
            return
        }
        var writer = unsafe ByteWriter(base: arena.address(slice), capacity: sliceClass.sliceSize)
        write(head, slot, to: &writer)
        if !connections[slot].isHead { writer.append(body) }
        enqueue(writer, slice, slot)
        answerEnded(slot)
    }

    private mutating func answerStatus(_ slot: UInt32, _ status: UInt16) {
        var final = status
        if status < 200 {
            // RFC 9110 §15.2: an answer before the answer; HTTP/1.0 knows none.
            final = 200
            if !connections[slot].isHTTP10 {
                guard let slice = arena.lease(.tiny) else {
                    close(slot)
                    return
                }
                var writer = unsafe ByteWriter(
                    base: arena.address(slice), capacity: SliceClass.tiny.sliceSize)
                writer.append("HTTP/1.1 ")
                writer.append(decimal: UInt64(status))
                writer.append(" Interim\r\nLink: </size/128>; rel=preload\r\n\r\n")
                enqueue(writer, slice, slot)
            }
        }
        switch final {
        case 204, 304:
            // RFC 9110 §15.3.5, §15.4.5: no body. A 304 may tell the length that a 200 would have had, and need not.
            answer(slot, AnswerHead(status: final, framing: .none), .empty)
        case 205:
            answer(slot, AnswerHead(status: final, framing: .length(0)), .empty)
        default:
            answer(slot, final, "as asked\n")
        }
    }

    private mutating func answerReceived(_ slot: UInt32, tellsChecksum: Bool) {
        var storage = InlineArray<48, UInt8>(repeating: 0)
        let size = connections[slot].receivedSize
        let checksum = connections[slot].checksum
        unsafe withUnsafeMutableBytes(of: &storage) { bytes in
            var writer = unsafe ByteWriter(
                base: bytes.baseAddress!.assumingMemoryBound(to: UInt8.self), capacity: bytes.count)
            writer.append(decimal: size)
            if tellsChecksum {
                writer.append(" ")
                checksum.write(to: &writer)
            }
            writer.append("\n")
            answer(slot, AnswerHead(framing: .length(UInt64(writer.count))), writer.written)
        }
    }

    /// What the whole origin has counted, this connection and request among it.
    private mutating func answerStats(_ slot: UInt32) {
        var storage = InlineArray<128, UInt8>(repeating: 0)
        let accepted = sum(.downstreamAccepted)
        let closed = sum(.downstreamClosed)
        let requests = sum(.requests)
        unsafe withUnsafeMutableBytes(of: &storage) { bytes in
            var writer = unsafe ByteWriter(
                base: bytes.baseAddress!.assumingMemoryBound(to: UInt8.self), capacity: bytes.count)
            writer.append("accepted ")
            writer.append(decimal: accepted)
            writer.append("\nclosed ")
            writer.append(decimal: closed)
            writer.append("\nrequests ")
            writer.append(decimal: requests)
            writer.append("\n")
            answer(slot, AnswerHead(framing: .length(UInt64(writer.count))), writer.written)
        }
    }

    private func sum(_ counter: Counter) -> UInt64 { allCounters.reduce(0) { $0 &+ $1[counter] } }

    /// What was received and kept: a head, or a trailer section.
    private mutating func answerHeld(_ slot: UInt32) {
        let head = AnswerHead(framing: .length(UInt64(connections[slot].held.byteCount)))
        guard queueHead(head, slot) else { return }
        if connections[slot].isHead {
            segments.removeAll(&connections[slot].held)
        } else {
            let size = connections[slot].held.byteCount
            segments.move(size, from: &connections[slot].held, to: &connections[slot].output)
        }
        answerEnded(slot)
    }

    private mutating func answerUpgrade(_ slot: UInt32) {
        guard connections[slot].offersUpgrade else {
            let extra: StaticString = "Upgrade: echo\r\nConnection: upgrade\r\n"
            answer(slot, AnswerHead(status: 426, framing: .length(0), extra: extra), .empty)
            return
        }
        // RFC 9110 §7.8
        let head: StaticString =
            "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n"
        guard queue(head, slot) else { return }
        connections[slot].phase = .tunnelling
    }

    // MARK: - Answers in parts

    private mutating func answerPattern(_ slot: UInt32, _ framing: BodyFraming, size: UInt64) {
        let head = AnswerHead(type: "application/octet-stream", framing: framing)
        if size <= Self.inlineSize && connections[slot].route.kind != .slow {
            let body = unsafe ByteView(base: arena.address(pattern), count: Int(size))
            answer(slot, head, body)
            return
        }
        guard queueHead(head, slot) else { return }
        if !connections[slot].isHead { connections[slot].remaining = size }
    }

    private mutating func answerChunked(_ slot: UInt32, size: UInt64) {
        if connections[slot].isHTTP10 {
            connections[slot].keepAlive = false
            answerPattern(slot, .untilClose, size: size)
            return
        }
        let head = AnswerHead(
            type: "application/octet-stream", framing: .chunked, extra: "Trailer: X-Checksum\r\n")
        guard queueHead(head, slot) else { return }
        if connections[slot].isHead { return }
        connections[slot].isChunked = true
        connections[slot].remaining = size
        connections[slot].checksum = BodyChecksum()
    }

    private mutating func answerEcho(_ slot: UInt32) {
        var framing = connections[slot].bodyFraming
        if framing == .none { framing = .length(0) }
        _ = queueHead(AnswerHead(type: "application/octet-stream", framing: framing), slot)
    }

    /// Queues what there is room for of an answer's body; false to wait for room, bytes or time.
    mutating func continueAnswer(_ slot: UInt32) -> Bool {
        if connections[slot].route.kind == .echo { return echoBody(slot) }
        while connections[slot].remaining > 0 {
            guard connections[slot].output.byteCount < Self.window else { return false }
            var size = connections[slot].remaining
            if connections[slot].route.kind == .slow {
                let due = dueBytes(slot)
                if due == 0 { return false }
                size = min(size, due)
            }
            let queued =
                connections[slot].isChunked
                ? queueChunk(min(size, Self.chunkSize), slot) : queuePattern(size, slot)
            guard queued else {
                close(slot)
                return false
            }
        }
        if connections[slot].isChunked && !queueLastChunk(slot) {
            close(slot)
            return false
        }
        answerEnded(slot)
        return true
    }

    /// How much of a slow body the clock allows by now; 0 sets `dueAt`. About fifty parts a second.
    private mutating func dueBytes(_ slot: UInt32) -> UInt64 {
        let rate = Double(connections[slot].route.rate)
        let position = connections[slot].position
        let part = min(max(rate / 50, 1), Double(connections[slot].remaining))
        let elapsed = Double(driver.now - connections[slot].respondedAt) / 1e9
        let allowed = min(elapsed * rate - Double(position), 1e15)
        if allowed >= part.rounded(.down) { return UInt64(allowed) }
        let seconds = min((Double(position) + part) / rate, 1e9)
        connections[slot].dueAt = connections[slot].respondedAt + Int64(seconds * 1e9) + 1
        return 0
    }

    /// At most one slice of the pattern, by reference where its count of holders has room.
    private mutating func queuePattern(_ size: UInt64, _ slot: UInt32) -> Bool {
        let offset = UInt32(connections[slot].position % UInt64(BodyPattern.period))
        let most = UInt64(UInt32(SliceClass.bulk.sliceSize) - offset)
        let count = UInt32(min(size, most))
        if arena.canRetain(pattern) {
            arena.retain(pattern)
            segments.append(
                Segment(slice: pattern, offset: offset, size: count), to: &connections[slot].output)
        } else {
            guard let copy = arena.lease(.bulk) else { return false }
            unsafe BodyPattern.fill(arena.address(copy), count: Int(count), from: UInt64(offset))
            segments.append(Segment(slice: copy, offset: 0, size: count), to: &connections[slot].output)
        }
        connections[slot].position += UInt64(count)
        connections[slot].remaining -= UInt64(count)
        queueFlush(slot)
        return true
    }

    private mutating func queueChunk(_ size: UInt64, _ slot: UInt32) -> Bool {
        guard let slice = arena.lease(.tiny) else { return false }
        var writer = unsafe ByteWriter(base: arena.address(slice), capacity: SliceClass.tiny.sliceSize)
        if connections[slot].position > 0 { writer.append("\r\n") }
        writer.append(hexadecimal: UInt32(size))
        writer.append("\r\n")
        enqueue(writer, slice, slot)
        let offset = Int(connections[slot].position % UInt64(BodyPattern.period))
        let bytes = unsafe ByteView(base: arena.address(pattern) + offset, count: Int(size))
        connections[slot].checksum.update(bytes)
        return queuePattern(size, slot)
    }

    private mutating func queueLastChunk(_ slot: UInt32) -> Bool {
        guard let slice = arena.lease(.tiny) else { return false }
        var writer = unsafe ByteWriter(base: arena.address(slice), capacity: SliceClass.tiny.sliceSize)
        writer.append(connections[slot].position > 0 ? "\r\n0\r\nX-Checksum: " : "0\r\nX-Checksum: ")
        connections[slot].checksum.write(to: &writer)
        writer.append("\r\n\r\n")
        enqueue(writer, slice, slot)
        return true
    }

    /// The answer is queued to its last byte.
    mutating func answerEnded(_ slot: UInt32) {
        connections[slot].phase = connections[slot].keepAlive ? .waiting : .ending
    }

    // MARK: - Heads

    /// Queues a head by itself; closes the connection and answers false where memory lacks.
    private mutating func queueHead(_ head: AnswerHead, _ slot: UInt32) -> Bool {
        guard let slice = arena.lease(.tiny) else {
            close(slot)
            return false
        }
        var writer = unsafe ByteWriter(base: arena.address(slice), capacity: SliceClass.tiny.sliceSize)
        write(head, slot, to: &writer)
        enqueue(writer, slice, slot)
        return true
    }

    /// The same for a text that is sent as it is.
    mutating func queue(_ text: StaticString, _ slot: UInt32) -> Bool {
        guard let slice = arena.lease(.tiny) else {
            close(slot)
            return false
        }
        var writer = unsafe ByteWriter(base: arena.address(slice), capacity: SliceClass.tiny.sliceSize)
        writer.append(text)
        enqueue(writer, slice, slot)
        return true
    }

    @inline(__always)
    private mutating func enqueue(_ writer: ByteWriter, _ slice: SliceID, _ slot: UInt32) {
        precondition(!writer.overflowed, "our own answers fit their slices")
        segments.appendCompacting(
            Segment(slice: slice, offset: 0, size: UInt32(writer.count)), to: &connections[slot].output)
        queueFlush(slot)
    }

    @inline(__always)
    private func write(_ head: AnswerHead, _ slot: UInt32, to writer: inout ByteWriter) {
        if head.status == 200 {
            writer.append("HTTP/1.1 200 OK\r\nServer: uproxy-origin\r\nDate: ")
        } else {
            writer.append("HTTP/1.1 ")
            writer.append(decimal: UInt64(head.status))
            writer.append(" ")
            writer.append(Status.phrase(head.status))
            writer.append("\r\nServer: uproxy-origin\r\nDate: ")
        }
        date.write(to: &writer)
        writer.append("\r\n")
        if head.framing != .none {
            writer.append("Content-Type: ")
            writer.append(head.type)
            writer.append("\r\n")
        }
        switch head.framing {
        case .none, .untilClose: break
        case .length(let size):
            writer.append("Content-Length: ")
            writer.append(decimal: size)
            writer.append("\r\n")
        case .chunked: writer.append("Transfer-Encoding: chunked\r\n")
        }
        writer.append(head.extra)
        if !connections[slot].keepAlive {
            writer.append("Connection: close\r\n")
        } else if connections[slot].isHTTP10 {
            writer.append("Connection: keep-alive\r\n")
        }
        writer.append("\r\n")
    }
}
