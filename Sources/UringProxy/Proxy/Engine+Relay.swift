// Bodies on their way from one connection's input to the other's output, by reference.
extension Engine where D: ~Copyable {
    enum RelayOutcome {
        /// The body goes on: more bytes are needed, or more room.
        case more
        case done
        case failed(HeadError)
        case outOfMemory
    }

    /// Moves what may be moved of a body.
    ///
    /// Slices change queues and nothing is copied; chunks are checked byte for byte and passed on as they came
    /// (RFC 9112 §7.1), with their trailers.
    mutating func relayBody(
        from source: UInt32, _ body: inout BodyReader, to target: UInt32, _ encoding: BodyEncoding,
        _ index: UInt32
    ) -> RelayOutcome {
        let window = max(window(of: source), settings.window)
        while !body.isDone {
            guard !connections[source].input.isEmpty, connections[target].output.byteCount < window else {
                return .more
            }
            if connections[target].output.isEmpty { outputBegins(target) }
            switch body.state {
            case .done:
                return .done
            case .length:
                let size = body.takeLength(connections[source].input.byteCount)
                move(size, source, target)
            case .untilClose:
                let size = connections[source].input.byteCount
                if encoding == .chunk {
                    guard writeChunkLine(size, to: target, index) else { return .outOfMemory }
                }
                move(size, source, target)
            case .chunked:
                let bytes = segments.firstView(of: connections[source].input)
                switch body.advanceChunked(bytes) {
                case .needMore(let consumed):
                    passFraming(UInt32(consumed), source, target, encoding)
                case .data(let framing, let size):
                    passFraming(UInt32(framing), source, target, encoding)
                    if encoding == .verbatim {
                        move(UInt32(size), source, target)
                    } else if !moveChunkData(UInt32(size), source, target) {
                        return .outOfMemory
                    }
                case .trailers(let consumed):
                    passFraming(UInt32(consumed), source, target, encoding)
                    connections[source].scanner = HeadEndScanner(trailers: true)
                case .invalid(let error):
                    return .failed(error)
                }
            case .trailers:
                switch relayTrailers(source, target, encoding, index) {
                case .done: body.finish()
                case let other: return other
                }
            }
        }
        return .done
    }

    /// Data between chunk lines that are taken off: small pieces are copied together, for a piece by reference costs a
    /// segment each, and a peer may send a body in chunks of one byte.
    private mutating func moveChunkData(_ size: UInt32, _ source: UInt32, _ target: UInt32) -> Bool {
        if size >= 512 {
            move(size, source, target)
            return true
        }
        guard let slice = arena.lease(.small) else {
            counters.add(.buffersExhausted)
            return false
        }
        let bytes = segments.firstView(of: connections[source].input)
        unsafe bytes[0..<Int(size)].copy(to: arena.address(slice))
        segments.appendCompacting(
            Segment(slice: slice, offset: 0, size: size), to: &connections[target].output)
        segments.consume(size, from: &connections[source].input)
        return true
    }

    @inline(__always)
    private func move(_ size: UInt32, _ source: UInt32, _ target: UInt32) {
        segments.move(size, from: &connections[source].input, to: &connections[target].output)
    }

    @inline(__always)
    private func passFraming(_ size: UInt32, _ source: UInt32, _ target: UInt32, _ encoding: BodyEncoding) {
        if size == 0 { return }
        switch encoding {
        case .verbatim: move(size, source, target)
        case .dechunk: segments.consume(size, from: &connections[source].input)
        case .chunk: preconditionFailure("a chunked body is not chunked again")
        }
    }

    /// The section after the last chunk: read as a whole, checked, and written anew.
    private mutating func relayTrailers(
        _ source: UInt32, _ target: UInt32, _ encoding: BodyEncoding, _ index: UInt32
    ) -> RelayOutcome {
        guard segments.makeContiguous(&connections[source].input, upTo: settings.headLimits.headBytes + 1)
        else {
            counters.add(.buffersExhausted)
            return .outOfMemory
        }
        let bytes = segments.firstView(of: connections[source].input)
        // Read once its end is there, however many pieces it comes in.
        guard connections[source].scanner.find(in: bytes, limits: settings.headLimits) != nil else {
            return .more
        }
        let (status, size) = TrailerParser.parse(bytes, limits: settings.headLimits, fields: &fields)
        switch status {
        case .incomplete: return .more
        case .invalid(let error): return .failed(error)
        case .complete: break
        }
        if !authenticators.isEmpty && source == exchanges[index].downstream { dropUserFields(bytes) }
        if encoding == .verbatim {
            if fields.count == 0 {
                move(UInt32(size), source, target)
                return .done
            }
            guard let sliceClass = SliceClass.fitting(size), let slice = arena.lease(sliceClass) else {
                counters.add(.buffersExhausted)
                return .outOfMemory
            }
            var writer = unsafe ByteWriter(base: arena.address(slice), capacity: sliceClass.sliceSize)
            ResponseRewriter.trailers(fields: fields, bytes: bytes, into: &writer)
            precondition(!writer.overflowed, "trailers only lose fields")
            segments.append(
                Segment(slice: slice, offset: 0, size: UInt32(writer.count)), to: &connections[target].output)
        } else if isStream(target) && !keepTrailers(target, bytes[0..<size]) {
            return .outOfMemory
        }
        segments.consume(UInt32(size), from: &connections[source].input)
        return .done
    }

    /// The line before a chunk, and the line end after the one before it; for `size` 0 the end of the body.
    mutating func writeChunkLine(_ size: UInt32, to target: UInt32, _ index: UInt32) -> Bool {
        guard let slice = arena.lease(.tiny) else {
            counters.add(.buffersExhausted)
            return false
        }
        var writer = unsafe ByteWriter(base: arena.address(slice), capacity: SliceClass.tiny.sliceSize)
        if exchanges[index].chunksSent { writer.append("\r\n") }
        exchanges[index].chunksSent = true
        writer.append(hexadecimal: size)
        writer.append(size == 0 ? "\r\n\r\n" : "\r\n")
        segments.appendCompacting(
            Segment(slice: slice, offset: 0, size: UInt32(writer.count)), to: &connections[target].output)
        return true
    }

    /// The peer starts being waited for: its pace is measured from here.
    @inline(__always)
    func outputBegins(_ slot: UInt32) {
        connections[slot].sendWindowStartedAt = driver.now
        connections[slot].sendWindowBytes = 0
        connections[slot].lastSentAt = driver.now
    }
}

extension ByteWriter {
    /// In lower case, without leading zeros.
    mutating func append(hexadecimal value: UInt32) {
        var shift = 28
        while shift > 0 && value >> UInt32(shift) == 0 { shift -= 4 }
        while shift >= 0 {
            let digit = UInt8(truncatingIfNeeded: value >> UInt32(shift)) & 15
            append(byte: digit < 10 ? 0x30 + digit : 0x57 + digit)
            shift -= 4
        }
    }
}
