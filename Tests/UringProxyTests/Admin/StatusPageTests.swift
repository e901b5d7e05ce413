import Testing

@testable import UringProxy

@Suite("Status page")
struct StatusPageTests {
    private let files = [StatusPage.page, StatusPage.script, StatusPage.style]

    private func text(_ file: AdminResponse) -> String { text(file.body) }
    // As an answer may keep its body.
    private func text(_ body: String) -> String { body }
    private func text(_ body: [UInt8]) -> String { String(decoding: body, as: UTF8.self) }

    @Test("Each file is served whole, as what it is, and with what it may do")
    func filesSayWhatTheyMayDo() {
        #expect(
            text(StatusPage.page).hasPrefix("<!doctype html>\n")
                && text(StatusPage.page).hasSuffix("</html>\n")
        )
        #expect(
            text(StatusPage.script).hasPrefix("\"use strict\";\n")
                && text(StatusPage.script).hasSuffix("\npoll();\n"))
        #expect(text(StatusPage.style).hasSuffix("}\n"))
        #expect(
            files.map(\.type) == ["text/html", "text/javascript", "text/css"].map { $0 + "; charset=utf-8" })
        for file in files {
            #expect(!text(file).contains("\u{FFFD}"))
            let fields = Dictionary(uniqueKeysWithValues: file.fields.map { ($0.name, $0.value) })
            #expect(fields["Content-Security-Policy"] == StatusPage.policy)
            #expect(fields["X-Content-Type-Options"] == "nosniff")
            #expect(fields["Referrer-Policy"] == "no-referrer")
        }
    }

    @Test("Nothing is asked of anybody else, and nothing that the policy would refuse is there")
    func pageNeedsNobodyElse() {
        for file in files {
            // The name of a kind of XML, which nobody asks for.
            let rest = text(file).split(separator: "http://www.w3.org/2000/svg").joined()
            for word in [
                "http:", "https:", "url(", "@import", "eval(", "innerHTML", "outerHTML", "insertAdjacentHTML",
                "document.write",
            ] {
                #expect(!rest.contains(word), "\(word)")
            }
        }
        for word in [" style=", " onclick=", " onload=", "<style", "<script>", "<iframe"] {
            #expect(!text(StatusPage.page).contains(word), "\(word)")
        }
    }
}
