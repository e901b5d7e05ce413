import Testing

@testable import UringProxy

@Suite("Status page")
struct StatusPageTests {
    private let files = [StatusPage.page, StatusPage.script, StatusPage.style]

    @Test("Each file is served whole, as what it is, and with what it may do")
    func filesSayWhatTheyMayDo() {
        #expect(
            StatusPage.page.body.hasPrefix("<!doctype html>\n") && StatusPage.page.body.hasSuffix("</html>\n")
        )
        #expect(
            StatusPage.script.body.hasPrefix("\"use strict\";\n")
                && StatusPage.script.body.hasSuffix("\npoll();\n"))
        #expect(StatusPage.style.body.hasSuffix("}\n"))
        #expect(
            files.map(\.type) == ["text/html", "text/javascript", "text/css"].map { $0 + "; charset=utf-8" })
        for file in files {
            #expect(!file.body.contains("\u{FFFD}"))
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
            let text = file.body.split(separator: "http://www.w3.org/2000/svg").joined()
            for word in [
                "http:", "https:", "url(", "@import", "eval(", "innerHTML", "outerHTML", "insertAdjacentHTML",
                "document.write",
            ] {
                #expect(!text.contains(word), "\(word)")
            }
        }
        for word in [" style=", " onclick=", " onload=", "<style", "<script>", "<iframe"] {
            #expect(!StatusPage.page.body.contains(word), "\(word)")
        }
    }
}
