import Testing

@testable import UringProxy

@Suite("DestinationPolicy")
struct DestinationPolicyTests {
    private func view<Result>(_ text: String, _ body: (ByteView) -> Result) -> Result {
        var text = text
        return text.withUTF8 { body(unsafe ByteView(UnsafeRawBufferPointer($0))) }
    }
    private func named(_ policy: DestinationPolicy, _ name: String, _ port: UInt16 = 80) -> DestinationVerdict
    {
        view(name) { policy.verdict(name: $0, port: port) }
    }
    /// As the proxy decides: the name first, then the address it resolved to.
    private func resolved(
        _ policy: DestinationPolicy, _ name: String, _ address: String, _ port: UInt16 = 80
    ) -> DestinationVerdict {
        view(name) { name in
            let first = policy.verdict(name: name, port: port)
            guard first.isAllowed else { return first }
            return policy.verdict(name: name, address: IPAddress(address)!, port: port)
        }
    }
    private func on(_ policy: DestinationPolicy, _ address: String, _ port: UInt16 = 80) -> DestinationVerdict
    {
        policy.verdict(name: nil, address: IPAddress(address)!, port: port)
    }

    @Test("The default list closes the first and last address of each block, and nothing beside it")
    func defaultList() {
        let policy = DestinationPolicy()
        let closed = [
            "0.0.0.0", "0.255.255.255", "10.0.0.0", "10.255.255.255", "100.64.0.0", "100.127.255.255",
            "127.0.0.0",
            "127.0.0.1", "127.255.255.255", "169.254.0.0", "169.254.169.254", "169.254.255.255", "172.16.0.0",
            "172.31.255.255", "192.0.0.0", "192.0.0.192", "192.0.0.255", "192.0.2.0", "192.0.2.255",
            "192.88.99.0",
            "192.88.99.255", "192.168.0.0", "192.168.255.255", "198.18.0.0", "198.19.255.255", "198.51.100.0",
            "198.51.100.255", "203.0.113.0", "203.0.113.255", "224.0.0.0", "239.255.255.255", "240.0.0.0",
            "255.255.255.255", "100.100.100.200", "168.63.129.16",
            "::", "::1", "::2", "::127.0.0.1", "::8.8.8.8", "::ffff:127.0.0.1", "::ffff:10.0.0.1",
            "::ffff:0:8.8.8.8", "::fffe:0:0", "64:ff9b::", "64:ff9b::127.0.0.1", "64:ff9b::8.8.8.8",
            "64:ff9b:1::8.8.8.8", "64:ff9b:1:ffff::10.0.0.1", "64:ff9b:2::1", "100::",
            "100::ffff:ffff:ffff:ffff",
            "1234::1", "2001::", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:1::1", "2001:20::1",
            "2001:1ff:ffff::",
            "2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "2002::", "2002:7f00:1::1",
            "2002:808:808::1",
            "3fff::1", "3fff:fff::1", "4000::1", "5f00::1", "8000::1", "fc00::", "fd00:ec2::254",
            "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "fe00::1", "fe80::", "fe80::1", "febf:ffff::",
            "fec0::1",
            "feff:ffff::1", "ff00::", "ff02::1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        ]
        let open = [
            "1.0.0.0", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255",
            "128.0.0.0",
            "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0", "191.255.255.255", "192.0.1.0",
            "192.0.3.0", "192.88.98.255", "192.88.100.0", "192.167.255.255", "192.169.0.0", "198.17.255.255",
            "198.20.0.0", "198.51.99.255", "198.51.101.0", "203.0.112.255", "203.0.114.0", "223.255.255.255",
            "8.8.8.8", "::ffff:8.8.8.8", "2000::1", "2001:200::1", "2001:4860:4860::8888", "2001:db7:ffff::",
            "2001:db9::", "2003::1", "2606:4700::1111", "3ffe::1", "3fff:1000::1",
        ]
        #expect(closed.filter { on(policy, $0).isAllowed } == [])
        #expect(open.filter { !on(policy, $0).isAllowed } == [])
    }

    @Test("Odd spellings of addresses are no names, and literals are judged at once")
    func spellings() {
        let policy = DestinationPolicy()
        let bad = [
            "2130706433", "0177.0.0.1", "0x7f.0.0.1", "0x7f000001", "0x", "127.1", "127.0.1", "0",
            "1.2.3.4.5",
            "127.0.0.1.", "127.0.0.01", "017700000001", "example.0x7F", "a.1", "", ".", "..", "a..b", ".a",
            "a b",
            "a\u{0}b", "127.0.0.1\u{0}.example.org", "ex\u{E4}mple.org", "a/b", "a@b", "a:b", "a%2eb",
            "[127.0.0.1]",
            "[::1", "::1]", "[]", "[::1%lo]", "fe80::1%1", "[[::1]]",
            String(repeating: "a", count: 64) + ".org",
            String(repeating: "a.", count: 127) + "org", "１２７.0.0.1", "127。0。0。1", "\u{2460}",
        ]
        #expect(bad.filter { named(policy, $0) != .denied(.badHost) } == [])
        let closed = [
            "127.0.0.1", "[::1]", "::1", "[::ffff:127.0.0.1]", "[::FFFF:7F00:1]",
            "[0:0:0:0:0:ffff:127.0.0.1]",
            "[::127.0.0.1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "169.254.169.254", "[::]", "0.0.0.0",
            "localhost", "LOCALHOST", "localhost.", "a.localhost", "x.y.LocalHost.",
            "metadata.google.internal",
            "Metadata.Google.Internal.", "metadata", "instance-data.ec2.internal",
        ]
        #expect(closed.filter { named(policy, $0).isAllowed } == [])
        let open = [
            "example.org", "EXAMPLE.ORG.", "xn--exmple-cua.org", "_dmarc.example.org", "1.example.org",
            "127.0.0.1.nip.io",
            "localhost.example.org", "notlocalhost", "a.b.c", "8.8.8.8", "[2606:4700::1111]", "a-1", "0xg",
            "example.1a",
            String(repeating: "a", count: 63) + ".org",
        ]
        #expect(open.filter { !named(policy, $0).isAllowed } == [])
    }

    @Test("A name that resolves to a closed address is refused, whatever rule allows the name")
    func rebinding() throws {
        let plain = DestinationPolicy()
        let byName = try DestinationPolicy(allow: ["*.example.org,evil.test,*:80"], deny: [])
        for policy in [plain, byName] {
            #expect(resolved(policy, "evil.test", "93.184.216.34").isAllowed)
            #expect(resolved(policy, "evil.test", "127.0.0.1") == .denied(.loopback))
            #expect(resolved(policy, "evil.test", "169.254.169.254") == .denied(.linkLocal))
            #expect(resolved(policy, "evil.test", "::ffff:10.0.0.1") == .denied(.privateUse))
            #expect(resolved(policy, "a.example.org", "64:ff9b::a00:1") == .denied(.transition))
            #expect(resolved(policy, "127.0.0.1.nip.io", "127.0.0.1") == .denied(.loopback))
        }
        // The name and the address: each by a rule of its own.
        let both = try DestinationPolicy(allow: ["intranet.example.org", "10.1.2.3"], deny: [])
        #expect(resolved(both, "intranet.example.org", "10.1.2.3").isAllowed)
        #expect(resolved(both, "intranet.example.org", "10.1.2.4") == .denied(.privateUse))
        #expect(resolved(both, "other.test", "93.184.216.34") == .denied(.notAllowedByRule))
    }

    @Test("Allow rules make a list of what is open; only rules for addresses open the default list")
    func allowing() throws {
        let block = try DestinationPolicy(allow: ["10.0.0.0/8"], deny: [])
        #expect(on(block, "10.255.0.1").isAllowed)
        #expect(on(block, "11.0.0.1") == .denied(.notAllowedByRule))
        #expect(on(block, "::ffff:10.0.0.1").isAllowed)
        #expect(named(block, "any.test").isAllowed)  // Its address will tell.
        let more = try DestinationPolicy(allow: [" * , 10.0.0.0/8 "], deny: [])
        #expect(on(more, "10.0.0.1").isAllowed && on(more, "8.8.8.8").isAllowed)
        #expect(on(more, "127.0.0.1") == .denied(.loopback))
        let ports = try DestinationPolicy(allow: [":443,[fd00::/8]:1-1023"], deny: [])
        #expect(on(ports, "8.8.8.8", 443).isAllowed)
        #expect(on(ports, "8.8.8.8", 80) == .denied(.notAllowedByRule))
        #expect(on(ports, "127.0.0.1", 443) == .denied(.loopback))
        #expect(on(ports, "fd12::1", 1023).isAllowed)
        #expect(on(ports, "fd12::1", 1024) == .denied(.notAllowedByRule))
        let names = try DestinationPolicy(allow: ["one.test:443", "*.below.test", ".both.test"], deny: [])
        let table: [(String, UInt16, Bool)] = [
            ("one.test", 443, true), ("ONE.test.", 443, true), ("one.test", 80, false),
            ("a.one.test", 443, false),
            ("xone.test", 443, false), ("below.test", 80, false), ("a.below.test", 80, true),
            ("a.b.BELOW.test.", 80, true), ("xbelow.test", 80, false), ("both.test", 80, true),
            ("a.both.test", 80, true), ("aboth.test", 80, false), ("test", 80, false), ("8.8.8.8", 80, false),
            ("one.test.evil.test", 443, false),
        ]
        #expect(table.filter { named(names, $0.0, $0.1).isAllowed != $0.2 }.map(\.0) == [])
        let local = try DestinationPolicy(allow: ["127.0.0.0/8:8080"], deny: [])
        #expect(named(local, "localhost", 8080).isAllowed)
        #expect(resolved(local, "localhost", "127.0.0.1", 8080).isAllowed)
        #expect(resolved(local, "localhost", "::1", 8080) == .denied(.notAllowedByRule))
        #expect(!named(local, "localhost", 80).isAllowed)
        let v6 = try DestinationPolicy(allow: ["::/0"], deny: [])
        #expect(on(v6, "::1").isAllowed)
        #expect(on(v6, "127.0.0.1") == .denied(.notAllowedByRule))
        #expect(on(v6, "::127.0.0.1") == .denied(.embedsDenied))
    }

    @Test("An explicit deny wins over every allow")
    func denying() throws {
        let policy = try DestinationPolicy(
            allow: ["*", "10.0.0.0/8", "64:ff9b::/96"],
            deny: ["10.6.6.0/24,bad.test,*.worse.test,:25,8.8.8.8:53"])
        #expect(on(policy, "10.6.7.1").isAllowed)
        #expect(on(policy, "10.6.6.1") == .denied(.deniedByRule))
        #expect(on(policy, "8.8.8.8", 53) == .denied(.deniedByRule))
        #expect(on(policy, "::ffff:8.8.8.8", 53) == .denied(.deniedByRule))
        #expect(on(policy, "8.8.8.8", 25) == .denied(.deniedByRule))
        #expect(on(policy, "8.8.8.8", 54).isAllowed)
        #expect(named(policy, "BAD.test.") == .denied(.deniedByRule))
        #expect(resolved(policy, "a.worse.test", "8.8.8.8") == .denied(.deniedByRule))
        #expect(resolved(policy, "good.test", "10.6.6.6") == .denied(.deniedByRule))
        #expect(named(policy, "good.test", 25) == .denied(.deniedByRule))
        // What an opened translation prefix carries is judged as if asked for itself.
        #expect(on(policy, "64:ff9b::8.8.4.4").isAllowed)
        #expect(on(policy, "64:ff9b::8.8.8.8", 53) == .denied(.embedsDenied))
        #expect(on(policy, "64:ff9b::127.0.0.1") == .denied(.embedsDenied))
        #expect(on(policy, "64:ff9b::10.0.0.1").isAllowed)
        #expect(on(policy, "64:ff9b::10.6.6.1") == .denied(.embedsDenied))
    }

    @Test("Transition addresses opened by a rule still close what they carry")
    func embedded() throws {
        let policy = try DestinationPolicy(allow: ["2001::/32,2002::/16,64:ff9b:1::/48"], deny: [])
        #expect(on(policy, "2002:808:808::1").isAllowed)
        #expect(on(policy, "2002:7f00:1::1") == .denied(.embedsDenied))
        // Teredo: server 65.54.227.120, client 192.0.2.45 with its bits inverted; then a public client.
        #expect(on(policy, "2001:0:4136:e378:8000:63bf:3fff:fdd2") == .denied(.embedsDenied))
        #expect(on(policy, "2001:0:4136:e378:8000:63bf:f7f7:f7f7").isAllowed)
        #expect(on(policy, "2001:0:7f00:1:8000:63bf:f7f7:f7f7") == .denied(.embedsDenied))
        #expect(on(policy, "64:ff9b:1:fffe::8.8.8.8").isAllowed)
        #expect(on(policy, "64:ff9b:1:fffe::10.0.0.1") == .denied(.embedsDenied))
        // The /48 form of 10.0.0.1: 64:ff9b:1:0a00:00:0001:: puts zeros where the /96 form has the address.
        #expect(on(policy, "64:ff9b:1:a00:0:100::") == .denied(.ambiguousTranslation))
    }

    @Test("Bad rules are named, with the remedy")
    func badRules() {
        typealias Problem = DestinationRuleError.Problem
        let table: [(String, Problem)] = [
            ("", .empty), ("a.test,,b.test", .empty), ("a.test,", .empty),
            ("a.test:", .badPorts), ("a.test:0", .badPorts), (":70000", .badPorts), (":2-1", .badPorts),
            (":1-", .badPorts),
            (":-1", .badPorts), (":http", .badPorts), ("a.test:80:90", .badPorts), ("[::1]:x", .badPorts),
            ("10.0.0.0/33", .badPrefixLength), ("10.0.0.0/", .badPrefixLength),
            ("10.0.0.0/-1", .badPrefixLength),
            ("::/129", .badPrefixLength), ("10.0.0.0/255.0.0.0", .badPrefixLength),
            ("10.0.0.1/8", .hostBitsSet(suggestion: "10.0.0.0/8")),
            ("fd00::1/8", .hostBitsSet(suggestion: "fd00::/8")),
            ("127.1", .addressLookalike), ("2130706433", .addressLookalike), ("010.0.0.1", .addressLookalike),
            ("0x7f.1", .addressLookalike), ("10.0/8", .addressLookalike), ("[::1", .addressLookalike),
            ("a b", .badName), ("*a.test", .badName), ("a.*.test", .badName), ("**.test", .badName),
            ("*.", .badName),
            ("b\u{FC}cher.test", .badName), ("..a", .badName), ("a..b", .badName),
        ]
        var wrong: [String] = []
        for (text, problem) in table {
            do {
                _ = try DestinationPolicy(allow: [], deny: [text])
                wrong.append("accepted: \(text)")
            } catch {
                if error.problem != problem { wrong.append("\(text): \(error.problem)") }
                if problem != .empty && !error.message.contains(error.rule) {
                    wrong.append("unnamed: \(text)")
                }
            }
        }
        #expect(wrong == [])
    }

    @Test("A long list of names finds each of them")
    func manyNames() throws {
        let names = (0..<5_000).map { "host\($0 * 7919 % 5_000).zone\($0 % 13).test" }
        let policy = try DestinationPolicy(allow: [], deny: [names.joined(separator: ",")])
        #expect(names.filter { named(policy, $0).isAllowed } == [])
        #expect(named(policy, "host.zone0.test").isAllowed)
        #expect(named(policy, "a.host1.zone1.test").isAllowed)
    }

    @Test("Where nobody asks again about the address, a rule for addresses opens no name")
    func nameAlone() throws {
        let policy = try DestinationPolicy(
            allow: ["*.corp.test", "10.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16"], deny: ["bad.corp.test"])
        func isAllowed(_ name: String) -> Bool {
            view(name) { policy.verdict(onlyName: $0, port: 80).isAllowed }
        }
        #expect(["a.corp.test", "10.1.2.3", "169.254.1.1"].filter { !isAllowed($0) } == [])
        let closed = [
            "evil.test", "corp.test", "bad.corp.test", "11.0.0.1", "192.168.0.1", "localhost", "metadata",
            "metadata.google.internal", "127.1", "",
        ]
        #expect(closed.filter { isAllowed($0) } == [])
        #expect(named(policy, "evil.test").isAllowed)
        let open = DestinationPolicy()
        #expect(view("evil.test") { open.verdict(onlyName: $0, port: 80).isAllowed })
        #expect(!view("metadata") { open.verdict(onlyName: $0, port: 80).isAllowed })
    }
}
