internal import Synchronization

// What the worker tells of itself to who asks (`Inspection`). Never on a request's way: a few slots in a turn, and only while somebody
// has asked.
extension Engine where D: ~Copyable {
    /// Slots that are looked at in one turn: some 20 µs.
    private static var slotsPerTurn: UInt32 { 512 }
    /// Of what is told of, in one turn: texts have to be made of each.
    private static var viewsPerTurn: Int { 32 }

    /// Goes on with an answer; whether it is whole then, and told.
    @inline(never)
    mutating func goOn(with inspection: Inspection) -> Bool {
        let question = inspection.question
        // Nobody else has it: it is in no time of anybody's.
        var progress = inspection.progress.withLock { $0 }
        switch progress.part {
        case .exchanges: inspectExchanges(question, &progress)
        case .views: viewExchanges(&progress)
        case .connections: inspectConnections(question, &progress)
        case .endpoints: inspectEndpoints(&progress)
        case .done: return true
        }
        if progress.part == .done {
            progress.answer.memory = memory
            inspection.say(progress.answer)
        }
        let left = progress
        inspection.progress.withLock { $0 = left }
        return left.part == .done
    }

    // MARK: - Exchanges

    private mutating func inspectExchanges(
        _ question: Inspection.Question, _ progress: inout Inspection.Progress
    ) {
        let end = min(UInt32(exchanges.highestCount), progress.next + Self.slotsPerTurn)
        for index in progress.next..<max(progress.next, end) where exchanges.isOccupied(index) {
            let state = exchanges[index].state
            progress.answer.exchangeStates[Int(state.rawValue)] += 1
            if question.exchanges == 0 || state == .tunnelling && !question.includesTunnels { continue }
            if let id = question.exchangeID, !notes[index].isKept || notes[index].id != id { continue }
            let startedAt = exchanges[index].startedAt
            if progress.oldest.count == question.exchanges {
                if startedAt >= progress.oldest[progress.oldest.count - 1].startedAt { continue }
                progress.oldest.removeLast()
            }
            let place = progress.oldest.firstIndex { $0.startedAt > startedAt } ?? progress.oldest.count
            progress.oldest.insert((startedAt, index, exchanges.generation(index)), at: place)
        }
        progress.next = end
        if end == UInt32(exchanges.highestCount) { (progress.part, progress.next) = (.views, 0) }
    }

    private mutating func viewExchanges(_ progress: inout Inspection.Progress) {
        let end = min(progress.oldest.count, Int(progress.next) + Self.viewsPerTurn)
        for (_, index, generation) in progress.oldest[Int(progress.next)..<end]
        // It may have ended meanwhile.
        where exchanges.isOccupied(index) && exchanges.generation(index) == generation {
            progress.answer.exchanges.append(view(ofExchange: index))
        }
        progress.next = UInt32(end)
        if end == progress.oldest.count { (progress.part, progress.next) = (.connections, 0) }
    }

    private mutating func view(ofExchange index: UInt32) -> ExchangeView {
        let exchange = exchanges.tenant(index)
        var view = ExchangeView()
        view.worker = worker
        view.state = exchange.state.label
        view.kind = exchange.kind.label
        view.age = driver.now - exchange.startedAt
        view.version =
            exchange.isRelay ? "tcp" : isStream(exchange.downstream) ? "2" : version(exchange.version)
        view.attempts = Int(exchange.requestsSent)
        view.isRequestDone = exchange.requestDone
        view.downstream = exchange.downstream
        view.upstream = exchange.upstream == Slot.none ? nil : exchange.upstream
        view.listener = String(listenerOf: exchange.downstream, self)
        if connections[exchange.downstream].phase != .detached {
            view.client = peer(of: exchange.downstream).description
        }
        if exchange.cluster != Exchange.noCluster {
            view.cluster = clusters.plans[Int(exchange.cluster)].name
        }
        if exchange.endpoint != Slot.none {
            view.endpoint = String(endpointName(exchange.endpoint, forHost: false))
        }
        if notes[index].isKept {
            let ledger = notes[index].ledger
            view.id = notes[index].id
            view.stage = ledger.stage.label
            view.stageAge = driver.now - ledger.enteredAt
            view.age = ledger.times.total + view.stageAge
            view.requestBytes = requestBytes(index)
        }
        fillTexts(index, &view)
        view.waitsFor = waitsFor(index, endpoint: view.endpoint, cluster: view.cluster)
        return view
    }

