/// The field lines of a head, and what they say about framing and connection: the part that requests and responses
/// have in common (RFC 9112 §5, §6, §9).
struct FieldSection {
    /// Index of the last such field line, -1 if there is none.
    private(set) var host = -1
    private(set) var expect = -1
    private(set) var maxForwards = -1
    /// Whether there is more than one. What that means, if anything, only requests know.
    private(set) var hostIsRepeated = false
    private(set) var expectIsRepeated = false
    private(set) var maxForwardsIsRepeated = false
    /// Index of the first.
    private(set) var upgrade = -1
    private(set) var via = -1
    private var te = -1
    private var contentLengthLine = -1
    private var transferEncodingLine = -1
    /// Of Content-Length; nil if there is none.
    private(set) var contentLength: UInt64?
    var isChunked: Bool { transferEncodingLine >= 0 }

    private(set) var connectionCloses = false
    private(set) var connectionKeepsAlive = false
    private(set) var connectionUpgrades = false
    private(set) var connectionNamesTE = false
    /// Connection names fields that are not hop-by-hop by their own name.
    private var connectionNamesOthers = false
    private var connectionOptions = 0

    /// Each option that is not a known one costs a walk over the fields.
    private static var maxConnectionOptions: Int { 32 }

    /// Reads the field lines that were found. What comes first in the head is refused first: these before what stands
    /// behind them.
    @inline(__always)
    mutating func parse(_ bytes: ByteView, fields: inout FieldTable) throws(HeadError) {
        for index in 0..<fields.count {
            try FieldLineParser.parse(bytes, &fields[index], isFirst: index == 0)
            if fields[index].id.concernsThisHop { try take(fields[index], index, bytes) }
        }
        if connectionNamesOthers { markNamed(bytes, fields: &fields) }
    }

    @inline(__always)
    private mutating func take(_ line: FieldLine, _ index: Int, _ bytes: ByteView) throws(HeadError) {
        switch line.id {
        case .host:
            if host >= 0 { hostIsRepeated = true }
            host = index
        case .contentLength:
            // RFC 9110 §8.6 would let equal values pass; two readers may still pick different lines.
            guard contentLengthLine < 0 else { throw .duplicateContentLength }
            guard !isChunked else { throw .contentLengthWithTransferEncoding }
            contentLengthLine = index
            contentLength = try Self.parseContentLength(bytes[line.value])
        case .transferEncoding:
            guard !isChunked else { throw .duplicateTransferEncoding }
            guard contentLengthLine < 0 else { throw .contentLengthWithTransferEncoding }
            transferEncodingLine = index
            try Self.checkTransferEncoding(bytes[line.value])
        case .connection: try takeConnection(bytes[line.value])
        case .expect:
            if expect >= 0 { expectIsRepeated = true }
            expect = index
        case .upgrade:
            if upgrade < 0 { upgrade = index }
        case .maxForwards:
            if maxForwards >= 0 { maxForwardsIsRepeated = true }
            maxForwards = index
        case .via: via = index
        case .te: te = index
        default: break
        }
    }

    /// RFC 9110 §8.6: digits alone. A body of more than 2^63 - 1 bytes is nobody's.
    private static func parseContentLength(_ value: ByteView) throws(HeadError) -> UInt64 {
        guard value.count >= 1, value.count <= 19 else { throw .invalidContentLength }
        var length: UInt64 = 0
        for index in 0..<value.count {
            let digit = value[index] &- UInt8(ascii: "0")
            guard digit < 10 else { throw .invalidContentLength }
            length = length &* 10 &+ UInt64(digit)  // 19 digits stay below 2^64.
        }
        guard length <= UInt64(Int64.max) else { throw .invalidContentLength }
        return length
    }

