internal import CPosix

// The access log's part of an exchange: texts are gathered when its head is there, and a record is left in the worker's ring when it ends. The
// log's own thread does the rest.
extension Engine where D: ~Copyable {
    /// Of texts of a head bytes that are kept of each at most, so that one does not keep out all others.
    private static var textLimit: Int { 2048 }
    /// Of the room, what is for names of ours, if it is twice as large.
    private static var ownTextBytes: Int { 1024 }

    // MARK: - Gathering

    /// What the head in `requestHead` says.
    @inline(never)
    mutating func gatherTexts(_ index: UInt32, _ slot: UInt32, _ bytes: ByteView) {
        notes[index].client = clientAddress(slot, bytes)
        // However much the client says, there is room for what we do.
        var writer = noteTexts.writer(index, count: 0, leaving: Self.ownTextBytes)
        writer.append(.method, bytes[requestHead.methodRange], limit: 64)
        writer.append(.target, bytes[requestHead.target], limit: Self.textLimit)
        if let authority = requestHead.authority { writer.append(.host, bytes[authority.host], limit: 256) }
        let name = names.listener(listeners[connections[slot].listener].name)
        if !name.isEmpty { writer.append(.listener, name, limit: 256) }
        for line in 0..<fields.count {
            switch fields[line].id {
            case .referer: writer.append(.referer, bytes[fields[line].value], limit: Self.textLimit)
            case .userAgent: writer.append(.userAgent, bytes[fields[line].value], limit: 512)
            case .traceparent:
                if !notes[index].isTraced { appendTrace(bytes[fields[line].value], &writer) }
            default: break
            }
        }
        if notes[index].isTraced { appendSpan(index, bytes, &writer) }
        // Where there are no databases nothing is known of anybody.
        if geoSource != nil { appendLocation(geo.locate(notes[index].client), &writer) }
        if logRules.keepsRequestFields, let plan = accessLog {
            gatherFields(.requestField, plan.requestFields, bytes, &writer)
        }
        keepTexts(writer, index)
    }

    @inline(never)
    mutating func gatherRelayTexts(_ index: UInt32, _ slot: UInt32) {
        notes[index].client = peer(of: slot)
        var writer = noteTexts.writer(index, count: 0)
        let name = names.listener(listeners[connections[slot].listener].name)
        if !name.isEmpty { writer.append(.listener, name, limit: 256) }
        if geoSource != nil { appendLocation(geo.locate(notes[index].client), &writer) }
        keepTexts(writer, index)
    }

    @inline(never)
    mutating func gatherResponseTexts(_ index: UInt32, _ bytes: ByteView) {
        guard logRules.keepsResponseFields, let plan = accessLog else { return }
        var writer = noteTexts.writer(index, count: Int(notes[index].textsSize))
        gatherFields(.responseField, plan.responseFields, bytes, &writer)
        keepTexts(writer, index)
    }

    private func gatherFields(
        _ kind: AccessText, _ names: [[UInt8]], _ bytes: ByteView, _ writer: inout AccessTextWriter
    ) {
        for name in names {
            unsafe name.withUnsafeBufferPointer { buffer in
                let wanted = unsafe ByteView(UnsafeRawBufferPointer(buffer))
                for line in 0..<fields.count where bytes[fields[line].name].equalsIgnoringCase(wanted) {
                    writer.append(kind, name: wanted, bytes[fields[line].value], limit: Self.textLimit)
                }
            }
        }
    }

    private func appendLocation(_ location: GeoLocation, _ writer: inout AccessTextWriter) {
        func append(_ kind: AccessText, _ write: (inout ByteWriter) -> Void) {
            var room = InlineArray<16, UInt8>(repeating: 0)
            unsafe withUnsafeMutableBytes(of: &room) { buffer in
                let base = unsafe buffer.baseAddress!.assumingMemoryBound(to: UInt8.self)
                var text = unsafe ByteWriter(base: base, capacity: buffer.count)
                write(&text)
                writer.append(kind, text.written)
            }
        }
        if location.country != .none { append(.country) { $0.append(location.country) } }
        if location.region != .none { append(.region) { $0.append(location.region) } }
        if location.autonomousSystem != 0 {
            append(.autonomousSystem) { $0.append(decimal: UInt64(location.autonomousSystem)) }
        }
    }