    private func version(_ version: HTTPVersion) -> StaticString { version == .http11 ? "1.1" : "1.0" }

    /// What the request said: as the log's texts have it, or the head that is kept to be sent again.
    private func fillTexts(_ index: UInt32, _ view: inout ExchangeView) {
        let exchange = exchanges.tenant(index)
        if !exchange.isRelay && exchange.method != .other { view.method = "\(exchange.method)".uppercased() }
        if notes[index].isKept && notes[index].hasTexts {
            var reader = AccessTextReader(noteTexts.view(index, count: Int(notes[index].textsSize)))
            while let (kind, _, text) = reader.next() {
                switch AccessText(rawValue: kind) {
                case .method: view.method = String(text)
                case .target: view.path = Self.path(of: text)
                case .host: view.host = String(text)
                case .route: view.route = String(text)
                default: continue
                }
            }
            return
        }
        guard exchange.request.size > 0 else { return }
        let head = segments.view(exchange.request).dropFirst(Int(exchange.proxyHeaderSize))
        var spaces: [Int] = []
        for place in 0..<min(head.count, 2048) {
            if head[place] == 0x0D { break }
            if head[place] == 0x20 { spaces.append(place) }
        }
        guard spaces.count == 2 else { return }
        view.method = String(head[0..<spaces[0]])
        view.path = Self.path(of: head[spaces[0] + 1..<spaces[1]])
    }

    /// A target without its query.
    private static func path(of target: ByteView) -> String {
        var end = 0
        while end < target.count, target[end] != UInt8(ascii: "?"), end < 512 { end += 1 }
        return String(target[0..<end])
    }

    private func waitsFor(_ index: UInt32, endpoint: String, cluster: String) -> String {
        let exchange = exchanges.tenant(index)
        switch exchange.state {
        case .queued: return "its turn at cluster \(cluster)"
        case .awaitingPlace: return "a connection's place at cluster \(cluster)"
        case .resolving: return "the addresses of \(endpoint)"
        case .awaitingStream: return "a stream of a connection to \(endpoint)"
        case .awaitingOffer: return "a connection to \(endpoint) of another worker's"
        case .authenticating: return "its credentials to be checked"
        case .connecting:
            let attempt = exchange.attempts.0
            let isSecuring = attempt != Slot.none && connections[attempt].phase == .securing
            return isSecuring ? "a TLS handshake with \(endpoint)" : "a connection to \(endpoint)"
        case .forwarding:
            if exchange.requestDone { return "the answer of \(endpoint)" }
            let isHeldUp = exchange.upstream != Slot.none && connections[exchange.upstream].isCongested
            return isHeldUp ? "\(endpoint) to take the request" : "the rest of the request"
        case .responding:
            let slot = exchange.downstream
            return connections[slot].isSending || isHeldUp(slot)
                ? "the client to take the answer" : "more of the answer of \(endpoint)"
        case .tunnelling: return "bytes of either side"
        }
    }

    // MARK: - Connections

    private mutating func inspectConnections(
        _ question: Inspection.Question, _ progress: inout Inspection.Progress
    ) {
        let highest = UInt32(connections.highestCount)
        let end = min(highest, progress.next + Self.slotsPerTurn)
        var slot = progress.next
        var views = 0
        while slot < end && views < Self.viewsPerTurn {
            defer { slot += 1 }
            guard connections.isOccupied(slot) else { continue }
            let (side, phase) = (connections[slot].side, connections[slot].phase)
            switch side {
            case .downstream: progress.answer.downstreamPhases[Int(phase.rawValue)] += 1
            case .upstream: progress.answer.upstreamPhases[Int(phase.rawValue)] += 1
            }
            if question.connections == 0 { continue }
            if let wanted = question.side, side != wanted { continue }
            if let wanted = question.phase, phase != wanted { continue }
            progress.answer.connectionCount += 1
            if progress.answer.connections.count < question.connections {
                progress.answer.connections.append(view(ofConnection: slot))
                views += 1
            }
        }
        progress.next = slot
        if slot >= highest { (progress.part, progress.next) = (.endpoints, 0) }
    }

