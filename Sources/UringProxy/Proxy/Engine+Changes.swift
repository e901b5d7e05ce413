internal import CPosix

// What a route changes of a request and its answer. All of it is written when the route is found, the lines of the answer as
// well: they stand behind the request in its slice until the answer comes, so that nothing is looked up in routes that a
// reload may have replaced.
extension Engine where D: ~Copyable {
    /// Writes what the route changes; false if the exchange was refused.
    mutating func writeChanges(_ index: UInt32, _ source: TemplateSource, set: Int) -> Bool {
        let changes = routeSets[set].changes(of: source.match.rule)
        var source = source
        if changes.uses(.time, of: routeSets[set].templates) {
            source.milliseconds = cposix_realtime_milliseconds()
        }
        var id = RequestID()
        if changes.uses(.requestID, of: routeSets[set].templates) {
            source.requestID = RequestID.received(fields, source.request.head)
            if source.requestID.isEmpty { id.write(random.next(), random.next()) }
        }
        exchanges[index].changers.formUnion(.route)
        while true {
            var writer = unsafe ByteWriter(base: changeBytes.pointer, capacity: changeBytes.capacity)
            changesWritten = id.withText { text in
                var source = source
                if source.requestID.isEmpty { source.requestID = text }
                return changes.write(
                    for: source, fields: fields, templates: routeSets[set].templates, into: &writer)
            }
            if !writer.overflowed { break }
            guard changeBytes.capacity < WrittenChanges.sizeLimit else {
                changesWritten = WrittenChanges()
                fail(index, .changesTooLarge)
                return false
            }
            changeBytes.reserve(min(changeBytes.capacity * 2, WrittenChanges.sizeLimit))
        }
        let target = changeView(changesWritten.target)
        if target.count > settings.headLimits.uriBytes {
            fail(index, .rewrittenTooLong)
            return false
        }
        if !target.isEmpty && PathNormalizer.leadsAstray(target) {
            fail(index, .badPath)
            return false
        }
        return true
    }

    private func changeView(_ range: ByteRange) -> ByteView {
        unsafe ByteView(base: UnsafePointer(changeBytes.pointer), count: changeBytes.capacity)[range]
    }

    // MARK: - Requests

    /// Bytes that the changes add to a request, and those of the answer behind it.
    @inline(never)
    func sizeOfChanges(_ index: UInt32) -> Int {
        let trace = exchanges[index].changers.contains(.trace) ? Self.traceLineSize : 0
        guard exchanges[index].changers.contains(.route) else { return trace }
        let name = changesWritten.hostIsEndpoint ? Endpoint.nameCapacity + 8 : 0
        return Int(changesWritten.target.size) + Int(changesWritten.host.size) + name
            + Int(changesWritten.requestLines.size) + Int(changesWritten.response.size) + trace
    }

    /// What the rewriter is told; the fields that are dropped are marked.
    @inline(never)
    mutating func requestChanges(_ index: UInt32, _ bytes: ByteView) -> RequestChanges {
        var changes = RequestChanges.none
        if exchanges[index].changers.contains(.route) { changes = changesOfRoute(index, bytes) }
        if exchanges[index].changers.contains(.trace) { addTrace(index, bytes, to: &changes) }
        return changes
    }

    private mutating func changesOfRoute(_ index: UInt32, _ bytes: ByteView) -> RequestChanges {
        FieldNameList(bytes: changeView(changesWritten.requestNames)).drop(from: &fields, bytes)
        var changes = RequestChanges(
            target: changeView(changesWritten.target), host: changeView(changesWritten.host),
            lines: changeView(changesWritten.requestLines), tellsProto: changesWritten.tellsProto,
            tellsHost: changesWritten.tellsHost)
        if changesWritten.hostIsEndpoint {
            changes.host = endpointName(exchanges[index].endpoint, forHost: true)
        }
        return changes
    }

