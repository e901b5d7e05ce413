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
        let bytes = try client.flightRecorder()
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
            var members = [
                "\"reason\": \(jsonString(dump.reason.label))", "\"process\": \(dump.process)",
                "\"time\": \(jsonString(time(dump.monotonic)))", "\"version\": \(jsonString(dump.version))",
                "\"workers\": \(workers)", "\"events\": \(count)",
            ]
            if dump.reason == .crash { members.append("\"signal\": \(dump.subject)") }
            if dump.reason == .stall { members.append("\"worker\": \(dump.subject)") }
            if let id = timeline.subject { members.append("\"exchange\": \"\(Self.hexadecimal(id))\"") }
            if !frames.isEmpty {
                members.append("\"frames\": [\(frames.map(jsonString).joined(separator: ", "))]")
            }
            return "{\(members.joined(separator: ", "))}\n"
        }
        var text =
            "\(dump.reason.label): uproxy \(dump.version), process \(dump.process), \(time(dump.monotonic)), \(count) events of \(workers) worker\(workers == 1 ? "" : "s")\n"
        switch dump.reason {
        case .crash: text += "signal \(dump.subject) in thread \(dump.detail)\n"
        case .stall:
            text +=
                "worker \(dump.subject) was in one turn for \(FlightWords.time(Int64(clamping: dump.detail)))\n"
        case .slow: text += "exchange \(Self.hexadecimal(dump.subject))\n"
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
                ? json("\"worker\": \(worker)", lines)
                : "\nworker \(worker), its last events\n" + table(lines, from: lines[0].time)
        }.joined()
    }

    /// The timeline of an exchange; nil if no event of it is there.
    public func exchange(_ id: UInt64, _ format: Format) -> String? {
        guard let (exchange, lines) = timeline.lines(ofExchange: id) else { return nil }
        let start =
            exchange.duration.flatMap { duration in exchange.end.map { $0 &- duration } } ?? exchange.first
        if format == .json {
            var members = "\"exchange\": \"\(Self.hexadecimal(id))\", \"worker\": \(exchange.worker), "
            members += "\"start\": \(jsonString(time(start))), \"status\": \(exchange.status)"
            if let duration = exchange.duration {
                members += ", \"duration_ms\": \(Self.milliseconds(duration))"
            }
            members += ", \"complete\": \(exchange.begin != nil && exchange.end != nil)"
            return json(members, lines, from: start)
        }
        var text = "exchange \(Self.hexadecimal(id)), worker \(exchange.worker), began \(time(start))"
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
        if format == .json { return json("\"connection\": \"\(connection)\"", lines) }
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
                let client = exchange.client.map { ", \"connection\": \"\($0)\"" } ?? ""
                return
                    "{\"exchange\": \"\(Self.hexadecimal(exchange.id))\", \"worker\": \(exchange.worker), \"start\": \(jsonString(time(exchange.first))), \"duration_ms\": \(Self.milliseconds(duration(exchange))), \"under_way\": \(!isDone), \"status\": \(exchange.status)\(client)}\n"
            }
            let client = exchange.client.map { "  connection \($0)" } ?? ""
            let status = exchange.status == 0 ? "-" : "\(exchange.status)"
            return
                "\(Self.hexadecimal(exchange.id))  \(time(exchange.first))  \(Self.right(FlightWords.time(duration(exchange)), 14))  \(isDone ? status : "under way")\(client)\n"
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

    private func json(_ members: String, _ lines: [FlightTimeline.Line], from start: Int64? = nil) -> String {
        let start = start ?? lines.first?.time ?? 0
        let events = lines.map { line in
            "{\"at_ms\": \(Self.milliseconds(line.time &- start)), \"time\": \(jsonString(time(line.time))), \"event\": \(jsonString(line.name)), \"text\": \(jsonString(line.text))}"
        }
        return "{\(members), \"events\": [\(events.joined(separator: ", "))]}\n"
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

    private static func milliseconds(_ nanoseconds: Int64) -> String {
        String(FlightWords.time(nanoseconds).dropLast(3))
    }

    /// As access logs write ids.
    static func hexadecimal(_ id: UInt64) -> String {
        let digits = String(id, radix: 16)
        return String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }

    private static func right(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(0, width - text.count)) + text
    }
}