    private mutating func view(ofConnection slot: UInt32) -> ConnectionView {
        var view = ConnectionView()
        let connection = connections[slot]
        view.worker = worker
        view.slot = slot
        view.descriptor = connection.descriptor
        view.side = connection.side
        view.phase = connection.phase
        view.phaseAge = driver.now - connection.phaseStartedAt
        view.idle = driver.now - max(connection.lastReceivedAt, connection.lastSentAt)
        view.requests = connection.requestCount
        view.inputBytes = Int(connection.input.byteCount)
        view.outputBytes = Int(connection.output.byteCount)
        view.isStream = isStream(slot)
        view.isSecure = isSecure(carrier(of: slot))
        if connection.phase == .multiplexing { view.streams = Int(http2[slot].streamCount) }
        switch connection.side {
        case .downstream:
            if connection.phase != .detached && connection.phase != .closing {
                view.peer = peer(of: slot).description
            }
            view.listener = String(listenerOf: slot, self)
        case .upstream:
            view.isReused = connection.isReused
            if connection.endpoint != Slot.none {
                view.peer = String(endpointName(connection.endpoint, forHost: false))
            }
        }
        return view
    }

    // MARK: - Pools

    private mutating func inspectEndpoints(_ progress: inout Inspection.Progress) {
        let end = min(UInt32(endpoints.slab.highestCount), progress.next + Self.slotsPerTurn / 4)
        for index in progress.next..<max(progress.next, end) where endpoints.slab.isOccupied(index) {
            let endpoint = endpoints.slab.tenant(index)
            var pool = PoolView()
            pool.idle = Int(endpoint.idleCount)
            pool.inUse = Int(endpoint.inUse)
            pool.waiting = Int(endpoint.awaitingCount)
            if endpoint.fixedIndex >= 0 {
                let (cluster, place) = clusters.place(of: Int(endpoint.fixedIndex))
                pool.cluster = clusters.plans[cluster].name
                pool.endpoint = clusters.plans[cluster].endpoints[place].identity
                pool.underWay = Int(clusters.inFlight(Int(endpoint.fixedIndex)))
                progress.answer.pools.append(pool)
            } else {
                progress.found.idle += pool.idle
                progress.found.inUse += pool.inUse
                progress.found.waiting += pool.waiting
            }
        }
        progress.next = end
        if end < UInt32(endpoints.slab.highestCount) { return }
        progress.answer.pools.append(progress.found)
        progress.part = .done
    }

    // MARK: - Memory

    /// What slots have been used takes memory from then on: their pages were touched.
    private var memory: WorkerMemory {
        var memory = WorkerMemory()
        memory.connections = connections.highestCount * MemoryLayout<Connection>.stride
        memory.exchanges = exchanges.highestCount * MemoryLayout<Exchange>.stride
        if keepsNotes { memory.exchanges += exchanges.highestCount * MemoryLayout<ExchangeNotes>.stride }
        memory.endpoints = endpoints.slab.highestCount * MemoryLayout<Endpoint>.stride
        memory.buffers = arena.leasedBytes
        memory.texts = exchanges.highestCount * noteTexts.sizeEach
        memory.histograms = histograms.sizeBytes
        return memory
    }
}

extension String {
    /// What bytes say, if they are of a peer's.
    fileprivate init(_ bytes: ByteView) {
        self = unsafe String(
            decoding: UnsafeBufferPointer(start: bytes.pointer, count: bytes.count), as: UTF8.self)
    }

    fileprivate init<D: Driver & ~Copyable>(listenerOf slot: UInt32, _ engine: borrowing Engine<D>) {
        self.init(engine.names.listener(engine.listeners[engine.connections[slot].listener].name))
    }
}
