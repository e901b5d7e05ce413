// What the proxy itself answers: errors, and little else.
extension Engine where D: ~Copyable {
    /// Ends an exchange with an answer of our own, or, if the response has begun, by cutting it.
    mutating func fail(_ index: UInt32, _ error: ProxyError) {
        if exchanges[index].state == .responding || exchanges[index].state == .tunnelling {
            cutResponse(index, error)
            return
        }
        counters.add(failure: error)
        answer(index, status: error.status, reason: error.reason)
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
        let slot = exchanges[index].downstream
        let isHead = exchanges[index].method == .head
        // What was not taken of the request's body stands in the way of the next request.
        let untaken = !isConsumed(index, slot)
        let keepAlive = exchanges[index].keepAlive && !untaken && phase == .running
        let isHTTP10 = exchanges[index].version == .http10
        connections[slot].saidClose = exchanges[index].saidClose && !untaken
        finishExchange(index)
        guard writeReply(slot, status, reason, isHead: isHead, keepAlive: keepAlive, tellsKeepAlive: isHTTP10)
        else {
            close(slot)
            return
        }
        endOfResponse(slot, keepAlive: keepAlive)
    }

    /// Whether the request, head and body, has left the input; takes the head out if nothing has yet.
    private mutating func isConsumed(_ index: UInt32, _ slot: UInt32) -> Bool {
        if exchanges[index].requestDone { return true }
        // Refused before it was rewritten: `requestHead` is still this request's.
        if exchanges[index].request.isEmpty && exchanges[index].requestBody.isDone
            && exchanges[index].state == .connecting && exchanges[index].upstream == Slot.none
        {
            segments.consume(UInt32(requestHead.size), from: &connections[slot].input)
            return true
        }
        return false
    }

    /// Answers what never became an exchange, and ends the connection: the next request cannot be found.
    mutating func refuse(_ slot: UInt32, _ error: ProxyError) {
        counters.add(failure: error)
        refuseHead(slot, status: error.status, reason: error.reason)
    }

    mutating func refuseHead(_ slot: UInt32, status: UInt16, reason: StaticString) {
        segments.removeAll(&connections[slot].input)
        guard writeReply(slot, status, reason, isHead: false, keepAlive: false, tellsKeepAlive: false) else {
            close(slot)
            return
        }
        endOfResponse(slot, keepAlive: false)
    }

    /// Puts a whole response into downstream's output.
    private mutating func writeReply(
        _ slot: UInt32, _ status: UInt16, _ reason: StaticString, isHead: Bool, keepAlive: Bool,
        tellsKeepAlive: Bool
    ) -> Bool {
        guard let slice = arena.lease(.tiny) else {
            counters.add(.buffersExhausted)
            return false
        }
        counters.add(.localResponses)
        countResponse(status)
        var writer = unsafe ByteWriter(base: arena.address(slice), capacity: SliceClass.tiny.sliceSize)
        writer.append("HTTP/1.1 ")
        writer.append(decimal: UInt64(status))
        writer.append(" ")
        writer.append(Status.phrase(status))
        writer.append("\r\n")
        if status != 204 {
            writer.append("Content-Type: text/plain\r\nContent-Length: ")
            writer.append(decimal: UInt64(reason.utf8CodeUnitCount + 1))
            writer.append("\r\n")
        }
        if status == 405 { writer.append("Allow: GET, HEAD, POST, PUT, DELETE, OPTIONS, PATCH\r\n") }
        // RFC 9110 §10.2.3
        if status == 503 { writer.append("Retry-After: 1\r\n") }
        if !keepAlive {
            writer.append("Connection: close\r\n")
        } else if tellsKeepAlive {
            writer.append("Connection: keep-alive\r\n")
        }
        writer.append("\r\n")
        if !isHead && status != 204 {
            writer.append(reason)
            writer.append("\n")
        }
        precondition(!writer.overflowed, "our own answers fit a slice")
        if connections[slot].output.isEmpty { outputBegins(slot) }
        segments.append(
            Segment(slice: slice, offset: 0, size: UInt32(writer.count)), to: &connections[slot].output)
        queueFlush(slot)
        return true
    }
}
