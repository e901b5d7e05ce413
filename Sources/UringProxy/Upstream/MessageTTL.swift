/// The time to live of a DNS message's answer: c-ares 1.18 does not tell it of SRV records.
enum MessageTTL {
    private static let headerSize = 12

    /// The least of the records in the answer section (RFC 1035 §4.1), in seconds; nil if the message is no good, or has none.
    static func least(_ message: ByteView) -> UInt32? {
        guard message.count >= headerSize else { return nil }
        let questions = number(message, at: 4)
        let answers = number(message, at: 6)
        var index = headerSize
        for _ in 0..<questions {
            guard let end = nameEnd(message, at: index) else { return nil }
            index = end + 4
        }
        var least: UInt32?
        for _ in 0..<answers {
            // Behind the name type and class, then the time to live and the size of what follows.
            guard let end = nameEnd(message, at: index), end + 10 <= message.count else { return nil }
            let ttl = UInt32(number(message, at: end + 4)) << 16 | UInt32(number(message, at: end + 6))
            // RFC 2181 §8: a TTL with the first bit set counts as zero.
            least = min(least ?? .max, ttl >> 31 == 1 ? 0 : ttl)
            index = end + 10 + number(message, at: end + 8)
        }
        return least
    }

    private static func number(_ message: ByteView, at index: Int) -> Int {
        Int(message[index]) << 8 | Int(message[index + 1])
    }

    /// Where a name ends: behind its last label, or its pointer (RFC 1035 §4.1.4).
    private static func nameEnd(_ message: ByteView, at start: Int) -> Int? {
        var index = start
        while index < message.count {
            let size = Int(message[index])
            if size == 0 { return index + 1 }
            if size >= 0xC0 { return index + 2 }
            index += 1 + size
        }
        return nil
    }
}
