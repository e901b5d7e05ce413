// Traces (W3C Trace Context): which one a request belongs to, what its endpoint is told of that, and what is left for the exporter when it
// has ended.
extension Engine where D: ~Copyable {
    /// Bytes of the line that tells the trace.
    static var traceLineSize: Int { "traceparent: \r\n".utf8.count + TraceParent.size }
    /// Bytes that are kept of a tracestate: what has to be passed on at least (W3C Trace Context, section 3.3.1.5).
    private static var stateLimit: Int { 512 }

    // MARK: - Requests

    /// The exchange whose head is in `requestHead` goes on with the trace that it names, or begins one.
    @inline(never)
    mutating func beginTrace(_ index: UInt32, _ bytes: ByteView) {
        let received = traceRules.parent == .ignore ? nil : receivedParent(bytes)
        var context = received ?? TraceParent(high: 0, low: 0, span: 0, flags: .isRandom)
        if received == nil {
            counters.add(.tracesBegun)
            repeat {
                (context.high, context.low) = (random.next(), random.next())
            } while context.high | context.low == 0
        } else {
            counters.add(.tracesContinued)
        }
        if received == nil || traceRules.parent == .resample {
            context.flags.subtract(.isSampled)
            if traceRules.samples(context.low) { context.flags.formUnion(.isSampled) }
        }
        // Even: the one that is sent is odd.
        repeat { context.span = random.next() & ~1 } while context.span == 0
        traces[index] = SpanNotes(
            context: context, parent: received?.span ?? 0, port: requestHead.authority?.port ?? 0)
        notes[index].isTraced = true
        exchanges[index].changers.formUnion(.trace)
        if context.flags.contains(.isSampled) {
            counters.add(.tracesSampled)
            notes[index].isExported = traceRules.exports
        }
    }

    /// What the request says; nil if it says nothing that is valid. Of several lines none is believed.
    private func receivedParent(_ bytes: ByteView) -> TraceParent? {
        var found: TraceParent?
        var count = 0
        for line in 0..<fields.count where fields[line].id == .traceparent && !fields[line].isHopByHop {
            count &+= 1
            found = count == 1 ? TraceParent(bytes[fields[line].value]) : nil
        }
        return found
    }

    /// Puts our line in the place of the client's. What the client says of its trace is passed on as long as that goes on.
    mutating func addTrace(_ index: UInt32, _ bytes: ByteView, to changes: inout RequestChanges) {
        let goesOn = traces[index].parent != 0
        for line in 0..<fields.count {
            let id = fields[line].id
            if id == .traceparent || id == .tracestate && !goesOn { fields[line].isHopByHop = true }
        }
        traceBytes.reserve(changes.lines.count + Self.traceLineSize)
        var writer = unsafe ByteWriter(base: traceBytes.pointer, capacity: traceBytes.capacity)
        writer.append(changes.lines)
        writer.append("traceparent: ")
        traces[index].sent.write(to: &writer)
        writer.append("\r\n")
        changes.lines = writer.written
    }

    // MARK: - Records

    /// Ids as logs show them, and what spans tell beside what logs do.
    func appendSpan(_ index: UInt32, _ bytes: ByteView, _ writer: inout AccessTextWriter) {
        var room = InlineArray<48, UInt8>(repeating: 0)
        unsafe withUnsafeMutableBytes(of: &room) { buffer in
            let base = unsafe buffer.baseAddress!.assumingMemoryBound(to: UInt8.self)
            var text = unsafe ByteWriter(base: base, capacity: buffer.count)
            text.append(hexadecimal: traces[index].context.high)
            text.append(hexadecimal: traces[index].context.low)
            text.append(hexadecimal: traces[index].context.span)
            writer.append(.trace, text.written[0..<32])
            writer.append(.span, text.written[32..<48])
        }
        guard notes[index].isExported, traces[index].parent != 0,
            let line = fields.first(.tracestate, .empty, in: bytes, goesFurther: true)
        else { return }
        // Part of a list is another list.
        let state = bytes[fields[line].value]
        if state.count <= Self.stateLimit { writer.append(.traceState, state) }
    }

    /// A sampled exchange leaves what its spans are made of.
    @inline(never)
    mutating func export(_ finished: FinishedExchange, _ span: SpanNotes, texts: ByteView) {
        guard let lane = traceLane else { return }
        var whole = SpanRecord(record: finished.record, notes: span)
        if span.attemptedAt != 0 { whole.notes.attemptedAt &+= realTimeOffset }
        whole.notes.endedAt &+= realTimeOffset
        let fixed = MemoryLayout<SpanRecord>.size
        let texts = texts[0..<min(texts.count, AccessRecord.sizeLimit &- fixed)]
        let size = (fixed &+ texts.count &+ 7) & ~7
        whole.record.size = UInt32(truncatingIfNeeded: size)
        guard let place = unsafe lane.reserve(size, spans: whole.spanCount) else { return }
        // What is left of the last eight bytes ends the texts.
        unsafe (place + size - 8).storeBytes(of: 0, as: UInt64.self)
        unsafe place.storeBytes(of: whole, as: SpanRecord.self)
        unsafe texts.copy(to: (place + fixed).assumingMemoryBound(to: UInt8.self))
        lane.ring.publish(size)
        published.formUnion(.span)
    }

    // MARK: - Change

    /// Goes by a plan from now on. Exchanges under way stay in the traces that they are in.
    mutating func adopt(_ plan: TracePlan?) {
        guard plan !== tracing else { return }
        tracing = plan
        traceRules = plan.map { TraceRules($0) } ?? TraceRules()
        traceLane = traceRules.exports ? plan?.lanes[worker] : nil
        updateRealTime()
    }
}
