import Testing

@testable import UringProxy

@Suite("Cookies")
struct CookieFieldTests {
    private func value(_ name: String, _ field: String) -> String? {
        let name = Array(name.utf8)
        let field = Array(field.utf8)
        return unsafe name.withUnsafeBytes { name in
            unsafe field.withUnsafeBytes { field in
                unsafe CookieField.value(of: ByteView(name), in: ByteView(field))?.string
            }
        }
    }

    @Test("A cookie is found by its whole name, wherever it stands")
    func found() {
        #expect(value("a", "a=1") == "1")
        #expect(value("a", "b=2; a=1; c=3") == "1")
        #expect(value("c", "b=2;a=1;\tc=3 ") == "3")
        #expect(value("a", "aa=2; ba=3; a=") == "")
        #expect(value("a", "a=x=y") == "x=y")
        #expect(value("a", "a=1; a=2") == "1")
    }

    @Test("What is not there is not found")
    func missing() {
        for field in ["", ";", ";;; ", "A=1", "aa=1", "a", "a;b=1", "b=a=1", "b=1; ", "a =1"] {
            #expect(value("a", field) == nil, "\(field)")
        }
    }
}
