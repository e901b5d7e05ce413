import Testing

@testable import UringProxy

@Suite("Regular expressions of routes")
struct RegularExpressionTests {
    private func run(_ text: String, on subject: String, ignoringCase: Bool = false) throws -> [String] {
        let expression = try RegularExpression(text, ignoringCase: ignoringCase)
        var matcher = RegexMatcher()
        return HTTPSupport.withView(Array(subject.utf8)) { view in
            let verdict = matcher.run(expression.code, on: view)
            let captures = (0..<matcher.captureCount).map { view[matcher.capture($0)].string }
            return ["\(verdict)"] + captures
        }
    }

    @Test("They are looked for anywhere, in bytes")
    func matching() throws {
        #expect(try run("b+", on: "abbc") == ["matched"])
        #expect(try run("^b+", on: "abbc") == ["different"])
        #expect(try run("^$", on: "") == ["matched"])
        #expect(try run("B", on: "abc") == ["different"])
        #expect(try run("B", on: "abc", ignoringCase: true) == ["matched"])
        #expect(try run("^.{2}$", on: "\u{E9}") == ["matched"])
        #expect(try run("a$", on: "a\n") == ["different"])
    }

    @Test("Groups are captured up to the eighth, those that took no part empty")
    func groups() throws {
        #expect(try run("(a)(x)?(c)", on: "ac") == ["matched", "a", "", "c"])
        #expect(try run("(a)(x)?", on: "ac") == ["matched", "a"])
        #expect(
            try run("(1)(2)(3)(4)(5)(6)(7)(8)(9)", on: "123456789")
                == ["matched", "1", "2", "3", "4", "5", "6", "7", "8"])
    }

    @Test("A hostile subject is given up soon, and the next one is matched again")
    func limits() throws {
        let long = String(repeating: "a", count: 8000)
        for text in [
            "^(a+)+$", "^(a|a)*$", "^a*a*a*a*a*a*a*b", "(.*)(.*)(.*)(.*)(.*)x", "^(?:a?){40}a{40}b",
            "(?:.|.)*!",
            "^(\\w+\\w+)+$",
        ] {
            let expression = try RegularExpression(text, ignoringCase: false)
            var matcher = RegexMatcher()
            let clock = ContinuousClock()
            var verdict = RegexMatcher.Verdict.matched
            let time = clock.measure {
                verdict = HTTPSupport.withView(Array((long + "!b!").utf8)) {
                    matcher.run(expression.code, on: $0)
                }
            }
            if text != "(?:.|.)*!" && text != "^a*a*a*a*a*a*a*b" { #expect(verdict != .matched, "\(text)") }
            // A second is far from what it takes, and nearer than what it would take.
            #expect(time < .seconds(1), "\(text)")
            let plain = try RegularExpression("a", ignoringCase: false)
            #expect(HTTPSupport.withView([0x61]) { matcher.run(plain.code, on: $0) } == .matched)
        }
    }

    @Test("One expression serves every thread")
    func sharing() async throws {
        let expression = try RegularExpression("^/v([0-9]+)/(.*)$", ignoringCase: false)
        await withTaskGroup(of: Int.self) { group in
            for task in 0..<4 {
                group.addTask {
                    var matcher = RegexMatcher()
                    var found = 0
                    for round in 0..<500 {
                        let size = HTTPSupport.withView(Array("/v\(task)\(round)/x".utf8)) { view in
                            matcher.run(expression.code, on: view) == .matched
                                ? Int(matcher.capture(0).size) : -1
                        }
                        if size == "\(task)\(round)".utf8.count { found += 1 }
                    }
                    return found
                }
            }
            for await found in group { #expect(found == 500) }
        }
    }

    @Test("A broken one says where")
    func broken() {
        let table = [
            ("", "'~' has no regular expression behind it: write for example '~^/v[0-9]+/'"),
            ("*\\.php$", "'~*\\.php$' is nginx's way to ignore case: write '~(?i)\\.php$'"),
            (
                "^/(a",
                "'~^/(a' is no regular expression: missing closing parenthesis (PCRE2, after 4 of its bytes)"
            ),
            (
                "a[",
                "'~a[' is no regular expression: missing terminating ] for character class (PCRE2, after 2 of its bytes)"
            ),
        ]
        for (text, message) in table {
            #expect(
                RouteSupport.message { () throws(OptionSyntaxError) in
                    try RegularExpression(text, ignoringCase: false)
                } == message)
        }
        let utf = RouteSupport.message { () throws(OptionSyntaxError) in
            try RegularExpression("(*UTF)a", ignoringCase: false)
        }
        #expect(
            utf.hasPrefix("'~(*UTF)a' is no regular expression: using UTF is disabled by the application"))
    }
}
