import Testing

@testable import UringProxy

@Suite("Patterns of routes")
struct PatternTests {
    @Test("Hosts are kept as they are looked up")
    func hosts() throws {
        let table: [(String, HostPattern.Kind)] = [
            ("Example.ORG", .exact("example.org")), ("example.org.", .exact("example.org")),
            ("localhost", .exact("localhost")), ("my_app", .exact("my_app")),
            ("*.Example.org", .below("example.org")), ("*.org.", .below("org")), ("*.a-b.c", .below("a-b.c")),
            ("192.0.2.7", .exact("192.0.2.7")), ("[2001:DB8:0::7]", .exact("2001:db8::7")),
            ("2001:db8::0:7", .exact("2001:db8::7")), ("[::1]", .exact("::1")),
        ]
        for (text, kind) in table { #expect(try HostPattern(parsing: text).kind == kind, "\(text)") }
        let expression = try RegularExpression("^a", ignoringCase: true)
        #expect(try HostPattern(parsing: "~^a").kind == .expression(expression))
    }

    @Test("A broken host says what to write")
    func brokenHosts() {
        let table = [
            ("", "a host is empty: leave the hosts out for any host"),
            ("*", "'*' would be any host: leave the hosts out for that"),
            ("http://a", "'http://a' is a URL: write its host alone"),
            ("a:80", "'a:80' has a port: write the host alone, a rule holds for every port"),
            ("[::1]:80", "'[::1]:80' has a port: write the host alone, a rule holds for every port"),
            ("[a]", "'[a]' has no IPv6 address in its brackets: write for example [2001:db8::7]"),
            ("[1.2.3.4]", "'[1.2.3.4]' has no IPv6 address in its brackets: write for example [2001:db8::7]"),
            ("[]", "'[]' has no IPv6 address in its brackets: write for example [2001:db8::7]"),
            ("[", "'[' has no IPv6 address in its brackets: write for example [2001:db8::7]"),
            (
                ".a.org",
                "'.a.org' begins with a dot: write '*.a.org' for all below it, and 'a.org' for itself"
            ),
            (
                "a.*.org",
                "'a.*.org' has a * that is not its first label: write for example *.example.org, or a regular"
                    + " expression behind ~"
            ),
            (
                "*a.org",
                "'*a.org' has a * that is not its first label: write for example *.example.org, or a regular"
                    + " expression behind ~"
            ),
            (
                "a b",
                "'a b' is no host: write a name (an international one as xn--…), *.NAME for all below it, an address,"
                    + " or a regular expression behind ~"
            ),
            (
                "caf\u{E9}.org",
                "'caf\u{E9}.org' is no host: write a name (an international one as xn--…), *.NAME for all below it, an"
                    + " address, or a regular expression behind ~"
            ),
            (
                "*.",
                "'*.' is no host: write a name (an international one as xn--…), *.NAME for all below it, an address,"
                    + " or a regular expression behind ~"
            ),
            (
                "~(",
                "'~(' is no regular expression: missing closing parenthesis (PCRE2, after 1 of its bytes)"
            ),
        ]
        for (text, expected) in table {
            let message = RouteSupport.message { () throws(OptionSyntaxError) in
                try HostPattern(parsing: text)
            }
            #expect(message == expected)
        }
    }

    @Test("Paths are kept in their normal form")
    func paths() throws {
        let table: [(String, PathPattern.Kind)] = [
            ("/", .exact([""])), ("/a", .exact(["a"])), ("/a/b", .exact(["a", "b"])),
            ("/a/", .exact(["a", ""])),
            ("/%61%7e%2f", .exact(["a~%2F"])), ("/caf\u{E9} x", .exact(["caf%C3%A9%20x"])),
            ("/...", .exact(["..."])),
            ("/a|b", .exact(["a|b"])), ("/%7Bid%7D", .exact(["{id}"])), ("/a\\b", .exact(["a%5Cb"])),
            ("/*", .prefix([])), ("/a/*", .prefix(["a"])), ("/%41/b/*", .prefix(["A", "b"])),
            ("/{id}", .template([.placeholder("id")])),
            ("/users/{id}/", .template([.literal("users"), .placeholder("id"), .literal("")])),
            (
                "/%75/{a}/p/{b...}",
                .template([.literal("u"), .placeholder("a"), .literal("p"), .rest("b")])
            ),
            ("/{rest...}", .template([.rest("rest")])),
        ]
        for (text, kind) in table { #expect(try PathPattern(parsing: text).kind == kind, "\(text)") }
        #expect(try PathPattern(parsing: "/u/{a}/p/{b...}").captureNames == ["a", "b"])
        #expect(try PathPattern(parsing: "~^/(a)/(b(c))").captureNames == ["1", "2", "3"])
        #expect(try PathPattern(parsing: "~" + String(repeating: "(a)", count: 9)).captureNames.count == 8)
        #expect(try PathPattern(parsing: "/a/*").captureNames == [])
        #expect(try PathPattern(parsing: "/a/b/c/d/e/f/g/h").captureNames == [])
    }

    @Test("A broken path says what to write")
    func brokenPaths() {
        let long = String(repeating: "/a", count: 65)
        let nine = "/{a}/{b}/{c}/{d}/{e}/{f}/{g}/{h}/{i}"
        let surplus =
            "has dot segments or doubled slashes, which are removed from a path before it is matched: "
        let star =
            "has a * that is not its whole last segment: write for example /a/* for all below /a, {name} for one"
            + " segment, or a regular expression behind ~"
        let brace =
            "has a brace within a segment: a placeholder is a whole segment, as in /users/{id}; for the character itself"
            + " write %7B or %7D"
        let name = "has a placeholder without a plain name: write for example {id}, or {rest...} at the end"
        let table = [
            ("", "a path is empty: leave it out for any path, or write / for the root alone"),
            ("*", "'*' would be any path: leave the path out, or write /*"),
            ("a/b", "'a/b' does not begin with a slash: write '/a/b'"),
            ("http://a/b", "'http://a/b' is a URL: write its path alone"),
            ("/a?b=c", "'/a?b=c' has a query: write the path alone, and match the query's parameters"),
            ("/a#b", "'/a#b' has a fragment, which no request has: leave it out"),
            (long, "\(quoted(long)) has 65 segments of at most 64: end it earlier with /*"),
            ("/a*", "'/a*' \(star)"), ("/*/a", "'/*/a' \(star)"), ("/a/**", "'/a/**' \(star)"),
            ("/a{b}", "'/a{b}' \(brace)"), ("/{a}b", "'/{a}b' \(brace)"), ("/{a}{b}", "'/{a}{b}' \(brace)"),
            ("/{a", "'/{a' \(brace)"), ("/}", "'/}' \(brace)"), ("/{", "'/{' \(brace)"),
            ("/{}", "'/{}' \(name)"), ("/{...}", "'/{...}' \(name)"), ("/{a.b}", "'/{a.b}' \(name)"),
            ("/{a b}", "'/{a b}' \(name)"),
            ("/{a...}/b", "'/{a...}/b' goes on behind '{a...}': what takes the rest is the last segment"),
            ("/{a}/{a}", "'/{a}/{a}' has two placeholders 'a': rename one"),
            (nine, "'\(nine)' has 9 placeholders of at most 8: end it earlier with {rest...}"),
            ("/{a}/*", "'/{a}/*' has placeholders before its *: write {rest...} for the *"),
            ("/a/../b", "'/a/../b' \(surplus)write '/b'"), ("/a//b", "'/a//b' \(surplus)write '/a/b'"),
            ("/a/.", "'/a/.' \(surplus)write '/a/'"), ("/..", "'/..' \(surplus)write '/'"),
            ("/%2e%2E/a", "'/%2e%2E/a' \(surplus)write '/a'"), ("/a//*", "'/a//*' \(surplus)write '/a/*'"),
            ("//*", "'//*' \(surplus)write '/*'"), ("/a/../*", "'/a/../*' \(surplus)write '/*'"),
            ("/a/./*", "'/a/./*' \(surplus)write '/a/*'"),
            ("/a/./b/*", "'/a/./b/*' \(surplus)write '/a/b/*'"),
            ("/{a}/./b", "'/{a}/./b' \(surplus)leave them out"),
            ("/a//../b", "'/a//../b' \(surplus)leave them out"),
            (
                "/a%zz",
                "'/a%zz' has a % that no two hexadecimal digits follow: write %25 for the character itself"
            ),
            ("/a%00", "'/a%00' has a NUL, which no path may: leave it out"),
            ("/a\u{0}", "'/a\\0' has a NUL, which no path may: leave it out"),
            (
                "~a(",
                "'~a(' is no regular expression: missing closing parenthesis (PCRE2, after 2 of its bytes)"
            ),
        ]
        for (text, expected) in table {
            let message = RouteSupport.message { () throws(OptionSyntaxError) in
                try PathPattern(parsing: text)
            }
            #expect(message == expected)
        }
    }

    @Test("Methods, names, values and sources")
    func others() throws {
        #expect(try MethodPattern(parsing: "GET") == .known(.get))
        #expect(try MethodPattern(parsing: "PROPFIND") == .named("PROPFIND"))
        #expect(try FieldPattern(name: "X-A", value: .present).name == "x-a")
        #expect(try ValuePattern(parsing: "a") == .exact("a"))
        #expect(try ValuePattern(parsing: "") == .exact(""))
        #expect(try ValuePattern(parsing: "a*") == .prefix("a"))
        #expect(try ValuePattern(parsing: "*") == .present)
        #expect(try ValuePattern(parsing: "!*") == .absent)
        #expect(
            try ValuePattern(parsing: "~^a*") == .expression(RegularExpression("^a*", ignoringCase: false)))
        #expect(try AddressList.block("10.0.0.0/8") == AddressPrefix(ipv4: 0x0A00_0000, length: 8))
        #expect(try AddressList.block("[fd00::/8]") == AddressList.block("fd00::/8"))
        #expect(try AddressList.block("::1") == AddressPrefix(.loopback6, length: 128))
        let table = [
            (
                RouteSupport.message { () throws(OptionSyntaxError) in try MethodPattern(parsing: "") },
                "a method is empty: leave the methods out for any method"
            ),
            (
                RouteSupport.message { () throws(OptionSyntaxError) in try MethodPattern(parsing: "*") },
                "'*' would be any method: leave the methods out for that"
            ),
            (
                RouteSupport.message { () throws(OptionSyntaxError) in try MethodPattern(parsing: "GET,POST")
                },
                "'GET,POST' is no method: write for example GET or PROPFIND"
            ),
            (
                RouteSupport.message { () throws(OptionSyntaxError) in try MethodPattern(parsing: "post") },
                "'post' is another method than 'POST': write it in capitals"
            ),
            (
                RouteSupport.message { () throws(OptionSyntaxError) in
                    try FieldPattern(name: "a b", value: .present)
                }, "'a b' is no field name: write for example x-version"
            ),
            (
                RouteSupport.message { () throws(OptionSyntaxError) in
                    try QueryPattern(name: "", value: .present)
                },
                "the name of a query parameter is empty: write what stands before its ="
            ),
            (
                RouteSupport.message { () throws(OptionSyntaxError) in try AddressList.block("a") },
                "'a' is neither an address nor a block of them: write for example 192.0.2.7, 10.0.0.0/8 or fd00::/8"
            ),
            (
                RouteSupport.message { () throws(OptionSyntaxError) in try AddressList.block("10.0.0.0/33")
                },
                "'10.0.0.0/33' has no length from 0 to 32 (IPv4) or 128 (IPv6) behind its slash: write for example"
                    + " 10.0.0.0/8"
            ),
            (
                RouteSupport.message { () throws(OptionSyntaxError) in try AddressList.block("10.0.0.1/8")
                },
                "'10.0.0.1/8' has bits set beyond its length: write 10.0.0.0/8, or leave the length out for one address"
            ),
        ]
        for (message, expected) in table { #expect(message == expected) }
    }
}
