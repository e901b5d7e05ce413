/// What a dump tells of exchanges, connections and workers, for people and for programs.
struct FlightTimeline {
    let dump: FlightDump

    /// A connection: of which worker, its slot and the slot's generation.
    struct Connection: Hashable, CustomStringConvertible {
        var worker: UInt32
        var slot: UInt32
        var generation: UInt32

        var description: String { "\(worker).\(slot).\(generation)" }

        init(worker: UInt32, slot: UInt32, generation: UInt32) {
            (self.worker, self.slot, self.generation) = (worker, slot, generation)
        }

        /// As timelines name it: `0.12.3`.
        init?(parsing text: String) {
            let parts = text.split(separator: ".", omittingEmptySubsequences: false).map { UInt32($0) }
            guard parts.count == 3, let worker = parts[0], let slot = parts[1], let generation = parts[2]
            else { return nil }
            self.init(worker: worker, slot: slot, generation: generation)
        }
    }

    /// An exchange as far as its events are there.
    struct Exchange {
        var id: UInt64
        var worker: UInt32
        /// nil: it began before the events do.
        var begin: Int64?
        var end: Int64?
        /// nil: it is under way.
        var duration: Int64?
        var status: UInt16 = 0
        var client: Connection?
        /// Of the first and the last of its events.
        var first: Int64
        var last: Int64
    }

    /// A line of a timeline.
    struct Line {
        var time: Int64
        var worker: UInt32
        var name: String
        var text: String
    }

    // MARK: - Finding

    /// The exchanges whose events are there, in the order of their first events.
    var exchanges: [Exchange] {
        var all: [UInt64: Exchange] = [:]
        for ring in dump.rings where ring.number != FlightDump.Ring.recorder {
            for event in ring.events {
                guard let id = event.exchange else { continue }
                var exchange =
                    all[id] ?? Exchange(id: id, worker: ring.number, first: event.time, last: event.time)
                exchange.last = max(exchange.last, event.time)
                exchange.first = min(exchange.first, event.time)
                note(event, ring.number, &exchange)
                all[id] = exchange
            }
        }
        return all.values.sorted { ($0.first, $0.id) < ($1.first, $1.id) }
    }

    private func note(_ event: FlightEvent, _ worker: UInt32, _ exchange: inout Exchange) {
        switch event.kind {
        case .exchangeBegan:
            exchange.begin = event.time
            exchange.client = Connection(worker: worker, slot: event.index, generation: event.generation)
        case .responseBegan, .answeredLocally, .tunnelBegan: exchange.status = event.value
        case .exchangeEnded:
            exchange.end = event.time
            exchange.duration = Int64(clamping: event.b)
            exchange.status = event.value
        default: break
        }
    }

    /// The exchange that is meant where nothing else is said: that which the dump was made for.
    var subject: UInt64? { dump.reason == .slow ? dump.subject : nil }

    // MARK: - Timelines

    /// What happened to an exchange, on its connections, and to its worker meanwhile; nil: no event of it is there.
    func lines(ofExchange id: UInt64) -> (exchange: Exchange, lines: [Line])? {
        guard let exchange = exchanges.first(where: { $0.id == id }),
            let ring = dump.rings.first(where: { $0.number == exchange.worker })
        else { return nil }
        var connections: Set<Connection> = []
        for event in ring.events where event.exchange == id {
            switch event.kind {
            case .exchangeBegan, .connectBegan, .requestSent, .connectFailed:
                connections.insert(
                    Connection(worker: ring.number, slot: event.index, generation: event.generation))
            default: break
            }
        }
        let start =
            exchange.duration.flatMap { duration in exchange.end.map { $0 &- duration } } ?? exchange.first
        let end = exchange.end ?? dump.monotonic
        let lines = select(ring) { event in
            if event.exchange == id { return true }
            if isOf(event, connections, ring.number) { return true }
            let isMeanwhile = event.time >= start && event.time <= end
            return isMeanwhile && (event.kind == .longTurn || event.kind == .adopted)
        }
        return (exchange, merge(lines, stalls(of: ring.number, from: start, to: end)))
    }

    /// What happened on a connection, to all exchanges that came or went by it.
    func lines(of connection: Connection) -> [Line] {
        guard let ring = dump.rings.first(where: { $0.number == connection.worker }) else { return [] }
        var ids: Set<UInt64> = []
        for event in ring.events {
            guard let id = event.exchange, event.index == connection.slot else { continue }
            switch event.kind {
            case .exchangeBegan, .connectBegan, .requestSent, .connectFailed:
                if event.generation == connection.generation { ids.insert(id) }
            default: break
            }
        }
        return select(ring) { event in
            if let id = event.exchange { return ids.contains(id) }
            return isOf(event, [connection], ring.number)
        }
    }