    /// Puts what the answer needs behind the request that was written from `start` on, and notes where that and Host are.
    @inline(never)
    mutating func keepChanges(_ index: UInt32, requestFrom start: Int, _ writer: inout ByteWriter) {
        guard exchanges[index].changers.contains(.route) else { return }
        if changesWritten.hostIsEndpoint {
            let host = endpointName(exchanges[index].endpoint, forHost: true)
            var lineEnd = start
            while !writer.written.hasLineEnd(at: lineEnd) { lineEnd += 1 }
            let offset = lineEnd + "\r\nHost: ".utf8.count
            exchanges[index].hostRange = ByteRange(offset..<offset + host.count)
        }
        let response = changeView(changesWritten.response)
        exchanges[index].responseChanges = ByteRange(writer.count..<writer.count + response.count)
        exchanges[index].responseNamesSize = UInt16(changesWritten.responseNames.size)
        writer.append(response)
    }

    /// The endpoint as text, good until the next call; a default port is left out `forHost`.
    mutating func endpointName(_ endpoint: UInt32, forHost: Bool) -> ByteView {
        var writer = unsafe ByteWriter(base: endpointBytes.pointer, capacity: endpointBytes.capacity)
        if endpoint == Slot.none {
            writer.append("-")
            return writer.written
        }
        let isOfName = endpoints[endpoint].isOfName
        if isOfName && !forHost {
            let address = endpoints[endpoint].addresses[0]
            if !address.isIPv4 { writer.append("[") }
            writer.append(address)
            if !address.isIPv4 { writer.append("]") }
        } else {
            endpoints.withName(endpoint) { writer.append($0) }
        }
        let isAddress = endpoints.fixedAddress(of: endpoint) != nil && !isOfName
        // An address has its port in its name.
        let usualPort: UInt16 = endpoints[endpoint].isSecure ? 443 : 80
        if !isAddress && !(forHost && endpoints[endpoint].port == usualPort) {
            writer.append(":")
            writer.append(decimal: UInt64(endpoints[endpoint].port))
        }
        return writer.written
    }

    /// Another endpoint is to take the request: Host names that one. False if there is no memory for it.
    mutating func renameHost(_ index: UInt32) -> Bool {
        let old = exchanges[index].hostRange
        if old.isEmpty || exchanges[index].request.isEmpty { return true }
        let host = endpointName(exchanges[index].endpoint, forHost: true)
        let request = exchanges[index].request
        let response = exchanges[index].responseChanges
        let size = max(Int(request.size), response.end)
        guard let sliceClass = SliceClass.fitting(size + host.count), let slice = arena.lease(sliceClass)
        else {
            counters.add(.buffersExhausted)
            return false
        }
        let bytes = unsafe ByteView(base: UnsafePointer(arena.address(request.slice)), count: size)
        var writer = unsafe ByteWriter(base: arena.address(slice), capacity: sliceClass.sliceSize)
        writer.append(bytes[0..<Int(old.offset)])
        writer.append(host)
        writer.append(bytes[old.end..<size])
        let growth = host.count - Int(old.size)
        exchanges[index].request = Segment(
            slice: slice, offset: 0, size: UInt32(Int(request.size) + growth))
        exchanges[index].hostRange = ByteRange(Int(old.offset)..<Int(old.offset) + host.count)
        if !response.isEmpty {
            exchanges[index].responseChanges.offset = UInt32(Int(response.offset) + growth)
        }
        arena.release(request.slice)
        return true
    }

    // MARK: - Redirections

    /// Writes a template, good until the next call; nil if that is too long.
    mutating func written(
        _ template: TemplateTable.Template, for source: TemplateSource, set: Int
    ) -> ByteView? {
        while true {
            var writer = unsafe ByteWriter(base: targetBytes.pointer, capacity: targetBytes.capacity)
            routeSets[set].templates.write(template, for: source, fields: fields, into: &writer)
            if !writer.overflowed { return writer.written }
            guard targetBytes.capacity < WrittenChanges.sizeLimit else { return nil }
            targetBytes.reserve(min(targetBytes.capacity * 2, WrittenChanges.sizeLimit))
        }
    }

    // MARK: - Responses

