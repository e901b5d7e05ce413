import Testing

@testable import UringProxy

struct JSONTextTests {
    @Test func valuesStandInTheirOrder() {
        let text = JSONText.object { json in
            json.member("a", 1)
            json.member("b", "x")
            json.object("c") { _ in }
            json.array("d", [1, 2]) { $0.value($1) }
            json.array("e", [String]())
            json.array("f", [1, 2]) { json, number in json.object { $0.member("n", number) } }
            json.member("g", true)
            json.member("h", nanoseconds: 1_500_000_000)
            json.member("i", Double.infinity)
        }
        #expect(
            text
                == #"{"a":1,"b":"x","c":{},"d":[1,2],"e":[],"f":[{"n":1},{"n":2}],"g":true,"h":1.5,"i":null}"#
                + "\n")
    }

    @Test func whatPeersSayIsEscaped() {
        let text = JSONText.object { $0.member("a\"", "\u{0}\u{1b}[2J\\\"\n\u{7f}\u{9b}é\u{1F600}") }
        #expect(text == #"{"a\"":"\u0000\u001b[2J\\\"\n\u007f\u009bé😀"}"# + "\n")
    }
}
