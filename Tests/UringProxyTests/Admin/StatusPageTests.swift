import Testing

@testable import UringProxy

@Suite("Status page")
struct StatusPageTests {
    private let files = [AdminFiles.page, AdminFiles.script, AdminFiles.style]

    private func text(_ file: AdminResponse) -> String {
        String(decoding: file.body, as: UTF8.self)
    }

    @Test("Each file is served whole, as what it is, and with what it may do")
    func filesSayWhatTheyMayDo() {
        #expect(
            text(AdminFiles.page).hasPrefix("<!doctype html>\n")
                && text(AdminFiles.page).hasSuffix("</html>\n")
        )
        #expect(
            text(AdminFiles.script).hasPrefix("\"use strict\";\n")
                && text(AdminFiles.script).hasSuffix("\npoll();\n"))
        #expect(text(AdminFiles.style).hasSuffix("}\n"))
        #expect(
            files.map(\.type) == ["text/html", "text/javascript", "text/css"].map { $0 + "; charset=utf-8" })
        for file in files {
            #expect(!text(file).contains("\u{FFFD}"))
            let fields = Dictionary(uniqueKeysWithValues: file.fields.map { ($0.name, $0.value) })
            #expect(
                fields["Content-Security-Policy"]
                    == "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
            )
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
            #expect(!text(AdminFiles.page).contains(word), "\(word)")
        }
    }
}