    /// Those of an answer that an endpoint gave.
    @inline(__always)
    mutating func changesOfAnswer(_ index: UInt32) -> ResponseChanges {
        if exchanges[index].responseChanges.isEmpty && exchanges[index].additions.isEmpty { return .none }
        return changesOfOthers(index)
    }

    @inline(never)
    private mutating func changesOfOthers(_ index: UInt32) -> ResponseChanges {
        var changes = exchanges[index].responseChanges.isEmpty ? .none : responseChanges(index)
        if exchanges[index].isSticky { addCookie(index, to: &changes) }
        if exchanges[index].additions.contains(.timing) { addTiming(index, to: &changes) }
        return changes
    }

    /// Those that stand behind the request.
    @inline(never)
    mutating func responseChanges(_ index: UInt32) -> ResponseChanges {
        let range = exchanges[index].responseChanges
        let base = unsafe UnsafePointer(arena.address(exchanges[index].request.slice))
        let bytes = unsafe ByteView(base: base, count: range.end)[range]
        return changes(bytes, Int(exchanges[index].responseNamesSize), exchanges[index].endpoint)
    }

    private mutating func changes(_ bytes: ByteView, _ namesSize: Int, _ endpoint: UInt32) -> ResponseChanges
    {
        var changes = ResponseChanges()
        changes.names = FieldNameList(bytes: bytes[0..<namesSize])
        changes.lines.text = bytes.dropFirst(namesSize)
        if changes.lines.text.contains(ResponseLines.endpointMark) {
            changes.lines.endpoint = endpointName(endpoint, forHost: false)
        }
        return changes
    }

    /// Those of an answer of our own: taken out of the exchange, which is about to end. Also of a request that was not written
    /// yet, for which they stand where the route has just written them.
    mutating func takeResponseChanges(_ index: UInt32) -> ResponseChanges {
        if !exchanges[index].responseChanges.isEmpty {
            var changes = responseChanges(index)
            changes.slice = exchanges[index].request.slice
            exchanges[index].request = .none
            exchanges[index].responseChanges = .empty
            if exchanges[index].additions.contains(.timing) { addTiming(index, to: &changes) }
            return changes
        }
        return exchanges[index].isChanged ? changesOfUnwritten(index) : .none
    }

    @inline(never)
    private mutating func changesOfUnwritten(_ index: UInt32) -> ResponseChanges {
        var changes = ResponseChanges.none
        if exchanges[index].changers.contains(.route) && exchanges[index].request.isEmpty {
            let response = changeView(changesWritten.response)
            changes = self.changes(response, Int(changesWritten.responseNames.size), Slot.none)
        }
        if exchanges[index].additions.contains(.timing) { addTiming(index, to: &changes) }
        return changes
    }
}

/// What a route changes of an answer: views that are good while it is written.
struct ResponseChanges: BitwiseCopyable {
    var names = FieldNameList(bytes: .empty)
    var lines = ResponseLines.none
    /// A slice that they stand in, for whoever took them out of their exchange to let go of.
    var slice = SliceID.none

    static var none: ResponseChanges { ResponseChanges() }

    var isEmpty: Bool { names.bytes.isEmpty && lines.text.isEmpty }

    /// Bytes of the lines.
    var size: Int {
        var size = lines.text.count
        if lines.endpoint.isEmpty { return size }
        for index in 0..<lines.text.count where lines.text[index] == ResponseLines.endpointMark {
            size += lines.endpoint.count
        }
        return size
    }

    /// Writes field lines that we made, less those that are dropped, and behind them those that are added.
    func write(_ own: ByteView, into writer: inout ByteWriter) {
        var start = 0
        while start < own.count {
            var colon = start
            while own[colon] != UInt8(ascii: ":") { colon &+= 1 }
            var end = colon
            while !own.hasLineEnd(at: end) { end &+= 1 }
            let name = own[start..<colon]
            if !names.contains(FieldName.lookup(name), name) { writer.append(own[start..<end &+ 2]) }
            start = end &+ 2
        }
        lines.write(into: &writer)
    }
}
