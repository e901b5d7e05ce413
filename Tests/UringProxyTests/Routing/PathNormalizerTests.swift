import TestSupport
import Testing

@testable import UringProxy

@Suite("PathNormalizer")
struct PathNormalizerTests {
    @Test("Every spelling becomes the one that rules are matched with")
    func table() {
        let table: [(String, String)] = [
            ("", "/"), ("/", "/"), ("*", "*"), ("/a/b", "/a/b"), ("/a/b/", "/a/b/"),
            // Dot segments (RFC 3986 §5.2.4).
            ("/.", "/"), ("/./", "/"), ("/..", "/"), ("/../", "/"), ("/../..", "/"), ("/../../a", "/a"),
            ("/a/.", "/a/"), ("/a/./", "/a/"), ("/a/./b", "/a/b"), ("/a/..", "/"), ("/a/../", "/"),
            ("/a/b/..", "/a/"), ("/a/b/../", "/a/"), ("/a/b/../c", "/a/c"), ("/a/b/../../c", "/c"),
            ("/a/b/../../../c", "/c"), ("/a/b/c/./../../g", "/a/g"), ("/mid/content=5/../6", "/mid/6"),
            ("/...", "/..."), ("/..a", "/..a"), ("/.a/b", "/.a/b"), ("/a./b", "/a./b"), ("/a../b", "/a../b"),
            ("/a/...", "/a/..."), ("/.well-known/x", "/.well-known/x"), ("/a..", "/a.."),
            // The same, encoded.
            ("/public/%2e%2e/admin", "/admin"), ("/public/.%2E/admin", "/admin"),
            ("/public/%2E./admin", "/admin"),
            ("/a/%2e/b", "/a/b"), ("/%2e%2e", "/"), ("/a/%2e%2e", "/"), ("/%2e%2e%2e", "/..."),
            ("/%252e%252e/a", "/%252e%252e/a"),
            // Slashes.
            ("//", "/"), ("///", "/"), ("//a", "/a"), ("/a//b", "/a/b"), ("/a///b//", "/a/b/"),
            ("/a//", "/a/"),
            ("/a//.//b", "/a/b"), ("/a/.//b", "/a/b"), ("/a/b//.", "/a/b/"),
            ("/a%2fb", "/a%2Fb"), ("/a%2F%2Fb", "/a%2F%2Fb"), ("/a%2F..%2Fb", "/a%2F..%2Fb"),
            ("/%2f", "/%2F"),
            // Encoding.
            ("/%41%5a%61%7A%30%39%2d%2e%5f%7e", "/AZaz09-._~"), ("/%61dmin", "/admin"),
            ("/%e4%Bd", "/%E4%BD"),
            ("/%20%3f%23%25%3b", "/%20%3F%23%25%3B"), ("/%22%5e%60%7b%7C%7d", "/\"^`{|}"),
            ("/\"^`{|}", "/\"^`{|}"),
            ("/%5c%3c%3E%5B%5d", "/%5C%3C%3E%5B%5D"), ("/a+b;c=d,e@f:g!$&'()*", "/a+b;c=d,e@f:g!$&'()*"),
            ("/%7f%01", "/%7F%01"),
            // Bad ones.
            ("/%", "badEncoding"), ("/%4", "badEncoding"), ("/%4g", "badEncoding"), ("/%g4", "badEncoding"),
            ("/%%41", "badEncoding"), ("/a%/b", "badEncoding"), ("/a/%2", "badEncoding"),
            ("/%00", "nul"), ("/a%00.html", "nul"), ("/a/%00/../b", "nul"),
            ("/a//../b", "ambiguous"), ("//..", "ambiguous"), ("/a/b//../../c", "ambiguous"),
            ("/a//b/../../c", "ambiguous"), ("/a/.//../b", "ambiguous"), ("/a//%2e%2e/b", "ambiguous"),
        ]
        for (path, expected) in table { #expect(RouteSupport.normalised(path) == expected, "\(path)") }
    }

    @Test("A path that is normal stays where it is, at every size")
    func untouched() throws {
        for size in 1..<70 {
            for path in [
                "/" + String(repeating: "a", count: size), "/.a/%2F" + String(repeating: "b/", count: size),
            ] {
                let isSame = try HTTPSupport.withView(Array(path.utf8)) { view in
                    var scratch = RouteScratch(pathBytes: 64)
                    return Result { unsafe try scratch.normalised(view).pointer == view.pointer }
                }.get()
                #expect(isSame, "\(path)")
            }
        }
    }

    @Test("What needs work is seen at every offset")
    func offsets() {
        for size in 1..<70 {
            let start = "/" + String(repeating: "a", count: size)
            for end in ["", "bcdefghijklmnopqrs"] {
                #expect(RouteSupport.normalised(start + "//" + end) == start + "/" + end)
                #expect(RouteSupport.normalised(start + "/./" + end) == start + "/" + end)
                #expect(RouteSupport.normalised(start + "%41" + end) == start + "A" + end)
                #expect(RouteSupport.normalised(start + "/../" + end) == "/" + end)
            }
        }
    }

    @Test("What is accepted means the same in whichever order slashes are merged and dot segments removed")
    func readings() {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SplitMix(seed: seed)
        let pieces = [
            "/", "/", "//", ".", "..", "a", "b", "%2e", "%2E.", "%41", "%2f", "%zz", "%00", "~", ";",
        ]
        var wrong: [String] = []
        for _ in 0..<5000 {
            let path =
                "/"
                + (0..<Int.random(in: 0...9, using: &random)).map { _ in pieces.randomElement(using: &random)!
                }.joined()
            let result = RouteSupport.normalised(path)
            switch result {
            case "badEncoding": if !path.contains("%zz") { wrong.append(path) }
            case "nul": if !path.contains("%00") { wrong.append(path) }
            case "ambiguous": if !path.contains("//") { wrong.append(path) }
            default:
                let decoded = Self.decoded(path)
                let first = Self.merged(Self.withoutDots(decoded))
                let second = Self.withoutDots(Self.merged(decoded))
                if result != first || result != second { wrong.append(path) }
                if RouteSupport.normalised(result) != result { wrong.append(path) }
            }
        }
        #expect(Array(wrong.prefix(10)) == [], "seed \(seed)")
    }

    private static func decoded(_ path: String) -> String {
        var path = path
        for (encoded, plain) in [("%2e", "."), ("%2E", "."), ("%41", "A"), ("%2f", "%2F")] {
            path = path.split(separator: encoded, omittingEmptySubsequences: false).joined(separator: plain)
        }
        return path
    }

    private static func merged(_ path: String) -> String {
        var result = ""
        for character in path where !(character == "/" && result.last == "/") { result.append(character) }
        return result
    }

    private static func withoutDots(_ path: String) -> String {
        let parts = path.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
        var result: [Substring] = []
        for part in parts where part != "." {
            if part == ".." { _ = result.popLast() } else { result.append(part) }
        }
        if parts.last == "." || parts.last == ".." { result.append("") }
        return "/" + result.joined(separator: "/")
    }
}
