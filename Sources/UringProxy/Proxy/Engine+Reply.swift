// What the proxy itself answers: errors, and little else.
extension Engine where D: ~Copyable {
    /// Ends an exchange with an answer of our own, or, if the response has begun, by cutting it.
    mutating func fail(_ index: UInt32, _ error: ProxyError) {
        if exchanges[index].kind != .ordinary {
            failDetached(index, error)
            return
        }
        if exchanges[index].partner != Slot.none && error.isEndpointFailure
            && goOnWithHedge(index, after: .failed(error))
        {
            return
        }
        if exchanges[index].state == .responding || exchanges[index].state == .tunnelling {
            cutResponse(index, error)
            return
        }
        counters.add(failure: error)
        noteFailure(index, error)
        if keepsNotes { note(error, index) }
        if exchanges[index].isRelay {
            // There is no message to answer, and an orderly end would look like the upstream's.
            let slot = exchanges[index].downstream
            finishExchange(index)
            connections[slot].resetsOnClose = true
            close(slot)
            return
        }
        answer(index, status: error.status, reason: error.reason)
    }

    /// Ends an exchange that has only begun with an answer that has more to say than a reason.
    ///
    /// - Parameters:
    ///   - size: of what `fields` writes, at most.
    ///   - fields: writes lines of the answer's head.
    mutating func fail(
        _ index: UInt32, _ error: ProxyError, size: Int, _ fields: (inout ByteWriter) -> Void
    ) {
        counters.add(failure: error)
        if keepsNotes { note(error, index) }
        let reason = error.reason
        let status = error.status
        let content = Self.contentSize(reason, status)
        answer(index, status: status, size: Self.size(of: reason) + size, content: content) {
            writer, isHead in
            fields(&writer)
            return Self.write(reason, status, isHead: isHead, to: &writer)
        }
    }

    /// A body that cannot be read any further: 400, or a cut where the response has begun.
    mutating func failBody(_ index: UInt32, _ error: HeadError) {
        if exchanges[index].state == .responding {
            cutResponse(index, .none)
        } else {
            answer(index, status: error.status, reason: error.reason)
        }
    }

    /// RFC 9110 §9.3.7: OPTIONS that may go no further is about us, and we have no options to tell.
    mutating func answerOptions(_ index: UInt32) {
        answer(index, status: 204, reason: "")
    }

    private mutating func answer(_ index: UInt32, status: UInt16, reason: StaticString) {
        let content = Self.contentSize(reason, status)
        answer(index, status: status, size: Self.size(of: reason), content: content) { writer, isHead in
            Self.write(reason, status, isHead: isHead, to: &writer)
        }
    }

    /// The answer of a route.
    mutating func answer(_ index: UInt32, _ reply: FixedReply) {
        let body = reply.body.view
        let fields = reply.fields.view
        answer(index, status: reply.status, size: fields.count + body.count, content: body.count) {
            writer, isHead in
            writer.append(fields)
            return isHead ? .none : ReplyBody(text: body)
        }
    }

    /// The redirection of a route (RFC 9110 §15.4).
    mutating func answer(_ index: UInt32, status: UInt16, redirectingTo place: ByteView) {
        answer(index, status: status, size: place.count + 64, content: 0) { writer, _ in
            writer.append("Location: ")
            writer.append(place)
            writer.append("\r\nContent-Length: 0\r\n")
            return .none
        }
    }

    /// - Parameters:
    ///   - size: of the fields and the body, at most.
    ///   - content: the size of the body, which an answer to HEAD does not have.
    ///   - write: writes the fields that the answer has beside those of its connection, and tells the body. What it reads of the
    ///     request is still there.
    private mutating func answer(
        _ index: UInt32, status: UInt16, size: Int, content: Int,
        _ write: (inout ByteWriter, _ isHead: Bool) -> ReplyBody
    ) {
        let slot = exchanges[index].downstream
        let isHead = exchanges[index].method == .head
        if keepsNotes { noteLocal(index, status: status, size: isHead ? 0 : content) }
        // What was not taken of the request's body stands in the way of the next request.
        let leavesHead = isUntouched(index)
        let head = UInt32(requestHead.size)
        // Behind a CONNECT stands what was meant for the tunnel, and no request.
        let hasEarly =
            exchanges[index].isConnect && connections[slot].input.byteCount > (leavesHead ? head : 0)
        let untaken = !exchanges[index].requestDone && !leavesHead || hasEarly
        let keepAlive =
            exchanges[index].keepAlive && !untaken && phase == .running && !connections[slot].endsSoon
        let isHTTP10 = exchanges[index].version == .http10
        connections[slot].saidClose = exchanges[index].saidClose && !untaken
        let changes = takeResponseChanges(index)
        finishExchange(index)
        let isWritten = writeReply(
            slot, status, size: size, isHead: isHead, keepAlive: keepAlive, tellsKeepAlive: isHTTP10, changes,
            write)
        if changes.slice != .none { arena.release(changes.slice) }
        if leavesHead { segments.consume(head, from: &connections[slot].input) }
        guard isWritten else {
            close(slot)
            return
        }
        endOfResponse(slot, keepAlive: keepAlive)
    }