    /// RFC 9112 §6.1: one coding is known here. Another one by a good name is "not implemented"; all that merely
    /// resembles chunked is an attempt to be read as chunked by somebody else.
    private static func checkTransferEncoding(_ value: ByteView) throws(HeadError) {
        if value.equalsFolded("chunked") { return }
        var list = ListCursor(value)
        var chunkedCount = 0
        var count = 0
        while let coding = list.next() {
            guard coding.isToken, chunkedCount == 0 else { throw .invalidTransferEncoding }
            count &+= 1
            if coding.equalsFolded("chunked") {
                chunkedCount &+= 1
            } else if coding.equalsFolded("identity") || containsChunked(coding) {
                throw .invalidTransferEncoding
            }
        }
        guard count &- chunkedCount > 0 else { throw .invalidTransferEncoding }
        throw .unknownTransferCoding
    }

    private static func containsChunked(_ text: ByteView) -> Bool {
        guard text.count >= 7 else { return false }
        for index in 0...text.count &- 7 where text[index..<index &+ 7].equalsFolded("chunked") {
            return true
        }
        return false
    }

    /// RFC 9110 §7.6.1
    private mutating func takeConnection(_ value: ByteView) throws(HeadError) {
        var list = ListCursor(value)
        while let option = list.next() {
            connectionOptions &+= 1
            guard connectionOptions <= Self.maxConnectionOptions else { throw .tooManyConnectionOptions }
            if option.equalsFolded("keep-alive") {
                connectionKeepsAlive = true
            } else if option.equalsFolded("close") {
                connectionCloses = true
            } else if option.equalsFolded("upgrade") {
                connectionUpgrades = true
            } else if option.equalsFolded("te") {
                connectionNamesTE = true
            } else {
                guard option.isToken else { throw .invalidConnectionOption }
                let name = FieldName.lookup(option)
                guard name.mayBeConnectionOption else { throw .connectionNamesEndToEndField }
                if !name.isHopByHop { connectionNamesOthers = true }
            }
        }
    }

    @inline(never)
    private func markNamed(_ bytes: ByteView, fields: inout FieldTable) {
        for index in 0..<fields.count where fields[index].id == .connection {
            var list = ListCursor(bytes[fields[index].value])
            while let option = list.next() {
                for other in 0..<fields.count where bytes[fields[other].name].equalsIgnoringCase(option) {
                    fields[other].isHopByHop = true
                }
            }
        }
    }

    /// RFC 9110 §10.1.4: TE counts only where Connection names it; otherwise somebody before us passed it on blindly.
    @inline(__always)
    func asksForTrailers(_ bytes: ByteView, fields: borrowing FieldTable) -> Bool {
        te >= 0 && connectionNamesTE && Self.listsTrailers(bytes, fields: fields)
    }

    @inline(never)
    private static func listsTrailers(_ bytes: ByteView, fields: borrowing FieldTable) -> Bool {
        for index in 0..<fields.count where fields[index].id == .te {
            var list = ListCursor(bytes[fields[index].value])
            while let coding = list.next() {
                if coding.equalsFolded("trailers") { return true }
            }
        }
        return false
    }

    /// Index of the first Upgrade line if Connection names it and it offers something other than h2c, which no
    /// intermediary forwards (RFC 9110 §7.8, RFC 9113 §3.1).
    @inline(__always)
    func upgradeLine(_ bytes: ByteView, fields: borrowing FieldTable) throws(HeadError) -> Int? {
        guard upgrade >= 0, connectionUpgrades else { return nil }
        return try Self.offersUpgrade(bytes, fields: fields) ? upgrade : nil
    }

    @inline(never)
    private static func offersUpgrade(
        _ bytes: ByteView, fields: borrowing FieldTable
    ) throws(HeadError) -> Bool {
        var offers = false
        for index in 0..<fields.count where fields[index].id == .upgrade {
            var list = ListCursor(bytes[fields[index].value])
            while let name = list.next() {
                // protocol-name ["/" protocol-version], both tokens.
                let size = name.run(of: .token)
                guard size > 0 else { throw .invalidUpgrade }
                if size < name.count {
                    guard name[size] == UInt8(ascii: "/"), name.dropFirst(size &+ 1).isToken else {
                        throw .invalidUpgrade
                    }
                }
                if !name.equalsFolded("h2c") { offers = true }
            }
        }
        return offers
    }
}
