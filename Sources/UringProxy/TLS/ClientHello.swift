/// What the first message of a TLS client says, read without a session: whom it asks for.
///
/// It comes in records (RFC 8446 §5.1), one or more, cut wherever the client likes. Nothing is decrypted: with Encrypted Client Hello
/// the name that is found is the outer one.
enum ClientHello {
    enum Verdict: Error, BitwiseCopyable, Equatable {
        /// It is whole, and the name that it asks for has so many bytes; 0: it asks for none. What follows has not been looked at.
        case complete(nameSize: Int)
        /// It may begin like this; come again with more bytes.
        case incomplete
        /// This is no TLS.
        case plain
        case tooLarge
        /// It is TLS, and breaks its rules: servers could read it differently.
        case malformed
    }

    /// The most bytes of one, with the headers of its records.
    static let limit = 16 * 1024
    /// Bytes of the name at most (RFC 1035 §2.3.4).
    static let nameLimit = 255

    /// Reads the message that stands at the start of `bytes`. What cannot become one is refused as soon as that is certain.
    ///
    /// - Parameter name: gets the host that is asked for, as it came but without a dot at the end.
    static func parse(_ bytes: ByteView, name: inout GrowingBytes) -> Verdict {
        name.reserve(nameLimit)
        do throws(Verdict) {
            return .complete(nameSize: try read(bytes[0..<min(bytes.count, limit)], &name))
        } catch {
            return error == .incomplete && bytes.count >= limit ? .tooLarge : error
        }
    }

    /// RFC 8446 §4.1.2, RFC 5246 §7.4.1.2.
    private static func read(_ bytes: ByteView, _ name: inout GrowingBytes) throws(Verdict) -> Int {
        var message = HandshakeReader(bytes)
        guard try message.byte() == 1 else { throw .malformed }
        let size = try message.number(3)
        guard size <= limit else { throw .tooLarge }
        message.begin(size)
        guard try message.byte() == 3 else { throw .malformed }
        // The rest of the version, and the random bytes.
        try message.skip(1 + 32)
        let sessionSize = Int(try message.byte())
        guard sessionSize <= 32 else { throw .malformed }
        try message.skip(sessionSize)
        let suitesSize = try message.number(2)
        guard suitesSize > 0 && suitesSize % 2 == 0 else { throw .malformed }
        try message.skip(suitesSize)
        let methodsSize = Int(try message.byte())
        guard methodsSize > 0 else { throw .malformed }
        try message.skip(methodsSize)
        // TLS 1.2 does without extensions too.
        if message.left == 0 { return 0 }
        guard try message.number(2) == message.left else { throw .malformed }
        // RFC 8446 §4.2: of each type one at most. A bit for each type.
        var nameSize = 0
        var seen = InlineArray<1024, UInt64>(repeating: 0)
        while message.left > 0 {
            let type = try message.number(2)
            let size = try message.number(2)
            guard size <= message.left, seen[type >> 6] >> UInt64(type & 63) & 1 == 0 else {
                throw .malformed
            }
            seen[type >> 6] |= 1 << UInt64(type & 63)
            if type == 0 {
                nameSize = try readName(&message, size, &name)
            } else {
                try message.skip(size)
            }
        }
        return nameSize
    }

    /// RFC 6066 §3: a list, of which nobody knows more than one kind of name, and of each kind one at most.
    private static func readName(
        _ message: inout HandshakeReader, _ size: Int, _ name: inout GrowingBytes
    ) throws(Verdict) -> Int {
        guard size >= 5, try message.number(2) == size - 2, try message.byte() == 0,
            try message.number(2) == size - 5
        else { throw .malformed }
        let nameSize = size - 5
        guard (1...nameLimit).contains(nameSize) else { throw .malformed }
        // A label is not empty, but for what stands behind a last dot.
        var isLabelEmpty = true
        for index in 0..<nameSize {
            let byte = try message.byte()
            if byte == UInt8(ascii: ".") {
                guard !isLabelEmpty else { throw .malformed }
                isLabelEmpty = true
                if index == nameSize - 1 { return index }
            } else {
                // What routing here and the server could read differently.
                guard isOfHost(byte) else { throw .malformed }
                isLabelEmpty = false
            }
            unsafe name.pointer[index] = byte
        }
        return nameSize
    }

    /// What names in the DNS and in container networks are made of, dots aside.
    private static func isOfHost(_ byte: UInt8) -> Bool {
        (byte | 0x20) &- 0x61 < 26 || byte &- 0x30 < 10 || byte == UInt8(ascii: "-")
            || byte == UInt8(ascii: "_")
    }
}

/// The bytes of a handshake's first message, taken out of the records that they come in.
private struct HandshakeReader {
    private let bytes: ByteView
    private var index = 0
    /// Where the record ends that `index` is in.
    private var recordEnd = 0
    /// Bytes of the message that are to come; at first those of its header.
    private(set) var left = 4

    init(_ bytes: ByteView) { self.bytes = bytes }

    /// The header has been read: so much follows.
    mutating func begin(_ size: Int) { left = size }

    mutating func byte() throws(ClientHello.Verdict) -> UInt8 {
        guard left > 0 else { throw .malformed }
        if index == recordEnd { try beginRecord() }
        guard index < bytes.count else { throw .incomplete }
        defer {
            index += 1
            left -= 1
        }
        return bytes[index]
    }

    /// In the byte order of the network.
    mutating func number(_ size: Int) throws(ClientHello.Verdict) -> Int {
        var number = 0
        for _ in 0..<size { number = number << 8 | Int(try byte()) }
        return number
    }

    mutating func skip(_ size: Int) throws(ClientHello.Verdict) {
        guard size <= left else { throw .malformed }
        left -= size
        var rest = size
        while rest > 0 {
            if index == recordEnd { try beginRecord() }
            let step = min(rest, recordEnd - index)
            guard index + step <= bytes.count else { throw .incomplete }
            index += step
            rest -= step
        }
    }

    /// RFC 8446 §5.1: of a handshake, not empty, and nothing else in between. Of the version only the first half has ever stayed the same.
    private mutating func beginRecord() throws(ClientHello.Verdict) {
        let isFirst = index == 0
        guard index < bytes.count else { throw .incomplete }
        guard !isFirst || (20...24).contains(bytes[index]) else { throw .plain }
        guard index + 1 < bytes.count else { throw .incomplete }
        guard !isFirst || bytes[index + 1] == 3 else { throw .plain }
        // Some servers let an alert pass, and read the name behind it.
        guard bytes[index] == 22, bytes[index + 1] == 3 else { throw .malformed }
        guard index + 4 < bytes.count else { throw .incomplete }
        let size = Int(bytes[index + 3]) << 8 | Int(bytes[index + 4])
        guard (1...16_384).contains(size) else { throw .malformed }
        index += 5
        recordEnd = index + size
    }
}
