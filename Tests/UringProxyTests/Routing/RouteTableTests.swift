import Testing

@testable import UringProxy

@Suite("RouteTable")
struct RouteTableTests {
    private typealias Found = RouteSupport.Found

    private func index(_ table: RouteTable, _ target: String = "/", host: String = "") -> Int {
        RouteSupport.find(table, target, host: host)?.rule ?? -1
    }

    // MARK: Hosts

    @Test("An exact host comes before the longest wildcard, then regular expressions in order, then any")
    func hostPrecedence() throws {
        var rules = try [
            "~^w", "~example", "*.org", "*.example.org", "*.b.example.org", "www.example.org", "org",
        ]
        .map { try RouteSupport.rule(hosts: [$0]) }
        rules.insert(try RouteSupport.rule(), at: 0)
        let table = try RouteTable(rules, seed: 1)
        let expected: [(String, Int)] = [
            ("www.example.org", 6), ("WWW.Example.ORG", 6), ("www.example.org.", 6),
            ("www.example.org:8080", 6),
            ("a.example.org", 4), ("a.b.example.org", 5), ("x.a.b.example.org", 5), ("b.example.org", 4),
            ("example.org", 3), ("other.org", 3), ("A.ORG", 3), ("org", 7), ("org.", 7),
            ("w.com", 1), ("example.com", 2), ("W.example.com", 1), ("EXAMPLE.com", 2), ("com", 0), ("", 0),
            ("xexample.org", 3), ("org.com", 0), (".org", 0),
        ]
        for (host, rule) in expected { #expect(index(table, host: host) == rule, "\(host)") }
    }

    @Test("Without a rule for any host, others are not found")
    func noHost() throws {
        let table = try RouteSupport.table(hosts: ["a.test", "*.b.test"])
        for host in ["", "b.test", "c.test", "a.test.c", "test", "aa.test", "a.testb.test"] {
            #expect(index(table, host: host) == -1, "\(host)")
        }
        #expect(RouteSupport.find(try RouteTable([], seed: 1)) == nil)
    }

    @Test("An address is found however it is spelt")
    func addresses() throws {
        let table = try RouteSupport.table(hosts: ["[2001:db8::7]", "192.0.2.7"])
        for (host, rule) in [
            ("[2001:db8::7]", 0), ("[2001:DB8:0:0:0:0:0:7]:80", 0), ("[2001:db8::0.0.0.7]", 0),
            ("192.0.2.7", 1),
            ("[::ffff:192.0.2.7]", 1), ("[2001:db8::8]", -1),
        ] {
            #expect(index(table, host: host) == rule, "\(host)")
        }
    }

    // MARK: Paths

    @Test(
        "An exact path comes before templates, then the longest prefix, then regular expressions in order, then any"
    )
    func pathPrecedence() throws {
        let paths: [String?] = [
            nil, "~^/a", "~b", "/*", "/a/*", "/a/b/*", "/{x}/{y}", "/a/{x}", "/{x}/b", "/a/b", "/{x}/b/{y}",
            "/a/",
        ]
        let table = try RouteTable(paths.map { try RouteSupport.rule(path: $0) }, seed: 1)
        let expected: [(String, Int)] = [
            ("/a/b", 9), ("/a/c", 7), ("/x/b", 8), ("/x/y", 6), ("/a", 4), ("/a/", 11), ("/a/b/", 5),
            ("/a/b/c/d", 5), ("/a/x/c", 4), ("/x/b/y", 10), ("/a/b/y", 10), ("/", 3), ("/ab", 3),
            ("/x/y/z", 3),
            ("/x/", 3), ("/A/b", 8), ("/a/%62", 9), ("/x/../a/b", 9), ("//a//b", 9), ("/a?b", 4),
        ]
        for (target, rule) in expected { #expect(index(table, target) == rule, "\(target)") }
        #expect(RouteSupport.find(table, "*", method: "OPTIONS")?.rule == 0)
        #expect(RouteSupport.find(table, "a:443", method: "CONNECT")?.rule == 0)
        #expect(index(table, "http://h.test") == 3)
        #expect(index(table, "http://h.test/a/b") == 9)
        #expect(index(table, "http://h.test?b") == 3)
    }

    @Test("Without a prefix for all, regular expressions are tried in the order of the file")
    func expressions() throws {
        let table = try RouteSupport.table(paths: ["~^/v([0-9]+)/(.*)$", "/v1/x", "~^/v", "~x$"])
        #expect(RouteSupport.find(table, "/v1/y") == Found(rule: 0, captures: ["1", "y"]))
        #expect(RouteSupport.find(table, "/v1/x") == Found(rule: 1))
        #expect(RouteSupport.find(table, "/vx") == Found(rule: 2))
        #expect(RouteSupport.find(table, "/x") == Found(rule: 3))
        #expect(RouteSupport.find(table, "/X") == nil)
    }

    @Test("A prefix ends at a segment's end")
    func prefixes() throws {
        let table = try RouteSupport.table(paths: ["/a/*", "/ab/c/*", "/"])
        let expected: [(String, Int)] = [
            ("/a", 0), ("/a/", 0), ("/a/b", 0), ("/a/b/c/d/e", 0), ("/ab", -1), ("/ab/c", 1), ("/ab/cd", -1),
            ("/ab/c/", 1), ("/", 2), ("/b", -1), ("/A", -1), ("/a%2Fb", -1),
        ]
        for (target, rule) in expected { #expect(index(table, target) == rule, "\(target)") }
    }

    @Test(
        "Of two templates the one that is literal where they first differ comes first; what takes the rest comes last"
    )
    func templates() throws {
        let table = try RouteSupport.table(paths: [
            "/{a}/{b}/{c}", "/x/{rest...}", "/x/{b}/z", "/{a}/y/z", "/x/{b}/{rest...}", "/{rest...}",
            "/u/{id}/",
            "/u/{id}", "/u/{id}/posts/{post}",
        ])
        let expected: [(String, Found)] = [
            ("/x/y/z", Found(rule: 2, captures: ["y"])), ("/x/y/w", Found(rule: 4, captures: ["y", "w"])),
            ("/x/y/w/v", Found(rule: 4, captures: ["y", "w/v"])), ("/x/y", Found(rule: 1, captures: ["y"])),
            ("/x/", Found(rule: 1, captures: [""])), ("/x/y/", Found(rule: 4, captures: ["y", ""])),
            ("/w/y/z", Found(rule: 3, captures: ["w"])),
            ("/a/b/c", Found(rule: 0, captures: ["a", "b", "c"])),
            ("/a/b/", Found(rule: 5, captures: ["a/b/"])), ("/x", Found(rule: 5, captures: ["x"])),
            ("/", Found(rule: 5, captures: [""])), ("/u/7", Found(rule: 7, captures: ["7"])),
            ("/u/7/", Found(rule: 6, captures: ["7"])),
            ("/u/%37/posts/a%2Fb", Found(rule: 8, captures: ["7", "a%2Fb"])),
            ("/u//posts", Found(rule: 7, captures: ["posts"])),
        ]
        for (target, found) in expected { #expect(RouteSupport.find(table, target) == found, "\(target)") }
    }

    @Test("Eight placeholders, and paths longer than every pattern")
    func longPaths() throws {
        let eight = "/{a}/{b}/{c}/{d}/{e}/{f}/{g}/{h...}"
        let deep = String(repeating: "/a", count: 63)
        let table = try RouteSupport.table(paths: [eight, deep + "/b", deep + "/{x}", deep + "/*"])
        #expect(
            RouteSupport.find(table, "/1/2/3/4/5/6/7/8/9")
                == Found(rule: 0, captures: ["1", "2", "3", "4", "5", "6", "7", "8/9"]))
        #expect(RouteSupport.find(table, deep + "/b") == Found(rule: 1))
        #expect(RouteSupport.find(table, deep + "/c") == Found(rule: 2, captures: ["c"]))
        let captures = Array(repeating: "a", count: 7) + [String(repeating: "a/", count: 56) + "b/c"]
        #expect(RouteSupport.find(table, deep + "/b/c") == Found(rule: 0, captures: captures))
        #expect(RouteSupport.find(table, "/a/b") == nil)
        let long = String(repeating: "/a", count: 3000)
        #expect(RouteSupport.find(table, long)?.rule == 0)
        let plain = try RouteSupport.table(paths: ["/a/a/*", "/a"])
        #expect(RouteSupport.find(plain, long) == Found(rule: 0))
    }

    // MARK: Conditions

    @Test("Rules with one host and path are asked in the order of the file, then less specific ones")
    func conditions() throws {
        let rules = [
            try RouteSupport.rule(hosts: ["a.test"], path: "/x", methods: ["POST", "PURGE"]),
            try RouteSupport.rule(hosts: ["a.test"], path: "/x", fields: [("X-V", "2")]),
            try RouteSupport.rule(hosts: ["a.test"], path: "/*", methods: ["GET"]),
            try RouteSupport.rule(hosts: ["a.test"], methods: ["PUT"]),
            try RouteSupport.rule(hosts: ["*.test"], methods: ["PATCH"]),
            try RouteSupport.rule(hosts: ["~a"], methods: ["DELETE"]),
            try RouteSupport.rule(path: "/x", methods: ["HEAD", "PURGE"]),
        ]
        let table = try RouteTable(rules, seed: 1)
        func found(_ method: String, _ fields: [(String, String)] = []) -> Int {
            RouteSupport.find(table, "/x", host: "a.test", method: method, fields: fields)?.rule ?? -1
        }
        #expect(found("POST") == 0 && found("POST", [("x-v", "2")]) == 0 && found("PURGE") == 0)
        #expect(found("GET", [("x-v", "2")]) == 1 && found("GET") == 2)
        #expect(found("PUT") == 3 && found("PATCH") == 4 && found("DELETE") == 5 && found("HEAD") == 6)
        #expect(found("TRACE") == -1 && found("MOVE") == -1 && found("purge") == -1)
        #expect(table.shadowed == [])
    }

    @Test("Captures are those of the rule that is found, whatever was tried before")
    func captures() throws {
        let rules = [
            try RouteSupport.rule(path: "/{a}/{b}", methods: ["POST"]),
            try RouteSupport.rule(path: "/{a}/{rest...}", methods: ["PUT"]),
            try RouteSupport.rule(path: "~^/(.)(.)", fields: [("x", "~(1)(2)(3)")]),
            try RouteSupport.rule(path: "/a/*", methods: ["DELETE"]),
            try RouteSupport.rule(),
        ]
        let table = try RouteTable(rules, seed: 1)
        #expect(RouteSupport.find(table, "/a/b", method: "POST") == Found(rule: 0, captures: ["a", "b"]))
        #expect(RouteSupport.find(table, "/a/b", method: "PUT") == Found(rule: 1, captures: ["a", "b"]))
        #expect(RouteSupport.find(table, "/a/b", method: "DELETE") == Found(rule: 3))
        #expect(
            RouteSupport.find(table, "/a/b", fields: [("x", "123")]) == Found(rule: 2, captures: ["a", "/"]))
        #expect(RouteSupport.find(table, "/a/b", fields: [("x", "12")]) == Found(rule: 4))
    }

    @Test("Fields: known and unknown names, every kind of value, several lines")
    func fields() throws {
        func holds(_ name: String, _ value: String, _ fields: [(String, String)]) throws -> Bool {
            let table = try RouteTable([try RouteSupport.rule(fields: [(name, value)])], seed: 1)
            return RouteSupport.find(table, fields: fields) != nil
        }
        for name in ["X-Some-Name", "User-Agent"] {
            let other = name == "X-Some-Name" ? "X-Some-Nama" : "X-User-Agent"
            let table: [(String, [(String, String)], Bool)] = [
                ("a", [(name, "a")], true), ("a", [(name.uppercased(), "a")], true),
                ("a", [(name, "A")], false),
                ("a", [(name, "ab")], false), ("a", [], false), ("a", [(other, "a")], false),
                ("a", [(name, "b"), (name, "a")], true), ("a*", [(name, "ab")], true),
                ("a*", [(name, "ba")], false),
                ("~^[ab]$", [(name, "b")], true), ("~^[ab]$", [(name, "ab")], false),
                ("*", [(name, "")], true), ("*", [(other, "a")], false), ("!*", [(other, "a")], true),
                ("!*", [(name, "")], false), ("", [(name, "")], true), ("", [(name, "a")], false),
            ]
            for (value, fields, expected) in table {
                #expect(try holds(name, value, fields) == expected, "\(name) \(value) \(fields)")
            }
        }
        let both = try RouteTable([try RouteSupport.rule(fields: [("a", "1"), ("b", "!*")])], seed: 1)
        #expect(RouteSupport.find(both, fields: [("a", "1")]) != nil)
        #expect(RouteSupport.find(both, fields: [("a", "1"), ("b", "1")]) == nil)
    }

    @Test("Query parameters are compared as upstream decodes them")
    func query() throws {
        func holds(_ name: String, _ value: String, _ query: String) throws -> Bool {
            let table = try RouteTable([try RouteSupport.rule(query: [(name, value)])], seed: 1)
            return RouteSupport.find(table, "/x?" + query) != nil
        }
        let table: [(String, String, String, Bool)] = [
            ("a", "1", "a=1", true), ("a", "1", "b=2&a=1", true), ("a", "1", "a=2&a=1", true),
            ("a", "1", "A=1", false),
            ("a", "1", "a=11", false), ("a", "1", "a=", false), ("a", "1", "a", false), ("a", "1", "", false),
            ("a", "1", "%61=%31", true), ("a b", "c d", "a+b=c%20d", true), ("a", "1", "aa=1&xa=1", false),
            ("a", "1=2", "a=1=2", true), ("a", "%", "a=%", true), ("a", "%zz", "a=%zz", true),
            ("a", "%4", "a=%4", true),
            ("a", "", "a", true), ("a", "", "a=&b", true), ("a", "", "b", false), ("a", "", "&&a&", true),
            ("a", "1*", "a=12", true), ("a", "1*", "a=%312", true), ("a", "1*", "a=21", false),
            ("a", "~^[12]/$", "a=2%2f", true), ("a", "~^[12]$", "a=3", false), ("a", "*", "a", true),
            ("a", "*", "b", false),
            ("a", "!*", "b", true), ("a", "!*", "", true), ("a", "!*", "%61", false),
            ("a", "~^\\x00$", "a=%00", true),
            ("a", "~x{200}", "a=" + String(repeating: "x", count: 300), true), ("a", "1", "b?a=1", false),
        ]
        for (name, value, query, expected) in table {
            #expect(try holds(name, value, query) == expected, "\(name) \(value) \(query)")
        }
    }

    @Test("Sources are blocks of addresses, IPv4 and IPv6 apart")
    func sources() throws {
        let rule = try RouteSupport.rule(sources: ["10.0.0.0/8", "2001:db8::/32", "192.0.2.7"])
        let table = try RouteTable([rule], seed: 1)
        let expected = [
            ("10.1.2.3", true), ("11.0.0.0", false), ("::ffff:10.0.0.1", true), ("2001:db8::1", true),
            ("2001:db9::1", false), ("192.0.2.7", true), ("192.0.2.8", false),
        ]
        for (source, holds) in expected {
            #expect((RouteSupport.find(table, from: source) != nil) == holds, "\(source)")
        }
        let all6 = try RouteTable([try RouteSupport.rule(sources: ["::/0"])], seed: 1)
        #expect(
            RouteSupport.find(all6, from: "10.0.0.1") == nil && RouteSupport.find(all6, from: "::1") != nil)
    }

    // MARK: What can never match

    @Test("A rule that never takes a request is named, with the one that takes them all")
    func shadowing() throws {
        let rules = [
            try RouteSupport.rule(
                hosts: ["a.test", "b.test"], path: "/u/{id}", fields: [("x", "1"), ("y", "2")]),
            // By the one above.
            try RouteSupport.rule(hosts: ["B.test"], path: "/u/{name}", fields: [("Y", "2"), ("X", "1")]),
            try RouteSupport.rule(
                hosts: ["b.test", "c.test"], path: "/u/{id}", fields: [("x", "1"), ("y", "2")]),
            try RouteSupport.rule(hosts: ["a.test", "a.test"], path: "/u/{id}"),
            try RouteSupport.rule(hosts: ["a.test"], path: "/u/{id}", methods: ["GET"]),  // by 3
            try RouteSupport.rule(hosts: ["a.test"], path: "/u/*", methods: ["GET"]),
            try RouteSupport.rule(path: "~^/a"),
            try RouteSupport.rule(path: "~^/a"),  // by 6
            try RouteSupport.rule(
                hosts: ["a.test", "b.test"], path: "/u/{x}", fields: [("x", "1"), ("y", "2")]),  // by 0
        ]
        let table = try RouteTable(rules, seed: 1)
        let expected = [(1, 0), (4, 3), (7, 6), (8, 0)].map { RouteTable.Shadowed(rule: $0.0, by: $0.1) }
        #expect(table.shadowed == expected)
        let fields = [("x", "1"), ("y", "2")]
        #expect(RouteSupport.find(table, "/u/7", host: "b.test", fields: fields)?.rule == 0)
        #expect(RouteSupport.find(table, "/u/7", host: "c.test", fields: fields)?.rule == 2)
        #expect(RouteSupport.find(table, "/u/7", host: "a.test")?.rule == 3)
    }

    // MARK: Cost

    @Test("An expression that reaches its limit leaves the look-up undecided, and is counted")
    func limits() throws {
        let table = try RouteSupport.table(paths: ["~^/(a+)+$", "~^/a"])
        var scratch = RouteScratch(pathBytes: 64)
        let path = "/" + String(repeating: "a", count: 1000) + "!"
        _ = RouteSupport.find(table, path, scratch: &scratch)
        let isUndecided = scratch.isUndecided
        #expect(isUndecided)
        #expect(scratch.givenUpCount == 1)
        #expect(RouteSupport.find(table, "/aaa", scratch: &scratch)?.rule == 0)
        let isUndecidedStill = scratch.isUndecided
        #expect(!isUndecidedStill)
        #expect(scratch.givenUpCount == 1)
        #expect(table.expressionCount == 2)
    }

    @Test("Templates whose worst path would be compared too often are refused")
    func visits() throws {
        /// "a" or a placeholder at each of `depth` segments, in every combination that a pattern may have.
        func rules(depth: Int, end: (Int) -> String) throws -> [RouteRule] {
            try (0..<1 << depth).filter { $0.nonzeroBitCount <= RouteMatch.captureLimit }.map { bits in
                let segments = (0..<depth).map { bits >> $0 & 1 == 0 ? "/a" : "/{x\($0)}" }
                return try RouteSupport.rule(hosts: ["a.test"], path: segments.joined() + end(bits))
            }
        }
        let table = try RouteTable(try rules(depth: 8) { "/end\($0)" }, seed: 1)
        let start = String(repeating: "/a", count: 8)
        #expect(RouteSupport.find(table, start + "/end0", host: "a.test") == Found(rule: 0))
        let last = RouteSupport.find(table, start + "/end255", host: "a.test")
        #expect(last == Found(rule: 255, captures: Array(repeating: "a", count: 8)))
        #expect(RouteSupport.find(table, start + "/end256", host: "a.test") == nil)

        // All nodes of the tree but the one with 9 and the eleven with more than 8 placeholders: 2047 - 12.
        let tooMany = try rules(depth: 10) { _ in "" }
        let message = RouteSupport.message { () throws(OptionSyntaxError) in
            try RouteTable(tooMany, seed: 1).sizeBytes
        }
        #expect(
            message
                == "the path templates of 'a.test' overlap so much that one path may have to be compared with 2035 parts"
                + " of them, of at most 1024: write fewer templates that have a literal segment where others have a"
                + " placeholder")
    }

