import TestSupport
import Testing

@testable import UringProxy

@Suite("AddressSet")
struct AddressSetTests {
    private func prefixes(_ texts: [String]) throws -> [AddressPrefix] { try AddressList.parse(texts) }

    @Test("It holds what one of its blocks holds, to the last address at each end")
    func edges() throws {
        let set = AddressSet(
            try prefixes([
                "10.0.0.0/8,192.0.2.7", "10.1.0.0/16", "11.0.0.0/8", "fd00::/8,2001:db8::5", "unix:",
            ]))
        let table: [(String, Bool)] = [
            ("9.255.255.255", false), ("10.0.0.0", true), ("10.1.2.3", true), ("10.255.255.255", true),
            ("11.0.0.0", true), ("11.255.255.255", true), ("12.0.0.0", false), ("192.0.2.6", false),
            ("192.0.2.7", true), ("::ffff:192.0.2.7", true), ("192.0.2.8", false), ("0.0.0.0", false),
            ("::", true),
            ("::1", false), ("fcff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", false), ("fd00::", true),
            ("fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", true), ("fe00::", false), ("2001:db8::5", true),
            ("2001:db8::4", false), ("2001:db8::6", false), ("255.255.255.255", false),
            ("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", false),
        ]
        var wrong: [String] = []
        for (text, expected) in table {
            let address = try #require(IPAddress(text))
            if set.contains(address) != expected { wrong.append(text) }
        }
        #expect(wrong == [])
        let isEmpty = set.isEmpty
        #expect(!isEmpty)
    }

    @Test("All of IPv6 holds no IPv4 address, and the reverse")
    func families() throws {
        let table: [([String], four: Bool, six: Bool)] = [
            ([], false, false), (["0.0.0.0/0"], true, false), (["::/0"], false, true),
            (["0.0.0.0/0,::/0"], true, true),
        ]
        for (texts, four, six) in table {
            let set = AddressSet(try prefixes(texts))
            let isEmpty = set.isEmpty
            #expect(isEmpty == texts.isEmpty)
            for text in ["0.0.0.0", "127.0.0.1", "255.255.255.255"] {
                let address = try #require(IPAddress(text))
                let holds = set.contains(address)
                #expect(holds == four, "\(texts) \(text)")
            }
            for text in ["::", "::fffe:ffff:ffff", "::1:0:0:0", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"] {
                let address = try #require(IPAddress(text))
                let holds = set.contains(address)
                #expect(holds == six, "\(texts) \(text)")
            }
        }
    }

    @Test("It agrees with its blocks, one by one, for any blocks and addresses")
    func random() {
        var random = SplitMix(seed: 7)
        func address() -> IPAddress {
            // Few distinct bits, so that blocks meet, and addresses fall on their ends.
            let bits = random.next() & 0x8000_0003_0000_0007 &+ (random.next() & 1)
            return random.next() & 1 == 0
                ? IPAddress(ipv4: UInt32(truncatingIfNeeded: bits ^ bits >> 32))
                : IPAddress(high: random.next() & 3 == 0 ? bits : 0, low: bits)
        }
        var wrong = 0
        for _ in 0..<500 {
            var prefixes: [AddressPrefix] = []
            for _ in 0..<random.next() % 12 {
                let base = address()
                let least = base.isIPv4 ? 96 : 0
                let length = least + Int(random.next() % UInt64(129 - least))
                prefixes.append(
                    AddressPrefix(AddressPrefix(base, length: length).canonicalBase, length: length))
            }
            let set = AddressSet(prefixes)
            for _ in 0..<100 {
                let address = address()
                if set.contains(address) != prefixes.contains(where: { $0.contains(address) }) { wrong += 1 }
            }
        }
        #expect(wrong == 0)
    }

    @Test("What is no list of blocks is refused, with what to write")
    func refusals() {
        let table = [
            "": "''", "10.0.0.0/8,": "''", "10.0.0.1/8": "write 10.0.0.0/8", "10.0.0.0/33": "0 to 32",
            "::/129": "(IPv4) or 128", "10.0.0.0/": "0 to 32", "10.0.0.0/+8": "0 to 32",
            "example.org": "neither an address",
            "10.1": "neither an address", "[::1": "neither an address", "10.0.0.0/8/8": "0 to 32",
            "unix": "neither an address",
            "::ffff:10.0.0.0/8": "write ::/8",
        ]
        for (text, hint) in table {
            do {
                _ = try AddressList.parse([text])
                Issue.record("\(text) was taken")
            } catch {
                #expect(error.message.contains(hint), "\(text): \(error.message)")
                #expect(error.message.contains(": "), "no remedy: \(error.message)")
            }
        }
    }
}
