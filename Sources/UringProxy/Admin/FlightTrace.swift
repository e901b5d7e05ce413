internal import CPosix

/// What `uproxy trace` shows: a dump of the flight recorder, out of a file or of a running process.
public struct FlightTrace {
    public enum Format: String, Sendable, CaseIterable { case text, json }

    private static let sizeLimit = 1 << 30

    private let timeline: FlightTimeline
    private var dump: FlightDump { timeline.dump }

    init(_ dump: FlightDump) { timeline = FlightTimeline(dump: dump) }

    /// Of a file.
    public init(reading path: String) throws(StartError) {
        let bytes: [UInt8]
        do throws(SystemCallError) { bytes = try WholeFile.read(path, limitBytes: Self.sizeLimit) } catch {
            throw StartError(
                message: "\(path) cannot be read: \(error.reasonOfFile(limitBytes: Self.sizeLimit))")
        }
        do throws(FlightError) { self.init(try FlightDump(parsing: bytes)) } catch {
            throw StartError(message: "\(path): \(error.message)")
        }
    }

    /// Of the process with this admin listener.
    public init(asking client: AdminClient) throws(StartError) {
        let bytes = try client.flightRecorder(sizeLimit: Self.sizeLimit)
        do throws(FlightError) { self.init(try FlightDump(parsing: bytes)) } catch {
            throw StartError(message: "what \(client.address) sent: \(error.message)")
        }
    }

    // MARK: - What is shown

    /// What the dump is, and what it was made for.
    public func overview(_ format: Format) -> String {
        let count = dump.rings.reduce(0) { $0 + $1.events.count }
        let workers = dump.rings.count { $0.number != FlightDump.Ring.recorder }
        let frames = frameNames
        if format == .json {
            return JSONText.object { json in
                json.member("reason", dump.reason.label)
                json.member("process", dump.process)
                json.member("time", time(dump.monotonic))
                json.member("version", dump.version)
                json.member("workers", workers)
                json.member("events", count)
                if dump.reason == .crash { json.member("signal", dump.subject) }
                if dump.reason == .stall { json.member("worker", dump.subject) }
                if let id = timeline.subject { json.member("exchange", exchangeID(id)) }
                if !frames.isEmpty { json.array("frames", frames) }
            }
        }
        var text =
            "\(dump.reason.label): uproxy \(dump.version), process \(dump.process), \(time(dump.monotonic)), \(count) events of \(workers) worker\(workers == 1 ? "" : "s")\n"
        switch dump.reason {
        case .crash: text += "signal \(dump.subject) in thread \(dump.detail)\n"
        case .stall:
            text +=
                "worker \(dump.subject) was in one turn for \(FlightWords.time(Int64(clamping: dump.detail)))\n"
        case .slow: text += "exchange \(exchangeID(dump.subject))\n"
        case .demand: break
        }
        for (number, frame) in frames.enumerated() { text += "  #\(number) \(frame)\n" }
        return text
    }

    /// That which the dump was made for: the slow exchange, or the last events of a worker that hung; empty if there is no such thing.
    public func subject(_ format: Format) -> String {
        if let id = timeline.subject { return exchange(id, format) ?? "" }
        guard dump.reason == .stall || dump.reason == .crash else { return "" }
        let workers =
            dump.reason == .stall
            ? [UInt32(truncatingIfNeeded: dump.subject)]
            : dump.rings.map(\.number).filter { $0 != FlightDump.Ring.recorder }
        return workers.map { worker in
            let lines = timeline.lines(ofWorker: worker, last: 20)
            if lines.isEmpty { return "" }
            return format == .json
                ? JSONText.object { json in
                    json.member("worker", worker)
                    events(lines, from: lines[0].time, &json)
                }
                : "\nworker \(worker), its last events\n" + table(lines, from: lines[0].time)
        }.joined()
    }

    /// The timeline of an exchange; nil if no event of it is there.
    public func exchange(_ id: UInt64, _ format: Format) -> String? {
        guard let (exchange, lines) = timeline.lines(ofExchange: id) else { return nil }
        let start =
            exchange.duration.flatMap { duration in exchange.end.map { $0 &- duration } } ?? exchange.first
        if format == .json {
            return JSONText.object { json in
                json.member("exchange", exchangeID(id))
                json.member("worker", exchange.worker)
                json.member("start", time(start))
                json.member("status", exchange.status)
                if let duration = exchange.duration { json.member("duration_ms", Double(duration) / 1e6) }
                json.member("complete", exchange.begin != nil && exchange.end != nil)
                events(lines, from: start, &json)
            }
        }
        var text = "exchange \(exchangeID(id)), worker \(exchange.worker), began \(time(start))"
        if let duration = exchange.duration {
            text += ", took \(FlightWords.time(duration))"
        } else {
            text += ", under way for \(FlightWords.time(dump.monotonic &- start))"
        }
        if exchange.begin == nil { text += "; its first events are overwritten" }
        return text + "\n" + table(lines, from: start)
    }