    @Test("10,000 routes: each is found, and takes little memory")
    func manyRoutes() throws {
        let rules = try (0..<10_000).map { index in
            switch index % 4 {
            case 0: try RouteSupport.rule(hosts: ["h\(index).example.org"], path: "/api/v1/*")
            case 1: try RouteSupport.rule(hosts: ["*.w\(index).example.org"], path: "/a/b")
            case 2:
                try RouteSupport.rule(hosts: ["api.example.org"], path: "/service\(index)/{id}/items/{item}")
            default: try RouteSupport.rule(path: "/r\(index)/*", methods: ["GET", "HEAD"])
            }
        }
        let table = try RouteTable(rules, seed: 1)
        var scratch = RouteScratch(pathBytes: 64)
        var wrong: [Int] = []
        for index in 0..<10_000 {
            let found =
                switch index % 4 {
                case 0:
                    RouteSupport.find(table, "/api/v1/x", host: "H\(index).example.org", scratch: &scratch)
                case 1: RouteSupport.find(table, "/a/b", host: "x.y.w\(index).example.org", scratch: &scratch)
                case 2:
                    RouteSupport.find(
                        table, "/service\(index)/7/items/8", host: "api.example.org", scratch: &scratch)
                default:
                    RouteSupport.find(table, "/r\(index)/x/y", host: "api.example.org", scratch: &scratch)
                }
            if found?.rule != index { wrong.append(index) }
        }
        #expect(Array(wrong.prefix(10)) == [])
        #expect(table.shadowed == [] && table.sizeBytes / rules.count < 400, "\(table.sizeBytes) bytes")
    }
}