    /// The trace that a request belongs to, where there are none of ours.
    private func appendTrace(_ value: ByteView, _ writer: inout AccessTextWriter) {
        if TraceParent(value) != nil { writer.append(.trace, value[3..<35]) }
    }

    private mutating func keepTexts(_ writer: AccessTextWriter, _ index: UInt32) {
        notes[index].hasTexts = true
        notes[index].textsSize = UInt16(truncatingIfNeeded: writer.count)
        if writer.isTruncated { notes[index].flags.formUnion(.isTruncated) }
    }

    /// One more text of an exchange that has some.
    mutating func note(text kind: AccessText, _ text: ByteView, _ index: UInt32) {
        var writer = noteTexts.writer(index, count: Int(notes[index].textsSize))
        writer.append(kind, text, limit: 256)
        keepTexts(writer, index)
    }

    /// Who it is from, and by which route it goes.
    @inline(never)
    mutating func noteRoute(_ index: UInt32, set: Int, rule: Int) {
        guard notes[index].isKept else { return }
        record(.routed, value: UInt16(clamping: set), index: UInt32(clamping: rule), notes[index].id)
        notes[index].rows.route = names.routeRow(rule, ofSet: set)
        notes[index].sampler = names.routeSampler(rule, ofSet: set)
        if timesAnswers { noteTiming(index, names.routeTiming(rule, ofSet: set)) }
        guard notes[index].hasTexts else { return }
        let name = names.route(rule, ofSet: set)
        if !name.isEmpty { note(text: .route, name, index) }
    }

    @inline(never)
    mutating func noteUser(_ index: UInt32, _ grant: Grant) {
        guard notes[index].isKept, notes[index].hasTexts, grant.user >= 0 else { return }
        note(text: .user, authenticators[Int(grant.authenticator)].userName(grant.user), index)
    }

    // MARK: - Records

    /// What is only known at the end. The exchange has texts.
    @inline(never)
    mutating func gatherLastTexts(_ index: UInt32) {
        let exchange = exchanges.tenant(index)
        if hasChosen(exchange) {
            note(text: .endpoint, endpointName(exchange.endpoint, forHost: false), index)
        }
        if notes[index].failure != .none {
            note(text: .failure, ByteView(notes[index].failure.label), index)
        }
    }

    /// An exchange leaves its record, unless the sampling leaves it out.
    mutating func log(_ finished: FinishedExchange, texts: ByteView) {
        guard logRules.isOn, finished.sampler != ExchangeNames.noSampler else { return }
        var record = finished.record
        let isFailed =
            record.status == 0 && finished.failure != .none || record.status >= 500
            || !record.flags.isDisjoint(with: [.isAborted, .isCut])
        record.weight = weight(
            isKept: logRules.keepsErrors && isFailed || record.times.total >= logRules.slow,
            sampler: Int(finished.sampler), &record.flags)
        if record.weight > 0 { publish(&record, texts: texts) }
    }

    /// What never became an exchange, and was answered.
    @inline(never)
    mutating func logRefusal(_ slot: UInt32, status: UInt16, reason: StaticString) {
        guard logRules.isOn else { return }
        var record = AccessRecord()
        record.flags = .isLocal
        record.status = status
        record.weight = weight(
            isKept: logRules.keepsErrors && status >= 500, sampler: Int(ExchangeNames.commonSampler),
            &record.flags)
        if record.weight == 0 { return }
        if isSecure(carrier(of: slot)) { record.flags.formUnion(.isSecure) }
        record.times[.read] = driver.now &- connections[slot].phaseStartedAt
        record.startedAt = realTimeOffset &+ connections[slot].phaseStartedAt
        record.id = nextNoteID()
        record.client = peer(of: slot)
        record.worker = UInt16(truncatingIfNeeded: worker)
        record.version = isStream(slot) ? 20 : 11
        let name = names.listener(listeners[connections[slot].listener].name)
        var room = InlineArray<512, UInt8>(repeating: 0)
        unsafe withUnsafeMutableBytes(of: &room) { buffer in
            let base = unsafe buffer.baseAddress!.assumingMemoryBound(to: UInt8.self)
            var writer = unsafe AccessTextWriter(base: base, capacity: buffer.count)
            if !name.isEmpty { writer.append(.listener, name, limit: 200) }
            writer.append(.failure, ByteView(reason), limit: 200)
            publish(&record, texts: unsafe ByteView(base: base, count: writer.count))
        }
    }