    /// The timeline of a connection; nil if no event of it is there.
    ///
    /// - Parameter name: as timelines have it, `WORKER.SLOT.GENERATION`.
    /// - Throws: what is wrong with the name.
    public func connection(_ name: String, _ format: Format) throws(OptionSyntaxError) -> String? {
        guard let connection = FlightTimeline.Connection(parsing: name) else {
            throw OptionSyntaxError(
                "\(quoted(name)) is no connection: write it as timelines do, WORKER.SLOT.GENERATION")
        }
        let lines = timeline.lines(of: connection)
        guard let first = lines.first else { return nil }
        if format == .json {
            return JSONText.object { json in
                json.member("connection", "\(connection)")
                events(lines, from: first.time, &json)
            }
        }
        return "connection \(connection), since \(time(first.time))\n" + table(lines, from: first.time)
    }

    /// The exchanges that there are, or the slowest of them, a line each.
    ///
    /// - Parameter slowest: so many; nil: all, in the order in which they began.
    public func list(slowest: Int?, _ format: Format) -> String {
        var all = timeline.exchanges
        func duration(_ exchange: FlightTimeline.Exchange) -> Int64 {
            exchange.duration ?? dump.monotonic &- exchange.first
        }
        if let slowest {
            all = Array(all.sorted { duration($0) > duration($1) }.prefix(slowest))
        }
        return all.map { exchange in
            let isDone = exchange.duration != nil
            if format == .json {
                return JSONText.object { json in
                    json.member("exchange", exchangeID(exchange.id))
                    json.member("worker", exchange.worker)
                    json.member("start", time(exchange.first))
                    json.member("duration_ms", Double(duration(exchange)) / 1e6)
                    json.member("under_way", !isDone)
                    json.member("status", exchange.status)
                    if let client = exchange.client { json.member("connection", "\(client)") }
                }
            }
            let client = exchange.client.map { "  connection \($0)" } ?? ""
            let status = exchange.status == 0 ? "-" : "\(exchange.status)"
            return
                "\(exchangeID(exchange.id))  \(time(exchange.first))  \(Self.right(FlightWords.time(duration(exchange)), 14))  \(isDone ? status : "under way")\(client)\n"
        }.joined()
    }

    // MARK: - How

    private var frameNames: [String] {
        if !dump.text.isEmpty { return dump.text.split(separator: "\n").map(String.init) }
        var base: UInt64 = 0
        var size: UInt64 = 0
        unsafe cposix_program_range(&base, &size)
        return timeline.frameNames(programBase: base, programSize: size) { FunctionNames.of($0) }
    }

    private func table(_ lines: [FlightTimeline.Line], from start: Int64) -> String {
        // What came before it on its connections has times below zero.
        var before = min(start, lines.first?.time ?? start)
        return lines.map { line in
            defer { before = line.time }
            let since = line.time == before ? "" : "+" + FlightWords.time(line.time &- before)
            return
                "\(Self.right(FlightWords.time(line.time &- start), 14)) \(Self.right(since, 14))  \(line.text)\n"
        }.joined()
    }

    private func events(_ lines: [FlightTimeline.Line], from start: Int64, _ json: inout JSONText) {
        json.array("events", lines) { json, line in
            json.object { json in
                json.member("at_ms", Double(line.time &- start) / 1e6)
                json.member("time", time(line.time))
                json.member("event", line.name)
                json.member("text", line.text)
            }
        }
    }

    private func time(_ monotonic: Int64) -> String {
        let real = dump.realtime &- dump.monotonic &+ monotonic
        let seconds = real / 1_000_000_000
        let stamp = Array(AccessLogRotation.stamp(seconds))
        guard stamp.count == 16 else { return "?" }
        func part(_ range: Range<Int>) -> String { String(stamp[range]) }
        let micros = "\(real % 1_000_000_000 / 1000)"
        return
            "\(part(0..<4))-\(part(4..<6))-\(part(6..<8))T\(part(9..<11)):\(part(11..<13)):\(part(13..<15))."
            + String(repeating: "0", count: max(0, 6 - micros.utf8.count)) + micros + "Z"
    }

    private static func right(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(0, width - text.count)) + text
    }
}
