import Testing

@testable import UringProxy

@Suite("ForwardedChain")
struct ForwardedChainTests {
    private let proxies = ["10.0.0.0/8", "fd00::/8"]

    private func client(
        _ field: FieldName, _ lines: [String], peer: String = "10.0.0.1", trusting: [String]? = nil
    ) throws -> String {
        let name = field == .forwarded ? "Forwarded" : "X-Forwarded-For"
        let head =
            "GET / HTTP/1.1\r\nHost: h\r\n" + lines.map { "\(name): \($0)\r\nA: b\r\n" }.joined() + "\r\n"
        let set = AddressSet(try AddressList.parse(trusting ?? proxies))
        return HTTPSupport.withView(HTTPSupport.bytes(head)) { view in
            var fields = FieldTable(capacity: 128)
            var request = RequestHead()
            guard
                RequestParser.parse(view, limits: HTTPSupport.limits, fields: &fields, head: &request)
                    == .complete
            else { return "no head" }
            let chain = ForwardedChain(field, fields: fields, bytes: view)
            return chain.client(of: IPAddress(peer)!, trusting: set).description
        }
    }

    @Test("X-Forwarded-For is read from its end to the first address that is not trusted")
    func xForwardedFor() throws {
        let table: [([String], String)] = [
            // Nobody is told of: the peer.
            ([], "10.0.0.1"), ([""], "10.0.0.1"), ([", ,"], "10.0.0.1"),
            (["192.0.2.1"], "192.0.2.1"), (["192.0.2.9, 192.0.2.1"], "192.0.2.1"),
            (["192.0.2.9, 192.0.2.1, 10.0.0.2"], "192.0.2.1"),
            (["192.0.2.9,192.0.2.1,10.0.0.2,fd00::2"], "192.0.2.1"),
            // All of them trusted: the furthest.
            (["10.0.0.4, 10.0.0.3"], "10.0.0.4"), (["fd00::4"], "fd00::4"),
            // Several lines are one list.
            (["192.0.2.9", "192.0.2.1", "10.0.0.2, 10.0.0.3"], "192.0.2.1"),
            (["192.0.2.1", ""], "192.0.2.1"),
            // Ports and brackets.
            (["192.0.2.1:4711"], "192.0.2.1"), (["[2001:db8::1]:4711, 10.0.0.2:80"], "2001:db8::1"),
            (["[2001:db8::1]"], "2001:db8::1"), (["2001:db8::1"], "2001:db8::1"),
            (["192.0.2.1:_hidden"], "192.0.2.1"),
            (["::ffff:192.0.2.1"], "192.0.2.1"), (["::ffff:10.0.0.9"], "10.0.0.9"),
            (["\t192.0.2.1 \t,\t10.0.0.2"], "192.0.2.1"),
            // What cannot be read ends the walk.
            (["192.0.2.1, unknown"], "10.0.0.1"), (["192.0.2.1, unknown, 10.0.0.2"], "10.0.0.2"),
            (["192.0.2.1, _obfuscated"], "10.0.0.1"), (["192.0.2.1, 192.0.2.01"], "10.0.0.1"),
            (["192.0.2.1, \"192.0.2.2\""], "10.0.0.1"), (["192.0.2.1, [192.0.2.2]"], "10.0.0.1"),
            (["192.0.2.1, 192.0.2.2:"], "10.0.0.1"), (["192.0.2.1, 192.0.2.2:123456"], "10.0.0.1"),
            (["192.0.2.1, [2001:db8::1"], "10.0.0.1"), (["192.0.2.1, [2001:db8::1]x"], "10.0.0.1"),
            (["192.0.2.1, fe80::1%eth0"], "10.0.0.1"), (["192.0.2.1, 192.0.2.2 192.0.2.3"], "10.0.0.1"),
        ]
        var wrong: [String] = []
        for (lines, expected) in table {
            let found = try client(.xForwardedFor, lines)
            if found != expected { wrong.append("\(lines): \(found)") }
        }
        #expect(wrong == [])
    }