    /// The last events of a worker.
    func lines(ofWorker worker: UInt32, last count: Int) -> [Line] {
        guard let ring = dump.rings.first(where: { $0.number == worker }) else { return [] }
        return merge(select(ring) { _ in true }, stalls(of: worker, from: .min, to: .max)).suffix(count)
    }

    private func isOf(_ event: FlightEvent, _ connections: Set<Connection>, _ worker: UInt32) -> Bool {
        switch event.kind {
        case .accepted, .handshakeDone, .refused, .closed:
            connections.contains(
                Connection(worker: worker, slot: event.index, generation: event.generation))
        default: false
        }
    }

    private func stalls(of worker: UInt32, from start: Int64, to end: Int64) -> [Line] {
        guard let ring = dump.rings.first(where: { $0.number == FlightDump.Ring.recorder }) else { return [] }
        return select(ring) { $0.index == worker && $0.time >= start && $0.time <= end }
    }

    private func merge(_ lines: [Line], _ others: [Line]) -> [Line] {
        // Those of one time stay in their order.
        others.isEmpty
            ? lines
            : (lines + others).enumerated().sorted {
                ($0.element.time, $0.offset) < ($1.element.time, $1.offset)
            }
            .map(\.element)
    }

    private func select(_ ring: FlightDump.Ring, _ isWanted: (FlightEvent) -> Bool) -> [Line] {
        var lines: [Line] = []
        // Before the first change of names they are those that the change tells of.
        let change = ring.events.first { $0.kind == .adopted }
        var snapshot = change.map(\.b) ?? ring.snapshot
        for event in ring.events {
            if event.kind == .adopted { snapshot = event.a }
            guard isWanted(event) else { continue }
            let words = FlightWords(names: dump.names[snapshot] ?? FlightNames(), worker: ring.number)
            lines.append(
                Line(
                    time: event.time, worker: ring.number,
                    name: event.kind.map { "\($0)" } ?? "unknown", text: words.describe(event)))
        }
        return lines
    }

    /// What of a dump's frames is known by name to this program: only if it is the one that crashed.
    func frameNames(programBase: UInt64, programSize: UInt64, name: ([UInt64]) -> [String]) -> [String] {
        dump.frames.map { address in
            let offset = address &- dump.programBase
            guard offset < dump.programSize else { return "0x" + String(address, radix: 16) }
            if dump.programSize == programSize { return name([programBase &+ offset])[0] }
            return "program+0x" + String(offset, radix: 16)
        }
    }
}

/// Events in words.
struct FlightWords {
    let names: FlightNames
    let worker: UInt32

    private static let methods = [
        "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "another method",
    ]

