internal import CPosix

/// Why a dump cannot be read, or none can be written.
struct FlightError: Error, Equatable {
    let message: String
}

/// What the flight recorder knew at one moment, on its way to a file and back.
///
/// The file is a header of 64 bytes and sections of `tag`, `number`, `size`, and so many bytes, padded to eight; numbers are little-endian.
/// Another layout has another version; sections of a tag that is not known are passed over. `CPosixFlight.c` writes the same at a crash.
struct FlightDump: Sendable {
    enum Reason: UInt32, Sendable {
        /// Somebody asked.
        case demand = 1
        /// `subject`: the exchange's id.
        case slow
        /// `subject`: the worker; `detail`: nanoseconds.
        case stall
        /// `subject`: the signal; `detail`: the thread.
        case crash

        var label: String {
            switch self {
            case .demand: "on demand"
            case .slow: "slow exchange"
            case .stall: "stall"
            case .crash: "crash"
            }
        }
    }

    struct Ring: Sendable {
        /// The worker; `recorder`: what the recorder itself saw.
        var number: UInt32
        /// How many events came before those that are here.
        var first: UInt64
        /// Whose names the last of them have.
        var snapshot: UInt64
        var events: [FlightEvent]

        static var recorder: UInt32 { 0xFFFF }
    }

    private static let magic: [UInt8] = Array("UPFLIGHT".utf8)

    var reason: Reason
    var process: UInt32
    /// When it was made, by either clock (nanoseconds).
    var monotonic: Int64
    var realtime: Int64
    var subject: UInt64 = 0
    var detail: UInt64 = 0
    var version = ""
    /// By the snapshots' numbers.
    var names: [UInt64: FlightNames] = [:]
    var rings: [Ring] = []
    /// Of a crash: where the program was in memory, the bytes of its code, and the addresses of frames.
    var programBase: UInt64 = 0
    var programSize: UInt64 = 0
    var frames: [UInt64] = []
    /// Of a stall: its functions, a line each.
    var text = ""

    /// One that is made now.
    init(_ reason: Reason, version: String, subject: UInt64 = 0, detail: UInt64 = 0) {
        self.reason = reason
        self.subject = subject
        self.detail = detail
        process = UInt32(getpid())
        monotonic = cposix_monotonic_nanoseconds()
        realtime = cposix_realtime_nanoseconds()
        self.version = version
    }

    // MARK: - Writing

    /// Names as they stand in dumps.
    static func text(of names: [UInt64: FlightNames], version: String) -> String {
        names.sorted { $0.key < $1.key }.reduce(into: "version \(version)\n") { text, entry in
            text += entry.value.lines(number: entry.key)
        }
    }

    var encoded: [UInt8] {
        var bytes = Self.magic
        bytes.reserveCapacity(4096 + rings.reduce(0) { $0 + $1.events.count * FlightEvent.size + 24 })
        func append<Number: FixedWidthInteger>(_ number: Number) {
            for shift in stride(from: 0, to: Number.bitWidth, by: 8) {
                bytes.append(UInt8(truncatingIfNeeded: number >> Number(shift)))
            }
        }
        func section(_ tag: Int, _ number: UInt32, _ size: Int) {
            append(UInt32(tag))
            append(number)
            append(UInt64(size))
        }
        func pad() { while bytes.count % 8 != 0 { bytes.append(0) } }
        append(UInt32(CPOSIX_FLIGHT_VERSION))
        append(UInt32(CPOSIX_FLIGHT_HEADER))
        append(reason.rawValue)
        append(process)
        append(monotonic)
        append(realtime)
        append(subject)
        append(detail)
        append(UInt64(0))
        let text = Self.text(of: names, version: version)
        section(Int(CPOSIX_FLIGHT_NAMES), 0, text.utf8.count)
        bytes += text.utf8
        pad()
        if !self.text.isEmpty {
            section(Int(CPOSIX_FLIGHT_TEXT), 0, self.text.utf8.count)
            bytes += self.text.utf8
            pad()
        }
        if !frames.isEmpty {
            section(Int(CPOSIX_FLIGHT_FRAMES), 0, (frames.count + 2) * 8)
            for word in [programBase, programSize] + frames { append(word) }
        }
        for ring in rings {
            section(Int(CPOSIX_FLIGHT_RING), ring.number, 16 + ring.events.count * FlightEvent.size)
            append(ring.first)
            append(ring.snapshot)
            for event in ring.events {
                append(UInt64(bitPattern: event.time))
                append(event.word)
                append(event.a)
                append(event.b)
            }
        }
        return bytes
    }