    @Test("Forwarded is read by its grammar")
    func forwarded() throws {
        let table: [(String, String)] = [
            // Examples of RFC 7239 §4, §6 and §7.1.
            ("for=\"_gazonk\"", "10.0.0.1"), ("For=\"[2001:db8:cafe::17]:4711\"", "2001:db8:cafe::17"),
            ("for=192.0.2.60;proto=http;by=203.0.113.43", "192.0.2.60"),
            ("for=192.0.2.43, for=198.51.100.17", "198.51.100.17"),
            ("for=192.0.2.43,for=\"[2001:db8:cafe::17]\",for=unknown", "10.0.0.1"),
            ("for=_hidden, for=_SEVKISEK", "10.0.0.1"),
            ("for=192.0.2.43, for=\"[2001:db8:cafe::17]\"", "2001:db8:cafe::17"),
            ("for=192.0.2.9, for=192.0.2.1;by=10.0.0.2, for=10.0.0.2", "192.0.2.1"),
            ("for=\"192.0.2.1:80\"", "192.0.2.1"),
            ("by=192.0.2.1;FOR=192.0.2.2", "192.0.2.2"), (";for=192.0.2.1;;proto=http;", "192.0.2.1"),
            ("for=192.0.2.1; proto=http", "192.0.2.1"), ("for=\"192.0.2.1:_p-1\"", "192.0.2.1"),
            // Commas and semicolons within quotes are none.
            ("for=192.0.2.9;by=\"a,for=192.0.2.8\", for=192.0.2.1;by=\"b;c\\\",d\"", "192.0.2.1"),
            // What cannot be read ends the walk.
            ("for=192.0.2.1, proto=http", "10.0.0.1"), ("for=192.0.2.1, for=", "10.0.0.1"),
            ("for=192.0.2.1, for", "10.0.0.1"),
            ("for=192.0.2.1, for=192.0.2.2;for=192.0.2.3", "10.0.0.1"),
            ("for=192.0.2.1, for=2001:db8::1", "10.0.0.1"),
            ("for=192.0.2.1, for=\"2001:db8::1\"", "10.0.0.1"),
            ("for=192.0.2.1, for=[2001:db8::1]", "10.0.0.1"),
            ("for=192.0.2.1, for=\"192.0.2.2", "10.0.0.1"),
            ("for=192.0.2.1, for=\"192.0.2.\\2\"", "10.0.0.1"),
            ("for=192.0.2.1, for=\"192.0.2.2\"x", "10.0.0.1"), ("for=192.0.2.1, for =192.0.2.2", "10.0.0.1"),
            ("for=192.0.2.1, for= 192.0.2.2", "10.0.0.1"), ("for=192.0.2.1, 192.0.2.2", "10.0.0.1"),
            // A quote left open by whoever sent the line first hides the rest of it, and invents nothing.
            ("for=192.0.2.9;x=\", for=192.0.2.1;host=\"h\";proto=http", "10.0.0.1"),
        ]
        var wrong: [String] = []
        for (line, expected) in table {
            let found = try client(.forwarded, [line])
            if found != expected { wrong.append("\(line): \(found)") }
        }
        #expect(wrong == [])
        #expect(try client(.forwarded, ["for=\"192.0.2.9", "for=192.0.2.1, for=10.0.0.2"]) == "192.0.2.1")
    }

    @Test("A peer that is not trusted is the client, whatever it says")
    func untrusted() throws {
        #expect(try client(.xForwardedFor, ["10.0.0.2, 192.0.2.7"], peer: "192.0.2.1") == "192.0.2.1")
        #expect(try client(.xForwardedFor, ["192.0.2.7"], peer: "::", trusting: ["unix:"]) == "192.0.2.7")
        #expect(try client(.xForwardedFor, ["192.0.2.7"], trusting: []) == "10.0.0.1")
    }

    @Test("No more than 32 hops are looked at")
    func limit() throws {
        let many = (0..<100).map { "10.0.1.\($0)" }.joined(separator: ", ")
        #expect(try client(.xForwardedFor, ["192.0.2.1, " + many]) == "10.0.1.68")
        let some = (0..<31).map { "10.0.1.\($0)" }.joined(separator: ",")
        #expect(try client(.xForwardedFor, ["192.0.2.1", some]) == "192.0.2.1")
        #expect(try client(.forwarded, [many]) == "10.0.0.1")
    }
}
