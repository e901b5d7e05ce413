import Testing

@testable import UringProxy

@Suite struct JSONValueTests {
    @Test func valuesAreReadAsTheyAreWritten() throws {
        let cases: [(String, JSONValue)] = [
            ("null", .null), (" true\n", .boolean(true)), ("false", .boolean(false)), ("0", .number(0)),
            ("-0", .number(-0.0)), ("12345678901234", .number(12_345_678_901_234)),
            ("18446744073709551615", .number(18_446_744_073_709_551_616)), ("-1.5e3", .number(-1500)),
            ("5e-05", .number(0.00005)), ("0.315707862", .number(0.315707862)), ("[]", .array([])),
            ("{}", .object([:])),
            ("[1, 2 ,[3]]", .array([.number(1), .number(2), .array([.number(3)])])),
            (
                #"{"a":{"b":[true]},"":""}"#,
                .object(["a": .object(["b": .array([.boolean(true)])]), "": .string("")])
            ),
            (#""é \u00e9 \" \\ \/ \b\f\n\r\t""#, .string("é é \" \\ / \u{8}\u{C}\n\r\t")),
            (#""\u0000\u001b\uD83D\ude00""#, .string("\u{0}\u{1B}😀")),
        ]
        for (text, value) in cases { #expect(try JSONValue(parsing: Array(text.utf8)) == value, "\(text)") }
    }

    @Test func whatIsNoJSONIsRefused() {
        let texts = [
            "", " ", "nul", "tru", "01", "-", "+1", ".5", "1.", "1e", "1e+", "0x1", "1e999", "NaN", "[1,]",
            "[,1]", "[1 2]",
            "{\"a\"}", "{\"a\":}", "{a:1}", "{\"a\":1,}", "{\"a\":1 \"b\":2}", "{\"a\":1,\"a\":2}", "\"",
            "\"\\", "\"\\x\"",
            "\"\\u12\"", "\"\\u12g4\"", "\"\\ud800\"", "\"\\ud800x\"", "\"\\ud800\\u0041\"", "\"\\udc00\"",
            "\"\n\"", "\"\t\"",
            "1 2", "[]]", "'a'", "\u{FEFF}1", "[", "{", "[1", "{\"a\":1", "\u{0}",
        ]
        for text in texts {
            #expect(throws: JSONValue.Problem.self, "\(text)") { try JSONValue(parsing: Array(text.utf8)) }
        }
        #expect(throws: JSONValue.Problem.self) { try JSONValue(parsing: [0x22, 0xFF, 0x22]) }
        #expect(throws: JSONValue.Problem.self) { try JSONValue(parsing: [0x22, 0xC3, 0x22]) }
    }

    @Test func everyPartOfATextAloneIsRefused() throws {
        let text = Array(#"{"a":[1,{"b":"\u00e9\n"}],"c":-1.5e2,"d":null,"e":true}"#.utf8)
        _ = try JSONValue(parsing: text)
        for count in 0..<text.count {
            #expect(throws: JSONValue.Problem.self) { try JSONValue(parsing: Array(text[..<count])) }
        }
    }

    @Test func nestingHasALimit() throws {
        func nested(_ depth: Int) -> [UInt8] {
            Array((String(repeating: "[", count: depth) + String(repeating: "]", count: depth)).utf8)
        }
        _ = try JSONValue(parsing: nested(64))
        #expect(throws: JSONValue.Problem.self) { try JSONValue(parsing: nested(65)) }
        #expect(throws: JSONValue.Problem.self) { try JSONValue(parsing: nested(1_000_000)) }
    }

    @Test func itReadsWhatWeWrite() throws {
        let written = JSONText.object { json in
            json.member("text", "a\"\\\n\u{1B}\u{9B}é😀")
            json.member("count", UInt64(12))
            json.member("part", 0.1)
            json.member("none", Double.nan)
        }
        let read = try JSONValue(parsing: Array(written.utf8))
        #expect(read["text"] == .string("a\"\\\n\u{1B}\u{9B}é😀"))
        #expect(read["count"]?.number == 12)
        #expect(read["part"]?.number == 0.1)
        #expect(read["none"] == .null)
    }
}