    /// Whether the request is nothing but its head and that is still in the input: it is answered before it was rewritten, and
    /// `requestHead` is still this request's.
    private func isUntouched(_ index: UInt32) -> Bool {
        !exchanges[index].requestDone && exchanges[index].request.isEmpty
            && exchanges[index].requestBody.isDone
            && (exchanges[index].state == .connecting || exchanges[index].state == .queued)
            && exchanges[index].upstream == Slot.none
    }

    /// Answers what never became an exchange, and ends the connection: the next request cannot be found.
    mutating func refuse(_ slot: UInt32, _ error: ProxyError) {
        counters.add(failure: error)
        refuseHead(slot, status: error.status, reason: error.reason)
    }

    mutating func refuseHead(_ slot: UInt32, status: UInt16, reason: StaticString) {
        if keepsNotes { noteRefusal(slot, status: status, reason: reason) }
        segments.removeAll(&connections[slot].input)
        let isWritten = writeReply(
            slot, status, size: Self.size(of: reason), isHead: false, keepAlive: false, tellsKeepAlive: false,
            .none
        ) { writer, isHead in Self.write(reason, status, isHead: isHead, to: &writer) }
        guard isWritten else {
            close(slot)
            return
        }
        endOfResponse(slot, keepAlive: false)
    }

    private static func size(of reason: StaticString) -> Int { reason.utf8CodeUnitCount + 256 }

    /// A reason is a line, which 204 has no room for.
    private static func contentSize(_ reason: StaticString, _ status: UInt16) -> Int {
        status == 204 ? 0 : reason.utf8CodeUnitCount + 1
    }

    /// A sentence as the whole body.
    private static func write(
        _ reason: StaticString, _ status: UInt16, isHead: Bool, to writer: inout ByteWriter
    ) -> ReplyBody {
        if status != 204 {
            writer.append("Content-Type: text/plain\r\nContent-Length: ")
            writer.append(decimal: UInt64(reason.utf8CodeUnitCount + 1))
            writer.append("\r\n")
        }
        if status == 405 { writer.append("Allow: GET, HEAD, POST, PUT, DELETE, OPTIONS, PATCH\r\n") }
        // RFC 9110 §10.2.3
        if status == 503 { writer.append("Retry-After: 1\r\n") }
        if isHead || status == 204 { return .none }
        return ReplyBody(text: ByteView(reason), isLine: true)
    }

    /// Puts a whole response into downstream's output.
    private mutating func writeReply(
        _ slot: UInt32, _ status: UInt16, size: Int, isHead: Bool, keepAlive: Bool, tellsKeepAlive: Bool,
        _ changes: ResponseChanges, _ write: (inout ByteWriter, _ isHead: Bool) -> ReplyBody
    ) -> Bool {
        // The status line and Connection.
        let size = size + 128 + changes.size
        guard let sliceClass = SliceClass.fitting(size), let slice = arena.lease(sliceClass) else {
            counters.add(.buffersExhausted)
            return false
        }
        var writer = unsafe ByteWriter(base: arena.address(slice), capacity: sliceClass.sliceSize)
        writer.append("HTTP/1.1 ")
        writer.append(decimal: UInt64(status))
        writer.append(" ")
        writer.append(Status.phrase(status))
        writer.append("\r\n")
        guard let body = writeFields(changes, size, isHead, &writer, write) else {
            arena.release(slice)
            return false
        }
        if !keepAlive {
            writer.append("Connection: close\r\n")
        } else if tellsKeepAlive {
            writer.append("Connection: keep-alive\r\n")
        }
        writer.append("\r\n")
        writer.append(body.text)
        if body.isLine { writer.append("\n") }
        precondition(!writer.overflowed, "our own answers fit a slice")
        counters.add(.localResponses)
        countResponse(status)
        if connections[slot].output.isEmpty { outputBegins(slot) }
        segments.append(
            Segment(slice: slice, offset: 0, size: UInt32(writer.count)), to: &connections[slot].output)
        queueFlush(slot)
        return true
    }
}

extension Engine where D: ~Copyable {
    /// Writes the fields of an answer of our own as the route changes them; nil if there is no memory for that.
    private func writeFields(
        _ changes: ResponseChanges, _ size: Int, _ isHead: Bool, _ writer: inout ByteWriter,
        _ write: (inout ByteWriter, _ isHead: Bool) -> ReplyBody
    ) -> ReplyBody? {
        if changes.isEmpty { return write(&writer, isHead) }
        guard let sliceClass = SliceClass.fitting(size), let slice = arena.lease(sliceClass) else {
            counters.add(.buffersExhausted)
            return nil
        }
        var own = unsafe ByteWriter(base: arena.address(slice), capacity: sliceClass.sliceSize)
        let body = write(&own, isHead)
        changes.write(own.written, into: &writer)
        arena.release(slice)
        return body
    }
}

/// What stands behind the head of an answer of our own.
private struct ReplyBody: BitwiseCopyable {
    var text: ByteView
    /// A line end belongs to it.
    var isLine = false

    static var none: ReplyBody { ReplyBody(text: .empty) }
}
