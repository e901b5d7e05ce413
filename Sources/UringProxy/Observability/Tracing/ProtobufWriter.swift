/// Writes messages of Protocol Buffers: the few kinds of fields that traces are made of.
struct ProtobufWriter {
    private(set) var bytes: [UInt8] = []

    private enum WireType: UInt64 {
        case varint = 0
        case fixed64 = 1
        case length = 2
        case fixed32 = 5
    }

    mutating func removeAll() { bytes.removeAll(keepingCapacity: true) }

    // MARK: - Fields

    mutating func append(_ field: UInt64, varint value: UInt64) {
        tag(field, .varint)
        append(varint: value)
    }

    mutating func append(_ field: UInt64, fixed64 value: UInt64) {
        tag(field, .fixed64)
        append(littleEndian: value)
    }

    mutating func append(_ field: UInt64, double value: Double) { append(field, fixed64: value.bitPattern) }

    mutating func append(_ field: UInt64, fixed32 value: UInt32) {
        tag(field, .fixed32)
        for shift in stride(from: UInt32(0), to: 32, by: 8) {
            bytes.append(UInt8(truncatingIfNeeded: value >> shift))
        }
    }

    /// The bytes of numbers, the highest first: ids of traces and spans.
    mutating func append(_ field: UInt64, id words: UInt64...) {
        tag(field, .length)
        append(varint: UInt64(words.count * 8))
        for word in words {
            for shift in stride(from: Int64(56), through: 0, by: -8) {
                bytes.append(UInt8(truncatingIfNeeded: word >> UInt64(shift)))
            }
        }
    }

    mutating func append(_ field: UInt64, _ text: StaticString) { append(field, utf8: ByteView(text)) }

    mutating func append(_ field: UInt64, _ text: String) {
        var text = text
        text.withUTF8 { append(field, utf8: unsafe ByteView(UnsafeRawBufferPointer($0))) }
    }

    /// A text that a peer has chosen: what is no UTF-8 in it would make the whole message invalid, and is written as U+FFFD.
    mutating func append(_ field: UInt64, text: ByteView) {
        for index in 0..<text.count where text[index] >= 0x80 {
            append(field, text.string)
            return
        }
        append(field, utf8: text)
    }

    private mutating func append(_ field: UInt64, utf8 text: ByteView) {
        tag(field, .length)
        append(varint: UInt64(text.count))
        bytes.append(text)
    }

    /// A message within this one.
    mutating func append(_ field: UInt64, _ write: (inout ProtobufWriter) -> Void) {
        tag(field, .length)
        let start = bytes.count
        // Most are short, and one byte tells their size.
        bytes.append(0)
        write(&self)
        let size = bytes.count - start - 1
        if size < 0x80 {
            bytes[start] = UInt8(size)
        } else {
            bytes.replaceSubrange(start...start, with: Self.varint(UInt64(size)))
        }
    }

    /// A message within this one, that has been written before.
    mutating func append(_ field: UInt64, sizeOfMessage size: Int) {
        tag(field, .length)
        append(varint: UInt64(size))
    }

    mutating func append(messages: some Sequence<UInt8>) { bytes += messages }

    // MARK: - Parts

    private mutating func tag(_ field: UInt64, _ type: WireType) {
        append(varint: field << 3 | type.rawValue)
    }

    private mutating func append(varint value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    static func varint(_ value: UInt64) -> [UInt8] {
        var writer = ProtobufWriter()
        writer.append(varint: value)
        return writer.bytes
    }

    private mutating func append(littleEndian value: UInt64) {
        for shift in stride(from: UInt64(0), to: 64, by: 8) {
            bytes.append(UInt8(truncatingIfNeeded: value >> shift))
        }
    }
}

/// Reads a message of Protocol Buffers, field by field.
struct ProtobufReader {
    enum Value {
        case number(UInt64)
        case bytes(ArraySlice<UInt8>)
    }

    private var rest: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

    /// The next field; nil at the end, and where the bytes are no message.
    mutating func next() -> (field: UInt64, value: Value)? {
        guard !rest.isEmpty, let tag = varint() else { return nil }
        switch tag & 7 {
        case 0: return varint().map { (tag >> 3, .number($0)) }
        case 1: return fixed(8).map { (tag >> 3, .number($0)) }
        case 2:
            guard let size = varint(), size <= UInt64(rest.count) else { return nil }
            defer { rest = rest.dropFirst(Int(size)) }
            return (tag >> 3, .bytes(rest.prefix(Int(size))))
        case 5: return fixed(4).map { (tag >> 3, .number($0)) }
        default: return nil
        }
    }

    private mutating func varint() -> UInt64? {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 70, by: 7) {
            guard let byte = rest.popFirst() else { return nil }
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
        }
        return nil
    }

    private mutating func fixed(_ size: Int) -> UInt64? {
        guard rest.count >= size else { return nil }
        defer { rest = rest.dropFirst(size) }
        return rest.prefix(size).reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
}
