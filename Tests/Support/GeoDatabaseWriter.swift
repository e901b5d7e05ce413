import CPosix

/// Makes databases in MaxMind's format (MaxMind DB 2.0) with records of 24 bits.
public struct GeoDatabaseWriter {
    public indirect enum Value: Sendable {
        case map([(String, Value)])
        case list([Value])
        case text(String)
        case short(UInt16)
        case number(UInt32)
        case long(UInt64)
    }

    /// Where a record of a node leads to.
    private enum Record {
        case nowhere
        case node(Int)
        /// By its place in the data.
        case value(Int)
    }

    private let ipVersion: Int
    private var nodes: [(Record, Record)] = [(.nowhere, .nowhere)]
    private var data: [UInt8] = []

    /// - Parameter ipVersion: 4, or 6 for addresses of both.
    public init(ipVersion: Int = 6) { self.ipVersion = ipVersion }

    /// What databases of countries, regions and autonomous systems have of an address.
    public static func place(
        country: String? = nil, registered: String? = nil, regions: [String] = [], system: UInt32? = nil
    ) -> Value {
        var entries: [(String, Value)] = []
        // Something to step over, as those databases have it.
        let names = Value.map([("names", .map([("de", .text("hier")), ("en", .text("here"))]))])
        entries.append(("city", names))
        if let country { entries.append(("country", .map([("iso_code", .text(country))]))) }
        if let registered { entries.append(("registered_country", .map([("iso_code", .text(registered))]))) }
        if !regions.isEmpty {
            entries.append(("subdivisions", .list(regions.map { .map([("iso_code", .text($0))]) })))
        }
        if let system { entries.append(("autonomous_system_number", .number(system))) }
        return .map(entries)
    }

    /// Adds a block, such as 192.0.2.0/24. One within another goes after it.
    public mutating func add(_ block: String, _ value: Value) {
        let parts = block.split(separator: "/").map(String.init)
        let (bytes, length) = bits(of: parts[0], Int(parts[1])!)
        let place = data.count
        Self.append(value, to: &data)
        var node = 0
        for depth in 0..<length {
            let isRight = bytes[depth / 8] >> UInt8(7 - depth % 8) & 1 == 1
            if depth == length - 1 {
                set(node, isRight, .value(place))
                return
            }
            switch isRight ? nodes[node].1 : nodes[node].0 {
            case .node(let next): node = next
            case let record:
                // What held for all below it still does.
                nodes.append((record, record))
                set(node, isRight, .node(nodes.count - 1))
                node = nodes.count - 1
            }
        }
    }

    private mutating func set(_ node: Int, _ isRight: Bool, _ record: Record) {
        if isRight { nodes[node].1 = record } else { nodes[node].0 = record }
    }

    /// An IPv4 address stands below ::/96 in a tree of both.
    private func bits(of address: String, _ length: Int) -> (bytes: [UInt8], length: Int) {
        var bytes = [UInt8](repeating: 0, count: 16)
        let isIPv4 = !address.contains(":")
        let start = isIPv4 && ipVersion == 6 ? 12 : 0
        let result = unsafe bytes.withUnsafeMutableBytes {
            unsafe inet_pton(isIPv4 ? AF_INET : AF_INET6, address, $0.baseAddress! + start)
        }
        precondition(result == 1 && (isIPv4 || ipVersion == 6), address)
        return (bytes, length + start * 8)
    }

    // MARK: - The file

    public var bytes: [UInt8] {
        var file: [UInt8] = []
        for node in nodes {
            for record in [node.0, node.1] {
                let number =
                    switch record {
                    case .nowhere: nodes.count
                    case .node(let index): index
                    case .value(let place): nodes.count + 16 + place
                    }
                file += [UInt8(number >> 16 & 255), UInt8(number >> 8 & 255), UInt8(number & 255)]
            }
        }
        file += [UInt8](repeating: 0, count: 16) + data
        file += [0xAB, 0xCD, 0xEF] + Array("MaxMind.com".utf8)
        Self.append(
            .map([
                ("node_count", .number(UInt32(nodes.count))), ("record_size", .short(24)),
                ("ip_version", .short(UInt16(ipVersion))), ("database_type", .text("Test")),
                ("languages", .list([.text("en")])), ("binary_format_major_version", .short(2)),
                ("binary_format_minor_version", .short(0)), ("build_epoch", .long(1)),
                ("description", .map([("en", .text("made by a test"))])),
            ]), to: &file)
        return file
    }

    private static func append(_ value: Value, to bytes: inout [UInt8]) {
        switch value {
        case .map(let entries):
            bytes.append(7 << 5 | size(entries.count))
            for (key, value) in entries {
                append(.text(key), to: &bytes)
                append(value, to: &bytes)
            }
        case .list(let values):
            // A type above 7 stands in a byte of its own.
            bytes += [size(values.count), 11 - 7]
            for value in values { append(value, to: &bytes) }
        case .text(let text):
            bytes.append(2 << 5 | size(text.utf8.count))
            bytes += Array(text.utf8)
        case .short(let number): bytes += [5 << 5 | 2] + bigEndian(number)
        case .number(let number): bytes += [6 << 5 | 4] + bigEndian(number)
        case .long(let number): bytes += [8, 9 - 7] + bigEndian(number)
        }
    }

    /// Larger ones would need bytes of their own.
    private static func size(_ count: Int) -> UInt8 {
        precondition(count < 29)
        return UInt8(count)
    }

    private static func bigEndian<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
        (0..<Number.bitWidth / 8).reversed().map { UInt8(truncatingIfNeeded: number >> Number($0 * 8)) }
    }
}
