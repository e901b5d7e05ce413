import TestSupport
import Testing

@testable import UringProxy

struct AdminTokenTests {
    @Test func theFirstLineIsTheToken() throws {
        let file = try TemporaryFile("0123456789abcdef  \nsomething else\n")
        let token = try AdminToken(reading: file.path)
        #expect(token.isSame(as: "0123456789abcdef"))
        #expect(
            !token.isSame(as: "0123456789abcdeF") && !token.isSame(as: "0123456789abcde")
                && !token.isSame(as: nil))
        #expect(token.field == "Authorization: Bearer 0123456789abcdef\r\n")
    }

    @Test(arguments: [
        "", "short\n", "with a space in it all\n", "0123456789abcdef\u{e9}\n",
        String(repeating: "x", count: 513),
    ])
    func whatIsNoneIsRefused(_ text: String) throws {
        let file = try TemporaryFile(text)
        let error = #expect(throws: StartError.self) { try AdminToken(reading: file.path) }
        #expect(error?.message.contains("openssl rand -hex 32") ?? false)
        let missing = #expect(throws: StartError.self) { try AdminToken(reading: "/nowhere") }
        #expect(missing?.message == "--admin-token-file: /nowhere cannot be read")
    }
}