    func describe(_ event: FlightEvent) -> String {
        guard let kind = event.kind else { return "an event that this version does not know" }
        let connection = FlightTimeline.Connection(
            worker: worker, slot: event.index, generation: event.generation)
        switch kind {
        case .exchangeBegan:
            let count = event.upper
            let which = count <= 1 ? "its first" : "number \(count) of it"
            let what =
                event.detail == 0 ? "a relayed connection" : "\(method(event)) over \(version(event.detail))"
            return "\(what) on connection \(connection), \(which), listener \(listener(event.value))"
        case .routed:
            return
                "takes route \(names.route(event.index, of: event.value) ?? "\(event.value)[\(event.index)]")"
        case .stageEntered:
            return "\(stage(event.detail)): \(stageText(event.detail))\(target(event.value, event.index))"
        case .retried: return "tries again\(target(event.value, event.index)), after \(failure(event.detail))"
        case .connectBegan:
            return "connects upstream: connection \(connection), descriptor \(Int32(bitPattern: event.upper))"
        case .connectFailed: return "connection \(connection) failed: \(failure(event.detail))"
        case .requestSent:
            let sent = FlightEvent.Sent(rawValue: event.detail)
            let how = [
                sent.contains(.isReused) ? "reused" : "new", sent.contains(.isSecure) ? "TLS" : nil,
                sent.contains(.isStream) ? "HTTP/2" : nil,
            ].compactMap { $0 }.joined(separator: ", ")
            return "request sent by connection \(connection) (\(how))\(target(event.value, event.upper))"
        case .responseBegan: return "response \(event.value) begins"
        case .answeredLocally: return "answered by the proxy: \(event.value)"
        case .tunnelBegan: return event.value == 0 ? "relays" : "becomes a tunnel (\(event.value))"
        case .failed: return "fails: \(failure(event.detail))"
        case .cut: return "the response is cut short: \(failure(event.detail))"
        case .aborted: return "the client went away"
        case .exchangeEnded:
            let why = event.detail == 0 ? "" : ", failed: \(failure(event.detail))"
            return
                "ends with \(event.value == 0 ? "no status" : "\(event.value)") after \(Self.time(Int64(clamping: event.b)))\(why)"
        case .stageTotal: return "in all, \(stage(event.detail)): \(Self.time(Int64(clamping: event.b)))"
        case .total:
            let times = event.detail == 1 ? "once" : "\(event.detail) times"
            return "in all, sent \(times)\(target(event.value, event.index)), \(event.b) bytes of response"
        case .accepted:
            return
                "connection \(connection) accepted, descriptor \(Int32(bitPattern: event.upper)), listener \(listener(event.value))"
        case .handshakeDone: return "connection \(connection): TLS handshake done"
        case .refused: return "connection \(connection): a request is refused with \(event.value)"
        case .closed: return "connection \(connection) \(closed(event))"
        case .longTurn: return "the worker took \(Self.time(Int64(clamping: event.a))) for this turn"
        case .adopted: return "names and settings of snapshot \(event.a) from here on"
        case .stalled:
            let cause =
                event.detail < StallCause.allCases.count ? StallCause.allCases[Int(event.detail)].label : "?"
            return
                "worker \(event.index) in one turn for \(Self.time(Int64(clamping: event.a))) now (\(cause), \(Self.time(Int64(clamping: event.b))) on a CPU)"
        case .stallEnded:
            return "worker \(event.index) goes on, after about \(Self.time(Int64(clamping: event.a)))"
        }
    }

    private func closed(_ event: FlightEvent) -> String {
        let how = FlightEvent.Closed(rawValue: event.value)
        var text = "closes while \(Connection.Phase(rawValue: event.detail).map { "\($0)" } ?? "?")"
        if how.contains(.peerEnded) { text += ", the peer has ended its side" }
        if how.contains(.weEnded) { text += ", we have ended ours" }
        if how.contains(.isReset) { text += ", with a reset" }
        return text + ", after \(event.upper) request\(event.upper == 1 ? "" : "s")"
    }

    private func method(_ event: FlightEvent) -> String {
        let number = Int(truncatingIfNeeded: event.b >> 24 & 0xFF)
        return number < Self.methods.count ? Self.methods[number] : "?"
    }

    private func version(_ detail: UInt8) -> String {
        switch detail {
        case 10: "HTTP/1.0"
        case 11: "HTTP/1.1"
        case 20: "HTTP/2"
        default: "?"
        }
    }

    private func listener(_ number: UInt16) -> String { names.listener(number) ?? "\(number)" }

    private func target(_ cluster: UInt16, _ endpoint: UInt32) -> String {
        var text = ""
        if cluster != FlightEvent.noName { text += ", cluster \(names.cluster(cluster) ?? "\(cluster)")" }
        if endpoint != Slot.none { text += ", endpoint \(names.endpoint(endpoint) ?? "\(endpoint)")" }
        return text
    }

    private func failure(_ detail: UInt8) -> String {
        ProxyError(rawValue: detail).map { "\($0.label)" } ?? "?"
    }

    private func stage(_ detail: UInt8) -> String {
        Ledger.Stage(rawValue: detail).map { "\($0.label)" } ?? "?"
    }

    private func stageText(_ detail: UInt8) -> String {
        switch Ledger.Stage(rawValue: detail) {
        case .queue: "waits at the gate of its cluster, or for a place"
        case .pool: "waits for a connection of others"
        case .resolve: "waits for addresses"
        case .connect: "connects"
        case .tls: "TLS handshake with the endpoint"
        default: "begins"
        }
    }

    /// `12.345 ms`.
    static func time(_ nanoseconds: Int64) -> String {
        let microseconds = nanoseconds / 1000
        let rest = "\(abs(microseconds % 1000))"
        let sign = microseconds < 0 && microseconds > -1000 ? "-" : ""
        return "\(sign)\(microseconds / 1000)." + String(repeating: "0", count: 3 - rest.utf8.count) + rest
            + " ms"
    }
}
