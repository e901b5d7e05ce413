// Requests: heads, and the bodies behind them.
extension OriginEngine where D: ~Copyable {
    /// Reads one request head; false if there is none to be read for now.
    mutating func readRequest(_ slot: UInt32) -> Bool {
        if connections[slot].input.isEmpty {
            if connections[slot].inputEnded || phase != .running && connections[slot].hasRequested {
                connections[slot].phase = .ending
                return true
            }
            return false
        }
        // Answers that wait for a slow reader are not added to without end.
        if connections[slot].output.byteCount >= Self.window { return false }
        var bytes = segments.firstView(of: connections[slot].input)
        var status = ParseStatus.incomplete
        // The common case is a head that came in one piece; one that drips in is parsed once its end is there.
        if connections[slot].scanner.scanned == 0 { status = parse(bytes) }
        if status == .incomplete {
            guard segments.makeContiguous(&connections[slot].input) else {
                close(slot)
                return false
            }
            bytes = segments.firstView(of: connections[slot].input)
            guard connections[slot].scanner.find(in: bytes, limits: headLimits) != nil else {
                if connections[slot].inputEnded { connections[slot].phase = .ending }
                return connections[slot].inputEnded
            }
            status = parse(bytes)
        }
        switch status {
        case .complete:
            begin(slot, bytes)
            return true
        case .incomplete:
            if connections[slot].inputEnded { connections[slot].phase = .ending }
            return connections[slot].inputEnded
        case .invalid(let error):
            counters.add(.headsRefused)
            refuse(slot, error)
            return true
        }
    }

    @inline(__always)
    private mutating func parse(_ bytes: ByteView) -> ParseStatus {
        RequestParser.parse(bytes, limits: headLimits, fields: &fields, head: &head)
    }

    /// Takes up the request whose head has just been parsed out of `bytes`, the front of the input.
    private mutating func begin(_ slot: UInt32, _ bytes: ByteView) {
        counters.add(.requests)
        let route = OriginRoute(bytes[head.pathAndQuery], method: head.method)
        connections[slot].scanner = HeadEndScanner()
        connections[slot].hasRequested = true
        connections[slot].route = route
        connections[slot].body = BodyReader(head.framing)
        connections[slot].bodyFraming = head.framing
        connections[slot].isHead = head.method == .head
        connections[slot].isHTTP10 = head.version == .http10
        connections[slot].keepAlive = head.keepAlive && phase == .running
        connections[slot].receivedSize = 0
        connections[slot].checksum = BodyChecksum()
        connections[slot].offersUpgrade = head.upgrade != nil && offersEcho(bytes)
        let size = UInt32(head.size)
        if route.kind == .headers {
            segments.move(size, from: &connections[slot].input, to: &connections[slot].held)
        } else {
            segments.consume(size, from: &connections[slot].input)
        }
        switch route.kind {
        case .drop:
            beginDiscarding(slot)
            return
        case .reset:
            connections[slot].resetsOnClose = true
            close(slot)
            return
        case .early:
            if !connections[slot].body.isDone { connections[slot].keepAlive = false }
            respond(slot)
            return
        case .index, .size, .chunked, .close, .delay, .slow, .status, .truncate, .echo, .sink, .drain,
            .headers, .trailers, .upgrade, .stats, .options, .notFound, .badArgument, .methodNotAllowed:
            break
        }
        if connections[slot].body.isDone {
            bodyEnded(slot)
            return
        }
        // RFC 9110 §10.1.1: not where the body is coming already.
        if head.expectsContinue && connections[slot].input.isEmpty {
            guard queue("HTTP/1.1 100 Continue\r\n\r\n", slot) else { return }
        }
        if route.kind == .echo && !connections[slot].isHead {
            respond(slot)
        } else {
            connections[slot].phase = .readingBody
        }
    }

    private func offersEcho(_ bytes: ByteView) -> Bool {
        for index in 0..<fields.count where fields[index].id == .upgrade {
            var list = ListCursor(bytes[fields[index].value])
            while let name = list.next() { if name.equalsFolded("echo") { return true } }
        }
        return false
    }

    /// The request has been read, the whole of it.
    private mutating func bodyEnded(_ slot: UInt32) {
        guard connections[slot].route.kind == .delay else {
            respond(slot)
            return
        }
        connections[slot].phase = .delaying
        connections[slot].dueAt = driver.now + connections[slot].route.delay
    }

    // MARK: - Bodies

