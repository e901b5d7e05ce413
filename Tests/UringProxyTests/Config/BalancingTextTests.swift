import Testing

@testable import UringProxy

@Suite("Texts of balancing")
struct BalancingTextTests {
    @Test("An upstream may have a weight")
    func weights() throws {
        #expect(try UpstreamText(parsing: "a:1").weight == 1)
        #expect(try UpstreamText(parsing: "a:1,weight=3").weight == 3)
        #expect(try UpstreamText(parsing: "[::1]:1,weight=1000").address == "[::1]:1")
        let unix = try UpstreamText(parsing: "unix:/run/a,b,weight=2")
        #expect(unix.address == "unix:/run/a,b" && unix.weight == 2)
    }

    @Test("A weight that is none is refused", arguments: ["", "0", "1001", "-1", "+1", "1.5", "x", "1 "])
    func badWeights(_ weight: String) {
        #expect(throws: OptionSyntaxError.self) { try UpstreamText(parsing: "a:1,weight=\(weight)") }
    }

    @Test("An upstream may have a priority, beside a weight and a zone in any order")
    func priorities() throws {
        #expect(try UpstreamText(parsing: "a:1,weight=3").priority == 0)
        #expect(try UpstreamText(parsing: "a:1,priority=65535").priority == 65535)
        let all = try UpstreamText(parsing: "a:1,priority=2,zone=b,weight=3")
        #expect(all.address == "a:1" && all.priority == 2 && all.zone == "b" && all.weight == 3)
    }

    @Test("A priority that is none is refused", arguments: ["", "65536", "-1", "+1", "1.5", "x"])
    func badPriorities(_ priority: String) {
        #expect(throws: OptionSyntaxError.self) { try UpstreamText(parsing: "a:1,priority=\(priority)") }
    }

    @Test("Keys are read as they are written")
    func keys() throws {
        for text in ["uri", "source", "header:x-user", "cookie:Session"] {
            #expect(try HashKey(parsing: text).description == text)
        }
        #expect(try HashKey(parsing: "header:X-User") == .header("x-user"))
    }

    @Test(
        "What is no key is refused",
        arguments: ["", "url", "header", "header:", "cookie:", "header:a b", "cookie:a=b", "query:a", "uri:"])
    func badKeys(_ text: String) {
        #expect(throws: OptionSyntaxError.self) { try HashKey(parsing: text) }
    }
}