    // MARK: - Reading

    /// Of a crash the last part may be missing: what is there whole is read.
    init(parsing bytes: [UInt8]) throws(FlightError) {
        func word<Number: FixedWidthInteger>(_ offset: Int, _: Number.Type) -> Number {
            var number: Number = 0
            for index in 0..<Number.bitWidth / 8 {
                number |= Number(truncatingIfNeeded: bytes[offset + index]) << Number(index * 8)
            }
            return number
        }
        guard bytes.count >= Int(CPOSIX_FLIGHT_HEADER), Array(bytes[0..<8]) == Self.magic else {
            throw FlightError(message: "it is no dump of the flight recorder")
        }
        let version = word(8, UInt32.self)
        guard version == UInt32(CPOSIX_FLIGHT_VERSION) else {
            throw FlightError(
                message: "it is of version \(version), and this program reads \(CPOSIX_FLIGHT_VERSION)")
        }
        let header = Int(word(12, UInt32.self))
        guard let reason = Reason(rawValue: word(16, UInt32.self)), header >= Int(CPOSIX_FLIGHT_HEADER),
            header <= bytes.count
        else { throw FlightError(message: "its header makes no sense") }
        self.reason = reason
        process = word(20, UInt32.self)
        monotonic = word(24, Int64.self)
        realtime = word(32, Int64.self)
        subject = word(40, UInt64.self)
        detail = word(48, UInt64.self)
        var at = header
        while at + 16 <= bytes.count {
            let tag = word(at, UInt32.self)
            let number = word(at + 4, UInt32.self)
            let announced = word(at + 8, UInt64.self)
            at += 16
            let size = Int(min(announced, UInt64(bytes.count - at)))
            let end = at + size
            switch Int(tag) {
            case Int(CPOSIX_FLIGHT_NAMES):
                let text = String(decoding: bytes[at..<end], as: UTF8.self)
                names = FlightNames.parse(text)
                let line = text.split(separator: "\n").first { $0.hasPrefix("version ") }
                self.version = line.map { String($0.dropFirst(8)) } ?? ""
            case Int(CPOSIX_FLIGHT_TEXT): text = String(decoding: bytes[at..<end], as: UTF8.self)
            case Int(CPOSIX_FLIGHT_FRAMES) where size >= 16:
                programBase = word(at, UInt64.self)
                programSize = word(at + 8, UInt64.self)
                frames = (2..<size / 8).map { word(at + $0 * 8, UInt64.self) }
            case Int(CPOSIX_FLIGHT_RING) where size >= 16:
                var ring = Ring(
                    number: number, first: word(at, UInt64.self), snapshot: word(at + 8, UInt64.self),
                    events: [])
                let count = (size - 16) / FlightEvent.size
                ring.events.reserveCapacity(count)
                for index in 0..<count {
                    let place = at + 16 + index * FlightEvent.size
                    ring.events.append(
                        FlightEvent(
                            time: word(place, Int64.self), word: word(place + 8, UInt64.self),
                            a: word(place + 16, UInt64.self), b: word(place + 24, UInt64.self)))
                }
                rings.append(ring)
            default: break
            }
            at = end + (8 - size % 8) % 8
        }
    }
}
