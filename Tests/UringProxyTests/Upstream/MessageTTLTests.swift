import TestSupport
import Testing

@testable import UringProxy

@Suite("TTL of a DNS message")
struct MessageTTLTests {
    private func least(_ bytes: [UInt8]) -> UInt32? {
        unsafe bytes.withUnsafeBytes { MessageTTL.least(unsafe ByteView($0)) }
    }

    /// A question for `a.b`, and an answer with a record for each time to live, the first under its whole name.
    private func message(_ ttls: [UInt32]) -> [UInt8] {
        let name: [UInt8] = [1, 97, 1, 98, 0]
        var bytes: [UInt8] =
            [0, 1, 0x81, 0x80, 0, 1, 0, UInt8(ttls.count), 0, 0, 0, 0] + name + [0, 33, 0, 1]
        for (index, ttl) in ttls.enumerated() {
            bytes += (index == 0 ? name : [0xC0, 12]) + [0, 33, 0, 1]
            bytes += (0..<4).map { UInt8(truncatingIfNeeded: ttl >> UInt32(24 - $0 * 8)) } + [0, 3, 1, 2, 3]
        }
        return bytes
    }

    @Test("The least of all records counts, and one with the first bit set is none")
    func least() {
        #expect(least(message([60, 30, 3600])) == 30)
        #expect(least(message([60, 0x8000_0000])) == 0)
        #expect(least(message([])) == nil)
    }

    @Test("A message that is cut short anywhere, or is any bytes at all, is no good and no harm")
    func bad() {
        let whole = message([60, 30])
        // The data of the last record is not looked at.
        for size in 0..<whole.count - 3 { #expect(least(Array(whole[..<size])) == nil) }
        var random = SplitMix(seed: 7)
        for _ in 0..<10_000 {
            var bytes = whole
            for _ in 0..<3 {
                bytes[Int(random.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: random.next())
            }
            _ = least(bytes)
        }
    }
}
