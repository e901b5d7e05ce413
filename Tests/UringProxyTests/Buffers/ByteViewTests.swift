import Testing

@testable import UringProxy

@Suite("ByteView")
struct ByteViewTests {
    @Test("Case is ignored for ASCII letters alone")
    func caseFolding() {
        let bytes = Array("Content-LENGTH".utf8)
        unsafe bytes.withUnsafeBytes { buffer in
            let view = unsafe ByteView(buffer)
            #expect(view.equalsIgnoringCase("content-length"))
            #expect(!view.equalsIgnoringCase("content_length"))
            #expect(view[0..<7].string == "Content")
        }
    }
}