    /// Reads what is there of a body that is answered when it has ended; false to wait for more.
    mutating func readBody(_ slot: UInt32) -> Bool {
        guard takeBody(slot, echoes: false) else { return false }
        bodyEnded(slot)
        return true
    }

    /// Sends what is there of a body back, its framing as it came; false to wait for more bytes, or for room.
    mutating func echoBody(_ slot: UInt32) -> Bool {
        guard takeBody(slot, echoes: true) else { return false }
        answerEnded(slot)
        return true
    }

    /// True once the body has been taken to its end.
    private mutating func takeBody(_ slot: UInt32, echoes: Bool) -> Bool {
        while !connections[slot].body.isDone {
            if echoes && connections[slot].output.byteCount >= Self.window { return false }
            guard !connections[slot].input.isEmpty else {
                if connections[slot].inputEnded { close(slot) }
                return false
            }
            switch connections[slot].body.state {
            case .length:
                let available = min(connections[slot].input.byteCount, Self.window)
                takeData(connections[slot].body.takeLength(available), slot, echoes)
            case .chunked:
                let bytes = segments.firstView(of: connections[slot].input)
                switch connections[slot].body.advanceChunked(bytes) {
                case .needMore(let size), .trailers(let size):
                    takeFraming(UInt32(size), slot, echoes)
                case .data(let framing, let size):
                    takeFraming(UInt32(framing), slot, echoes)
                    takeData(UInt32(size), slot, echoes)
                case .invalid(let error):
                    refuseBody(slot, error, echoes)
                    return false
                }
            case .trailers:
                guard takeTrailers(slot, echoes) else { return false }
            case .done, .untilClose:
                preconditionFailure("a request's body has an end of its own")
            }
        }
        return true
    }

    private mutating func takeTrailers(_ slot: UInt32, _ echoes: Bool) -> Bool {
        guard segments.makeContiguous(&connections[slot].input) else {
            close(slot)
            return false
        }
        let bytes = segments.firstView(of: connections[slot].input)
        let (status, size) = TrailerParser.parse(bytes, limits: headLimits, fields: &fields)
        switch status {
        case .incomplete:
            if connections[slot].inputEnded { close(slot) }
            return false
        case .invalid(let error):
            refuseBody(slot, error, echoes)
            return false
        case .complete:
            break
        }
        connections[slot].body.finish()
        if connections[slot].route.kind == .trailers {
            segments.move(UInt32(size), from: &connections[slot].input, to: &connections[slot].held)
        } else {
            takeFraming(UInt32(size), slot, echoes)
        }
        return true
    }

    @inline(__always)
    private mutating func takeFraming(_ size: UInt32, _ slot: UInt32, _ echoes: Bool) {
        if size == 0 { return }
        if echoes {
            segments.move(size, from: &connections[slot].input, to: &connections[slot].output)
            queueFlush(slot)
        } else {
            segments.consume(size, from: &connections[slot].input)
        }
    }

    @inline(__always)
    private mutating func takeData(_ size: UInt32, _ slot: UInt32, _ echoes: Bool) {
        connections[slot].receivedSize += UInt64(size)
        if connections[slot].route.kind == .sink {
            var left = size
            while left > 0 {
                let bytes = segments.firstView(of: connections[slot].input)
                let count = min(Int(left), bytes.count)
                connections[slot].checksum.update(bytes[0..<count])
                segments.consume(UInt32(count), from: &connections[slot].input)
                left -= UInt32(count)
            }
        } else {
            takeFraming(size, slot, echoes)
        }
    }

    /// A body that cannot be read any further.
    private mutating func refuseBody(_ slot: UInt32, _ error: HeadError, _ hasAnswered: Bool) {
        counters.add(.headsRefused)
        if hasAnswered {
            connections[slot].resetsOnClose = true
            close(slot)
        } else {
            segments.removeAll(&connections[slot].held)
            refuse(slot, error)
        }
    }

    // MARK: - Tunnel

    /// After the upgrade: sends everything back.
    mutating func relayTunnel(_ slot: UInt32) -> Bool {
        let room = Self.window - min(Self.window, connections[slot].output.byteCount)
        let size = min(room, connections[slot].input.byteCount)
        if size > 0 {
            segments.move(size, from: &connections[slot].input, to: &connections[slot].output)
            queueFlush(slot)
        }
        guard connections[slot].inputEnded, connections[slot].input.isEmpty else { return false }
        connections[slot].phase = .ending
        return true
    }
}
