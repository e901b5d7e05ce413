import Testing

@testable import UringProxy

@Suite("AddressText")
struct AddressTextTests {
    @Test("Addresses of all forms are read")
    func forms() throws {
        let table: [(String, AddressText)] = [
            ("127.0.0.1:8080", .host("127.0.0.1", port: 8080)), ("[::1]:80", .host("[::1]", port: 80)),
            ("[::]:0", .host("[::]", port: 0)), ("[fe80::1%eth0]:443", .host("[fe80::1%eth0]", port: 443)),
            ("example.com:65535", .host("example.com", port: 65535)),
            ("my_app.local.:1", .host("my_app.local.", port: 1)),
            ("unix:/run/a b.sock", .unix(path: "/run/a b.sock")), ("unix:relative", .unix(path: "relative")),
            ("fd:http", .inherited(name: "http")),
        ]
        for (text, expected) in table { #expect(try AddressText(parsing: text) == expected, "\(text)") }
    }

    @Test("A broken address says what to write")
    func broken() {
        let table = [
            ("", "has no port"), ("8080", "127.0.0.1:8080"), ("localhost", "has no port"),
            (":8080", "0.0.0.0:8080"),
            ("::1:8080", "brackets"), ("[::1]", "brackets"), ("[::1]:", "no port"), ("a:65536", "no port"),
            ("a:-1", "no port"), ("a:+1", "no port"), ("a:8 0", "no port"), ("[1.2.3.4]:1", "brackets"),
            ("[:::]:1", "brackets"), ("a b:1", "neither a name"), ("a..b:1", "neither a name"),
            ("http://a:1", "URL"),
            ("fd:", "names no socket"), ("fd:a:b", "names no socket"), ("fd:a b", "names no socket"),
            ("unix:", "no path"), ("unix:/" + String(repeating: "p", count: 107), "longer than"),
        ]
        for (text, part) in table {
            do {
                _ = try AddressText(parsing: text)
                Issue.record("\(text) was accepted")
            } catch {
                #expect(error.message.contains(part), "\(text): \(error.message)")
            }
        }
    }

    @Test("IPv4 and IPv6 literals are told from what only looks like them")
    func literals() {
        for text in ["0.0.0.0", "255.255.255.255"] { #expect(AddressText.isIPv4(text[...])) }
        for text in ["256.1.1.1", "1.2.3", "01.2.3.4", "1.2.3.4.5", "1.2.3.+4", ""] {
            #expect(!AddressText.isIPv4(text[...]), "\(text)")
        }
        for text in ["::", "::1", "1::", "2001:db8::53", "1:2:3:4:5:6:7:8", "::ffff:1.2.3.4", "fe80::1%lo"] {
            #expect(AddressText.isIPv6(text[...]), "\(text)")
        }
        for text in [
            "", ":", "1", "1:2", "1::2::3", "1:2:3:4:5:6:7:8:9", "12345::", "::g", "1:2:3:4:5:6:7::8", "::1%",
        ] {
            #expect(!AddressText.isIPv6(text[...]), "\(text)")
        }
    }

    @Test("A listener takes addresses of the machine, no names")
    func listenable() throws {
        for text in ["127.0.0.1:1", "[::1]:1", "unix:/a"] {
            try AddressText(parsing: text).checkListenable(text)
        }
        for text in ["localhost:1", "example.com:1", "1.2.3:1"] {
            #expect(throws: OptionSyntaxError.self) { try AddressText(parsing: text).checkListenable(text) }
        }
    }

    @Test("Two listeners conflict on one port, unless the kernel picks it")
    func conflicts() throws {
        let table = [
            ("127.0.0.1:80", "127.0.0.1:80", true), ("0.0.0.0:80", "127.0.0.1:80", true),
            ("[::]:80", "[::1]:80", true),
            ("127.0.0.1:80", "127.0.0.2:80", false), ("127.0.0.1:80", "127.0.0.1:81", false),
            ("127.0.0.1:0", "127.0.0.1:0", false), ("0.0.0.0:80", "[::]:80", false),
            ("[::A]:80", "[::a]:80", true),
            ("unix:/a", "unix:/a", true), ("unix:/a", "unix:/b", false), ("unix:/a", "127.0.0.1:80", false),
        ]
        for (a, b, expected) in table {
            let (first, second) = (try AddressText(parsing: a), try AddressText(parsing: b))
            #expect(first.conflicts(with: second) == expected, "\(a) \(b)")
            #expect(second.conflicts(with: first) == expected, "\(b) \(a)")
        }
    }
}
