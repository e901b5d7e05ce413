import Testing

@testable import UringProxy

@Suite("Dumps of the flight recorder")
struct FlightDumpTests {
    private static let id: UInt64 = 1 << 48 | 7

    /// An exchange on worker 1: connection 5 of generation 3, upstream connection 9 of generation 4.
    private static func dump() -> FlightDump {
        var names = FlightNames()
        names.listeners = ["127.0.0.1:80"]
        names.routes = [["one", "two"], []]
        names.clusters = ["api", "a b"]
        names.endpoints = ["e0", "unix:/tmp/x y"]
        var older = names
        older.clusters = ["gone"]
        let start: Int64 = 5_000_000_000
        var dump = FlightDump(.slow, version: "1.2.3", subject: id, detail: 0)
        dump.monotonic = start + 2_000_000_000
        dump.names = [4: older, 5: names]
        dump.rings = [
            FlightDump.Ring(number: 0, first: 0, snapshot: 5, events: []),
            FlightDump.Ring(
                number: 1, first: 100, snapshot: 5,
                events: [
                    FlightEvent(.stageEntered, at: start - 3, detail: 1, value: 0, index: Slot.none, a: 3),
                    FlightEvent(.adopted, at: start - 2, a: 5, b: 4),
                    FlightEvent(.accepted, at: start - 1, value: 0, index: 5, b: 30 << 32 | 3),
                    FlightEvent(
                        .exchangeBegan, at: start, detail: 11, value: 0, index: 5, a: id, b: 1 << 32 | 3),
                    FlightEvent(.exchangeBegan, at: start, detail: 11, value: 0, index: 6, a: 99, b: 3),
                    FlightEvent(.routed, at: start, value: 0, index: 1, a: id),
                    FlightEvent(.connectBegan, at: start, value: 1, index: 9, a: id, b: 31 << 32 | 4),
                    FlightEvent(
                        .requestSent, at: start + 1_000_000, detail: 0, value: 1, index: 9, a: id,
                        b: 1 << 32 | 4),
                    FlightEvent(.closed, at: start + 1_500_000, detail: 6, value: 0, index: 9, b: 3),
                    FlightEvent(.longTurn, at: start + 2_000_000, a: 3_000_000, b: 0),
                    FlightEvent(.responseBegan, at: start + 1_200_000_000, value: 200, index: 9, a: id),
                    FlightEvent(
                        .exchangeEnded, at: start + 1_200_000_000, value: 200, index: 5, a: id,
                        b: 1_200_000_000),
                    FlightEvent(.stageTotal, at: start + 1_200_000_000, detail: 8, a: id, b: 1_199_000_000),
                    FlightEvent(.longTurn, at: start + 1_900_000_000, a: 3_000_000, b: 0),
                ]),
            FlightDump.Ring(
                number: FlightDump.Ring.recorder, first: 0, snapshot: 0,
                events: [
                    FlightEvent(.stalled, at: start + 3_000_000, detail: 1, index: 1, a: 40_000_000, b: 1000),
                    FlightEvent(.stalled, at: start + 3_000_000, detail: 1, index: 0, a: 41_000_000, b: 1000),
                ]),
        ]
        return dump
    }

    @Test("A dump is read as it was written")
    func roundTrip() throws {
        var dump = Self.dump()
        dump.text = "one\ntwo"
        dump.frames = [1, .max]
        dump.programBase = 4096
        dump.programSize = 77
        let read = try FlightDump(parsing: dump.encoded)
        #expect(read.reason == .slow)
        #expect(read.subject == Self.id)
        #expect(read.version == "1.2.3")
        #expect(read.names == dump.names)
        #expect(read.text == dump.text)
        #expect(read.frames == dump.frames)
        #expect(read.programSize == 77)
        #expect(read.monotonic == dump.monotonic && read.realtime == dump.realtime)
        #expect(read.rings.map(\.number) == [0, 1, FlightDump.Ring.recorder])
        #expect(read.rings.map(\.events) == dump.rings.map(\.events))
        #expect(read.rings[1].first == 100 && read.rings[1].snapshot == 5)
    }

    @Test("A file that is cut, or something else, is refused or read as far as it goes, wherever it is cut")
    func broken() {
        let bytes = Self.dump().encoded
        for count in 0..<bytes.count {
            guard let dump = try? FlightDump(parsing: Array(bytes[..<count])) else {
                if count >= 64 { Issue.record("nothing of \(count) bytes") }
                continue
            }
            #expect(dump.rings.count <= 3)
        }
        var other = bytes
        other[8] = 2
        #expect(throws: FlightError(message: "it is of version 2, and this program reads 1")) {
            try FlightDump(parsing: other)
        }
        other = bytes
        // A section that claims to be larger than anything.
        for index in 72..<80 { other[index] = 0xFF }
        #expect((try? FlightDump(parsing: other))?.rings.isEmpty == true)
        var random = SystemRandomNumberGenerator()
        for _ in 0..<200 {
            other = bytes
            for _ in 0..<8 {
                other[Int.random(in: 8..<other.count, using: &random)] = .random(in: 0...255, using: &random)
            }
            guard let dump = try? FlightDump(parsing: other) else { continue }
            let trace = FlightTrace(dump)
            _ = trace.overview(.text) + trace.subject(.text) + trace.list(slowest: nil, .json)
        }
    }

    @Test(
        "The timeline of an exchange has its events, those of its connections, and what its worker did meanwhile"
    )
    func exchange() throws {
        let timeline = FlightTimeline(dump: Self.dump())
        let (exchange, lines) = try #require(timeline.lines(ofExchange: Self.id))
        #expect(exchange.worker == 1)
        #expect(exchange.duration == 1_200_000_000)
        #expect(
            lines.map(\.name) == [
                "accepted", "exchangeBegan", "routed", "connectBegan", "requestSent", "longTurn", "stalled",
                "responseBegan", "exchangeEnded", "stageTotal",
            ])
        #expect(lines[2].text == "takes route two")
        #expect(
            lines[4].text == "request sent by connection 1.9.4 (new), cluster a b, endpoint unix:/tmp/x y")
        #expect(timeline.lines(ofExchange: 12345) == nil)
        // Before the reload that the ring tells of, names were others.
        #expect(
            timeline.lines(ofExchange: 3)?.lines.first?.text
                == "queue: waits at the gate of its cluster, or for a place, cluster gone")
    }

    @Test("What is shown says what the dump is for, in text and in JSON")
    func trace() throws {
        let trace = FlightTrace(Self.dump())
        let text = trace.overview(.text) + trace.subject(.text)
        #expect(text.hasPrefix("slow exchange: uproxy 1.2.3, process "))
        #expect(text.contains("exchange 0001000000000007, worker 1, began "))
        #expect(text.contains("took 1200.000 ms"))
        #expect(trace.list(slowest: 1, .text).hasPrefix("0000000000000003"))
        #expect(trace.list(slowest: nil, .text).split(separator: "\n").count == 3)
        let json = try #require(trace.exchange(Self.id, .json))
        #expect(json.contains("\"duration_ms\":1200.0"))
        #expect(json.contains("\"complete\":true"))
        #expect(try trace.connection("1.9.4", .text)?.contains("request sent") == true)
        #expect(try trace.connection("1.9.5", .text) == nil)
        #expect(throws: OptionSyntaxError.self) { try trace.connection("1.9", .text) }
    }
}