    /// How many exchanges a record stands for; 0: it is left out.
    private mutating func weight(isKept: Bool, sampler: Int, _ flags: inout AccessRecord.Flags) -> UInt32 {
        if isKept {
            flags.formUnion(.isKept)
            return 1
        }
        // Since a reload there may be fewer.
        let known = sampler < samplers.count ? sampler : Int(ExchangeNames.commonSampler)
        return samplers[known].weight(now: driver.now, &random)
    }

    private mutating func publish(_ record: inout AccessRecord, texts: ByteView) {
        guard let lane = accessLane else { return }
        let fixed = MemoryLayout<AccessRecord>.size
        let size = (fixed &+ texts.count &+ 7) & ~7
        record.size = UInt32(truncatingIfNeeded: size)
        guard let place = unsafe lane.reserve(size) else { return }
        // What is left of the last eight bytes ends the texts.
        unsafe (place + size - 8).storeBytes(of: 0, as: UInt64.self)
        unsafe place.storeBytes(of: record, as: AccessRecord.self)
        unsafe texts.copy(to: (place + fixed).assumingMemoryBound(to: UInt8.self))
        lane.ring.publish(size)
        published.formUnion(.record)
    }

    /// At the end of a turn in which there were records.
    @inline(never)
    mutating func wakeReaders() {
        if published.contains(.record) { accessLane?.ring() }
        if published.contains(.span) { traceLane?.wakeExporter() }
        if published.contains(.event) { recordTurn() }
        // That a turn was long is an event as well, of which nobody need be told.
        published = []
    }

    // MARK: - Beginning and change

    /// Once a second: what monotonic time is in the world's.
    mutating func updateRealTime() {
        realTimeOffset = cposix_realtime_nanoseconds() &- cposix_monotonic_nanoseconds()
    }

    /// Logs as a plan says from now on. Exchanges under way go on with the texts that they have.
    mutating func adopt(_ plan: AccessLogPlan?) {
        samplers = Self.samplers(plan, names.samplers)
        guard plan !== accessLog else { return }
        accessLog = plan
        accessLane = plan?.lanes[worker]
        logRules = plan.map { AccessLogRules($0) } ?? AccessLogRules()
        updateRealTime()
    }

    /// As much as the log wants, or else what spans do.
    mutating func makeRoomForTexts() {
        let ofSpans = traceRules.exports ? TracePlan.textBytes : 0
        let size = accessLog.map { $0.recordSize - MemoryLayout<AccessRecord>.size } ?? ofSpans
        if size > noteTexts.sizeEach {
            // Those that have texts keep them where they are no more: they leave without a record.
            for index in 0..<UInt32(exchanges.highestCount) { notes[index].hasTexts = false }
            noteTexts = NoteTexts(capacity: exchanges.capacity, sizeEach: size)
        }
    }

    /// The one for most, and those of routes behind it.
    private static func samplers(_ plan: AccessLogPlan?, _ routes: [RouteLogConfiguration]) -> [AccessSampler]
    {
        guard let plan else { return [] }
        return ([RouteLogConfiguration()] + routes).map { route in
            AccessSampler(
                sample: route.sample.map { UInt32($0) } ?? plan.sample,
                rate: route.rate.map { UInt32($0) } ?? plan.rate, workers: plan.lanes.count)
        }
    }
}

/// What a turn has left in its worker's rings.
struct PublishedKinds: OptionSet, BitwiseCopyable {
    var rawValue: UInt8
    static var record: PublishedKinds { PublishedKinds(rawValue: 1 << 0) }
    static var span: PublishedKinds { PublishedKinds(rawValue: 1 << 1) }
    /// Of the flight recorder.
    static var event: PublishedKinds { PublishedKinds(rawValue: 1 << 2) }
}

/// Of a plan what every exchange asks: apart from it, so that to ask counts no references.
struct AccessLogRules: BitwiseCopyable {
    private(set) var isOn = false
    private(set) var slow = Int64.max
    private(set) var keepsErrors = false
    private(set) var keepsRequestFields = false
    private(set) var keepsResponseFields = false

    /// Nothing is logged.
    init() {}

    init(_ plan: AccessLogPlan) {
        isOn = true
        slow = plan.slow
        keepsErrors = plan.keepsErrors
        keepsRequestFields = !plan.requestFields.isEmpty
        keepsResponseFields = !plan.responseFields.isEmpty
    }
}
