import CPosix
import Testing

@testable import UringProxy

@Suite("IPAddress")
struct IPAddressTests {
    @Test("Every legal spelling is read, and written as RFC 5952 wants it")
    func canonicalText() {
        let table: [(String, String)] = [
            ("0.0.0.0", "0.0.0.0"), ("127.0.0.1", "127.0.0.1"), ("255.255.255.255", "255.255.255.255"),
            ("100.20.3.10", "100.20.3.10"),
            ("::", "::"), ("::1", "::1"), ("1::", "1::"), ("fe80::1", "fe80::1"),
            ("2001:DB8:0:0:0:0:0:1", "2001:db8::1"), ("2001:0db8::0001", "2001:db8::1"),
            ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"), ("2001:db8::1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),
            ("2001:0:0:1:0:0:0:1", "2001:0:0:1::1"), ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),
            ("1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"), ("::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"),
            ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"), ("0:0:0:0:0:0:0:0", "::"),
            ("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
            ("64:ff9b::192.0.2.33", "64:ff9b::c000:221"), ("1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"),
            ("::1.2.3.4", "::102:304"),
            // The mapped form is the IPv4 address.
            ("::ffff:127.0.0.1", "127.0.0.1"), ("::FFFF:7f00:1", "127.0.0.1"),
            ("0:0:0:0:0:ffff:7f00:0001", "127.0.0.1"),
        ]
        var wrong: [String] = []
        for (text, expected) in table {
            let address = IPAddress(text)
            if address?.description != expected { wrong.append("\(text) → \(address?.description ?? "nil")") }
            if let address, IPAddress(address.description) != address { wrong.append("not stable: \(text)") }
        }
        #expect(wrong == [])
        #expect(MemoryLayout<IPAddress>.size == 16)
        #expect(IPAddress("::ffff:1.2.3.4")?.isIPv4 == true)
        #expect(IPAddress("::1.2.3.4")?.isIPv4 == false)
    }

    @Test("What only some readers take for an address is refused")
    func refusals() {
        let table = [
            "", " ", ".", ":", "::::", ":::", "1", "127.1", "127.0.1", "2130706433", "0177.0.0.1",
            "0x7f.0.0.1",
            "0x7f000001", "127.0.0.1.", ".127.0.0.1", "127..0.1", "127.0.0.01", "00.0.0.0", "127.0.0.256",
            "127.0.0.1 ", " 127.0.0.1", "+127.0.0.1", "127.0.0.-1", "127.0.0.1:80", "127.0.0.1/8",
            "1.2.3.4.5",
            "1.2.3.1000", "１２７.0.0.1",
            "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8::", "::1:2:3:4:5:6:7:8", "1::2::3",
            "12345::",
            "::g", ":1", "1:", "1:2:", ":1:2:3:4:5:6:7:8", "::1%1", "fe80::1%eth0", "[::1]", "::1.2.3",
            "::1.2.3.4.5", "::1.2.3.04", "::1.2.3.4:5", "1:2:3:4:5:6:7:1.2.3.4", "1.2.3.4::", "::-1", "::+1",
            "::0x1",
            "1:2:3:4::5:6:7:8",
        ]
        // A gap that stands for nothing is no address either: eight groups and `::`.
        #expect(table.filter { IPAddress($0) != nil } == [])
    }

    @Test("Random text is read as the C library's strict reader reads it")
    func differential() {
        // inet_pton(3) takes the same forms; it and inet_ntop differ in nothing but how embedded IPv4 is
        // written.
        let alphabet = Array("0123456789abcdefABF::::....%[ x".utf8)
        var random = SystemRandomNumberGenerator()
        let seed = random.next()
        var state = seed
        func next(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        let seeds = [
            "1:2:3:4:5:6:7:8", "::1", "fe80::1:2", "1.2.3.4", "255.255.255.255", "::ffff:1.2.3.4", "1::8",
            "::",
        ]
        var wrong: [String] = []
        var accepted = 0
        for round in 0..<200_000 {
            var bytes = Array(seeds[round % seeds.count].utf8)
            for _ in 0...next(4) {
                let index = next(bytes.count + 1)
                switch next(3) {
                case 0: bytes.insert(alphabet[next(alphabet.count)], at: index)
                case 1 where index < bytes.count: bytes.remove(at: index)
                default: if index < bytes.count { bytes[index] = alphabet[next(alphabet.count)] }
                }
            }
            let text = String(decoding: bytes, as: UTF8.self)
            let ours = IPAddress(text)
            var raw = [UInt8](repeating: 0, count: 16)
            var theirs: [UInt8]?
            if unsafe inet_pton(AF_INET, text, &raw) == 1 {
                theirs = [UInt8](repeating: 0, count: 10) + [255, 255] + raw[..<4]
            } else if unsafe inet_pton(AF_INET6, text, &raw) == 1 {
                theirs = raw
            }
            if ours != nil { accepted += 1 }
            if ours.map({ address in (0..<16).map { address.byte(at: $0) } }) != theirs { wrong.append(text) }
            if let ours, IPAddress(ours.description) != ours { wrong.append("not stable: \(text)") }
        }
        #expect(Array(wrong.prefix(20)) == [], "seed \(seed)")
        #expect(accepted > 10_000)
    }

    @Test("Every prefix length compares exactly its bits")
    func prefixes() {
        let base = IPAddress(high: 0x2001_0DB8_5A5A_A5A5, low: 0xDEAD_BEEF_0123_4567)
        var wrong: [Int] = []
        for bit in 0..<128 {
            let high = bit < 64 ? base.high ^ 1 << UInt64(63 - bit) : base.high
            let low = bit < 64 ? base.low : base.low ^ 1 << UInt64(127 - bit)
            let other = IPAddress(high: high, low: low)
            for length in 0...128 where other.hasPrefix(base, length: length) != (length <= bit) {
                wrong.append(bit)
            }
        }
        #expect(wrong == [])
    }

    @Test("A buffer too small gets nothing")
    func smallBuffer() {
        let buffer = UnsafeMutablePointer<UInt8>.allocate(capacity: 40)
        defer { unsafe buffer.deallocate() }
        #expect(unsafe IPAddress.loopback4.write(into: buffer, capacity: 8) == 0)
        #expect(unsafe IPAddress.loopback4.write(into: buffer, capacity: 9) == 9)
    }
}
